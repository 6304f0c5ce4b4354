//! Reading by id and by row.

use std::collections::BTreeMap;
use std::sync::Arc;

use asap_core::{Assessment, Pair, PairId, Positive, PositiveId, Sha256};

use crate::columns::Rows;
use crate::rows::{self, assessment, pair, positive};
use crate::{Dataset, Result};

/// A pair with its preferred image and what is known about it.
#[derive(Clone, Debug)]
pub struct Record {
    /// The preferred image, shared by the records of a batch.
    pub positive: Arc<Positive>,
    /// The pair.
    pub pair: Pair,
    /// Statistics, evidence and decision, if it was assessed.
    pub assessment: Option<Assessment>,
}

/// The hashes that were recorded when a pair was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PairHashes {
    /// Of the patch or whole image, as stored.
    pub rejected: Sha256,
    /// Of the one-bit PNG.
    pub mask_edit: Sha256,
    /// Of the one-bit PNG.
    pub mask_part: Sha256,
}

/// The masks of a pair as stored: one-bit PNG.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MaskPngs {
    /// Changed pixels, dilated.
    pub edit: Vec<u8>,
    /// The training mask.
    pub part: Vec<u8>,
}

impl Dataset {
    /// A pair by its id.
    ///
    /// # Errors
    /// [`Error::Missing`](crate::Error::Missing), [`Error::Table`](crate::Error::Table).
    pub async fn pair(&self, id: PairId) -> Result<Pair> {
        let row = self.pair_row(id).await?;
        let mut pairs = self.pairs_at(&[row]).await?;
        pairs.pop().ok_or_else(|| self.missing("pair", id))
    }

    /// A preferred image by its id.
    ///
    /// # Errors
    /// Those of [`Dataset::pair`].
    pub async fn positive(&self, id: PositiveId) -> Result<Positive> {
        let row = self.positive_row(id).await?;
        let mut positives = self.positives_at(&[row]).await?;
        positives.pop().ok_or_else(|| self.missing("positive", id))
    }

    /// The bytes of a preferred image as stored, without anything else.
    ///
    /// # Errors
    /// Those of [`Dataset::pair`].
    pub async fn positive_png(&self, id: PositiveId) -> Result<Vec<u8>> {
        let row = self.positive_row(id).await?;
        let mut images = self.tables.positives.blobs(&[row], positive::IMAGE).await?;
        images.pop().ok_or_else(|| self.missing("positive", id))
    }

    /// The hash of a preferred image that was recorded when it was written.
    ///
    /// # Errors
    /// Those of [`Dataset::pair`].
    pub async fn positive_sha256(&self, id: PositiveId) -> Result<Sha256> {
        let row = self.positive_row(id).await?;
        let batch = self.tables.positives.take(&[row], &["image_sha256"]).await?;
        Rows::of_batch("positives", &batch).id("image_sha256", 0)
    }

    /// The hashes of a pair that were recorded when it was written.
    ///
    /// # Errors
    /// Those of [`Dataset::pair`].
    pub async fn pair_hashes(&self, id: PairId) -> Result<PairHashes> {
        let row = self.pair_row(id).await?;
        let columns = ["rejected_sha256", "mask_edit_sha256", "mask_part_sha256"];
        let batch = self.tables.pairs.take(&[row], &columns).await?;
        hashes(&Rows::of_batch("pairs", &batch), 0)
    }

    /// The masks of a pair as stored, without anything else.
    ///
    /// # Errors
    /// Those of [`Dataset::pair`].
    pub async fn mask_pngs(&self, id: PairId) -> Result<MaskPngs> {
        let row = self.pair_row(id).await?;
        let batch = self
            .tables
            .pairs
            .take(&[row], &["mask_edit", "mask_part"])
            .await?;
        let rows = Rows::of_batch("pairs", &batch);
        Ok(MaskPngs {
            edit: pair::bytes(&rows, "mask_edit", 0)?,
            part: pair::bytes(&rows, "mask_part", 0)?,
        })
    }

    /// What is known about a pair; `None` where it was not assessed.
    ///
    /// # Errors
    /// Those of [`Dataset::pair`].
    pub async fn assessment(&self, id: PairId) -> Result<Option<Assessment>> {
        self.pair_row(id).await?;
        let Some(&row) = self.index().await?.assessments.get(&id) else {
            return Ok(None);
        };
        Ok(self.assessments_at(&[row]).await?.pop())
    }

    /// What is known about every assessed pair, by pair id.
    ///
    /// # Errors
    /// [`Error::Table`](crate::Error::Table).
    pub async fn assessments(&self) -> Result<Vec<Assessment>> {
        let columns = self.tables.assessments.columns();
        let mut all = Vec::new();
        let each = |batch: &_| {
            let rows = Rows::of_batch("assessments", batch);
            for row in 0..batch.num_rows() {
                all.extend(assessment::read(&rows, row)?);
            }
            Ok(())
        };
        self.tables.assessments.scan(&columns, each).await?;
        all.sort_unstable_by_key(|assessment| assessment.pair_id);
        Ok(all)
    }

