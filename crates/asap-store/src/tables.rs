//! The three Lance tables of a dataset, and the little of Lance that the rest of the crate needs.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch};
use futures::TryStreamExt as _;
use lance::dataset::builder::DatasetBuilder;
use lance::dataset::optimize::{CompactionOptions, compact_files};
use lance::dataset::{
    InsertBuilder, MergeInsertBuilder, ProjectionRequest, WhenMatched, WhenNotMatched, WriteMode, WriteParams,
};
use lance::{BlobArrayBuilder, Dataset as Lance, blob_field};

use crate::columns::Columns;
use crate::log::{RowCounts, TableVersions};
use crate::{Error, Result, log};

/// Rows of a scan that are in memory at once.
const SCAN_ROWS: usize = 4096;

/// Which table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Positives,
    Pairs,
    Assessments,
    /// Errors of a frozen network: no part of a dataset, see [`crate::cache`].
    Reference,
}

impl Kind {
    /// Those of a dataset, in the order in which a write commits them: what is referred to before what refers.
    pub(crate) const ALL: [Self; 3] = [Self::Positives, Self::Pairs, Self::Assessments];

    /// The name used in messages.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Positives => "positives",
            Self::Pairs => "pairs",
            Self::Assessments => "assessments",
            Self::Reference => "reference",
        }
    }

    /// The table's folder.
    pub(crate) fn folder(self, root: &Path) -> PathBuf {
        root.join(format!("{}.lance", self.name()))
    }
}

/// One table at one version.
#[derive(Clone)]
pub(crate) struct Table {
    pub(crate) kind: Kind,
    path: PathBuf,
    lance: Arc<Lance>,
}

impl Table {
    /// Makes an empty table with the columns of `batch`; what an interrupted creation left is replaced.
    pub(crate) async fn create(root: &Path, kind: Kind, batch: RecordBatch) -> Result<Self> {
        let path = kind.folder(root);
        let params = WriteParams {
            mode: WriteMode::Overwrite,
            ..Default::default()
        };
        let lance = InsertBuilder::new(uri(&path)?)
            .with_params(&params)
            .execute(vec![batch])
            .await
            .map_err(|error| Error::table("create", &path, error))?;
        Ok(Self {
            kind,
            path,
            lance: Arc::new(lance),
        })
    }

    /// Opens the table at a version.
    pub(crate) async fn open(root: &Path, kind: Kind, version: u64) -> Result<Self> {
        Self::load(root, kind, |builder| builder.with_version(version)).await
    }

    /// Opens the table at the version that was committed last.
    pub(crate) async fn open_newest(root: &Path, kind: Kind) -> Result<Self> {
        Self::load(root, kind, |builder| builder).await
    }

    async fn load(
        root: &Path,
        kind: Kind,
        at: impl FnOnce(DatasetBuilder) -> DatasetBuilder,
    ) -> Result<Self> {
        let path = kind.folder(root);
        let lance = at(DatasetBuilder::from_uri(uri(&path)?))
            .load()
            .await
            .map_err(|error| Error::table("open", &path, error))?;
        let table = Self {
            kind,
            path,
            lance: Arc::new(lance),
        };
        table.check_files()?;
        Ok(table)
    }

