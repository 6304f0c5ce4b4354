//! What an operator hands over: pixels and part masks, before encoding and measuring.

use asap_core::{
    Assessment, BoxPx, Degradation, Mask, Mechanism, Pair, Positive, Provenance, Region, Skeleton, Source,
};
use image::RgbImage;

/// A preferred image and the rejected images made from it.
#[derive(Clone, Debug)]
pub struct Draft {
    /// Where the preferred image came from.
    pub source: Source,
    /// How the preferred image was prepared, as canonical JSON: part of its id.
    pub recipe: String,
    /// The preferred image.
    pub image: RgbImage,
    /// What it shows.
    pub prompt: String,
    /// The people in it whose keypoints are known.
    pub skeletons: Vec<Skeleton>,
    /// The rejected images.
    pub pairs: Vec<DraftPair>,
}

/// A rejected image.
#[derive(Clone, Debug)]
pub struct DraftPair {
    /// The pixels, of the size of the preferred image.
    pub image: RgbImage,
    /// Where the image may differ from the preferred one; everywhere else it must be equal.
    pub budget: BoxPx,
    /// The corrupted part as it lies in the preferred image.
    pub part_preferred: Mask,
    /// The corrupted part as it lies in the rejected image.
    pub part_rejected: Mask,
    /// The regions that were changed.
    pub regions: Vec<Region>,
    /// The labelled errors.
    pub degradations: Vec<Degradation>,
    /// Where the errors were made.
    pub mechanism: Mechanism,
    /// The people of the rejected image where they are known to differ.
    pub rejected_skeletons: Vec<Skeleton>,
    /// How it was made.
    pub provenance: Provenance,
}

/// A finished group: a positive, its pairs and what was measured on each.
#[derive(Clone, Debug)]
pub struct Built {
    /// The preferred image.
    pub positive: Positive,
    /// Its pairs.
    pub pairs: Vec<Pair>,
    /// One assessment a pair, in the same order, its curation still pending.
    pub assessments: Vec<Assessment>,
    /// Rejected images that are none, because nothing in them was changed.
    pub dropped: Vec<Dropped>,
}

/// A rejected image that was not made into a pair.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dropped {
    /// The seed of its slot.
    pub seed: u64,
    /// The operators that ran.
    pub operators: Vec<String>,
    /// Why it is no pair.
    pub reason: String,
}
