//! Checkpoints that are whole or not there.
//!
//! The files go into `checkpoints/.step-000100.part/`, each brought to the disk; `state.json` with their hashes is
//! the last; then the folder is renamed. A step that is done again replaces its checkpoint: the old one is set aside
//! under `.step-000100.old`, and comes back if the process ends before the new one has its name.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::record::{from_json, to_json};
use super::{Error, Result, RunFolder, disk};

const STATE: &str = "state.json";

/// `state.json`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct State {
    step: u64,
    files: BTreeMap<String, FileRecord>,
    /// What the trainer keeps: counters, and whatever it needs to go on.
    trainer: serde_json::Value,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct FileRecord {
    size_bytes: u64,
    sha256: String,
}

/// A checkpoint whose hashes hold.
#[derive(Clone, Debug, PartialEq)]
pub struct Checkpoint {
    /// After which step.
    pub step: u64,
    /// Its folder.
    pub path: PathBuf,
    /// What the trainer gave to [`CheckpointWriter::finish`].
    pub trainer: serde_json::Value,
}

/// A checkpoint that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Torn {
    /// Its folder.
    pub path: PathBuf,
    /// What is wrong with it, in a sentence.
    pub reason: String,
}

/// What a search found.
#[derive(Clone, Debug, PartialEq)]
pub struct Found {
    /// The newest one that can be used.
    pub checkpoint: Option<Checkpoint>,
    /// Newer ones that cannot, newest first.
    pub torn: Vec<Torn>,
}

/// A checkpoint that is being written; dropped unfinished, it leaves nothing.
#[derive(Debug)]
pub struct CheckpointWriter {
    step: u64,
    part: PathBuf,
    place: PathBuf,
    files: BTreeMap<String, FileRecord>,
}

impl RunFolder {
    /// Begins a checkpoint after `step`.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub fn begin_checkpoint(&self, step: u64) -> Result<CheckpointWriter> {
        let place = self.checkpoints().join(step_name(step));
        let part = sibling(&place, "part");
        if part.exists() {
            disk::remove_dir(&part)?;
        }
        disk::create_dir(&part)?;
        Ok(CheckpointWriter {
            step,
            part,
            place,
            files: BTreeMap::new(),
        })
    }

    /// The newest checkpoint whose hashes hold, and the newer ones that were passed over.
    ///
    /// # Errors
    /// [`Error::Io`] where the folder cannot be listed, [`Error::Newer`] for a checkpoint of a later toolkit: to go
    /// on from an older one would lose what was trained since.
    pub fn newest_checkpoint(&self) -> Result<Found> {
        let mut torn = Vec::new();
        for step in self.checkpoint_steps()?.into_iter().rev() {
            match self.checkpoint(step) {
                Ok(checkpoint) => {
                    return Ok(Found {
                        checkpoint: Some(checkpoint),
                        torn,
                    });
                }
                Err(Problem::Torn(problem)) => torn.push(problem),
                Err(Problem::Other(error)) => return Err(error),
            }
        }
        Ok(Found {
            checkpoint: None,
            torn,
        })
    }

    /// Takes old checkpoints away until `keep` are left; one always is. The newest one that can be used is kept,
    /// whatever its age, and so are newer ones that cannot: somebody may want to know what became of them.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub fn prune_checkpoints(&self, keep: usize) -> Result<()> {
        let Some(newest) = self.newest_checkpoint()?.checkpoint else {
            return Ok(());
        };
        let steps = self.checkpoint_steps()?;
        let older = steps.into_iter().rev().filter(|step| *step < newest.step);
        for step in older.skip(keep.saturating_sub(1)) {
            let place = self.checkpoints().join(step_name(step));
            // Renamed first: a half removed folder must not look like a checkpoint.
            let aside = sibling(&place, "part");
            disk::rename(&place, &aside)?;
            disk::remove_dir(&aside)?;
        }
        Ok(())
    }

    /// The steps with a checkpoint, ascending, whether it can be used or not.
    fn checkpoint_steps(&self) -> Result<Vec<u64>> {
        let names = disk::names(&self.checkpoints())?;
        let mut steps: Vec<u64> = names.iter().filter_map(|name| step_of(name)).collect();
        steps.sort_unstable();
        Ok(steps)
    }

    fn checkpoint(&self, step: u64) -> std::result::Result<Checkpoint, Problem> {
        let path = self.checkpoints().join(step_name(step));
        let torn = |reason: String| {
            Problem::Torn(Torn {
                path: path.clone(),
                reason,
            })
        };
        let state_path = path.join(STATE);
        let bytes = std::fs::read(&state_path).map_err(|error| torn(format!("`{STATE}`: {error}")))?;
        let state: State = match from_json(&state_path, &bytes) {
            Ok(state) => state,
            Err(Error::Json { source, .. }) => {
                return Err(torn(format!("`{STATE}` is no JSON of a checkpoint: {source}")));
            }
            Err(error) => return Err(Problem::Other(error)),
        };
        if state.step != step {
            return Err(torn(format!(
                "`{STATE}` is of step {}, expected {step}",
                state.step
            )));
        }
        for (name, expected) in &state.files {
            check_file(&path.join(name), expected).map_err(|reason| torn(format!("`{name}` {reason}")))?;
        }
        Ok(Checkpoint {
            step,
            path,
            trainer: state.trainer,
        })
    }
}

