//! What is measured on a pair.

use serde::{Deserialize, Serialize};

use crate::curation::Curation;
use crate::id::PairId;
use crate::region::Region;

/// The pixels that a row of statistics is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StatRegion {
    /// `mask_edit`: reported first.
    Edit,
    /// `mask_part`: the training mask.
    Part,
    /// A region of the body, cut with `mask_part`.
    Body(Region),
}

impl StatRegion {
    /// The name used in files and tables.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Edit => "edit",
            Self::Part => "part",
            Self::Body(region) => region.name(),
        }
    }
}

/// Statistics of one pair inside and outside one mask.
///
/// A value that was not computed, or whose area is under the floor, is `None`; it is never 0.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RegionStats {
    /// Which pixels.
    pub region: StatRegion,
    /// The metric profile with its region rule, such as `ssim/wang11-rgb-valid/v1+composite`.
    pub profile: String,
    /// Pixels inside the mask.
    pub area_px: u64,
    /// SSIM inside, 1 for equal images.
    pub ssim_inside: Option<f64>,
    /// SSIM outside.
    pub ssim_outside: Option<f64>,
    /// LPIPS inside, 0 for equal images.
    pub lpips_inside: Option<f64>,
    /// LPIPS outside.
    pub lpips_outside: Option<f64>,
    /// Peak signal-to-noise ratio outside in dB; `None` also when the outside is equal.
    pub psnr_outside_db: Option<f64>,
    /// Mean absolute difference inside, in grey levels.
    pub mean_abs_diff_inside: Option<f64>,
    /// Largest difference outside, in grey levels.
    pub max_abs_diff_outside: u8,
    /// Pixels outside of which any channel differs.
    pub changed_outside_px: u64,
}

/// What the three curation criteria are decided on, besides [`RegionStats`].
///
/// Measured once, when a pair is made or first curated; the decision is a pure function of it and of the
/// thresholds, so thresholds can be changed without reading an image again.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Evidence {
    /// Short side of the image in pixels.
    pub short_side_px: u32,
    /// Variance of the Laplacian of the preferred image inside the part's box, on 0..255 grey levels.
    pub part_sharpness: f64,
    /// Mean score of the seen body keypoints of the preferred image, `None` without a skeleton.
    pub pose_score: Option<f64>,
    /// Short side of the box around the corrupted part, in pixels.
    pub part_side_px: u32,
    /// Changed pixels (before dilation).
    pub edit_px: u64,
    /// Changed pixels over pixels of the part in the preferred image.
    pub edit_share_of_part: f64,
    /// Share of the changed pixels that lie inside `mask_part`.
    pub containment: f64,
    /// Distance between the mean colours of both images inside `mask_edit`, in grey levels.
    pub mean_color_shift: f64,
    /// `mask_edit` over the image.
    pub mask_share: f64,
    /// 8-connected components of `mask_edit`.
    pub mask_components: u32,
    /// Whether pixels outside the budget are stored as equal (a patch) rather than hoped to be.
    pub is_patch: bool,
    /// 64-bit perceptual hash of the preferred image.
    pub positive_phash: u64,
    /// 64-bit difference hash of the preferred image.
    pub positive_dhash: u64,
    /// Perceptual hash of the part in the preferred image.
    pub part_phash: u64,
    /// Perceptual hash of the part in the rejected image.
    pub rejected_part_phash: u64,
}

/// All that is known about a pair besides its images: kept in a narrow table of its own.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Assessment {
    /// The pair.
    pub pair_id: PairId,
    /// Statistics, [`StatRegion::Edit`] first.
    pub stats: Vec<RegionStats>,
    /// What the decision is made on.
    pub evidence: Evidence,
    /// The decision.
    pub curation: Curation,
}
