//! The decision whether a pair enters the data set.

use serde::{Deserialize, Serialize};

use crate::pair::Split;

/// The paper's three criteria (§4.1), and two of ours that any automatic build needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Criterion {
    /// (1) The preferred image is good.
    PositiveQuality,
    /// (2) The error is clearly visible.
    VisibleDegradation,
    /// (3) The background is the same.
    BackgroundPreserved,
    /// The mask is neither a speck nor the whole image.
    MaskSanity,
    /// Another pair says the same.
    NearDuplicate,
}

impl Criterion {
    /// Every criterion, in the order in which they are checked.
    pub const ALL: [Self; 5] = [
        Self::PositiveQuality,
        Self::VisibleDegradation,
        Self::BackgroundPreserved,
        Self::MaskSanity,
        Self::NearDuplicate,
    ];

    /// The name used in files, addresses and tables.
    pub const fn name(self) -> &'static str {
        match self {
            Self::PositiveQuality => "positive_quality",
            Self::VisibleDegradation => "visible_degradation",
            Self::BackgroundPreserved => "background_preserved",
            Self::MaskSanity => "mask_sanity",
            Self::NearDuplicate => "near_duplicate",
        }
    }
}

/// One reason for which a pair was rejected.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Rejection {
    /// The criterion that it failed.
    pub criterion: Criterion,
    /// The rule, as named in the thresholds file, such as `ssim_edit_max`.
    pub rule: String,
    /// What was measured; `None` where it could not be.
    pub measured: Option<f64>,
    /// The threshold.
    pub threshold: f64,
}

/// The state of a pair.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Decision {
    /// Not decided yet.
    Pending,
    /// In the data set.
    Kept,
    /// Not in the data set, for the reasons given.
    Rejected,
}

impl Decision {
    /// Every state.
    pub const ALL: [Self; 3] = [Self::Pending, Self::Kept, Self::Rejected];

    /// The name used in files, addresses and tables.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Kept => "kept",
            Self::Rejected => "rejected",
        }
    }

    /// The state of that name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|decision| decision.name() == name)
    }
}

/// The decision on a pair, with its reasons.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Curation {
    /// Kept, rejected or pending.
    pub decision: Decision,
    /// Why it was rejected: every rule that failed, not only the first.
    pub rejections: Vec<Rejection>,
    /// The split of its cluster.
    pub split: Split,
    /// The cluster of near-duplicate positives.
    pub cluster: u32,
    /// BLAKE3 of the thresholds file, in hexadecimal; empty while pending.
    pub thresholds: String,
}

impl Curation {
    /// The state of a pair that nobody has decided on.
    pub fn pending() -> Self {
        Self {
            decision: Decision::Pending,
            rejections: Vec::new(),
            split: Split::Train,
            cluster: 0,
            thresholds: String::new(),
        }
    }
}
