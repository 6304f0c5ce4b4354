//! The table of rejected images.

use arrow::array::{Array, BinaryArray, StructArray};
use asap_core::{
    BoxPx, Degradation, Kind, Mechanism, Pair, Part, Provenance, Region, Rejected, Scope, Severity,
};

use crate::columns::{Columns, Rows};
use crate::mask_png::decode_mask;
use crate::rows::{self, flat_skeletons};
use crate::{Error, Result};

/// The blob column: a patch where `budget` is set, else a whole image.
pub(crate) const REJECTED: &str = "rejected";

/// What is read for lists: no image, mask or keypoint.
pub(crate) const SUMMARY: [&str; 6] = [
    "pair_id",
    "positive_id",
    "mechanism",
    "operators",
    "degradations",
    "regions",
];

/// Everything that is neither the rejected image nor a mask.
pub(crate) const PLAIN: [&str; 11] = [
    "pair_id",
    "positive_id",
    "budget",
    "regions",
    "degradations",
    "mechanism",
    "rejected_skeletons",
    "operators",
    "parameters",
    "seed",
    "code_version",
];

/// The bytes of a pair that are stored beside its plain columns.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Files {
    /// The patch or whole image.
    pub(crate) rejected_png: Vec<u8>,
    /// One-bit PNG.
    pub(crate) mask_edit_png: Vec<u8>,
    /// One-bit PNG.
    pub(crate) mask_part_png: Vec<u8>,
}

/// Where the patch goes; `None` for a whole image.
pub(crate) const fn budget(pair: &Pair) -> Option<BoxPx> {
    match &pair.rejected {
        Rejected::Patch { budget, .. } => Some(*budget),
        Rejected::Whole { .. } => None,
    }
}

/// The stored bytes of the rejected image.
pub(crate) fn rejected_bytes(pair: &Pair) -> &[u8] {
    match &pair.rejected {
        Rejected::Patch { png, .. } | Rejected::Whole { png } => png,
    }
}

/// Adds the columns of [`PLAIN`].
pub(crate) fn write(columns: &mut Columns, pairs: &[&Pair]) {
    let all = || pairs.iter();
    columns.text("pair_id", all().map(|p| Some(p.id.to_string())));
    columns.text("positive_id", all().map(|p| Some(p.positive_id.to_string())));
    let budgets: Vec<Option<BoxPx>> = all().map(|p| budget(p)).collect();
    columns.group("budget", budgets.iter().map(Option::is_some).collect(), |inner| {
        inner.u32("x0", budgets.iter().map(|b| b.map(|b| b.x0)));
        inner.u32("y0", budgets.iter().map(|b| b.map(|b| b.y0)));
        inner.u32("x1", budgets.iter().map(|b| b.map(|b| b.x1)));
        inner.u32("y1", budgets.iter().map(|b| b.map(|b| b.y1)));
    });
    columns.texts(
        "regions",
        all().map(|p| Some(p.regions.iter().map(|r| r.name()).collect())),
    );
    columns.structs(
        "degradations",
        all().map(|p| Some(p.degradations.clone())),
        |inner, items| {
            inner.text("part", items.iter().map(|d| Some(d.part.name())));
            inner.text("kind", items.iter().map(|d| Some(d.kind.name())));
            inner.text("scope", items.iter().map(|d| Some(d.scope.name())));
            inner.text("severity", items.iter().map(|d| Some(d.severity.name())));
        },
    );
    columns.text("mechanism", all().map(|p| Some(p.mechanism.name())));
    columns.f32s(
        "rejected_skeletons",
        all().map(|p| Some(flat_skeletons(&p.rejected_skeletons))),
    );
    columns.texts("operators", all().map(|p| Some(p.provenance.operators.clone())));
    columns.text("parameters", all().map(|p| Some(&p.provenance.parameters)));
    columns.u64("seed", all().map(|p| Some(p.provenance.seed)));
    columns.text("code_version", all().map(|p| Some(&p.provenance.code_version)));
}

/// Reads the columns of [`PLAIN`] in a row and joins them with the bytes.
pub(crate) fn read(rows: &Rows<'_>, row: usize, files: Files) -> Result<Pair> {
    let png = files.rejected_png;
    let rejected = match read_budget(rows, row)? {
        Some(budget) => Rejected::Patch { budget, png },
        None => Rejected::Whole { png },
    };
    Ok(Pair {
        id: rows.id("pair_id", row)?,
        positive_id: rows.id("positive_id", row)?,
        rejected,
        mask_edit: decode_mask(&files.mask_edit_png)?,
        mask_part: decode_mask(&files.mask_part_png)?,
        regions: regions(rows, row)?,
        degradations: degradations(rows, row)?,
        mechanism: rows.word("mechanism", row, Mechanism::from_name)?,
        rejected_skeletons: rows::skeletons(rows, "rejected_skeletons", row)?,
        provenance: Provenance {
            operators: rows.texts("operators", row)?,
            parameters: rows::text(rows, "parameters", row)?,
            seed: rows::large(rows, "seed", row)?,
            code_version: rows::text(rows, "code_version", row)?,
        },
    })
}

/// The box of a row, if it is a patch.
pub(crate) fn read_budget(rows: &Rows<'_>, row: usize) -> Result<Option<BoxPx>> {
    let budgets = rows.get::<StructArray>("budget")?;
    if budgets.is_null(row) {
        return Ok(None);
    }
    let inner = Rows::of_struct(rows.table(), budgets);
    Ok(Some(BoxPx {
        x0: rows::whole(&inner, "x0", row)?,
        y0: rows::whole(&inner, "y0", row)?,
        x1: rows::whole(&inner, "x1", row)?,
        y1: rows::whole(&inner, "y1", row)?,
    }))
}

/// The regions of a row.
pub(crate) fn regions(rows: &Rows<'_>, row: usize) -> Result<Vec<Region>> {
    rows::words(rows, "regions", row, Region::from_name)
}

/// The labelled errors of a row.
pub(crate) fn degradations(rows: &Rows<'_>, row: usize) -> Result<Vec<Degradation>> {
    rows::structs(rows, "degradations", row, |inner, idx| {
        Ok(Degradation {
            part: inner.word("part", idx, Part::from_name)?,
            kind: inner.word("kind", idx, Kind::from_name)?,
            scope: inner.word("scope", idx, Scope::from_name)?,
            severity: inner.word("severity", idx, Severity::from_name)?,
        })
    })
}

/// The bytes of a row in a plain binary column.
pub(crate) fn bytes(rows: &Rows<'_>, column: &str, row: usize) -> Result<Vec<u8>> {
    let array = rows.get::<BinaryArray>(column)?;
    if array.is_null(row) {
        return Err(Error::Column {
            table: rows.table().to_owned(),
            column: column.to_owned(),
            expected: "bytes that are not null".to_owned(),
        });
    }
    Ok(array.value(row).to_vec())
}
