//! A dataset on disk: making it, opening it, its versions.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use asap_core::PositiveId;
use tokio::sync::OnceCell;

use crate::index::Index;
use crate::lock::WriterLock;
use crate::log::{self, Entry, RowCounts};
use crate::tables::{Kind, Table, Tables};
use crate::{Error, Result, encode};

/// A HAP dataset: preferred images, pairs and assessments, at one version.
///
/// Reading takes no lock and sees the version that was newest when the dataset was opened. The first write
/// takes the writer's lock, moves on to the newest version, and keeps the lock until the value is dropped.
pub struct Dataset {
    pub(crate) root: PathBuf,
    pub(crate) entry: Entry,
    pub(crate) tables: Tables,
    pub(crate) index: OnceCell<Index>,
    pub(crate) lock: Option<WriterLock>,
    at: At,
}

/// Whether writes are in order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum At {
    Newest,
    OldVersion,
}

/// One version of a dataset.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VersionInfo {
    /// Its number, from 1.
    pub version: u64,
    /// When it was written.
    pub time: SystemTime,
    /// The program that wrote it.
    pub written_by: String,
    /// Rows of each table.
    pub rows: RowCounts,
}

impl Dataset {
    /// Makes an empty dataset in a new or empty folder, conventionally named `NAME.lance`.
    ///
    /// # Errors
    /// [`Error::Exists`] where there is a dataset or anything else; [`Error::NotWritable`],
    /// [`Error::DiskFull`].
    pub async fn create(path: impl AsRef<Path>) -> Result<Self> {
        let root = absolute(path.as_ref())?;
        if !log::versions(&root)?.is_empty() || holds_foreign_files(&root)? {
            return Err(Error::Exists { path: root });
        }
        log::create_folder(&root)?;
        let lock = WriterLock::take(&root)?;
        if !log::versions(&root)?.is_empty() {
            return Err(Error::Exists { path: root });
        }
        let tables = Tables {
            positives: Table::create(&root, Kind::Positives, encode::positives(&[])?).await?,
            pairs: Table::create(&root, Kind::Pairs, encode::pairs(&[], &[])?).await?,
            assessments: Table::create(&root, Kind::Assessments, encode::assessments(&[])?).await?,
        };
        let entry = Entry::next(0, tables.versions(), RowCounts::default());
        entry.commit(&root)?;
        let index = OnceCell::new_with(Some(Index::default()));
        Ok(Self {
            root,
            entry,
            tables,
            index,
            lock: Some(lock),
            at: At::Newest,
        })
    }

    /// Opens the newest version.
    ///
    /// # Errors
    /// [`Error::NotADataset`], [`Error::NewerSchema`], [`Error::Damaged`] with the name of the file.
    pub async fn open(path: impl AsRef<Path>) -> Result<Self> {
        let root = absolute(path.as_ref())?;
        let versions = log::versions(&root)?;
        let last = versions.last().copied().ok_or_else(|| not_a_dataset(&root))?;
        Self::open_entry(root, last, At::Newest).await
    }

    /// Opens an old version, for reading only.
    ///
    /// # Errors
    /// [`Error::NoSuchVersion`], and those of [`Dataset::open`].
    pub async fn open_at(path: impl AsRef<Path>, version: u64) -> Result<Self> {
        let root = absolute(path.as_ref())?;
        let versions = log::versions(&root)?;
        let (Some(&first), Some(&last)) = (versions.first(), versions.last()) else {
            return Err(not_a_dataset(&root));
        };
        if !versions.contains(&version) {
            return Err(Error::NoSuchVersion {
                path: root,
                version,
                first,
                last,
            });
        }
        let at = if version == last {
            At::Newest
        } else {
            At::OldVersion
        };
        Self::open_entry(root, version, at).await
    }

    /// Opens the newest version, or makes an empty dataset where there is none.
    ///
    /// # Errors
    /// Those of [`Dataset::open`] and [`Dataset::create`].
    pub async fn open_or_create(path: impl AsRef<Path>) -> Result<Self> {
        let path = path.as_ref();
        if log::versions(&absolute(path)?)?.is_empty() {
            Self::create(path).await
        } else {
            Self::open(path).await
        }
    }

