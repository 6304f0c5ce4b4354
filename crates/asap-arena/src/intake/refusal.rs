//! Why an upload is refused.

use std::fmt;

use crate::manifest::Fault;

/// Why an archive, or one file, is refused: one line each.
#[derive(Debug, thiserror::Error)]
pub enum Refusal {
    /// The archive is none, or is broken.
    #[error("archive: expected a whole tar or zip file, got {got}")]
    Archive {
        /// What is wrong.
        got: String,
    },
    /// An entry is not what an archive may hold.
    #[error("entry `{name}`: expected {expected}, got {got}")]
    Entry {
        /// Its name, escaped and cut.
        name: String,
        /// What is allowed.
        expected: String,
        /// What it is.
        got: String,
    },
    /// The manifest and the files do not fit the benchmark.
    #[error("{}", lines(.0))]
    Faults(Vec<Fault>),
    /// What is allowed could not be kept.
    #[error("`{name}` could not be kept: {cause}")]
    Keep {
        /// The file.
        name: String,
        /// Why not.
        cause: String,
    },
}

fn lines(faults: &[Fault]) -> String {
    faults
        .iter()
        .map(ToString::to_string)
        .collect::<Vec<_>>()
        .join("\n")
}

impl Refusal {
    pub(super) fn entry(name: &str, expected: impl Into<String>, got: impl fmt::Display) -> Self {
        Self::Entry {
            name: shown(name),
            expected: expected.into(),
            got: got.to_string(),
        }
    }

    pub(super) fn archive(got: impl fmt::Display) -> Self {
        Self::Archive { got: got.to_string() }
    }
}

/// A hostile name on one line of a terminal.
fn shown(name: &str) -> String {
    name.escape_debug().to_string().chars().take(120).collect()
}
