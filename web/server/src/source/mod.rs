//! Where pairs come from: a dataset on disk, or memory.

mod memory;
mod sample;
mod store;

use asap_core::{Assessment, Pair, PairId, PairSummary, Positive, PositiveId};
use futures::future::BoxFuture;

pub use memory::Memory;
pub use sample::{sample, sample_rows};
pub use store::Store;

/// What a source answers.
pub type Answer<'a, T> = BoxFuture<'a, Result<T, SourceError>>;

/// A source that cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum SourceError {
    /// The store refused.
    #[error(transparent)]
    Store(#[from] asap_store::Error),
}

/// The rows of a source at one version.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Listing {
    /// The version; it changes when anything does.
    pub version: u64,
    /// One row a pair.
    pub rows: Vec<PairSummary>,
}

/// A readable set of pairs.
pub trait Source: Send + Sync + 'static {
    /// Its name for people.
    fn name(&self) -> String;

    /// Looks for a newer version and moves on to it; cheap where there is none.
    fn refresh(&self) -> Answer<'_, u64>;

    /// Every pair without its images.
    fn listing(&self) -> Answer<'_, Listing>;

    /// A preferred image; `None` where there is none of that id.
    fn positive(&self, id: PositiveId) -> Answer<'_, Option<Positive>>;

    /// A pair; `None` where there is none of that id.
    fn pair(&self, id: PairId) -> Answer<'_, Option<Pair>>;

    /// What is known about a pair; `None` where nothing is.
    fn assessment(&self, id: PairId) -> Answer<'_, Option<Assessment>>;
}
