//! The folder of a run and what must never be lost in it.
//!
//! ```text
//! RUN/settings.toml            the settings as they were resolved
//!     run.json                 code, data, base model, seed: what a repetition needs
//!     run.lock                 one writer at a time
//!     telemetry.jsonl          one record a line
//!     events.out.tfevents.*    the same for TensorBoard
//!     checkpoints/step-000100/ adapter.safetensors, optimiser.safetensors, state.json
//!     samples/step-000100/     images
//!     report/                  index.html, data.json, plots
//! ```
//!
//! A checkpoint is written under another name and renamed when it is whole and on the disk, so whatever ends a
//! process, every name that starts with `step-` was once complete. [`RunFolder::newest_checkpoint`] still checks
//! the hashes: disks and people damage files too.

mod checkpoint;
mod disk;
mod error;
mod lock;
mod record;

use std::path::{Path, PathBuf};

use crate::doctor;

pub use checkpoint::{Checkpoint, CheckpointWriter, Found, Torn};
pub(crate) use disk::write_whole;
pub use error::{Error, Result};
pub use lock::RunLock;
pub use record::{FORMAT, RunRecord};

/// A run on disk.
#[derive(Clone, Debug, PartialEq)]
pub struct RunFolder {
    root: PathBuf,
    record: RunRecord,
}

impl RunFolder {
    /// Begins a run in a new or empty folder.
    ///
    /// # Errors
    /// [`Error::Exists`] where a run is there already (open it to resume), [`Error::Occupied`] where other files
    /// are, [`Error::Io`].
    pub fn create(root: &Path, record: &RunRecord, settings_toml: &str) -> Result<Self> {
        if root.join(RUN).exists() {
            return Err(Error::Exists {
                path: root.to_owned(),
            });
        }
        if let Some(name) = disk::names(root)?
            .into_iter()
            .find(|name| !is_left_by_a_start(name))
        {
            return Err(Error::Occupied {
                path: root.to_owned(),
                name,
            });
        }
        disk::create_dir(&root.join(CHECKPOINTS))?;
        write_whole(&root.join(SETTINGS), settings_toml.as_bytes())?;
        // Last: a folder with it is a run.
        write_whole(&root.join(RUN), &record.to_json())?;
        Ok(Self {
            root: root.to_owned(),
            record: record.clone(),
        })
    }

    /// Opens a run that was begun before.
    ///
    /// # Errors
    /// [`Error::NoRun`], [`Error::Newer`] for one of a later toolkit, [`Error::Json`], [`Error::Io`].
    pub fn open(root: &Path) -> Result<Self> {
        let path = root.join(RUN);
        if !path.is_file() {
            return Err(Error::NoRun {
                path: root.to_owned(),
            });
        }
        let bytes = std::fs::read(&path).map_err(|error| Error::io("read", &path, error))?;
        Ok(Self {
            root: root.to_owned(),
            record: RunRecord::from_json(&path, &bytes)?,
        })
    }

    /// Takes the right to write, until it is dropped, and puts back what a killed writer left half done.
    ///
    /// # Errors
    /// [`Error::Locked`] where another process has it, [`Error::Io`].
    pub fn lock(&self) -> Result<RunLock> {
        let lock = RunLock::take(&self.root.join(LOCK))?;
        checkpoint::recover(&self.checkpoints())?;
        Ok(lock)
    }

    /// The folder itself; event files lie in it.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// What the run is made of.
    pub const fn record(&self) -> &RunRecord {
        &self.record
    }

    /// The settings as they were written.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub fn settings_toml(&self) -> Result<String> {
        let path = self.root.join(SETTINGS);
        std::fs::read_to_string(&path).map_err(|error| Error::io("read", &path, error))
    }

    /// The file of [`crate::telemetry::TelemetryLog`].
    pub fn telemetry(&self) -> PathBuf {
        self.root.join("telemetry.jsonl")
    }

    /// The folder of the report.
    pub fn report(&self) -> PathBuf {
        self.root.join("report")
    }

    /// Writes a sample of a step and returns its name for [`crate::telemetry::SampleImage::file`].
    ///
    /// # Errors
    /// [`Error::Io`].
    pub fn write_sample(&self, step: u64, sample_idx: usize, png: &[u8]) -> Result<String> {
        let name = format!("samples/{}/{sample_idx:03}.png", checkpoint::step_name(step));
        write_whole(&self.root.join(&name), png)?;
        Ok(name)
    }

    fn checkpoints(&self) -> PathBuf {
        self.root.join(CHECKPOINTS)
    }
}

const RUN: &str = "run.json";
const SETTINGS: &str = "settings.toml";
/// The tiny base model, which is made before the run begins.
pub const BASE: &str = "base";
const LOCK: &str = "run.lock";
const CHECKPOINTS: &str = "checkpoints";

/// What a process that was killed in [`RunFolder::create`] can have left, or a look at the pairs before the run;
/// it may be written over.
fn is_left_by_a_start(name: &str) -> bool {
    [CHECKPOINTS, SETTINGS, BASE, doctor::JSON, doctor::SHEET].contains(&name)
        || (name.starts_with('.') && name.ends_with(".part"))
}

#[cfg(test)]
mod tests;
