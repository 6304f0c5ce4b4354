//! A set of prompts that was read: rows, where they stood, taxonomy, splits.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use asap_core::{Prompt, PromptId, Sha256};

use super::{Error, Result, Taxonomy, read};

/// Prompts with the version and hash that go into every record made from them.
#[derive(Clone, Debug)]
pub struct PromptSet {
    pub(super) path: PathBuf,
    pub(super) name: String,
    pub(super) version: String,
    pub(super) sha256: Sha256,
    pub(super) file: PathBuf,
    pub(super) prompts: Vec<Prompt>,
    /// Line of each row in the file, from 1.
    pub(super) lines: Vec<u32>,
    pub(super) idx_by_id: BTreeMap<PromptId, usize>,
    pub(super) taxonomy: Option<Taxonomy>,
    pub(super) splits: BTreeMap<String, Vec<PromptId>>,
}

impl PromptSet {
    /// Reads a folder in the layout of `prompts/haf-bench`, or one `.jsonl` file.
    ///
    /// # Errors
    /// [`Error::Read`], [`Error::Toml`] for the taxonomy, and [`Error::Faults`] with everything else that is
    /// wrong, by file and line.
    pub fn load(path: impl AsRef<Path>) -> Result<Self> {
        let path = path.as_ref();
        let reading = read(path)?;
        if reading.faults.is_empty() {
            return Ok(reading.set);
        }
        Err(Error::Faults {
            path: path.to_owned(),
            faults: reading.faults,
        })
    }

    /// The folder or file that was read.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The name of the taxonomy; for a lone file, its stem.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The version of the taxonomy; for a lone file, the latest version that a row was added in.
    pub fn version(&self) -> &str {
        &self.version
    }

    /// SHA-256 of the rows file.
    pub const fn sha256(&self) -> Sha256 {
        self.sha256
    }

    /// The rows file.
    pub fn file(&self) -> &Path {
        &self.file
    }

    /// The rows, in the order of the file.
    pub fn prompts(&self) -> &[Prompt] {
        &self.prompts
    }

    /// The prompt of that id.
    pub fn get(&self, id: &PromptId) -> Option<&Prompt> {
        self.idx_by_id.get(id).map(|&idx| &self.prompts[idx])
    }

    /// The line of the prompt of that id, from 1.
    pub fn line(&self, id: &PromptId) -> Option<u32> {
        self.idx_by_id.get(id).map(|&idx| self.lines[idx])
    }

    /// The taxonomy; a lone file has none.
    pub const fn taxonomy(&self) -> Option<&Taxonomy> {
        self.taxonomy.as_ref()
    }

    /// The names of the splits and their ids.
    pub const fn splits(&self) -> &BTreeMap<String, Vec<PromptId>> {
        &self.splits
    }

    /// The prompts of a split in its order; `None` where there is no such split.
    pub fn split(&self, name: &str) -> Option<Vec<&Prompt>> {
        let ids = self.splits.get(name)?;
        Some(ids.iter().filter_map(|id| self.get(id)).collect())
    }
}