    /// Compares the size of every data file with the one that was recorded when it was written.
    fn check_files(&self) -> Result<()> {
        for file in self.lance.iter_fragments().flat_map(|fragment| &fragment.files) {
            let path = self.path.join("data").join(&file.path);
            let got = match fs_err::metadata(&path) {
                Ok(metadata) => metadata.len(),
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                    return Err(Error::Damaged {
                        path,
                        reason: "the file is missing".to_owned(),
                    });
                }
                Err(error) => return Err(Error::io("read", &path, error)),
            };
            if let Some(expected) = file.file_size_bytes.get().map(u64::from)
                && expected != got
            {
                let reason = format!("it has {got} bytes, expected {expected}");
                return Err(Error::Damaged { path, reason });
            }
        }
        Ok(())
    }

    pub(crate) fn version(&self) -> u64 {
        self.lance.version_id()
    }

    /// The table's folder.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// What the table says about itself under `key`.
    pub(crate) fn metadata(&self, key: &str) -> Option<&str> {
        self.lance.schema().metadata.get(key).map(String::as_str)
    }

    /// The version that was committed last, by anyone.
    pub(crate) async fn newest_version(&self) -> Result<u64> {
        let newest = self.lance.latest_version_id().await;
        newest.map_err(|error| self.failed("read", error))
    }

    /// The names of all columns.
    pub(crate) fn columns(&self) -> Vec<&str> {
        self.lance
            .schema()
            .fields
            .iter()
            .map(|field| field.name.as_str())
            .collect()
    }

    pub(crate) async fn count(&self) -> Result<u64> {
        let count = self.lance.count_rows(None).await;
        count
            .map(|n| n as u64)
            .map_err(|error| self.failed("count", error))
    }

    /// Takes back what an interrupted write committed after this version.
    pub(crate) async fn rewind(&mut self) -> Result<()> {
        let latest = self.newest_version().await?;
        if latest != self.version() {
            let mut lance = (*self.lance).clone();
            lance
                .restore()
                .await
                .map_err(|error| self.failed("restore", error))?;
            tracing::info!(
                table = self.kind.name(),
                latest,
                "took back what an interrupted write left"
            );
            self.lance = Arc::new(lance);
        }
        Ok(())
    }

    /// Adds rows as one commit.
    pub(crate) async fn append(&mut self, batch: RecordBatch) -> Result<()> {
        let params = WriteParams {
            mode: WriteMode::Append,
            ..Default::default()
        };
        let lance = InsertBuilder::new(self.lance.clone())
            .with_params(&params)
            .execute(vec![batch])
            .await;
        self.replace(Arc::new(lance.map_err(|error| self.failed("append to", error))?))
    }

    /// Replaces the rows whose `key` is in the batch and adds the others, as one commit.
    pub(crate) async fn upsert(&mut self, key: &str, batch: RecordBatch) -> Result<()> {
        let run = async {
            let mut builder = MergeInsertBuilder::try_new(self.lance.clone(), vec![key.to_owned()])?;
            builder
                .when_matched(WhenMatched::UpdateAll)
                .when_not_matched(WhenNotMatched::InsertAll);
            builder.try_build()?.execute_batches(vec![batch]).await
        };
        let (lance, _stats) = run.await.map_err(|error| self.failed("update", error))?;
        self.replace(lance)
    }

    /// Replaces all rows as one commit; older versions keep theirs.
    pub(crate) async fn overwrite(&mut self, batch: RecordBatch) -> Result<()> {
        let params = WriteParams {
            mode: WriteMode::Overwrite,
            ..Default::default()
        };
        let lance = InsertBuilder::new(self.lance.clone())
            .with_params(&params)
            .execute(vec![batch])
            .await;
        self.replace(Arc::new(lance.map_err(|error| self.failed("update", error))?))
    }

    /// Merges small files into large ones, keeping the order of the rows.
    pub(crate) async fn compact(&mut self) -> Result<()> {
        let mut lance = (*self.lance).clone();
        let options = CompactionOptions {
            materialize_deletions_threshold: 0.0,
            ..Default::default()
        };
        compact_files(&mut lance, options, None)
            .await
            .map_err(|error| self.failed("compact", error))?;
        self.replace(Arc::new(lance))
    }

    /// Takes the new version, once its files are on the disk.
    fn replace(&mut self, lance: Arc<Lance>) -> Result<()> {
        let old: BTreeSet<u64> = self.lance.iter_fragments().map(|fragment| fragment.id).collect();
        for fragment in lance
            .iter_fragments()
            .filter(|fragment| !old.contains(&fragment.id))
        {
            for file in &fragment.files {
                sync_data_file(&self.path.join("data").join(&file.path))
                    .map_err(|error| Error::io("write", &self.path, error))?;
            }
        }
        for folder in ["data", "_versions"] {
            let folder = self.path.join(folder);
            if folder.exists() {
                log::sync_folder(&folder).map_err(|error| Error::io("write", &folder, error))?;
            }
        }
        self.lance = lance;
        Ok(())
    }

    /// The rows at `indices`, with the named columns, in the given order.
    pub(crate) async fn take(&self, indices: &[u64], columns: &[&str]) -> Result<RecordBatch> {
        let projection = ProjectionRequest::from_columns(columns.iter().copied(), self.lance.schema());
        self.lance
            .take(indices, projection)
            .await
            .map_err(|error| self.failed("read", error))
    }

    /// The bytes of a blob column in the rows at `indices`, in the given order.
    pub(crate) async fn blobs(&self, indices: &[u64], column: &str) -> Result<Vec<Vec<u8>>> {
        if indices.is_empty() {
            return Ok(Vec::new());
        }
        let read = async {
            self.lance
                .read_blobs(column)?
                .with_row_indices(indices)
                .execute()
                .await
        };
        let blobs = read
            .await
            .map_err(|error| self.failed("read the images of", error))?;
        Ok(blobs
            .into_iter()
            .map(|blob| blob.data.map(Vec::from).unwrap_or_default())
            .collect())
    }

    /// Every row with the named columns, in storage order, a few thousand rows at a time.
    pub(crate) async fn scan(
        &self,
        columns: &[&str],
        mut each: impl FnMut(&RecordBatch) -> Result<()>,
    ) -> Result<()> {
        let open = async {
            let mut scanner = self.lance.scan();
            scanner.project(columns)?.batch_size(SCAN_ROWS);
            scanner.try_into_stream().await
        };
        let mut batches = open.await.map_err(|error| self.failed("read", error))?;
        while let Some(batch) = batches
            .try_next()
            .await
            .map_err(|error| self.failed("read", error))?
        {
            each(&batch)?;
        }
        Ok(())
    }

    fn failed(&self, action: &'static str, error: lance::Error) -> Error {
        Error::table(action, &self.path, error)
    }
}

