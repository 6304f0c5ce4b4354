//! What the pages show: plain data that the server fills, the page carries as JSON and the client hydrates.

use asap_core::{Assessment, Decision, Degradation, Mechanism, Source};
use serde::{Deserialize, Serialize};

use crate::filter::{Facet, Measure};
use crate::query::GridQuery;
use crate::view_state::ViewState;

/// The data of one page.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "page", rename_all = "snake_case")]
pub enum Page {
    /// The grid of pairs.
    Grid(Box<GridModel>),
    /// One pair.
    Pair(Box<PairModel>),
    /// The whole data set.
    Dataset(Box<DatasetModel>),
    /// Something went wrong.
    Error(ErrorModel),
}

/// A failure, in words meant for the reader.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ErrorModel {
    /// HTTP status.
    pub status: u16,
    /// What is wrong, without internals.
    pub message: String,
}

/// One pair in a list.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Card {
    /// The pair, in hexadecimal.
    pub id: String,
    /// Its preferred image.
    pub positive_id: String,
    /// Its place in the list, from 0.
    pub position: usize,
    /// What the preferred image shows.
    pub prompt: String,
    /// File name or figure number.
    pub source_name: String,
    /// The errors as phrases.
    pub labels: Vec<String>,
    /// Kept, rejected or pending.
    pub decision: Decision,
    /// The rules that it failed.
    pub rejections: Vec<String>,
    /// SSIM inside `mask_edit`.
    pub ssim_inside: Option<f64>,
    /// SSIM outside `mask_edit`.
    pub ssim_outside: Option<f64>,
}

/// One value of a facet with the number of pairs that choosing it would show.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FacetOption {
    /// The name in addresses.
    pub name: String,
    /// Pairs that pass every other facet and have this value.
    pub n: usize,
    /// Whether it is asked for.
    pub is_chosen: bool,
}

/// A facet with its values.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FacetModel {
    /// Which.
    pub facet: Facet,
    /// Values that some pair of the data set has.
    pub options: Vec<FacetOption>,
}

/// A histogram of the pairs that pass everything but this measure's own bounds.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Histogram {
    /// What is counted.
    pub measure: Measure,
    /// Left edge of the first bin.
    pub low: f64,
    /// Right edge of the last bin, which is closed.
    pub high: f64,
    /// Pairs in each bin.
    pub bins: Vec<usize>,
    /// Pairs without a value.
    pub n_missing: usize,
}

/// The grid.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct GridModel {
    /// The state that it shows.
    pub query: GridQuery,
    /// Pairs that pass.
    pub n_matching: usize,
    /// Pairs of the data set.
    pub n_total: usize,
    /// The pairs of the page.
    pub cards: Vec<Card>,
    /// The facets.
    pub facets: Vec<FacetModel>,
    /// The measures.
    pub histograms: Vec<Histogram>,
}

/// A stored image with its hash, so that its address never changes its meaning.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImageLink {
    /// What it is, for people.
    pub title: String,
    /// The address with the hash.
    pub href: String,
    /// SHA-256 of the bytes, in hexadecimal.
    pub sha256: String,
    /// Length of the file.
    pub size_bytes: usize,
}

/// The images of a pair.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PairImages {
    /// x_w.
    pub preferred: ImageLink,
    /// x_l, whole.
    pub rejected: ImageLink,
    /// Changed pixels, dilated.
    pub mask_edit: ImageLink,
    /// The training mask.
    pub mask_part: ImageLink,
    /// The stored patch, where the pair is a patch.
    pub patch: Option<ImageLink>,
}

/// Where a pair stands in the current list.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Neighbours {
    /// Its place, from 0; `None` where the filter does not show it.
    pub position: Option<usize>,
    /// Length of the list.
    pub n_matching: usize,
    /// The pair before it.
    pub previous: Option<String>,
    /// The pair after it.
    pub next: Option<String>,
}

/// One pair with all that is known of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PairModel {
    /// The list that it was reached from.
    pub grid: GridQuery,
    /// How it is looked at.
    pub view: ViewState,
    /// The pair, in hexadecimal.
    pub id: String,
    /// Its preferred image.
    pub positive_id: String,
    /// Columns of the images.
    pub width: u32,
    /// Rows of the images.
    pub height: u32,
    /// What the preferred image shows.
    pub prompt: String,
    /// Where the preferred image came from.
    pub source: Source,
    /// The errors.
    pub degradations: Vec<Degradation>,
    /// Changed regions, by name.
    pub regions: Vec<String>,
    /// Image space or skeleton space.
    pub mechanism: Mechanism,
    /// Operators with versions.
    pub operators: Vec<String>,
    /// Their parameters, as canonical JSON.
    pub parameters: String,
    /// The seed, in decimal: more digits than a script number keeps.
    pub seed: String,
    /// Version of the code that made it.
    pub code_version: String,
    /// The images.
    pub images: PairImages,
    /// `[x0, y0, x1, y1]` around `mask_edit`, in pixels.
    pub edit_bounds: Option<[f64; 4]>,
    /// Statistics and decision, where measured.
    pub assessment: Option<Assessment>,
    /// The pairs beside it in the list.
    pub neighbours: Neighbours,
}

/// A count that links to the pairs it counts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tally {
    /// The name in addresses.
    pub name: String,
    /// Pairs made.
    pub n: usize,
    /// Pairs kept.
    pub n_kept: usize,
    /// Pairs rejected.
    pub n_rejected: usize,
}

/// How many pairs of one operator failed one rule.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RuleCount {
    /// `criterion/rule`.
    pub rule: String,
    /// Pairs that failed it, among other rules perhaps.
    pub n: usize,
}

/// The fate of one operator's pairs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FunnelRow {
    /// The operator and its counts.
    pub tally: Tally,
    /// What its rejected pairs failed, most frequent first.
    pub failed: Vec<RuleCount>,
}

/// One cell of the taxonomy.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Coverage {
    /// The part.
    pub part: String,
    /// The kind.
    pub kind: String,
    /// Pairs with such an error.
    pub n: usize,
}

/// The whole data set.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DatasetModel {
    /// Its name: the last part of its path.
    pub name: String,
    /// Pairs.
    pub n_pairs: usize,
    /// Preferred images.
    pub n_positives: usize,
    /// Pairs kept.
    pub n_kept: usize,
    /// Pairs rejected.
    pub n_rejected: usize,
    /// Operators, most pairs first.
    pub funnel: Vec<FunnelRow>,
    /// Over all kept pairs, or all pairs where none is decided.
    pub histograms: Vec<Histogram>,
    /// Means over the same pairs, in the order of the histograms.
    pub means: Vec<Option<f64>>,
    /// Cells of part x kind that have pairs.
    pub coverage: Vec<Coverage>,
    /// Counts by split, region, source and mechanism.
    pub tallies: Vec<(Facet, Vec<Tally>)>,
}