enum Problem {
    Torn(Torn),
    Other(Error),
}

impl CheckpointWriter {
    /// Writes one file: `write` is given the path to make it at. It is brought to the disk and hashed.
    ///
    /// # Errors
    /// [`Error::Checkpoint`] with what `write` or the operating system said.
    pub fn file<E>(
        &mut self,
        name: &str,
        write: impl FnOnce(&Path) -> std::result::Result<(), E>,
    ) -> Result<()>
    where
        E: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        let failed = |source| Error::Checkpoint {
            step: self.step,
            name: name.to_owned(),
            source,
        };
        let path = self.part.join(name);
        write(&path).map_err(|error| failed(error.into()))?;
        disk::sync_file(&path).map_err(|error| failed(error.into()))?;
        let record = hash_file(&path).map_err(|error| failed(error.into()))?;
        self.files.insert(name.to_owned(), record);
        Ok(())
    }

    /// Writes `state.json` and gives the checkpoint its name.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub fn finish(self, trainer: serde_json::Value) -> Result<PathBuf> {
        let state = State {
            step: self.step,
            files: self.files.clone(),
            trainer,
        };
        disk::write_whole(&self.part.join(STATE), &to_json(&state))?;
        let parent = self.place.parent().unwrap_or(Path::new("."));
        let aside = sibling(&self.place, "old");
        if self.place.exists() {
            disk::rename(&self.place, &aside)?;
        }
        disk::rename(&self.part, &self.place)?;
        disk::sync_dir(parent)?;
        if aside.exists() {
            disk::remove_dir(&aside)?;
        }
        Ok(self.place.clone())
    }
}

impl Drop for CheckpointWriter {
    fn drop(&mut self) {
        if self.part.exists() {
            // On a full disk this is the space that the older checkpoints' owner needs; the cause is told elsewhere.
            if let Err(error) = std::fs::remove_dir_all(&self.part) {
                tracing::warn!(%error, path = %self.part.display(), "an unfinished checkpoint was not removed");
            }
        }
    }
}

/// Puts back what a killed writer left: unfinished checkpoints go, one that was set aside comes back.
pub(super) fn recover(checkpoints: &Path) -> Result<()> {
    for name in disk::names(checkpoints)? {
        let path = checkpoints.join(&name);
        let Some(hidden) = name.strip_prefix('.') else {
            continue;
        };
        if let Some(step) = hidden.strip_suffix(".old").filter(|step| step_of(step).is_some()) {
            let place = checkpoints.join(step);
            if place.exists() {
                disk::remove_dir(&path)?;
            } else {
                disk::rename(&path, &place)?;
            }
        } else if hidden
            .strip_suffix(".part")
            .is_some_and(|step| step_of(step).is_some())
        {
            disk::remove_dir(&path)?;
        }
    }
    Ok(())
}

/// `step-000100`.
pub(super) fn step_name(step: u64) -> String {
    format!("step-{step:06}")
}

fn step_of(name: &str) -> Option<u64> {
    let step = name.strip_prefix("step-")?.parse().ok()?;
    (step_name(step) == name).then_some(step)
}

/// `.step-000100.part` beside `step-000100`.
fn sibling(place: &Path, ending: &str) -> PathBuf {
    let name = place.file_name().unwrap_or_default().to_string_lossy();
    place.with_file_name(format!(".{name}.{ending}"))
}

fn check_file(path: &Path, expected: &FileRecord) -> std::result::Result<(), String> {
    let found = std::fs::metadata(path).map_err(|error| format!("cannot be read: {error}"))?;
    if found.len() != expected.size_bytes {
        return Err(format!(
            "has {} bytes, expected {}",
            found.len(),
            expected.size_bytes
        ));
    }
    let got = hash_file(path)
        .map_err(|error| format!("cannot be read: {error}"))?
        .sha256;
    if got != expected.sha256 {
        return Err(format!("has SHA-256 {got}, expected {}", expected.sha256));
    }
    Ok(())
}

fn hash_file(path: &Path) -> std::io::Result<FileRecord> {
    let mut file = File::open(path)?;
    let mut hasher = Sha256::new();
    let mut buffer = vec![0; 1 << 20];
    let mut size_bytes = 0;
    loop {
        let n = file.read(&mut buffer)?;
        if n == 0 {
            break;
        }
        hasher.update(&buffer[..n]);
        size_bytes += n as u64;
    }
    let sha256 = hasher
        .finalize()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    Ok(FileRecord { size_bytes, sha256 })
}
