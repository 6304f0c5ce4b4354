//! What can go wrong with weights and tensors.

use std::path::PathBuf;

/// A result of this crate.
pub type Result<T> = std::result::Result<T, Error>;

/// Each variant says what, where, what was expected and what was found.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A file that does not open, read or write.
    #[error("`{path}` does not {action}")]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// `read`, `write`, …
        action: &'static str,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
    /// A file that is not what its name says: torn, of another format, of another network.
    #[error("`{path}`: expected {expected}, got {got}")]
    File {
        /// The file.
        path: PathBuf,
        /// What should be there.
        expected: String,
        /// What is there.
        got: String,
    },
    /// Weights that do not fit the network.
    #[error(transparent)]
    Weights(#[from] crate::weights::Misfit),
    /// An argument of the wrong size.
    #[error("{what}: expected {expected}, got {got}")]
    Argument {
        /// Which argument.
        what: &'static str,
        /// What it should be.
        expected: String,
        /// What it is.
        got: String,
    },
    /// The device has no memory left for this.
    #[error("out of memory in {during}: {message}")]
    OutOfMemory {
        /// What was computed.
        during: String,
        /// What libtorch said.
        message: String,
    },
    /// libtorch refused an operation.
    #[error("libtorch failed in {during}: {message}")]
    Torch {
        /// What was computed.
        during: String,
        /// What libtorch said.
        message: String,
    },
}

impl Error {
    pub(crate) fn io(path: &std::path::Path, action: &'static str, source: std::io::Error) -> Self {
        Self::Io {
            path: path.to_owned(),
            action,
            source,
        }
    }

    pub(crate) fn file(path: &std::path::Path, expected: impl Into<String>, got: impl Into<String>) -> Self {
        Self::File {
            path: path.to_owned(),
            expected: expected.into(),
            got: got.into(),
        }
    }

    pub(crate) fn argument(what: &'static str, expected: impl ToString, got: impl ToString) -> Self {
        Self::Argument {
            what,
            expected: expected.to_string(),
            got: got.to_string(),
        }
    }
}
