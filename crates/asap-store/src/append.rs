//! Writing: whole groups or nothing, and every record once.

use std::collections::{BTreeMap, BTreeSet};

use asap_core::{Assessment, Pair, PairId, Positive, PositiveId, Rejected};

use crate::encode::{self, MaskFiles};
use crate::index::Index;
use crate::log::Entry;
use crate::tables::Tables;
use crate::{Dataset, Error, Result, pixels};

/// A preferred image with pairs made from it and what was measured on them.
#[derive(Clone, Debug)]
pub struct Group {
    /// The preferred image.
    pub positive: Positive,
    /// Pairs made from it.
    pub pairs: Vec<Pair>,
    /// What is known about these pairs, in any order; a pair may have none yet.
    pub assessments: Vec<Assessment>,
}

/// What an append did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Appended {
    /// Preferred images that were new.
    pub positives: u64,
    /// Pairs that were new.
    pub pairs: u64,
    /// Assessments that were new.
    pub assessments: u64,
    /// Pairs that were there already and were left as they are.
    pub skipped_pairs: u64,
}

impl Dataset {
    /// Adds groups as one new version. What is stored already is left as it is, so a repeated append
    /// changes nothing.
    ///
    /// # Errors
    /// [`Error::Refused`] for a record that contradicts itself, before anything is written;
    /// [`Error::Locked`], [`Error::OldVersion`], [`Error::DiskFull`], [`Error::NotWritable`]. After an
    /// error the dataset is as it was.
    pub async fn append(&mut self, groups: Vec<Group>) -> Result<Appended> {
        self.lock().await?;
        let new = New::select(&groups, self.index().await?)?;
        let appended = new.counts();
        if appended.positives + appended.pairs + appended.assessments == 0 {
            return Ok(appended);
        }
        let mut tables = self.tables.clone();
        tables.rewind().await?;
        if !new.positives.is_empty() {
            tables
                .positives
                .append(encode::positives(&new.positives)?)
                .await?;
        }
        if !new.pairs.is_empty() {
            let masks = new
                .pairs
                .iter()
                .map(|pair| MaskFiles::of(pair))
                .collect::<Result<Vec<_>>>()?;
            tables.pairs.append(encode::pairs(&new.pairs, &masks)?).await?;
        }
        if !new.assessments.is_empty() {
            tables
                .assessments
                .append(encode::assessments(&new.assessments)?)
                .await?;
        }
        let before = self.entry.rows;
        let index = self.index.take();
        self.commit(tables, index.map(|index| new.added_to(index, before)))
            .await?;
        Ok(appended)
    }

    /// Stores statistics, evidence and decisions, in place of those that the pairs had. No image is
    /// rewritten, and older versions of the dataset keep what they had.
    ///
    /// # Errors
    /// [`Error::Missing`] for an assessment of a pair that is not stored, [`Error::Refused`] for two of
    /// one pair; and those of [`Dataset::append`].
    pub async fn put_assessments(&mut self, assessments: Vec<Assessment>) -> Result<()> {
        self.lock().await?;
        if assessments.is_empty() {
            return Ok(());
        }
        let index = self.index().await?;
        let mut ids = BTreeSet::new();
        for assessment in &assessments {
            if !index.pairs.contains_key(&assessment.pair_id) {
                return Err(self.missing("pair", assessment.pair_id));
            }
            if !ids.insert(assessment.pair_id) {
                return Err(Error::refused(
                    "assessment",
                    assessment.pair_id,
                    "it is given twice",
                ));
            }
        }
        let replaces_all = index.assessments.keys().all(|id| ids.contains(id));
        let batch = encode::assessments(&assessments.iter().collect::<Vec<_>>())?;
        let mut tables = self.tables.clone();
        tables.rewind().await?;
        if replaces_all {
            tables.assessments.overwrite(batch).await?;
        } else {
            tables.assessments.upsert("pair_id", batch).await?;
        }
        self.commit(tables, None).await
    }

    /// Merges the small files of many appends into large ones. Rows keep their order; older versions keep
    /// their files.
    ///
    /// # Errors
    /// Those of [`Dataset::append`].
    pub async fn compact(&mut self) -> Result<()> {
        self.lock().await?;
        let mut tables = self.tables.clone();
        tables.rewind().await?;
        tables.positives.compact().await?;
        tables.pairs.compact().await?;
        tables.assessments.compact().await?;
        if tables.versions() == self.tables.versions() {
            return Ok(());
        }
        self.commit(tables, None).await
    }

    /// Makes what the tables hold visible. Without an index the ids are read again when needed.
    async fn commit(&mut self, tables: Tables, index: Option<Index>) -> Result<()> {
        let entry = Entry::next(self.entry.version, tables.versions(), tables.counts().await?);
        entry.commit(&self.root)?;
        self.entry = entry;
        self.tables = tables;
        self.index = tokio::sync::OnceCell::new_with(index);
        Ok(())
    }
}

