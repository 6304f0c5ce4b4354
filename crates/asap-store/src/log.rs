//! The version log of a dataset: what makes a write to three tables visible at once.
//!
//! `versions/0000000007.json` names one version of each table. A write first commits the tables, then puts
//! the next entry in place with one rename: whoever opens the dataset sees all of the write or none of it.
//! What was committed to a table but is named by no entry is invisible and is taken back by the next write.

use std::io::{ErrorKind, Write as _};
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};

use crate::schema::SchemaVersion;
use crate::{Error, Result};

const FORMAT: &str = "asap-hap";
const FOLDER: &str = "versions";

/// Rows of each table.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RowCounts {
    /// Preferred images.
    pub positives: u64,
    /// Pairs.
    pub pairs: u64,
    /// Pairs with statistics and a decision.
    pub assessments: u64,
}

/// Lance versions of the tables.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct TableVersions {
    pub(crate) positives: u64,
    pub(crate) pairs: u64,
    pub(crate) assessments: u64,
}

/// One version of a dataset.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Entry {
    pub(crate) format: String,
    pub(crate) schema: u32,
    pub(crate) version: u64,
    pub(crate) time_unix_ms: u64,
    pub(crate) written_by: String,
    pub(crate) tables: TableVersions,
    pub(crate) rows: RowCounts,
}

/// What every schema version has in common, so that a newer one is recognised.
#[derive(Deserialize)]
struct Header {
    format: String,
    schema: u32,
}

impl Entry {
    /// The entry after `version`, dated now.
    pub(crate) fn next(version: u64, tables: TableVersions, rows: RowCounts) -> Self {
        let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Self {
            format: FORMAT.to_owned(),
            schema: SchemaVersion::CURRENT.number(),
            version: version + 1,
            time_unix_ms: since_epoch.as_millis() as u64,
            written_by: concat!("asap ", env!("CARGO_PKG_VERSION")).to_owned(),
            tables,
            rows,
        }
    }

    /// Makes the entry visible: a finished file appears under its name, or nothing does.
    ///
    /// The writer's lock keeps two entries of one number apart.
    pub(crate) fn commit(&self, root: &Path) -> Result<()> {
        let folder = root.join(FOLDER);
        let path = file_of(root, self.version);
        let partial = folder.join(format!(".{:010}.partial", self.version));
        let json =
            serde_json::to_vec_pretty(self).map_err(|error| Error::io("write", &path, error.into()))?;
        let write = || -> std::io::Result<()> {
            let mut file = fs_err::File::create(&partial)?;
            file.write_all(&json)?;
            file.sync_all()?;
            fs_err::rename(&partial, &path)?;
            sync_folder(&folder)
        };
        write().map_err(|error| Error::io("write", &path, error))
    }

    /// Reads the entry of a version.
    pub(crate) fn read(root: &Path, version: u64) -> Result<Self> {
        let path = file_of(root, version);
        let bytes = fs_err::read(&path).map_err(|error| Error::io("read", &path, error))?;
        let damaged = |error: serde_json::Error| Error::Damaged {
            path: path.clone(),
            reason: format!("it is no version entry ({error})"),
        };
        let header: Header = serde_json::from_slice(&bytes).map_err(damaged)?;
        if header.format != FORMAT {
            return Err(Error::NotADataset {
                path: root.to_owned(),
                reason: format!("its format is `{}`, expected `{FORMAT}`", header.format),
            });
        }
        SchemaVersion::from_number(header.schema).ok_or_else(|| Error::NewerSchema {
            path: root.to_owned(),
            found: header.schema,
            known: SchemaVersion::CURRENT.number(),
        })?;
        serde_json::from_slice(&bytes).map_err(damaged)
    }
}

fn file_of(root: &Path, version: u64) -> PathBuf {
    root.join(FOLDER).join(format!("{version:010}.json"))
}

/// Makes the folder of the log.
pub(crate) fn create_folder(root: &Path) -> Result<()> {
    let folder = root.join(FOLDER);
    fs_err::create_dir_all(&folder).map_err(|error| Error::io("create", &folder, error))
}

/// The versions that are there, oldest first; empty where a creation was interrupted.
pub(crate) fn versions(root: &Path) -> Result<Vec<u64>> {
    let folder = root.join(FOLDER);
    let names = match fs_err::read_dir(&folder) {
        Ok(names) => names,
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {
            return Ok(Vec::new());
        }
        Err(error) => return Err(Error::io("read", &folder, error)),
    };
    let mut versions = Vec::new();
    for name in names {
        let name = name
            .map_err(|error| Error::io("read", &folder, error))?
            .file_name();
        let number = name.to_str().and_then(|name| name.strip_suffix(".json"));
        versions.extend(number.and_then(|number| number.parse::<u64>().ok()));
    }
    versions.sort_unstable();
    Ok(versions)
}

/// Makes the names in a folder survive a power cut.
pub(crate) fn sync_folder(folder: &Path) -> std::io::Result<()> {
    // Windows cannot open a folder as a file and writes names through.
    if cfg!(unix) {
        fs_err::File::open(folder)?.sync_all()
    } else {
        Ok(())
    }
}
