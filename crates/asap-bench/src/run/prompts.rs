//! The prompts of a run, with the bytes that they were read from.

use std::collections::BTreeMap;
use std::path::Path;

use asap_core::prompt::latest_version;
use asap_core::{Prompt, PromptId, Sha256};

use super::{Benchmark, sha256};
use crate::prompts::PromptSet;
use crate::{Error, Result, jsonl};

/// The prompts that the images of a run were drawn for.
///
/// A benchmark's folder is read as [`PromptSet`] reads it, with every rule. A lone file need only hold prompts: runs
/// are also made of images that were drawn for no benchmark.
#[derive(Clone, Debug)]
pub struct RunPrompts {
    name: String,
    version: String,
    bytes: Vec<u8>,
    prompts: Vec<Prompt>,
    by_id: BTreeMap<PromptId, usize>,
}

impl RunPrompts {
    /// Reads the folder of a benchmark, or a JSONL file.
    ///
    /// # Errors
    /// [`Error::Prompts`] with all faults of a folder; of a file [`Error::NotUtf8`], [`Error::Row`] for a line that is
    /// no prompt or repeats an id, [`Error::File`] without any prompt.
    pub fn read(path: &Path) -> Result<Self> {
        if path.is_dir() {
            return Self::of_benchmark(&PromptSet::load(path)?);
        }
        let text = jsonl::read_text(path)?;
        let mut prompts: Vec<Prompt> = Vec::new();
        let mut lines: BTreeMap<PromptId, usize> = BTreeMap::new();
        for (line, prompt) in jsonl::parse_rows::<Prompt>(path, &text)? {
            if let Some(first) = lines.insert(prompt.id.clone(), line) {
                return Err(Error::Row {
                    path: path.to_owned(),
                    line,
                    message: format!(
                        "`{}` is the id of line {first} already; ids are unique",
                        prompt.id
                    ),
                });
            }
            prompts.push(prompt);
        }
        if prompts.is_empty() {
            let message = "expected prompts, one JSON object a line; there is none".to_owned();
            return Err(Error::File {
                path: path.to_owned(),
                message,
            });
        }
        let stem = path.file_stem().unwrap_or_default();
        let (name, version) = (stem.to_string_lossy().into_owned(), latest_version(&prompts));
        Ok(Self::new(name, version, text.into_bytes(), prompts))
    }

    fn of_benchmark(set: &PromptSet) -> Result<Self> {
        let bytes = fs_err::read(set.file())?;
        let (name, version) = (set.name().to_owned(), set.version().to_owned());
        Ok(Self::new(name, version, bytes, set.prompts().to_vec()))
    }

    fn new(name: String, version: String, bytes: Vec<u8>, prompts: Vec<Prompt>) -> Self {
        let places = prompts.iter().enumerate();
        let by_id = places.map(|(idx, prompt)| (prompt.id.clone(), idx)).collect();
        Self {
            name,
            version,
            bytes,
            prompts,
            by_id,
        }
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

    /// What a manifest says of these prompts.
    pub fn benchmark(&self) -> Benchmark {
        Benchmark {
            name: self.name.clone(),
            version: self.version.clone(),
            prompts_sha256: self.sha256(),
        }
    }
}
