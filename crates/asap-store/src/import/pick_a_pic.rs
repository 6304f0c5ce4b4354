//! Rows in the form of Pick-a-Pic: two encoded images, who won, and the caption.

use std::io::Cursor;

use arrow::array::{Array as _, ArrayRef, BinaryArray, Float64Array, RecordBatch, StringArray, StructArray};
use arrow::compute::cast;
use arrow::datatypes::DataType;
use asap_core::{Mask, Mechanism, Pair, PairId, Positive, PositiveId, Provenance, Rejected, Source};
use image::{ImageReader, Limits, RgbImage};

use super::{FOREIGN, Read};
use crate::pixels::encode_rgb;
use crate::{Error, Group, Result, sha256};

/// Names this import in ids and provenance.
const OPERATOR: &str = "import.pick_a_pic@1";
/// Longest side that is decoded: far above any generator's output.
const MAX_SIDE_PX: u32 = 16_384;

/// Reads every row of a batch.
pub(super) fn read(table: &str, batch: &RecordBatch) -> Result<Vec<Read>> {
    let first = images(table, batch, "jpg_0")?;
    let second = images(table, batch, "jpg_1")?;
    let labels: Float64Array = column(table, batch, "label_0", &DataType::Float64)?;
    let captions: StringArray = column(table, batch, "caption", &DataType::Utf8)?;
    let read = |row: usize| {
        if first.is_null(row) || second.is_null(row) || labels.is_null(row) {
            return Ok(Err("an image or the label is missing".to_owned()));
        }
        let caption = if captions.is_null(row) {
            ""
        } else {
            captions.value(row)
        };
        let label = labels.value(row);
        if label == 1.0 {
            read_row(first.value(row), second.value(row), caption)
        } else if label == 0.0 {
            read_row(second.value(row), first.value(row), caption)
        } else if label == 0.5 {
            Ok(Err("tie".to_owned()))
        } else {
            Ok(Err("`label_0` is neither 0, 0.5 nor 1".to_owned()))
        }
    };
    (0..batch.num_rows()).map(read).collect()
}

fn column<A: arrow::array::Array + Clone + 'static>(
    table: &str,
    batch: &RecordBatch,
    name: &str,
    data_type: &DataType,
) -> Result<A> {
    let missing = || Error::Column {
        table: table.to_owned(),
        column: name.to_owned(),
        expected: data_type.to_string(),
    };
    let array = batch.column_by_name(name).ok_or_else(missing)?;
    let array = cast(array, data_type).map_err(|_cast| missing())?;
    array.as_any().downcast_ref::<A>().cloned().ok_or_else(missing)
}

/// Plain bytes, or the `Image` struct that `datasets` makes of them.
fn images(table: &str, batch: &RecordBatch, name: &str) -> Result<BinaryArray> {
    let missing = || Error::Column {
        table: table.to_owned(),
        column: name.to_owned(),
        expected: "Binary".to_owned(),
    };
    let array = batch.column_by_name(name).ok_or_else(missing)?;
    let bytes: ArrayRef = match array.as_any().downcast_ref::<StructArray>() {
        Some(image) => image.column_by_name("bytes").cloned().ok_or_else(missing)?,
        None => array.clone(),
    };
    let bytes = cast(&bytes, &DataType::Binary).map_err(|_cast| missing())?;
    bytes
        .as_any()
        .downcast_ref::<BinaryArray>()
        .cloned()
        .ok_or_else(missing)
}

fn read_row(preferred: &[u8], rejected: &[u8], caption: &str) -> Result<Read> {
    let (Some(preferred_image), Some(rejected_image)) = (decode(preferred), decode(rejected)) else {
        return Ok(Err("an image cannot be decoded".to_owned()));
    };
    let (width, height) = preferred_image.dimensions();
    if rejected_image.dimensions() != (width, height) {
        return Ok(Err("the images differ in size".to_owned()));
    }
    let (preferred_hash, rejected_hash) = (sha256(preferred), sha256(rejected));
    let parameters = serde_json::json!({ "rejected_sha256": rejected_hash.to_string() }).to_string();
    let positive_id = PositiveId::new(&format!("sha256:{preferred_hash}"), caption);
    let positive = Positive {
        id: positive_id,
        image_png: encode_rgb(&preferred_image)?,
        width,
        height,
        prompt: caption.to_owned(),
        skeletons: Vec::new(),
        source: Source {
            kind: FOREIGN,
            name: format!("pick_a_pic/{}", preferred_hash.short()),
            sha256: preferred_hash.to_string(),
            licence: String::new(),
        },
    };
    // Where the images differ in what matters is not known: the masks cover all of it.
    let whole = Mask::from_fn(width, height, |_, _| true);
    let pair = Pair {
        id: PairId::new(positive_id, OPERATOR, &parameters, 0),
        positive_id,
        rejected: Rejected::Whole {
            png: encode_rgb(&rejected_image)?,
        },
        mask_edit: whole.clone(),
        mask_part: whole,
        regions: Vec::new(),
        degradations: Vec::new(),
        mechanism: Mechanism::ImageSpace,
        rejected_skeletons: Vec::new(),
        provenance: Provenance {
            operators: vec![OPERATOR.to_owned()],
            parameters,
            seed: 0,
            code_version: env!("CARGO_PKG_VERSION").to_owned(),
        },
    };
    Ok(Ok(Group {
        positive,
        pairs: vec![pair],
        assessments: Vec::new(),
    }))
}

/// Any format that the toolkit reads, as 8-bit RGB; `None` for anything else, or for an absurd size.
fn decode(bytes: &[u8]) -> Option<RgbImage> {
    let mut limits = Limits::default();
    limits.max_image_width = Some(MAX_SIDE_PX);
    limits.max_image_height = Some(MAX_SIDE_PX);
    let mut reader = ImageReader::new(Cursor::new(bytes)).with_guessed_format().ok()?;
    reader.limits(limits);
    reader.decode().ok().map(image::DynamicImage::into_rgb8)
}
