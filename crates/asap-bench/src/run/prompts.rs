//! The prompts of a run, read with every line checked.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use asap_core::{Prompt, PromptId, Sha256};

use super::{Benchmark, sha256};
use crate::{Error, Result, jsonl};

/// A set of prompts with the bytes that it was read from.
#[derive(Clone, Debug)]
pub struct PromptSet {
    path: PathBuf,
    bytes: Vec<u8>,
    prompts: Vec<Prompt>,
    by_id: BTreeMap<PromptId, usize>,
}

impl PromptSet {
    /// Reads a JSONL file, or the `data/prompts.jsonl` of a benchmark's folder.
    ///
    /// # Errors
    /// [`Error::NotUtf8`], [`Error::Row`] for a line that is no prompt or repeats an id, [`Error::File`] without any
    /// prompt.
    pub fn read(path: &Path) -> Result<Self> {
        let path = if path.is_dir() {
            path.join("data").join("prompts.jsonl")
        } else {
            path.to_owned()
        };
        let text = jsonl::read_text(&path)?;
        let mut prompts: Vec<Prompt> = Vec::new();
        let mut lines: BTreeMap<PromptId, usize> = BTreeMap::new();
        let mut by_id = BTreeMap::new();
        for (line, prompt) in jsonl::parse_rows::<Prompt>(&path, &text)? {
            if let Some(first) = lines.insert(prompt.id.clone(), line) {
                return Err(Error::Row {
                    path,
                    line,
                    message: format!(
                        "`{}` is the id of line {first} already; ids are unique",
                        prompt.id
                    ),
                });
            }
            by_id.insert(prompt.id.clone(), prompts.len());
            prompts.push(prompt);
        }
        if prompts.is_empty() {
            let message = "expected prompts, one JSON object a line; there is none".to_owned();
            return Err(Error::File { path, message });
        }
        Ok(Self {
            path,
            bytes: text.into_bytes(),
            prompts,
            by_id,
        })
    }

    /// The prompts, in the order of the file.
    pub fn prompts(&self) -> &[Prompt] {
        &self.prompts
    }

    /// A prompt.
    pub fn get(&self, id: &PromptId) -> Option<&Prompt> {
        self.prompts.get(*self.by_id.get(id)?)
    }

    /// The file, byte for byte.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// SHA-256 of the file.
    pub fn sha256(&self) -> Sha256 {
        sha256(&self.bytes)
    }

    /// What a manifest says of this set: the name of the benchmark's folder or of the file, and the newest version
    /// that a row came with.
    pub fn benchmark(&self) -> Benchmark {
        let folder = self
            .path
            .parent()
            .filter(|dir| dir.ends_with("data"))
            .and_then(Path::parent);
        // A relative path such as `data/prompts.jsonl` has the folder's name only in its full form.
        let folder = folder.and_then(|dir| {
            fs_err::canonicalize(if dir.as_os_str().is_empty() {
                Path::new(".")
            } else {
                dir
            })
            .ok()
        });
        let name = folder
            .as_deref()
            .and_then(Path::file_name)
            .or_else(|| self.path.file_stem())
            .map_or_else(
                || "prompts".to_owned(),
                |name| name.to_string_lossy().into_owned(),
            );
        let newest = self
            .prompts
            .iter()
            .map(|prompt| prompt.added.as_str())
            .max_by_key(|added| numbers(added));
        Benchmark {
            name,
            version: newest.unwrap_or("0").to_owned(),
            prompts_sha256: self.sha256(),
        }
    }
}

/// `1.10.0` as numbers, so that it comes after `1.9.0`.
fn numbers(version: &str) -> Vec<u64> {
    version.split('.').map(|part| part.parse().unwrap_or(0)).collect()
}
