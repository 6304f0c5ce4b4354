//! Records as rows of the three tables, with the hash of everything that is bytes.

use arrow::array::RecordBatch;
use asap_core::{Assessment, Pair, Positive};

use crate::columns::Columns;
use crate::mask_png::encode_mask;
use crate::rows::{assessment, pair, positive};
use crate::schema::metadata;
use crate::tables::push_blobs;
use crate::{Error, Result, sha256};

/// Rows of the table `positives`.
pub(crate) fn positives(items: &[&Positive]) -> Result<RecordBatch> {
    let mut columns = Columns::default();
    positive::write(&mut columns, items);
    columns.text(
        "image_sha256",
        items.iter().map(|p| Some(sha256(&p.image_png).to_string())),
    );
    let images = items.iter().map(|p| p.image_png.as_slice());
    push_blobs(&mut columns, positive::IMAGE, images).map_err(|error| failed("positives", error))?;
    finish("positives", columns)
}

/// The masks of a pair as they are stored.
pub(crate) struct MaskFiles {
    pub(crate) edit_png: Vec<u8>,
    pub(crate) part_png: Vec<u8>,
}

impl MaskFiles {
    pub(crate) fn of(pair: &Pair) -> Result<Self> {
        Ok(Self {
            edit_png: encode_mask(&pair.mask_edit)?,
            part_png: encode_mask(&pair.mask_part)?,
        })
    }
}

/// Rows of the table `pairs`; `masks` has one item a pair.
pub(crate) fn pairs(items: &[&Pair], masks: &[MaskFiles]) -> Result<RecordBatch> {
    let mut columns = Columns::default();
    pair::write(&mut columns, items);
    columns.bytes("mask_edit", masks.iter().map(|m| Some(&m.edit_png)));
    columns.text(
        "mask_edit_sha256",
        masks.iter().map(|m| Some(sha256(&m.edit_png).to_string())),
    );
    columns.bytes("mask_part", masks.iter().map(|m| Some(&m.part_png)));
    columns.text(
        "mask_part_sha256",
        masks.iter().map(|m| Some(sha256(&m.part_png).to_string())),
    );
    columns.text(
        "rejected_sha256",
        items
            .iter()
            .map(|p| Some(sha256(pair::rejected_bytes(p)).to_string())),
    );
    let images = items.iter().map(|p| pair::rejected_bytes(p));
    push_blobs(&mut columns, pair::REJECTED, images).map_err(|error| failed("pairs", error))?;
    finish("pairs", columns)
}

/// Rows of the table `assessments`.
pub(crate) fn assessments(items: &[&Assessment]) -> Result<RecordBatch> {
    let mut columns = Columns::default();
    columns.text("pair_id", items.iter().map(|a| Some(a.pair_id.to_string())));
    let items: Vec<Option<&Assessment>> = items.iter().map(|a| Some(*a)).collect();
    assessment::write(&mut columns, &items);
    finish("assessments", columns)
}

fn finish(table: &'static str, columns: Columns) -> Result<RecordBatch> {
    columns
        .into_batch(metadata())
        .map_err(|error| failed(table, error))
}

fn failed(table: &'static str, error: impl Into<crate::error::Cause>) -> Error {
    Error::table("encode rows of", table.as_ref(), error)
}
