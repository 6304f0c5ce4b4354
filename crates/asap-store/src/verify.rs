//! Checks that a dataset is what it says it is.

use std::collections::BTreeSet;

use asap_core::{Mask, PairId, PositiveId, RegionStats, Rejected, Reporter};
use image::RgbImage;
use serde::{Deserialize, Serialize};

use crate::columns::Rows;
use crate::pixels::decode_rgb;
use crate::read::hashes;
use crate::{Dataset, Record, Result, encode_mask, reconstruct, sha256};

/// Computes the statistics of a pair over `mask_edit` again: from the record, the preferred and the
/// rejected image. `None` where that is not possible.
pub type Recompute<'a> = &'a (dyn Fn(&Record, &RgbImage, &RgbImage) -> Option<RegionStats> + Sync);

/// Records that are in memory at once.
const BATCH: usize = 16;
/// How far a stored float may lie from the one computed again: summation order is the only freedom.
const TOLERANCE: f64 = 1e-9;

/// One thing that is wrong.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fault {
    /// `pair` or `positive`.
    pub what: String,
    /// Its id.
    pub id: String,
    /// What is wrong with it, with what was expected and got.
    pub reason: String,
}

/// What was checked and what was wrong.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct VerifyReport {
    /// Preferred images whose bytes were checked.
    pub positives: u64,
    /// Pairs whose bytes, masks and references were checked.
    pub pairs: u64,
    /// Pairs whose statistics were computed again.
    pub recomputed: u64,
    /// Everything that is wrong, in storage order.
    pub faults: Vec<Fault>,
}

impl VerifyReport {
    /// Whether nothing is wrong.
    pub fn is_clean(&self) -> bool {
        self.faults.is_empty()
    }

    fn add(&mut self, what: &str, id: impl ToString, reason: impl Into<String>) {
        self.faults.push(Fault {
            what: what.to_owned(),
            id: id.to_string(),
            reason: reason.into(),
        });
    }
}

impl Dataset {
    /// Checks every image, mask and reference, and the statistics of about `sample` pairs spread evenly
    /// over the dataset.
    ///
    /// A fault is part of the report, not an error: the check goes on to the end. The reporter counts positives
    /// and pairs.
    ///
    /// # Errors
    /// Only what keeps the tables from being read at all.
    pub async fn verify(
        &self,
        sample: u64,
        recompute: Recompute<'_>,
        reporter: &dyn Reporter,
    ) -> Result<VerifyReport> {
        let mut report = VerifyReport::default();
        reporter.start("verifying", self.row_counts().positives + self.count_rows());
        self.verify_positives(&mut report, reporter).await?;
        let rows: Vec<u64> = (0..self.count_rows()).collect();
        let every = (sample > 0).then(|| self.count_rows().div_ceil(sample).max(1));
        for rows in rows.chunks(BATCH) {
            match self.records_at(rows).await {
                Ok(records) => {
                    self.verify_records(rows, &records, (every, recompute), &mut report)
                        .await?
                }
                // One unreadable row must not hide the others.
                Err(_) => {
                    self.verify_one_by_one(rows, (every, recompute), &mut report)
                        .await?
                }
            }
            reporter.advance(rows.len() as u64);
        }
        self.verify_assessments(&mut report).await?;
        reporter.finish();
        Ok(report)
    }

    async fn verify_positives(&self, report: &mut VerifyReport, reporter: &dyn Reporter) -> Result<()> {
        let rows: Vec<u64> = (0..self.row_counts().positives).collect();
        for rows in rows.chunks(BATCH) {
            let batch = self
                .tables
                .positives
                .take(rows, &["positive_id", "image_sha256"])
                .await?;
            let columns = Rows::of_batch("positives", &batch);
            for (idx, &row) in rows.iter().enumerate() {
                let id: PositiveId = columns.id("positive_id", idx)?;
                report.positives += 1;
                reporter.advance(1);
                match self.positives_at(&[row]).await {
                    Err(error) => report.add("positive", id, chain(&error)),
                    Ok(positives) => {
                        for positive in &positives {
                            let recorded = columns.id("image_sha256", idx)?;
                            check_bytes(
                                report,
                                ("positive", &id.to_string()),
                                "image",
                                (&positive.image_png, recorded),
                            );
                            match decode_rgb(&positive.image_png, "its image") {
                                Err(error) => report.add("positive", id, error.to_string()),
                                Ok(image) if image.dimensions() != (positive.width, positive.height) => {
                                    report.add(
                                        "positive",
                                        id,
                                        "its image has another size than its row says",
                                    );
                                }
                                Ok(_) => {}
                            }
                        }
                    }
                }
            }
        }
        Ok(())
    }

