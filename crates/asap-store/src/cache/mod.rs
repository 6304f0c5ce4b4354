//! Errors of a frozen network, kept so that no run computes them twice.
//!
//! A [`ReferenceCache`] is a folder, conventionally `NAME.cache` beside `NAME.lance`, with one Lance table:
//!
//! | column of `reference.lance` | holds |
//! | --- | --- |
//! | `key` | 32 bytes: a digest of everything that decides the numbers |
//! | `preferred_e0` ... `rejected_e2` | six 64-bit floats, in every bit as they were computed |
//! | `check` | the first 8 bytes of SHA-256 over key and floats |
//!
//! Rows are only ever added, and the folder may be deleted at any time: it costs the time to fill it anew. What an
//! append commits is visible whole or not at all. Writers take a lock for the moment of an append and wait for each
//! other, so several runs, and the processes of one, fill one cache together.

mod rows;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use asap_core::Sha256;

use crate::lock::WriterLock;
use crate::tables::{Kind, Table};
use crate::{Error, Result};

/// How long an append waits for other writers, each of which has the lock for a moment only.
const PATIENCE: Duration = Duration::from_secs(60);
/// Between two looks at the lock.
const PAUSE: Duration = Duration::from_millis(20);

/// Errors of the frozen network on a pair at one draw: E0, E1 and E2 of each image.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ReferenceErrors {
    /// Of x_w: means of e^2, M e^2 and M^2 e^2.
    pub preferred: [f64; 3],
    /// Of x_l.
    pub rejected: [f64; 3],
}

impl ReferenceErrors {
    fn numbers(&self) -> [f64; 6] {
        let ([a, b, c], [d, e, f]) = (self.preferred, self.rejected);
        [a, b, c, d, e, f]
    }
}

/// A keyed table on disk that only grows; all its rows are in memory, about a hundred bytes each.
pub struct ReferenceCache {
    root: PathBuf,
    table: Table,
    known: BTreeMap<Sha256, ReferenceErrors>,
}

impl ReferenceCache {
    /// Opens the cache in a folder, or begins an empty one where there is none.
    ///
    /// # Errors
    /// [`Error::Cache`] for a folder of something else and for a cache that is damaged or of another version, with
    /// what to delete; [`Error::NotWritable`], [`Error::DiskFull`], [`Error::Locked`].
    pub async fn open(path: &Path) -> Result<Self> {
        let root = std::path::absolute(path).map_err(|error| Error::io("find", path, error))?;
        if !is_begun(&root) {
            begin(&root).await?;
        }
        let (table, known) = read(&root).await?;
        Ok(Self { root, table, known })
    }

    /// The folder.
    pub fn path(&self) -> &Path {
        &self.root
    }

    /// How many draws are known.
    pub fn len(&self) -> usize {
        self.known.len()
    }

    /// Whether no draw is known.
    pub fn is_empty(&self) -> bool {
        self.known.is_empty()
    }

    /// The errors under a key.
    pub fn get(&self, key: &Sha256) -> Option<ReferenceErrors> {
        self.known.get(key).copied()
    }

    /// Adds draws as one commit, and takes over what others have added. Keys that are there already keep their
    /// numbers, so a repeated append changes nothing. Returns how many were new.
    ///
    /// # Errors
    /// [`Error::Refused`] for numbers that are not finite, before anything is written; [`Error::Locked`] where
    /// another writer does not finish; [`Error::Cache`], [`Error::DiskFull`], [`Error::NotWritable`]. After an
    /// error the cache is as it was.
    pub async fn append(&mut self, draws: &[(Sha256, ReferenceErrors)]) -> Result<usize> {
        for (key, errors) in draws {
            if !errors.numbers().iter().all(|number| number.is_finite()) {
                let reason = format!("its errors are {:?}, expected finite numbers", errors.numbers());
                return Err(Error::refused("draw", key, reason));
            }
        }
        let _lock = wait_for_lock(&self.root).await?;
        if self.table.newest_version().await? != self.table.version() {
            (self.table, self.known) = read(&self.root).await?;
        }
        let new: BTreeMap<Sha256, ReferenceErrors> = draws
            .iter()
            .filter(|(key, _)| !self.known.contains_key(key))
            .copied()
            .collect();
        if new.is_empty() {
            return Ok(0);
        }
        self.table.append(rows::encode(&new)?).await?;
        let n_new = new.len();
        self.known.extend(new);
        Ok(n_new)
    }
}

/// Whether a version of the table was ever committed.
fn is_begun(root: &Path) -> bool {
    let versions = Kind::Reference.folder(root).join("_versions");
    fs_err::read_dir(versions).is_ok_and(|mut names| names.next().is_some())
}

/// Makes an empty table in a new or empty folder.
async fn begin(root: &Path) -> Result<()> {
    if let Some(name) = foreign_name(root)? {
        let reason = format!("it holds `{name}`, which is no part of one; name another folder");
        return Err(Error::Cache {
            path: root.to_owned(),
            reason,
            source: None,
        });
    }
    fs_err::create_dir_all(root).map_err(|error| Error::io("create", root, error))?;
    let _lock = wait_for_lock(root).await?;
    // Another process may have been faster.
    if !is_begun(root) {
        Table::create(root, Kind::Reference, rows::encode(&BTreeMap::new())?).await?;
    }
    Ok(())
}

/// Anything that an interrupted beginning would not have left.
fn foreign_name(root: &Path) -> Result<Option<String>> {
    let names = match fs_err::read_dir(root) {
        Ok(names) => names,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(Error::io("read", root, error)),
    };
    let mut found = Vec::new();
    for name in names {
        let path = name.map_err(|error| Error::io("read", root, error))?.path();
        let is_own = path == Kind::Reference.folder(root) || path.ends_with(WriterLock::FILE);
        if !is_own {
            found.extend(path.file_name().map(|name| name.to_string_lossy().into_owned()));
        }
    }
    found.sort_unstable();
    Ok(found.into_iter().next())
}

async fn read(root: &Path) -> Result<(Table, BTreeMap<Sha256, ReferenceErrors>)> {
    let found = async {
        let table = Table::open_newest(root, Kind::Reference).await?;
        rows::check_format(&table)?;
        let known = rows::decode_all(&table).await?;
        Ok((table, known))
    };
    found.await.map_err(|error| unusable(root, error))
}

/// What is wrong with a cache has one way out, whatever it is.
fn unusable(root: &Path, error: Error) -> Error {
    let (reason, source) = match error {
        Error::DiskFull { .. } | Error::NotWritable { .. } | Error::Cache { .. } => return error,
        Error::Damaged { path, reason } => (format!("`{}` is damaged, {reason}", path.display()), None),
        other => (
            "its table cannot be read".to_owned(),
            Some(crate::Cause::from(other)),
        ),
    };
    Error::Cache {
        path: root.to_owned(),
        reason: format!("{reason}; delete that folder, and it is filled anew"),
        source,
    }
}

async fn wait_for_lock(root: &Path) -> Result<WriterLock> {
    let begun = Instant::now();
    loop {
        match WriterLock::take(root) {
            Err(Error::Locked { .. }) if begun.elapsed() < PATIENCE => tokio::time::sleep(PAUSE).await,
            taken => return taken,
        }
    }
}