/// What an append has to write.
#[derive(Default)]
struct New<'a> {
    positives: Vec<&'a Positive>,
    pairs: Vec<&'a Pair>,
    assessments: Vec<&'a Assessment>,
    skipped_pairs: u64,
}

impl<'a> New<'a> {
    fn select(groups: &'a [Group], index: &Index) -> Result<Self> {
        let mut new = Self::default();
        let mut positives: BTreeMap<PositiveId, &Positive> = BTreeMap::new();
        let mut pairs: BTreeSet<PairId> = BTreeSet::new();
        let mut assessed: BTreeSet<PairId> = BTreeSet::new();
        for group in groups {
            let positive = &group.positive;
            let is_new = !index.positives.contains_key(&positive.id);
            if is_new && positives.insert(positive.id, positive).is_none() {
                check_positive(positive)?;
                new.positives.push(positive);
            }
            for pair in &group.pairs {
                if index.pairs.contains_key(&pair.id) || !pairs.insert(pair.id) {
                    new.skipped_pairs += 1;
                } else {
                    check_pair(positive, pair)?;
                    new.pairs.push(pair);
                }
            }
            for assessment in &group.assessments {
                let id = assessment.pair_id;
                if !index.pairs.contains_key(&id) && !pairs.contains(&id) {
                    return Err(Error::refused("assessment", id, "its pair is not in its group"));
                }
                if !index.assessments.contains_key(&id) && assessed.insert(id) {
                    new.assessments.push(assessment);
                }
            }
        }
        Ok(new)
    }

    fn counts(&self) -> Appended {
        Appended {
            positives: self.positives.len() as u64,
            pairs: self.pairs.len() as u64,
            assessments: self.assessments.len() as u64,
            skipped_pairs: self.skipped_pairs,
        }
    }

    /// The index with the new rows, which stand after the `before` old ones.
    fn added_to(&self, mut index: Index, before: crate::RowCounts) -> Index {
        index
            .positives
            .extend(self.positives.iter().map(|p| p.id).zip(before.positives..));
        index
            .pairs
            .extend(self.pairs.iter().map(|p| p.id).zip(before.pairs..));
        index
            .slots
            .extend(self.pairs.iter().map(|p| (p.positive_id, p.provenance.seed)));
        index.assessments.extend(
            self.assessments
                .iter()
                .map(|a| a.pair_id)
                .zip(before.assessments..),
        );
        index
    }
}

fn check_positive(positive: &Positive) -> Result<()> {
    let size = pixels::png_size(&positive.image_png)
        .map_err(|error| Error::refused("positive", positive.id, error.to_string()))?;
    let expected = (positive.width, positive.height);
    check_size("positive", positive.id, "its image", size, expected)
}

fn check_pair(positive: &Positive, pair: &Pair) -> Result<()> {
    if pair.positive_id != positive.id {
        let reason = format!(
            "it belongs to positive `{}`, its group to `{}`",
            pair.positive_id, positive.id
        );
        return Err(Error::refused("pair", pair.id, reason));
    }
    let size = (positive.width, positive.height);
    for (what, mask) in [
        ("its `mask_edit`", &pair.mask_edit),
        ("its `mask_part`", &pair.mask_part),
    ] {
        check_size("pair", pair.id, what, (mask.width(), mask.height()), size)?;
    }
    let png_size = |png: &[u8]| {
        pixels::png_size(png).map_err(|error| Error::refused("pair", pair.id, error.to_string()))
    };
    match &pair.rejected {
        Rejected::Whole { png } => check_size("pair", pair.id, "its rejected image", png_size(png)?, size),
        Rejected::Patch { budget, png } => {
            if budget.x0 >= budget.x1 || budget.y0 >= budget.y1 || budget.x1 > size.0 || budget.y1 > size.1 {
                let reason = format!(
                    "its budget {budget:?} does not lie in an image of {}x{}",
                    size.0, size.1
                );
                return Err(Error::refused("pair", pair.id, reason));
            }
            let expected = (budget.width(), budget.height());
            check_size("pair", pair.id, "its patch", png_size(png)?, expected)
        }
    }
}

fn check_size(
    kind: &'static str,
    id: impl ToString,
    what: &str,
    got: (u32, u32),
    expected: (u32, u32),
) -> Result<()> {
    if got == expected {
        return Ok(());
    }
    let reason = format!(
        "{what} is {}x{}, expected {}x{}",
        got.0, got.1, expected.0, expected.1
    );
    Err(Error::refused(kind, id, reason))
}
