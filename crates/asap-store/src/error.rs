//! What the store refuses, and how it says so.

use std::path::{Path, PathBuf};

/// A result of this crate.
pub type Result<T> = std::result::Result<T, Error>;

/// The cause of an error inside a storage library, kept as text and chain only.
pub type Cause = Box<dyn std::error::Error + Send + Sync>;

/// One enum for the crate: each variant says what, where, what was expected and what was found.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// No dataset at that path.
    #[error("`{}` is not a HAP dataset: {reason}", path.display())]
    NotADataset {
        /// The folder.
        path: PathBuf,
        /// What is missing.
        reason: String,
    },
    /// Something is there already.
    #[error("`{}` exists already: open it, or choose another name", path.display())]
    Exists {
        /// The folder or file.
        path: PathBuf,
    },
    /// Written by a newer program.
    #[error(
        "`{}` has schema version {found}, this program knows versions up to {known}: get a newer `asap`",
        path.display()
    )]
    NewerSchema {
        /// The folder.
        path: PathBuf,
        /// The version it was written with.
        found: u32,
        /// The newest version that this program reads.
        known: u32,
    },
    /// A second writer.
    #[error(
        "`{}` is being written by {holder}: wait until it has finished, or write to another dataset",
        path.display()
    )]
    Locked {
        /// The dataset.
        path: PathBuf,
        /// Who holds the lock, as far as it is known.
        holder: String,
    },
    /// A version that does not exist, or is no longer kept.
    #[error("`{}` has no version {version}: it has versions {first} to {last}", path.display())]
    NoSuchVersion {
        /// The dataset.
        path: PathBuf,
        /// The version that was asked for.
        version: u64,
        /// The oldest one.
        first: u64,
        /// The newest one.
        last: u64,
    },
    /// A write to a dataset that was opened at an old version.
    #[error("`{}` was opened at the old version {version}: open the newest one to write", path.display())]
    OldVersion {
        /// The dataset.
        path: PathBuf,
        /// The version that is open.
        version: u64,
    },
    /// No space left.
    #[error(
        "no space left on the disk of `{}`: free some and run the same command again, what was written before is kept",
        path.display()
    )]
    DiskFull {
        /// The dataset or folder that was written.
        path: PathBuf,
        /// The cause.
        #[source]
        source: Cause,
    },
    /// No right to write.
    #[error("`{}` cannot be written: check its permissions, or choose another place", path.display())]
    NotWritable {
        /// The dataset or folder.
        path: PathBuf,
        /// The cause.
        #[source]
        source: Cause,
    },
    /// Any other failure of the file system.
    #[error("cannot {action} `{}`", path.display())]
    Io {
        /// `read`, `write`, ...
        action: &'static str,
        /// The file.
        path: PathBuf,
        /// The cause.
        #[source]
        source: std::io::Error,
    },
    /// A failure inside Lance or Parquet.
    #[error("cannot {action} `{}`", path.display())]
    Table {
        /// `read`, `append to`, ...
        action: &'static str,
        /// The table's folder or the file.
        path: PathBuf,
        /// The cause.
        #[source]
        source: Cause,
    },
    /// A file that was cut, emptied or deleted.
    #[error("`{}` is damaged: {reason}; restore it from a copy", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// A cache that is torn, or a folder of something else under its name.
    #[error("`{}` cannot be used as a cache: {reason}", path.display())]
    Cache {
        /// The folder.
        path: PathBuf,
        /// What is wrong with it, and the way out.
        reason: String,
        /// The cause, where it lies deeper.
        #[source]
        source: Option<Cause>,
    },
    /// A column that is not there or has another type.
    #[error("table `{table}` has no column `{column}` of type {expected}")]
    Column {
        /// The table or file.
        table: String,
        /// The column.
        column: String,
        /// Its type.
        expected: String,
    },
    /// A value that is not one of a closed list.
    #[error("table `{table}`, column `{column}`: `{got}` is not a known {expected}")]
    Value {
        /// The table or file.
        table: String,
        /// The column.
        column: String,
        /// The value.
        got: String,
        /// What it should have been.
        expected: &'static str,
    },
    /// An id that is not in the dataset.
    #[error("no {what} `{id}` in `{}`", path.display())]
    Missing {
        /// `pair`, `positive`, ...
        what: &'static str,
        /// The id or row.
        id: String,
        /// The dataset.
        path: PathBuf,
    },
    /// A record that contradicts itself, refused before anything is written.
    #[error("{what} `{id}` is refused: {reason}")]
    Refused {
        /// `pair`, `positive`, ...
        what: &'static str,
        /// Its id.
        id: String,
        /// What is wrong, with what was expected and got.
        reason: String,
    },
    /// Bytes that are not the image or mask they should be.
    #[error("cannot {action} {what}: {reason}")]
    Pixels {
        /// `decode` or `encode`.
        action: &'static str,
        /// Which image or mask.
        what: String,
        /// Why.
        reason: String,
    },
    /// An import or export that cannot be done as asked.
    #[error("`{}`: {reason}", path.display())]
    Exchange {
        /// The file or folder.
        path: PathBuf,
        /// Why not, and what would do.
        reason: String,
    },
}

impl Error {
    /// Wraps a failure of a storage library, telling apart a full disk and missing rights.
    pub(crate) fn table(action: &'static str, path: &Path, source: impl Into<Cause>) -> Self {
        let source = source.into();
        match kind_of(source.as_ref()) {
            Some(Trouble::Full) => Self::DiskFull {
                path: path.to_owned(),
                source,
            },
            Some(Trouble::Forbidden) if action != "read" => Self::NotWritable {
                path: path.to_owned(),
                source,
            },
            _ => Self::Table {
                action,
                path: path.to_owned(),
                source,
            },
        }
    }

    /// Wraps a failure of the file system, telling apart a full disk and missing rights.
    pub(crate) fn io(action: &'static str, path: &Path, source: std::io::Error) -> Self {
        match kind_of(&source) {
            Some(Trouble::Full) => Self::DiskFull {
                path: path.to_owned(),
                source: source.into(),
            },
            Some(Trouble::Forbidden) if action != "read" => Self::NotWritable {
                path: path.to_owned(),
                source: source.into(),
            },
            _ => Self::Io {
                action,
                path: path.to_owned(),
                source,
            },
        }
    }

    /// A record that contradicts itself.
    pub(crate) fn refused(what: &'static str, id: impl ToString, reason: impl Into<String>) -> Self {
        Self::Refused {
            what,
            id: id.to_string(),
            reason: reason.into(),
        }
    }
}

enum Trouble {
    Full,
    Forbidden,
}

/// Looks for the operating system's reason through a chain of library errors.
///
/// Lance hands on some causes as text only, so the text is looked at last.
fn kind_of(error: &(dyn std::error::Error + 'static)) -> Option<Trouble> {
    use std::io::ErrorKind;
    let mut next = Some(error);
    while let Some(cause) = next {
        if let Some(io) = cause.downcast_ref::<std::io::Error>() {
            match io.kind() {
                ErrorKind::StorageFull | ErrorKind::QuotaExceeded => return Some(Trouble::Full),
                ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem => {
                    return Some(Trouble::Forbidden);
                }
                _ => {}
            }
        }
        next = cause.source();
    }
    let text = error.to_string();
    if text.contains("No space left on device") {
        Some(Trouble::Full)
    } else if text.contains("Permission denied") || text.contains("Read-only file system") {
        Some(Trouble::Forbidden)
    } else {
        None
    }
}