    /// A pair with its preferred image and assessment, by its id.
    ///
    /// # Errors
    /// Those of [`Dataset::pair`].
    pub async fn record(&self, id: PairId) -> Result<Record> {
        let row = self.pair_row(id).await?;
        let mut records = self.records_at(&[row]).await?;
        records.pop().ok_or_else(|| self.missing("pair", id))
    }

    /// The records of rows of the table of pairs (`0..count_rows()`, in the order of writing), in the
    /// order asked for; a preferred image that several share is read once.
    ///
    /// # Errors
    /// [`Error::Missing`](crate::Error::Missing) for a row beyond the last.
    pub async fn records_at(&self, pair_rows: &[u64]) -> Result<Vec<Record>> {
        if let Some(row) = pair_rows.iter().find(|&&row| row >= self.count_rows()) {
            return Err(self.missing("pair in row", row));
        }
        let pairs = self.pairs_at(pair_rows).await?;
        let index = self.index().await?;
        let mut wanted: BTreeMap<PositiveId, u64> = BTreeMap::new();
        let mut assessed = Vec::new();
        for pair in &pairs {
            wanted.insert(pair.positive_id, self.positive_row(pair.positive_id).await?);
            assessed.extend(index.assessments.get(&pair.id));
        }
        let rows: Vec<u64> = wanted.into_values().collect();
        let positives: BTreeMap<PositiveId, Arc<Positive>> = self
            .positives_at(&rows)
            .await?
            .into_iter()
            .map(|p| (p.id, Arc::new(p)))
            .collect();
        let mut assessments: BTreeMap<PairId, Assessment> = self
            .assessments_at(&assessed)
            .await?
            .into_iter()
            .map(|a| (a.pair_id, a))
            .collect();
        let join = |pair: Pair| {
            let positive = positives.get(&pair.positive_id).cloned();
            let positive = positive.ok_or_else(|| self.missing("positive", pair.positive_id))?;
            Ok(Record {
                positive,
                assessment: assessments.remove(&pair.id),
                pair,
            })
        };
        pairs.into_iter().map(join).collect()
    }

    async fn pair_row(&self, id: PairId) -> Result<u64> {
        let row = self.index().await?.pairs.get(&id).copied();
        row.ok_or_else(|| self.missing("pair", id))
    }

    async fn positive_row(&self, id: PositiveId) -> Result<u64> {
        let row = self.index().await?.positives.get(&id).copied();
        row.ok_or_else(|| self.missing("positive", id))
    }

    async fn pairs_at(&self, indices: &[u64]) -> Result<Vec<Pair>> {
        let mut columns = pair::PLAIN.to_vec();
        columns.extend(["mask_edit", "mask_part"]);
        let batch = self.tables.pairs.take(indices, &columns).await?;
        let images = self.tables.pairs.blobs(indices, pair::REJECTED).await?;
        let rows = Rows::of_batch("pairs", &batch);
        self.check_len(images.len(), batch.num_rows(), "pair")?;
        let read = |(row, rejected_png): (usize, Vec<u8>)| {
            let files = pair::Files {
                rejected_png,
                mask_edit_png: pair::bytes(&rows, "mask_edit", row)?,
                mask_part_png: pair::bytes(&rows, "mask_part", row)?,
            };
            pair::read(&rows, row, files)
        };
        images.into_iter().enumerate().map(read).collect()
    }

    pub(crate) async fn positives_at(&self, indices: &[u64]) -> Result<Vec<Positive>> {
        let batch = self.tables.positives.take(indices, &positive::PLAIN).await?;
        let images = self.tables.positives.blobs(indices, positive::IMAGE).await?;
        let rows = Rows::of_batch("positives", &batch);
        self.check_len(images.len(), batch.num_rows(), "positive")?;
        images
            .into_iter()
            .enumerate()
            .map(|(row, image)| positive::read(&rows, row, image))
            .collect()
    }

    async fn assessments_at(&self, indices: &[u64]) -> Result<Vec<Assessment>> {
        if indices.is_empty() {
            return Ok(Vec::new());
        }
        let columns = self.tables.assessments.columns();
        let batch = self.tables.assessments.take(indices, &columns).await?;
        let rows = Rows::of_batch("assessments", &batch);
        let mut all = Vec::with_capacity(batch.num_rows());
        for row in 0..batch.num_rows() {
            all.extend(assessment::read(&rows, row)?);
        }
        Ok(all)
    }

    fn check_len(&self, got: usize, expected: usize, what: &'static str) -> Result<()> {
        if got == expected {
            Ok(())
        } else {
            Err(rows::missing(
                what,
                format!("image {got} of {expected}"),
                &self.root,
            ))
        }
    }
}

/// The three hashes of a row of the table of pairs.
pub(crate) fn hashes(rows: &Rows<'_>, row: usize) -> Result<PairHashes> {
    Ok(PairHashes {
        rejected: rows.id("rejected_sha256", row)?,
        mask_edit: rows.id("mask_edit_sha256", row)?,
        mask_part: rows.id("mask_part_sha256", row)?,
    })
}
