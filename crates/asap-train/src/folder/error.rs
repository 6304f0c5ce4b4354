//! What can go wrong in the folder of a run.

use std::path::{Path, PathBuf};

/// Result with [`Error`].
pub type Result<T> = std::result::Result<T, Error>;

/// What can go wrong in the folder of a run.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The operating system refused.
    #[error("cannot {action} `{}`", path.display())]
    Io {
        /// What was tried.
        action: &'static str,
        /// On what.
        path: PathBuf,
        /// Why it failed.
        source: std::io::Error,
    },
    /// A new run was asked for where one is.
    #[error("`{}` holds a run already; resume it or choose another folder", path.display())]
    Exists {
        /// The folder.
        path: PathBuf,
    },
    /// A new run was asked for where something else is.
    #[error("`{}` holds `{name}`, expected a new or empty folder", path.display())]
    Occupied {
        /// The folder.
        path: PathBuf,
        /// One of the files in it.
        name: String,
    },
    /// A run was asked for where none is.
    #[error("`{}` holds no run: `run.json` is missing", path.display())]
    NoRun {
        /// The folder.
        path: PathBuf,
    },
    /// Written by a later toolkit.
    #[error("`{}` has format {got}, expected at most {expected}; it was written by a later version", path.display())]
    Newer {
        /// The file.
        path: PathBuf,
        /// Its format.
        got: u64,
        /// The latest that is known here.
        expected: u64,
    },
    /// A file is not what it should be.
    #[error("`{}` cannot be read as JSON of a run", path.display())]
    Json {
        /// The file.
        path: PathBuf,
        /// Where and why.
        source: serde_json::Error,
    },
    /// A line of the telemetry is no record.
    #[error("line {line} of `{}` is no record", path.display())]
    Line {
        /// The file.
        path: PathBuf,
        /// Which one, from 1.
        line: usize,
        /// Why.
        source: serde_json::Error,
    },
    /// Another process writes.
    #[error("`{}` is written by {holder}", path.display())]
    Locked {
        /// The folder.
        path: PathBuf,
        /// Who has the lock.
        holder: String,
    },
    /// A part of a checkpoint could not be written; the checkpoints before it are as they were.
    #[error("cannot write `{name}` of the checkpoint of step {step}")]
    Checkpoint {
        /// The step.
        step: u64,
        /// The file.
        name: String,
        /// Why.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// A picture that is no PNG.
    #[error("`{name}` has {got}, expected a PNG")]
    Png {
        /// Its name.
        name: String,
        /// What it has instead.
        got: String,
    },
}

impl Error {
    pub(crate) fn io(action: &'static str, path: &Path, source: std::io::Error) -> Self {
        Self::Io {
            action,
            path: path.to_owned(),
            source,
        }
    }
}
