//! A positive image and the pairs made from it.

use serde::{Deserialize, Serialize};

use crate::degradation::{Degradation, Mechanism};
use crate::geometry::BoxPx;
use crate::id::{PairId, PositiveId};
use crate::mask::Mask;
use crate::region::Region;
use crate::skeleton::Skeleton;

/// What a positive is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SourceKind {
    /// A photograph.
    Photograph,
    /// A picture drawn by the figure renderer.
    Figure,
    /// A picture made by a generative model.
    Generated,
    /// Read from somebody's preference data set; what it shows is not known.
    Imported,
}

impl SourceKind {
    /// Every kind.
    pub const ALL: [Self; 4] = [Self::Photograph, Self::Figure, Self::Generated, Self::Imported];

    /// The name used in files, addresses and tables.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Photograph => "photograph",
            Self::Figure => "figure",
            Self::Generated => "generated",
            Self::Imported => "imported",
        }
    }

    /// The kind of that name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }
}

/// Where a positive came from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Source {
    /// What it is.
    pub kind: SourceKind,
    /// File name of a photograph; `figure/<seed>/<idx>` for a rendered figure.
    pub name: String,
    /// SHA-256 of the file that was read, in hexadecimal; empty for figures.
    pub sha256: String,
    /// What its licence allows, as stated by whoever supplied it; empty when not stated.
    pub licence: String,
}

/// The part of the data set that a pair belongs to. All pairs of a cluster are in one split.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Split {
    /// For training.
    Train,
    /// For choosing settings.
    Validation,
    /// For the final figure.
    Test,
}

impl Split {
    /// Every split.
    pub const ALL: [Self; 3] = [Self::Train, Self::Validation, Self::Test];

    /// The name used in files, addresses and tables.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Train => "train",
            Self::Validation => "validation",
            Self::Test => "test",
        }
    }

    /// The split of that name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|split| split.name() == name)
    }
}

/// A preferred image (x_w), stored once and shared by all pairs made from it.
#[derive(Clone, Debug, PartialEq)]
pub struct Positive {
    /// Its id.
    pub id: PositiveId,
    /// The image: PNG, 8-bit RGB.
    pub image_png: Vec<u8>,
    /// Columns.
    pub width: u32,
    /// Rows.
    pub height: u32,
    /// What the image shows (c).
    pub prompt: String,
    /// The people in it whose keypoints are known.
    pub skeletons: Vec<Skeleton>,
    /// Where it came from.
    pub source: Source,
}

/// A rejected image (x_l).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Rejected {
    /// Equal to the preferred image but for this box, whose pixels are the PNG.
    Patch {
        /// Where the patch goes.
        budget: BoxPx,
        /// 8-bit RGB of the size of the box.
        png: Vec<u8>,
    },
    /// A whole image: PNG, 8-bit RGB.
    Whole {
        /// Its bytes.
        png: Vec<u8>,
    },
}

/// How a pair was made, enough to make it again.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Provenance {
    /// Operators with versions, in the order of application, such as `hand.extra_finger@1`.
    pub operators: Vec<String>,
    /// Their parameters as canonical JSON (keys sorted).
    pub parameters: String,
    /// The seed of the random stream.
    pub seed: u64,
    /// Version of the code.
    pub code_version: String,
}

/// A rejected image with the error that makes it one, over its preferred image.
#[derive(Clone, Debug, PartialEq)]
pub struct Pair {
    /// Its id.
    pub id: PairId,
    /// The preferred image.
    pub positive_id: PositiveId,
    /// The rejected image.
    pub rejected: Rejected,
    /// Changed pixels, dilated.
    pub mask_edit: Mask,
    /// part(x_w) ∪ part(x_l) ∪ edit: the training mask M.
    pub mask_part: Mask,
    /// The regions that were changed.
    pub regions: Vec<Region>,
    /// The labelled errors.
    pub degradations: Vec<Degradation>,
    /// Where the errors were made.
    pub mechanism: Mechanism,
    /// The people of the rejected image where they are known to differ (skeleton space).
    pub rejected_skeletons: Vec<Skeleton>,
    /// How it was made.
    pub provenance: Provenance,
}
