//! The columns of an export: one row a pair, with everything that an import needs to make it again.

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;

use crate::columns::Columns;
use crate::encode::MaskFiles;
use crate::rows::{assessment, pair, positive};
use crate::{Error, Record, Result, rejected_png, schema, sha256};

/// The columns that are images: structs of `bytes` and `path`.
pub(crate) const IMAGES: [&str; 4] = ["preferred", "rejected", "mask_edit", "mask_part"];

/// The schema of every file.
pub(crate) fn schema() -> Result<SchemaRef> {
    Ok(batch(&[])?.schema())
}

/// Rows for records.
pub(crate) fn batch(records: &[Record]) -> Result<RecordBatch> {
    let mut files: [Vec<Vec<u8>>; 4] = Default::default();
    for record in records {
        let masks = MaskFiles::of(&record.pair)?;
        files[0].push(record.positive.image_png.clone());
        files[1].push(rejected_png(&record.positive, &record.pair)?);
        files[2].push(masks.edit_png);
        files[3].push(masks.part_png);
    }
    let mut columns = Columns::default();
    for (name, bytes) in IMAGES.iter().zip(&files) {
        columns.group(name, vec![true; bytes.len()], |inner| {
            inner.bytes("bytes", bytes.iter().map(Some));
            inner.text(
                "path",
                records
                    .iter()
                    .map(|r| Some(format!("{}.{name}.png", r.pair.id.short()))),
            );
        });
    }
    let pairs: Vec<_> = records.iter().map(|record| &record.pair).collect();
    let positives: Vec<_> = records.iter().map(|record| record.positive.as_ref()).collect();
    let assessments: Vec<_> = records.iter().map(|record| record.assessment.as_ref()).collect();
    positive::write(&mut columns, &positives);
    // The id of the positive stands in both tables.
    let mut of_pair = Columns::default();
    pair::write(&mut of_pair, &pairs);
    columns.append_missing(of_pair);
    assessment::write(&mut columns, &assessments);
    for (name, bytes) in IMAGES.iter().zip(&files) {
        columns.text(
            &format!("{name}_sha256"),
            bytes.iter().map(|b| Some(sha256(b).to_string())),
        );
    }
    columns
        .into_batch(schema::metadata())
        .map_err(|error| Error::table("encode rows of", "export".as_ref(), error))
}