    async fn verify_one_by_one(
        &self,
        rows: &[u64],
        sampling: (Option<u64>, Recompute<'_>),
        report: &mut VerifyReport,
    ) -> Result<()> {
        for &row in rows {
            match self.records_at(&[row]).await {
                Ok(records) => self.verify_records(&[row], &records, sampling, report).await?,
                Err(error) => {
                    let batch = self.tables.pairs.take(&[row], &["pair_id"]).await?;
                    let id: PairId = Rows::of_batch("pairs", &batch).id("pair_id", 0)?;
                    report.pairs += 1;
                    report.add("pair", id, chain(&error));
                }
            }
        }
        Ok(())
    }

    async fn verify_records(
        &self,
        rows: &[u64],
        records: &[Record],
        (every, recompute): (Option<u64>, Recompute<'_>),
        report: &mut VerifyReport,
    ) -> Result<()> {
        let columns = [
            "rejected_sha256",
            "mask_edit_sha256",
            "mask_part_sha256",
            "mask_edit",
            "mask_part",
        ];
        let batch = self.tables.pairs.take(rows, &columns).await?;
        let stored = Rows::of_batch("pairs", &batch);
        for (idx, record) in records.iter().enumerate() {
            report.pairs += 1;
            let name = record.pair.id.to_string();
            let hashes = hashes(&stored, idx)?;
            let (Rejected::Patch { png, .. } | Rejected::Whole { png }) = &record.pair.rejected;
            check_bytes(report, ("pair", &name), "rejected image", (png, hashes.rejected));
            let edit = crate::rows::pair::bytes(&stored, "mask_edit", idx)?;
            check_bytes(report, ("pair", &name), "mask_edit", (&edit, hashes.mask_edit));
            let part = crate::rows::pair::bytes(&stored, "mask_part", idx)?;
            check_bytes(report, ("pair", &name), "mask_part", (&part, hashes.mask_part));
            check_pixels(
                report,
                record,
                every
                    .is_some_and(|every| rows[idx].is_multiple_of(every))
                    .then_some(recompute),
            );
        }
        Ok(())
    }

    async fn verify_assessments(&self, report: &mut VerifyReport) -> Result<()> {
        let index = self.index().await?;
        for id in index
            .assessments
            .keys()
            .filter(|id| !index.pairs.contains_key(id))
        {
            report.add("assessment", id, "its pair is not in the dataset");
        }
        let pairs: BTreeSet<PairId> = index.pairs.keys().copied().collect();
        if pairs.len() as u64 != self.count_rows() {
            let reason = format!("{} rows have {} different ids", self.count_rows(), pairs.len());
            report.add("table", "pairs", reason);
        }
        Ok(())
    }
}

fn check_bytes(
    report: &mut VerifyReport,
    (kind, id): (&str, &str),
    what: &str,
    (bytes, recorded): (&[u8], asap_core::Sha256),
) {
    let got = sha256(bytes);
    if got != recorded {
        report.add(
            kind,
            id,
            format!("its {what} has SHA-256 `{got}`, expected `{recorded}`"),
        );
    }
}

/// Decodes both images of a record and compares them.
fn check_pixels(report: &mut VerifyReport, record: &Record, recompute: Option<Recompute<'_>>) {
    let (positive, pair) = (&record.positive, &record.pair);
    let images = decode_rgb(&positive.image_png, "its preferred image")
        .and_then(|preferred| Ok((preferred, reconstruct(positive, pair)?)));
    let (preferred, rejected) = match images {
        Ok(images) => images,
        Err(error) => return report.add("pair", pair.id, error.to_string()),
    };
    let size = preferred.dimensions();
    let sizes = [
        rejected.dimensions(),
        mask_size(&pair.mask_edit),
        mask_size(&pair.mask_part),
    ];
    if sizes.iter().any(|&other| other != size) {
        let reason = format!("its images and masks are of sizes {size:?} and {sizes:?}, expected one size");
        return report.add("pair", pair.id, reason);
    }
    if matches!(pair.rejected, Rejected::Patch { .. }) {
        let n_px = changed_outside(&preferred, &rejected, &pair.mask_edit);
        if n_px > 0 {
            report.add(
                "pair",
                pair.id,
                format!("{n_px} pixels differ outside `mask_edit`, expected none"),
            );
        }
    }
    if encode_mask(&pair.mask_part).is_ok() && !pair.mask_edit.difference(&pair.mask_part).is_empty() {
        report.add("pair", pair.id, "`mask_edit` is not inside `mask_part`");
    }
    if let Some(recompute) = recompute {
        check_stats(report, record, recompute(record, &preferred, &rejected));
    }
}

fn mask_size(mask: &Mask) -> (u32, u32) {
    (mask.width(), mask.height())
}

fn changed_outside(preferred: &RgbImage, rejected: &RgbImage, mask: &Mask) -> usize {
    let pixels = preferred.pixels().zip(rejected.pixels()).zip(mask.bits());
    pixels.filter(|((a, b), inside)| !**inside && a != b).count()
}

fn check_stats(report: &mut VerifyReport, record: &Record, again: Option<RegionStats>) {
    let (Some(assessment), Some(again)) = (&record.assessment, again) else {
        return;
    };
    let Some(stored) = assessment.stats.iter().find(|stats| stats.region == again.region) else {
        return;
    };
    report.recomputed += 1;
    let numbers = [
        ("ssim_inside", stored.ssim_inside, again.ssim_inside),
        ("ssim_outside", stored.ssim_outside, again.ssim_outside),
        (
            "mean_abs_diff_inside",
            stored.mean_abs_diff_inside,
            again.mean_abs_diff_inside,
        ),
        ("psnr_outside_db", stored.psnr_outside_db, again.psnr_outside_db),
        ("area_px", Some(stored.area_px as f64), Some(again.area_px as f64)),
        (
            "changed_outside_px",
            Some(stored.changed_outside_px as f64),
            Some(again.changed_outside_px as f64),
        ),
    ];
    for (name, stored, again) in numbers {
        let is_equal = match (stored, again) {
            (Some(a), Some(b)) => (a - b).abs() <= TOLERANCE * a.abs().max(1.0),
            (None, None) => true,
            _ => false,
        };
        if !is_equal {
            let reason = format!("`{name}` is stored as {stored:?}, computed again it is {again:?}");
            report.add("pair", record.pair.id, reason);
        }
    }
}

/// An error with its causes on one line.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        text = format!("{text}: {cause}");
        next = cause.source();
    }
    text
}
