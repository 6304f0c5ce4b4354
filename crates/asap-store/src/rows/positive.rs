//! The table of preferred images.

use asap_core::{Positive, Source, SourceKind};

use crate::Result;
use crate::columns::{Columns, Rows};
use crate::rows::{self, flat_skeletons};

/// The blob column.
pub(crate) const IMAGE: &str = "image";

/// What is read for lists: no image and no keypoint.
pub(crate) const SUMMARY: [&str; 6] = [
    "positive_id",
    "width",
    "height",
    "prompt",
    "source_kind",
    "source_name",
];

/// Everything but the image.
pub(crate) const PLAIN: [&str; 9] = [
    "positive_id",
    "width",
    "height",
    "prompt",
    "skeletons",
    "source_kind",
    "source_name",
    "source_sha256",
    "licence",
];

/// Adds the columns of [`PLAIN`].
pub(crate) fn write(columns: &mut Columns, positives: &[&Positive]) {
    let all = || positives.iter();
    columns.text("positive_id", all().map(|p| Some(p.id.to_string())));
    columns.u32("width", all().map(|p| Some(p.width)));
    columns.u32("height", all().map(|p| Some(p.height)));
    columns.text("prompt", all().map(|p| Some(&p.prompt)));
    columns.f32s("skeletons", all().map(|p| Some(flat_skeletons(&p.skeletons))));
    columns.text("source_kind", all().map(|p| Some(p.source.kind.name())));
    columns.text("source_name", all().map(|p| Some(&p.source.name)));
    columns.text("source_sha256", all().map(|p| Some(&p.source.sha256)));
    columns.text("licence", all().map(|p| Some(&p.source.licence)));
}

/// Reads the columns of [`PLAIN`] in a row, beside the image bytes that were read apart.
pub(crate) fn read(rows: &Rows<'_>, row: usize, image_png: Vec<u8>) -> Result<Positive> {
    Ok(Positive {
        id: rows.id("positive_id", row)?,
        image_png,
        width: rows::whole(rows, "width", row)?,
        height: rows::whole(rows, "height", row)?,
        prompt: rows::text(rows, "prompt", row)?,
        skeletons: rows::skeletons(rows, "skeletons", row)?,
        source: Source {
            kind: rows.word("source_kind", row, SourceKind::from_name)?,
            name: rows::text(rows, "source_name", row)?,
            sha256: rows::text(rows, "source_sha256", row)?,
            licence: rows::text(rows, "licence", row)?,
        },
    })
}