    async fn open_entry(root: PathBuf, version: u64, at: At) -> Result<Self> {
        let entry = Entry::read(&root, version)?;
        let tables = Tables::open(&root, entry.tables).await?;
        Ok(Self {
            root,
            entry,
            tables,
            index: OnceCell::new(),
            lock: None,
            at,
        })
    }

    /// The folder.
    pub fn path(&self) -> &Path {
        &self.root
    }

    /// The version that is open, from 1.
    pub const fn version(&self) -> u64 {
        self.entry.version
    }

    /// Rows of each table at the open version.
    pub const fn row_counts(&self) -> RowCounts {
        self.entry.rows
    }

    /// The number of pairs at the open version.
    pub const fn count_rows(&self) -> u64 {
        self.entry.rows.pairs
    }

    /// Every version that is kept, oldest first.
    ///
    /// # Errors
    /// [`Error::Io`], [`Error::Damaged`], [`Error::NewerSchema`].
    pub fn versions(&self) -> Result<Vec<VersionInfo>> {
        let info = |version| {
            let entry = Entry::read(&self.root, version)?;
            Ok(VersionInfo {
                version,
                time: UNIX_EPOCH + Duration::from_millis(entry.time_unix_ms),
                written_by: entry.written_by,
                rows: entry.rows,
            })
        };
        log::versions(&self.root)?.into_iter().map(info).collect()
    }

    /// Moves on to the newest version; returns whether there was a newer one.
    ///
    /// # Errors
    /// Those of [`Dataset::open`].
    pub async fn refresh(&mut self) -> Result<bool> {
        let last = log::versions(&self.root)?
            .last()
            .copied()
            .ok_or_else(|| not_a_dataset(&self.root))?;
        if last == self.entry.version {
            self.at = At::Newest;
            return Ok(false);
        }
        let lock = self.lock.take();
        *self = Self::open_entry(self.root.clone(), last, At::Newest).await?;
        self.lock = lock;
        Ok(true)
    }

    /// Takes the writer's lock now instead of at the first write, and moves on to the newest version.
    ///
    /// A long build calls this first, so that a second one stops at once and not after an hour.
    ///
    /// # Errors
    /// [`Error::Locked`] when another writer is at work, [`Error::OldVersion`], [`Error::NotWritable`].
    pub async fn lock(&mut self) -> Result<()> {
        if self.at == At::OldVersion {
            return Err(Error::OldVersion {
                path: self.root.clone(),
                version: self.entry.version,
            });
        }
        if self.lock.is_none() {
            self.lock = Some(WriterLock::take(&self.root)?);
            self.refresh().await?;
        }
        Ok(())
    }

    /// The (positive, seed) of every pair that is stored: what an interrupted build can skip.
    ///
    /// # Errors
    /// [`Error::Table`].
    pub async fn built_slots(&self) -> Result<BTreeSet<(PositiveId, u64)>> {
        Ok(self.index().await?.slots.clone())
    }

    /// Where each id stands.
    pub(crate) async fn index(&self) -> Result<&Index> {
        self.index.get_or_try_init(|| Index::load(&self.tables)).await
    }

    /// The error for an id that is not there.
    pub(crate) fn missing(&self, what: &'static str, id: impl ToString) -> Error {
        Error::Missing {
            what,
            id: id.to_string(),
            path: self.root.clone(),
        }
    }
}

fn absolute(path: &Path) -> Result<PathBuf> {
    std::path::absolute(path).map_err(|error| Error::io("find", path, error))
}

fn not_a_dataset(root: &Path) -> Error {
    let reason = if root.is_dir() {
        "it has no finished version"
    } else if root.exists() {
        "it is not a folder"
    } else {
        "there is no such folder"
    };
    Error::NotADataset {
        path: root.to_owned(),
        reason: reason.to_owned(),
    }
}

/// Whether the folder holds anything that an interrupted creation would not have left.
fn holds_foreign_files(root: &Path) -> Result<bool> {
    let own: Vec<PathBuf> = Kind::ALL.iter().map(|kind| kind.folder(root)).collect();
    let names = match fs_err::read_dir(root) {
        Ok(names) => names,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(false),
        Err(error) => return Err(Error::io("read", root, error)),
    };
    for name in names {
        let path = name.map_err(|error| Error::io("read", root, error))?.path();
        let is_own = own.contains(&path) || path.ends_with("versions") || path.ends_with("writer.lock");
        if !is_own {
            return Ok(true);
        }
    }
    Ok(false)
}
