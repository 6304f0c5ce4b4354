//! Rows of our own exports: the inverse of `export/table.rs`.

use std::sync::Arc;

use arrow::array::{Array as _, ArrayRef, RecordBatch, StructArray};
use arrow::compute::cast;
use asap_core::{BoxPx, Rejected, Sha256};
use image::RgbImage;

use super::Read;
use crate::columns::Rows;
use crate::export::table::{IMAGES, schema};
use crate::pixels::{decode_rgb, encode_rgb};
use crate::rows::{assessment, pair, positive};
use crate::{Error, Group, Result, sha256};

/// Reads every row of a batch.
pub(super) fn read(table: &str, batch: &RecordBatch) -> Result<Vec<Read>> {
    let batch = with_own_types(table, batch)?;
    let rows = Rows::of_batch(table, &batch);
    (0..batch.num_rows()).map(|row| read_row(&rows, row)).collect()
}

/// Other programs write `large_string` for `string` and the like: the values are the same.
fn with_own_types(table: &str, batch: &RecordBatch) -> Result<RecordBatch> {
    let schema = schema()?;
    let column = |field: &arrow::datatypes::FieldRef| -> Result<ArrayRef> {
        let missing = || Error::Column {
            table: table.to_owned(),
            column: field.name().clone(),
            expected: field.data_type().to_string(),
        };
        let array = batch.column_by_name(field.name()).ok_or_else(missing)?;
        if array.data_type() == field.data_type() {
            return Ok(Arc::clone(array));
        }
        cast(array, field.data_type()).map_err(|_cast| missing())
    };
    let columns = schema.fields().iter().map(column).collect::<Result<Vec<_>>>()?;
    RecordBatch::try_new(schema, columns).map_err(|error| Error::table("read", table.as_ref(), error))
}

fn read_row(rows: &Rows<'_>, row: usize) -> Result<Read> {
    let mut files = Vec::with_capacity(IMAGES.len());
    for name in IMAGES {
        let inner = Rows::of_struct(rows.table(), rows.get::<StructArray>(name)?);
        let bytes = pair::bytes(&inner, "bytes", row)?;
        let recorded: Sha256 = rows.id(&format!("{name}_sha256"), row)?;
        if sha256(&bytes) != recorded {
            return Ok(Err(format!("`{name}` has not the SHA-256 that its row says")));
        }
        files.push(bytes);
    }
    let [preferred_png, whole_png, mask_edit_png, mask_part_png] =
        <[Vec<u8>; 4]>::try_from(files).unwrap_or_default();
    let (rejected_png, is_patch) = match pair::read_budget(rows, row)? {
        None => (whole_png, false),
        Some(budget) => match cut_patch(&preferred_png, &whole_png, budget)? {
            Some(patch) => (patch, true),
            None => (whole_png, false),
        },
    };
    let files = pair::Files {
        rejected_png,
        mask_edit_png,
        mask_part_png,
    };
    let mut pair = pair::read(rows, row, files)?;
    if let (Rejected::Patch { png, .. }, false) = (&pair.rejected, is_patch) {
        // Somebody edited the image outside its budget: it is stored whole, as it is.
        pair.rejected = Rejected::Whole { png: png.clone() };
    }
    let group = Group {
        positive: positive::read(rows, row, preferred_png)?,
        pairs: vec![pair],
        assessments: assessment::read(rows, row)?.into_iter().collect(),
    };
    Ok(Ok(group))
}

/// The box cut out of the whole rejected image, if nothing differs outside of it.
fn cut_patch(preferred_png: &[u8], whole_png: &[u8], budget: BoxPx) -> Result<Option<Vec<u8>>> {
    let preferred = decode_rgb(preferred_png, "`preferred`")?;
    let whole = decode_rgb(whole_png, "`rejected`")?;
    let fits = budget.x0 < budget.x1 && budget.y0 < budget.y1;
    let fits = fits && budget.x1 <= whole.width() && budget.y1 <= whole.height();
    if !fits || preferred.dimensions() != whole.dimensions() || !is_equal_outside(&preferred, &whole, budget)
    {
        return Ok(None);
    }
    let (width, height) = (budget.width(), budget.height());
    let patch = image::imageops::crop_imm(&whole, budget.x0, budget.y0, width, height).to_image();
    encode_rgb(&patch).map(Some)
}

fn is_equal_outside(a: &RgbImage, b: &RgbImage, budget: BoxPx) -> bool {
    a.enumerate_pixels()
        .zip(b.pixels())
        .all(|((x, y, a), b)| a == b || budget.contains(x, y))
}
