//! The Parquet files of one split.

use std::fs::File;
use std::path::{Path, PathBuf};

use arrow::datatypes::SchemaRef;
use asap_core::{Sha256, Split};
use parquet::arrow::ArrowWriter;
use parquet::basic::Compression;
use parquet::file::metadata::KeyValue;
use parquet::file::properties::WriterProperties;
use parquet::schema::types::ColumnPath;
use sha2::Digest as _;

use super::table::{self, IMAGES};
use super::{ExportFile, ROW_GROUP_BYTES, ROW_GROUP_ROWS, features};
use crate::{Error, Record, Result};

/// Writes the files of a split; a new one begins after enough image bytes.
pub(super) struct Shards {
    folder: PathBuf,
    split: Split,
    shard_bytes: u64,
    open: Option<Shard>,
    done: Vec<(PathBuf, u64, u64)>,
}

struct Shard {
    path: PathBuf,
    writer: ArrowWriter<File>,
    rows: u64,
    raw_bytes: u64,
    group_bytes: usize,
}

impl Shards {
    pub(super) fn new(partial: &Path, split: Split, shard_bytes: u64) -> Self {
        Self {
            folder: partial.join("data"),
            split,
            shard_bytes,
            open: None,
            done: Vec::new(),
        }
    }

    /// Writes records one by one, so that no row group grows past what a viewer takes.
    pub(super) fn write(&mut self, records: &[Record]) -> Result<()> {
        for record in records {
            let batch = table::batch(std::slice::from_ref(record))?;
            let bytes = batch.get_array_memory_size();
            if self
                .open
                .as_ref()
                .is_some_and(|shard| shard.raw_bytes >= self.shard_bytes)
            {
                self.close()?;
            }
            if self.open.is_none() {
                let path = self
                    .folder
                    .join(format!("{}-{:05}.parquet", self.split.name(), self.done.len()));
                self.open = Some(Shard::create(path, batch.schema())?);
            }
            if let Some(shard) = &mut self.open {
                shard.write(&batch, bytes)?;
            }
        }
        Ok(())
    }

    fn close(&mut self) -> Result<()> {
        if let Some(shard) = self.open.take() {
            let failed = |error| Error::table("write", &shard.path, error);
            let file = shard.writer.into_inner().map_err(failed)?;
            file.sync_all()
                .map_err(|error| Error::io("write", &shard.path, error))?;
            self.done.push((shard.path, shard.rows, shard.raw_bytes));
        }
        Ok(())
    }

    /// Names the files `SPLIT-00000-of-00002.parquet`, now that their number is known, and hashes them.
    pub(super) fn finish(mut self) -> Result<Vec<ExportFile>> {
        self.close()?;
        let n_shards = self.done.len();
        let mut files = Vec::with_capacity(n_shards);
        for (idx, (path, rows, raw_bytes)) in self.done.into_iter().enumerate() {
            let name = format!("{}-{idx:05}-of-{n_shards:05}.parquet", self.split.name());
            let named = self.folder.join(&name);
            fs_err::rename(&path, &named).map_err(|error| Error::io("write", &named, error))?;
            let (sha256, size_bytes) = hash_file(&named)?;
            files.push(ExportFile {
                path: format!("data/{name}"),
                split: self.split,
                rows,
                size_bytes,
                raw_bytes,
                sha256,
            });
        }
        Ok(files)
    }
}

impl Shard {
    fn create(path: PathBuf, schema: SchemaRef) -> Result<Self> {
        let file = File::create(&path).map_err(|error| Error::io("write", &path, error))?;
        let features = KeyValue::new(features::KEY.to_owned(), features::metadata_json(&schema));
        let mut properties = WriterProperties::builder()
            .set_compression(Compression::SNAPPY)
            .set_max_row_group_row_count(Some(ROW_GROUP_ROWS))
            .set_key_value_metadata(Some(vec![features]));
        for name in IMAGES {
            // PNG does not compress again, and no two images are equal.
            let column = ColumnPath::new(vec![name.to_owned(), "bytes".to_owned()]);
            properties = properties
                .set_column_compression(column.clone(), Compression::UNCOMPRESSED)
                .set_column_dictionary_enabled(column, false);
        }
        // Readers take the features from the Arrow schema where a file has one.
        let mut metadata = schema.metadata().clone();
        metadata.insert(features::KEY.to_owned(), features::metadata_json(&schema));
        let schema = SchemaRef::new(schema.as_ref().clone().with_metadata(metadata));
        let writer = ArrowWriter::try_new(file, schema, Some(properties.build()))
            .map_err(|error| Error::table("write", &path, error))?;
        Ok(Self {
            path,
            writer,
            rows: 0,
            raw_bytes: 0,
            group_bytes: 0,
        })
    }

    fn write(&mut self, batch: &arrow::array::RecordBatch, bytes: usize) -> Result<()> {
        if self.group_bytes + bytes > ROW_GROUP_BYTES && self.group_bytes > 0 {
            self.writer
                .flush()
                .map_err(|error| Error::table("write", &self.path, error))?;
            self.group_bytes = 0;
        }
        self.writer
            .write(batch)
            .map_err(|error| Error::table("write", &self.path, error))?;
        self.rows += 1;
        self.raw_bytes += bytes as u64;
        self.group_bytes += bytes;
        if self.writer.in_progress_rows() == 0 {
            self.group_bytes = 0;
        }
        Ok(())
    }
}

/// The SHA-256 and the size of a file of any size.
fn hash_file(path: &Path) -> Result<(Sha256, u64)> {
    let read = || -> std::io::Result<(Sha256, u64)> {
        let mut hasher = sha2::Sha256::new();
        let size = std::io::copy(&mut fs_err::File::open(path)?, &mut hasher)?;
        Ok((Sha256::from_bytes(hasher.finalize().into()), size))
    };
    read().map_err(|error| Error::io("read", path, error))
}
