//! `asap data verify`: prints everything that is wrong with a dataset.

use anyhow::Result;
use asap_core::{RegionStats, StatRegion};
use asap_metrics::{RegionRule, RgbView, region_stats};
use asap_store::{Dataset, Record, VerifyReport};
use image::RgbImage;
use serde::Serialize;

use super::digest::Digests;
use crate::args::VerifyArgs;
use crate::failure::hinted;
use crate::printer::Printer;
use crate::progress::Progress;

/// What was checked, and what the dataset holds.
#[derive(Serialize)]
struct Verified {
    dataset: String,
    #[serde(flatten)]
    report: VerifyReport,
    digests: Digests,
}

pub(crate) async fn run(args: &VerifyArgs, printer: Printer) -> Result<()> {
    let dataset = Dataset::open(&args.dataset).await?;
    let report = dataset
        .verify(args.sample, &measured_again, &Progress::new(printer))
        .await?;
    let verified = Verified {
        dataset: args.dataset.display().to_string(),
        report,
        digests: Digests::of(&dataset).await?,
    };
    printer.data(&verified.text(), &verified)?;
    match verified.report.faults.len() {
        0 => Ok(()),
        n => Err(hinted(
            format!(
                "`{}` has {n} {}",
                verified.dataset,
                if n == 1 { "fault" } else { "faults" }
            ),
            "restore the dataset from a copy, or build it again with the same arguments",
        )),
    }
}

/// The statistics over `mask_edit`, as they were measured when the pair was made.
fn measured_again(record: &Record, preferred: &RgbImage, rejected: &RgbImage) -> Option<RegionStats> {
    let (width, height) = preferred.dimensions();
    let x = RgbView::new(width, height, preferred.as_raw()).ok()?;
    let y = RgbView::new(width, height, rejected.as_raw()).ok()?;
    region_stats(
        x,
        y,
        &record.pair.mask_edit,
        StatRegion::Edit,
        RegionRule::Composite,
    )
    .ok()
}

impl Verified {
    fn text(&self) -> String {
        let mut text: String = self
            .report
            .faults
            .iter()
            .map(|fault| format!("{} `{}`: {}\n", fault.what, fault.id, fault.reason))
            .collect();
        text.push_str(&format!(
            "`{}`: checked {} positives and {} pairs, measured {} again; faults: {}\n",
            self.dataset,
            self.report.positives,
            self.report.pairs,
            self.report.recomputed,
            self.report.faults.len()
        ));
        text
    }
}
