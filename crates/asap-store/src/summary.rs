//! The rows of lists: everything that can be filtered and sorted by, and no image.

use std::collections::BTreeMap;

use arrow::array::{Array as _, StringArray};
use asap_core::{Decision, Mechanism, PairId, PairSummary, PositiveId, SourceKind, Split};

use crate::columns::Rows;
use crate::rows::{self, assessment, pair, positive};
use crate::{Dataset, Result};

/// What a list needs of a positive.
struct Shown {
    width: u32,
    height: u32,
    prompt: String,
    source_kind: SourceKind,
    source_name: String,
}

/// What a list needs of an assessment.
struct Judged {
    split: Split,
    decision: Decision,
    rejections: Vec<String>,
    numbers: [Option<f64>; 4],
    mask_share: Option<f64>,
}

impl Dataset {
    /// One row a pair, by pair id. No image, mask or keypoint is read.
    ///
    /// # Errors
    /// [`Error::Table`](crate::Error::Table).
    pub async fn summaries(&self) -> Result<Vec<PairSummary>> {
        let shown = self.shown().await?;
        let mut judged = self.judged().await?;
        let mut summaries = Vec::with_capacity(self.count_rows() as usize);
        let each = |batch: &_| {
            let rows = Rows::of_batch("pairs", batch);
            for row in 0..batch.num_rows() {
                let positive_id: PositiveId = rows.id("positive_id", row)?;
                let shown = shown
                    .get(&positive_id)
                    .ok_or_else(|| self.missing("positive", positive_id))?;
                let id: PairId = rows.id("pair_id", row)?;
                let judged = judged.remove(&id).unwrap_or_else(Judged::not_yet);
                summaries.push(PairSummary {
                    id,
                    positive_id,
                    width: shown.width,
                    height: shown.height,
                    prompt: shown.prompt.clone(),
                    source_kind: shown.source_kind,
                    source_name: shown.source_name.clone(),
                    mechanism: rows.word("mechanism", row, Mechanism::from_name)?,
                    operators: rows.texts("operators", row)?,
                    degradations: pair::degradations(&rows, row)?,
                    regions: pair::regions(&rows, row)?,
                    split: judged.split,
                    decision: judged.decision,
                    rejections: judged.rejections,
                    ssim_inside: judged.numbers[0],
                    ssim_outside: judged.numbers[1],
                    lpips_inside: judged.numbers[2],
                    lpips_outside: judged.numbers[3],
                    mask_share: judged.mask_share,
                });
            }
            Ok(())
        };
        self.tables.pairs.scan(&pair::SUMMARY, each).await?;
        summaries.sort_unstable_by_key(|summary| summary.id);
        Ok(summaries)
    }

    /// The SHA-256 of the file that each positive was made from, empty where there was none. No image is read.
    ///
    /// # Errors
    /// [`Error::Table`](crate::Error::Table).
    pub async fn source_hashes(&self) -> Result<BTreeMap<PositiveId, String>> {
        let mut hashes = BTreeMap::new();
        let each = |batch: &_| {
            let rows = Rows::of_batch("positives", batch);
            for row in 0..batch.num_rows() {
                hashes.insert(
                    rows.id("positive_id", row)?,
                    rows::text(&rows, "source_sha256", row)?,
                );
            }
            Ok(())
        };
        self.tables
            .positives
            .scan(&["positive_id", "source_sha256"], each)
            .await?;
        Ok(hashes)
    }

    async fn shown(&self) -> Result<BTreeMap<PositiveId, Shown>> {
        let mut all = BTreeMap::new();
        let each = |batch: &_| {
            let rows = Rows::of_batch("positives", batch);
            for row in 0..batch.num_rows() {
                let shown = Shown {
                    width: rows::whole(&rows, "width", row)?,
                    height: rows::whole(&rows, "height", row)?,
                    prompt: rows::text(&rows, "prompt", row)?,
                    source_kind: rows.word("source_kind", row, SourceKind::from_name)?,
                    source_name: rows::text(&rows, "source_name", row)?,
                };
                all.insert(rows.id("positive_id", row)?, shown);
            }
            Ok(())
        };
        self.tables.positives.scan(&positive::SUMMARY, each).await?;
        Ok(all)
    }

    async fn judged(&self) -> Result<BTreeMap<PairId, Judged>> {
        let mut all = BTreeMap::new();
        let each = |batch: &_| {
            let rows = Rows::of_batch("assessments", batch);
            let decisions = rows.get::<StringArray>("decision")?;
            for row in (0..batch.num_rows()).filter(|&row| decisions.is_valid(row)) {
                all.insert(rows.id("pair_id", row)?, Judged::read(&rows, row)?);
            }
            Ok(())
        };
        self.tables.assessments.scan(&assessment::SUMMARY, each).await?;
        Ok(all)
    }
}

impl Judged {
    fn read(rows: &Rows<'_>, row: usize) -> Result<Self> {
        let reasons = assessment::rejections(rows, row)?;
        Ok(Self {
            split: rows.word("split", row, Split::from_name)?,
            decision: rows.word("decision", row, Decision::from_name)?,
            rejections: reasons
                .iter()
                .map(|r| format!("{}/{}", r.criterion.name(), r.rule))
                .collect(),
            numbers: [
                rows.f64("ssim_inside", row)?,
                rows.f64("ssim_outside", row)?,
                rows.f64("lpips_inside", row)?,
                rows.f64("lpips_outside", row)?,
            ],
            mask_share: rows.f64("mask_share", row)?,
        })
    }

    /// A pair without an assessment is pending.
    fn not_yet() -> Self {
        Self {
            split: Split::Train,
            decision: Decision::Pending,
            rejections: Vec::new(),
            numbers: [None; 4],
            mask_share: None,
        }
    }
}
