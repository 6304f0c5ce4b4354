//! What photographs and figures have in common: a positive, pair slots, and a way to build them.

use std::collections::BTreeSet;

use asap_core::PositiveId;
use asap_synth::figure::FigureJob;
use asap_synth::photo::PhotoJob;
use asap_synth::{Draft, figure, photo};

/// One positive and the pairs that are to be made from it.
pub(crate) trait Job: Send + Sync + 'static {
    /// Whether the user supplied the source, and so wants to know what became of it.
    const IS_SUPPLIED: bool;
    /// For messages: the file or the figure.
    fn name(&self) -> String;
    /// The positive that it makes.
    fn positive_id(&self) -> PositiveId;
    /// The seeds of its pairs.
    fn slots(&self) -> &[u64];
    /// Builds the slots that are not in `skip`.
    fn build(&self, skip: &BTreeSet<u64>) -> asap_synth::Result<Draft>;
}

impl Job for PhotoJob {
    const IS_SUPPLIED: bool = true;

    fn name(&self) -> String {
        self.name().to_owned()
    }

    fn positive_id(&self) -> PositiveId {
        self.positive_id()
    }

    fn slots(&self) -> &[u64] {
        self.slots()
    }

    fn build(&self, skip: &BTreeSet<u64>) -> asap_synth::Result<Draft> {
        photo::build(self, skip)
    }
}

impl Job for FigureJob {
    const IS_SUPPLIED: bool = false;

    fn name(&self) -> String {
        format!("figure {}", self.positive_id().short())
    }

    fn positive_id(&self) -> PositiveId {
        self.positive_id()
    }

    fn slots(&self) -> &[u64] {
        self.slots()
    }

    fn build(&self, skip: &BTreeSet<u64>) -> asap_synth::Result<Draft> {
        figure::build(self, skip)
    }
}
