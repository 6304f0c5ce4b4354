//! Pairs in memory: for tests, and for programs that show what they have just made.

use std::collections::BTreeMap;
use std::sync::{PoisonError, RwLock};

use asap_core::{Assessment, Pair, PairId, PairSummary, Positive, PositiveId};

use super::{Answer, Listing, Source};

/// Pairs in memory.
#[derive(Debug, Default)]
pub struct Memory {
    contents: RwLock<Contents>,
}

#[derive(Debug, Default)]
struct Contents {
    version: u64,
    rows: Vec<PairSummary>,
    positives: BTreeMap<PositiveId, Positive>,
    pairs: BTreeMap<PairId, Pair>,
    assessments: BTreeMap<PairId, Assessment>,
}

impl Memory {
    /// Adds a preferred image.
    pub fn add_positive(&self, positive: Positive) {
        self.change(|contents| {
            contents.positives.insert(positive.id, positive);
        });
    }

    /// Adds a row, with its images and assessment where there are any.
    pub fn add_pair(&self, row: PairSummary, pair: Option<Pair>, assessment: Option<Assessment>) {
        self.change(|contents| {
            contents.pairs.extend(pair.map(|pair| (row.id, pair)));
            contents
                .assessments
                .extend(assessment.map(|assessment| (row.id, assessment)));
            contents.rows.push(row);
        });
    }

    fn change(&self, change: impl FnOnce(&mut Contents)) {
        let mut contents = self.contents.write().unwrap_or_else(PoisonError::into_inner);
        change(&mut contents);
        contents.version += 1;
    }

    fn read<T>(&self, read: impl FnOnce(&Contents) -> T) -> Answer<'_, T>
    where
        T: Send + 'static,
    {
        let answer = read(&self.contents.read().unwrap_or_else(PoisonError::into_inner));
        Box::pin(std::future::ready(Ok(answer)))
    }
}

impl Source for Memory {
    fn name(&self) -> String {
        "memory".to_owned()
    }

    fn refresh(&self) -> Answer<'_, u64> {
        self.read(|contents| contents.version)
    }

    fn listing(&self) -> Answer<'_, Listing> {
        self.read(|contents| Listing {
            version: contents.version,
            rows: contents.rows.clone(),
        })
    }

    fn positive(&self, id: PositiveId) -> Answer<'_, Option<Positive>> {
        self.read(|contents| contents.positives.get(&id).cloned())
    }

    fn pair(&self, id: PairId) -> Answer<'_, Option<Pair>> {
        self.read(|contents| contents.pairs.get(&id).cloned())
    }

    fn assessment(&self, id: PairId) -> Answer<'_, Option<Assessment>> {
        self.read(|contents| contents.assessments.get(&id).cloned())
    }
}
