//! The row of a pair in lists: all that can be filtered and sorted by, and no image.

use serde::{Deserialize, Serialize};

use crate::curation::Decision;
use crate::degradation::{Degradation, Mechanism};
use crate::id::{PairId, PositiveId};
use crate::pair::{SourceKind, Split};
use crate::region::Region;

/// What lists, filters and charts know of a pair.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PairSummary {
    /// The pair.
    pub id: PairId,
    /// Its preferred image.
    pub positive_id: PositiveId,
    /// Columns of the images.
    pub width: u32,
    /// Rows of the images.
    pub height: u32,
    /// What the preferred image shows.
    pub prompt: String,
    /// Photograph, figure or generated.
    pub source_kind: SourceKind,
    /// File name or figure number of the positive.
    pub source_name: String,
    /// Where the error was made.
    pub mechanism: Mechanism,
    /// Operators with versions.
    pub operators: Vec<String>,
    /// The labelled errors.
    pub degradations: Vec<Degradation>,
    /// The regions that were changed.
    pub regions: Vec<Region>,
    /// Split of its cluster.
    pub split: Split,
    /// Kept, rejected or pending.
    pub decision: Decision,
    /// The rules that it failed, `criterion/rule`.
    pub rejections: Vec<String>,
    /// SSIM inside `mask_edit`.
    pub ssim_inside: Option<f64>,
    /// SSIM outside `mask_edit`.
    pub ssim_outside: Option<f64>,
    /// LPIPS inside `mask_edit`.
    pub lpips_inside: Option<f64>,
    /// LPIPS outside `mask_edit`.
    pub lpips_outside: Option<f64>,
    /// Marked share of `mask_edit`; `None` until the pair was measured.
    pub mask_share: Option<f64>,
}
