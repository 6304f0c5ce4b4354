//! The prompts that images are drawn for, as `asap bench` reads them: a file of JSON lines, or a benchmark's folder.

use std::collections::BTreeSet;
use std::path::Path;

use anyhow::{Context as _, bail};
use asap_core::manifest::Benchmark;
use asap_core::prompt::latest_version;
use asap_core::{Prompt, PromptId, Sha256};
use sha2::Digest as _;

/// Prompts with the bytes that they were read from.
#[derive(Clone, Debug)]
pub(super) struct Prompts {
    pub(super) bytes: Vec<u8>,
    pub(super) all: Vec<Prompt>,
    pub(super) benchmark: Benchmark,
}

/// What a folder's `taxonomy.toml` says of the whole set.
#[derive(serde::Deserialize)]
struct Title {
    name: String,
    version: String,
}

impl Prompts {
    /// The rules of a set are checked by `asap prompts`; here a line must be a prompt, and its id its own.
    pub(super) fn read(path: &Path) -> anyhow::Result<Self> {
        let file = if path.is_dir() {
            path.join("data/prompts.jsonl")
        } else {
            path.to_owned()
        };
        let bytes = fs_err::read(&file)?;
        let all = rows(&file, &bytes)?;
        let title = if path.is_dir() {
            let file = path.join("taxonomy.toml");
            let text = fs_err::read_to_string(&file)?;
            toml::from_str(&text).with_context(|| format!("`{}`", file.display()))?
        } else {
            Title {
                name: file
                    .file_stem()
                    .unwrap_or_default()
                    .to_string_lossy()
                    .into_owned(),
                version: latest_version(&all),
            }
        };
        let benchmark = Benchmark {
            name: title.name,
            version: title.version,
            prompts_sha256: sha256(&bytes),
        };
        Ok(Self {
            bytes,
            all,
            benchmark,
        })
    }
}

fn rows(file: &Path, bytes: &[u8]) -> anyhow::Result<Vec<Prompt>> {
    let text = std::str::from_utf8(bytes).with_context(|| format!("`{}`: expected UTF-8", file.display()))?;
    let mut all: Vec<Prompt> = Vec::new();
    let mut ids: BTreeSet<PromptId> = BTreeSet::new();
    for (line, text) in (1..)
        .zip(text.lines())
        .filter(|(_, text)| !text.trim().is_empty())
    {
        let prompt: Prompt =
            serde_json::from_str(text).with_context(|| format!("`{}` line {line}", file.display()))?;
        if !ids.insert(prompt.id.clone()) {
            bail!(
                "`{}` line {line}: `{}` is the id of an earlier line already; ids are unique",
                file.display(),
                prompt.id
            );
        }
        all.push(prompt);
    }
    if all.is_empty() {
        bail!(
            "`{}`: expected prompts, one JSON object a line; there is none",
            file.display()
        );
    }
    Ok(all)
}

pub(super) fn sha256(bytes: &[u8]) -> Sha256 {
    Sha256::from_bytes(sha2::Sha256::digest(bytes).into())
}