/// Adds a column of images: bytes of any size, read only when asked for by name.
pub(crate) fn push_blobs<'a>(
    columns: &mut Columns,
    name: &str,
    rows: impl ExactSizeIterator<Item = &'a [u8]>,
) -> std::result::Result<(), lance::Error> {
    let mut builder = BlobArrayBuilder::new(rows.len());
    for bytes in rows {
        builder.push_bytes(bytes)?;
    }
    let array: ArrayRef = builder.finish()?;
    columns.push(blob_field(name, true), array);
    Ok(())
}

/// A data file and the images beside it, which Lance keeps in a folder of the file's name.
fn sync_data_file(path: &Path) -> std::io::Result<()> {
    fs_err::File::open(path)?.sync_all()?;
    let images = path.with_extension("");
    if images.is_dir() {
        for entry in fs_err::read_dir(&images)? {
            fs_err::File::open(entry?.path())?.sync_all()?;
        }
        log::sync_folder(&images)?;
    }
    Ok(())
}

fn uri(path: &Path) -> Result<&str> {
    path.to_str().ok_or_else(|| Error::Exchange {
        path: path.to_owned(),
        reason: "the path is not valid Unicode, which Lance needs: choose another name".to_owned(),
    })
}

/// All tables at the versions of one log entry.
#[derive(Clone)]
pub(crate) struct Tables {
    pub(crate) positives: Table,
    pub(crate) pairs: Table,
    pub(crate) assessments: Table,
}

impl Tables {
    pub(crate) async fn open(root: &Path, versions: TableVersions) -> Result<Self> {
        Ok(Self {
            positives: Table::open(root, Kind::Positives, versions.positives).await?,
            pairs: Table::open(root, Kind::Pairs, versions.pairs).await?,
            assessments: Table::open(root, Kind::Assessments, versions.assessments).await?,
        })
    }

    pub(crate) fn versions(&self) -> TableVersions {
        TableVersions {
            positives: self.positives.version(),
            pairs: self.pairs.version(),
            assessments: self.assessments.version(),
        }
    }

    pub(crate) async fn counts(&self) -> Result<RowCounts> {
        Ok(RowCounts {
            positives: self.positives.count().await?,
            pairs: self.pairs.count().await?,
            assessments: self.assessments.count().await?,
        })
    }

    pub(crate) async fn rewind(&mut self) -> Result<()> {
        self.positives.rewind().await?;
        self.pairs.rewind().await?;
        self.assessments.rewind().await
    }
}
