//! Import of Parquet: our own exports, and preference data in the form of Pick-a-Pic.

mod hap;
mod pick_a_pic;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use arrow::array::RecordBatch;
use asap_core::{Reporter, SourceKind};
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

use crate::{Appended, Dataset, Error, Group, Result};

/// Rows that are in memory at once.
const BATCH: usize = 32;

/// What an import did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ImportReport {
    /// Parquet files that were read.
    pub files: Vec<PathBuf>,
    /// Rows that were read.
    pub rows: u64,
    /// What was new.
    pub appended: Appended,
    /// Rows that were left out, counted by reason.
    pub refused: BTreeMap<String, u64>,
    /// The first row of each reason: `file, row N`.
    pub first_refused: BTreeMap<String, String>,
}

/// The form of a Parquet file, told by its columns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    Hap,
    PickAPic,
}

/// One row, or why it is left out.
type Read = std::result::Result<Group, String>;

/// Appends the pairs of Parquet files: a folder that [`export`](crate::export()) wrote (or any folder of
/// Parquet files, searched to any depth), or one file.
///
/// A file with the columns `jpg_0`, `jpg_1`, `label_0` and `caption` is read as Pick-a-Pic: the image with
/// label 1 is preferred, ties (0.5) are left out, pairs of different sizes are refused; the rejected image
/// is stored whole, both masks cover the whole image, and the preferred image is
/// [`SourceKind::Imported`]. What is stored already is skipped.
///
/// # Errors
/// [`Error::Exchange`] for a file of another form, [`Error::Table`] for a torn file; and those of
/// [`Dataset::append`]. Rows that were appended before the error stay.
pub async fn import(
    dataset: &mut Dataset,
    from: impl AsRef<Path>,
    reporter: &dyn Reporter,
) -> Result<ImportReport> {
    let from = from.as_ref();
    let mut report = ImportReport {
        files: parquet_files(from)?,
        ..ImportReport::default()
    };
    if report.files.is_empty() {
        let reason = "it holds no file `*.parquet`".to_owned();
        return Err(Error::Exchange {
            path: from.to_owned(),
            reason,
        });
    }
    // Every file is looked at before the first row is written.
    let forms = report
        .files
        .iter()
        .map(|file| form_of(file))
        .collect::<Result<Vec<_>>>()?;
    reporter.start("import", forms.iter().map(|(_, n_rows)| n_rows).sum());
    for (file, (form, _)) in report.files.clone().iter().zip(forms) {
        import_file(dataset, file, form, &mut report, reporter).await?;
    }
    reporter.finish();
    Ok(report)
}

async fn import_file(
    dataset: &mut Dataset,
    file: &Path,
    form: Form,
    report: &mut ImportReport,
    reporter: &dyn Reporter,
) -> Result<()> {
    let mut first_row = 0u64;
    for batch in open(file)?
        .with_batch_size(BATCH)
        .build()
        .map_err(|error| torn(file, error))?
    {
        let batch: RecordBatch = batch.map_err(|error| torn(file, error))?;
        let table = file.display().to_string();
        let rows = match form {
            Form::Hap => hap::read(&table, &batch)?,
            Form::PickAPic => pick_a_pic::read(&table, &batch)?,
        };
        let mut groups = Vec::new();
        for (read, row) in rows.into_iter().zip(first_row..) {
            match read {
                Ok(group) => groups.push(group),
                Err(reason) => {
                    let first = format!("`{table}`, row {row}");
                    report.first_refused.entry(reason.clone()).or_insert(first);
                    *report.refused.entry(reason).or_default() += 1;
                }
            }
        }
        report.appended += dataset.append(groups).await?;
        report.rows += batch.num_rows() as u64;
        first_row += batch.num_rows() as u64;
        reporter.advance(batch.num_rows() as u64);
    }
    Ok(())
}

fn form_of(file: &Path) -> Result<(Form, u64)> {
    let builder = open(file)?;
    let n_rows = u64::try_from(builder.metadata().file_metadata().num_rows()).unwrap_or_default();
    let has = |name: &str| builder.schema().index_of(name).is_ok();
    if ["jpg_0", "jpg_1", "label_0", "caption"].into_iter().all(has) {
        Ok((Form::PickAPic, n_rows))
    } else if ["pair_id", "preferred", "rejected", "mask_edit", "mask_part"]
        .into_iter()
        .all(has)
    {
        Ok((Form::Hap, n_rows))
    } else {
        let reason = "its columns are neither those of a HAP export (`pair_id`, `preferred`, `rejected`, \
                      ...) nor those of Pick-a-Pic (`jpg_0`, `jpg_1`, `label_0`, `caption`)";
        Err(Error::Exchange {
            path: file.to_owned(),
            reason: reason.to_owned(),
        })
    }
}

fn open(file: &Path) -> Result<ParquetRecordBatchReaderBuilder<std::fs::File>> {
    let handle = std::fs::File::open(file).map_err(|error| Error::io("read", file, error))?;
    ParquetRecordBatchReaderBuilder::try_new(handle).map_err(|error| torn(file, error))
}

fn torn(file: &Path, error: impl Into<crate::error::Cause>) -> Error {
    Error::table("read", file, error)
}

/// The Parquet files in a folder, to any depth, by path; or the one file.
fn parquet_files(from: &Path) -> Result<Vec<PathBuf>> {
    if !from.is_dir() {
        fs_err::metadata(from).map_err(|error| Error::io("read", from, error))?;
        return Ok(vec![from.to_owned()]);
    }
    let mut files = Vec::new();
    let mut folders = vec![from.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs_err::read_dir(&folder).map_err(|error| Error::io("read", &folder, error))? {
            let path = entry.map_err(|error| Error::io("read", &folder, error))?.path();
            // A link could lead in a circle.
            if path.is_dir() && !path.is_symlink() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "parquet") {
                files.push(path);
            }
        }
    }
    files.sort_unstable();
    Ok(files)
}

/// The kind of every positive that comes from somebody else's data.
const FOREIGN: SourceKind = SourceKind::Imported;

impl std::ops::AddAssign for Appended {
    fn add_assign(&mut self, other: Self) {
        self.positives += other.positives;
        self.pairs += other.pairs;
        self.assessments += other.assessments;
        self.skipped_pairs += other.skipped_pairs;
    }
}
