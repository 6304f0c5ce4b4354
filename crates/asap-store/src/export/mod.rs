//! Export as Parquet in the Hugging Face convention, with a dataset card and Croissant metadata.
//!
//! The folder is written under a temporary name and renamed when all of it is on the disk, so that an
//! interrupted export never looks finished.

mod card;
mod croissant;
mod features;
mod shards;
pub(crate) mod table;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use asap_core::{Decision, Reporter, Sha256, Split};

use crate::{Dataset, Error, Filter, Result};
use shards::Shards;

/// Rows in a row group: what the Hugging Face viewer reads to show one page.
pub(crate) const ROW_GROUP_ROWS: usize = 100;
/// Image bytes in a row group; the viewer refuses groups above 300 MB.
pub(crate) const ROW_GROUP_BYTES: usize = 64 << 20;
/// Records that are in memory at once.
const BATCH: usize = 16;

/// Which pairs are exported.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExportPairs {
    /// Those that curation kept: the data set itself.
    Kept,
    /// All, with their state in the column `decision`.
    All,
}

/// How to export.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExportOptions {
    /// The name on the card.
    pub name: String,
    /// Which pairs.
    pub pairs: ExportPairs,
    /// Image bytes after which a new file begins.
    pub shard_bytes: u64,
}

impl ExportOptions {
    /// Kept pairs in files of about 400 MB.
    pub fn new(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            pairs: ExportPairs::Kept,
            shard_bytes: 400 << 20,
        }
    }
}

/// One Parquet file of an export.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExportFile {
    /// Its path inside the export, such as `data/train-00000-of-00002.parquet`.
    pub path: String,
    /// Its split.
    pub split: Split,
    /// Its rows.
    pub rows: u64,
    /// Its bytes.
    pub size_bytes: u64,
    /// Bytes before compression.
    pub raw_bytes: u64,
    /// The hash of the file.
    pub sha256: Sha256,
}

/// What an export wrote.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExportReport {
    /// The folder.
    pub path: PathBuf,
    /// Its Parquet files, by split.
    pub files: Vec<ExportFile>,
    /// Pairs that were left out because they were not kept.
    pub left_out: u64,
}

impl ExportReport {
    /// Pairs that were written.
    pub fn rows(&self) -> u64 {
        self.files.iter().map(|file| file.rows).sum()
    }
}

/// What the card says beside the files.
#[derive(Default)]
struct Facts {
    licences: BTreeMap<String, u64>,
    operators: BTreeMap<String, u64>,
}

/// Exports a dataset into a new folder.
///
/// # Errors
/// [`Error::Exists`] where there is something already, [`Error::Exchange`] when there is nothing to
/// export, [`Error::DiskFull`], [`Error::NotWritable`].
pub async fn export(
    dataset: &Dataset,
    dir: impl AsRef<Path>,
    options: &ExportOptions,
    reporter: &dyn Reporter,
) -> Result<ExportReport> {
    let dir = std::path::absolute(dir.as_ref()).map_err(|error| Error::io("find", dir.as_ref(), error))?;
    if dir.exists() {
        return Err(Error::Exists { path: dir });
    }
    let filter = match options.pairs {
        ExportPairs::Kept => Filter {
            decisions: vec![Decision::Kept],
            ..Filter::default()
        },
        ExportPairs::All => Filter::default(),
    };
    let n_pairs = dataset.matching_rows(&filter).await?.len() as u64;
    if n_pairs == 0 {
        let reason = "it has no pairs to export: curate it first, or export all pairs".to_owned();
        return Err(Error::Exchange {
            path: dataset.path().to_owned(),
            reason,
        });
    }
    let partial = partial_folder(&dir)?;
    reporter.start("export", n_pairs);
    let mut facts = Facts::default();
    let mut files = Vec::new();
    for split in Split::ALL {
        let wanted = Filter {
            splits: vec![split],
            ..filter.clone()
        };
        let mut shards = Shards::new(&partial, split, options.shard_bytes);
        let mut records = dataset.stream(&wanted, BATCH).await?;
        while let Some(batch) = records.next_batch().await? {
            facts.add(&batch);
            shards.write(&batch)?;
            reporter.advance(batch.len() as u64);
        }
        files.extend(shards.finish()?);
    }
    write_text(
        &partial.join("README.md"),
        &card::text(options, dataset, &files, &facts)?,
    )?;
    write_text(
        &partial.join("croissant.json"),
        &croissant::text(options, &files, &facts)?,
    )?;
    fs_err::remove_file(partial.join(MARKER)).map_err(|error| Error::io("write", &partial, error))?;
    fs_err::rename(&partial, &dir).map_err(|error| Error::io("write", &dir, error))?;
    reporter.finish();
    let left_out = dataset.count_rows() - n_pairs;
    Ok(ExportReport {
        path: dir,
        files,
        left_out,
    })
}

impl Facts {
    fn add(&mut self, records: &[crate::Record]) {
        for record in records {
            let licence = match record.positive.source.licence.as_str() {
                "" => "not stated",
                stated => stated,
            };
            *self.licences.entry(licence.to_owned()).or_default() += 1;
            for operator in &record.pair.provenance.operators {
                *self.operators.entry(operator.clone()).or_default() += 1;
            }
        }
    }
}

/// Marks a folder as an unfinished export, which the next one may replace.
const MARKER: &str = ".unfinished-export";

fn partial_folder(dir: &Path) -> Result<PathBuf> {
    let mut name = dir.file_name().unwrap_or_default().to_owned();
    name.push(".partial");
    let partial = dir.with_file_name(name);
    if partial.join(MARKER).is_file() {
        fs_err::remove_dir_all(&partial).map_err(|error| Error::io("remove", &partial, error))?;
    } else if partial.exists() {
        return Err(Error::Exists { path: partial });
    }
    let data = partial.join("data");
    fs_err::create_dir_all(&data).map_err(|error| Error::io("create", &data, error))?;
    write_text(&partial.join(MARKER), "")?;
    Ok(partial)
}

fn write_text(path: &Path, text: &str) -> Result<()> {
    fs_err::write(path, text).map_err(|error| Error::io("write", path, error))
}
