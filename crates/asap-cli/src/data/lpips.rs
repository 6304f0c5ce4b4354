//! `asap data stats --lpips`: measures LPIPS of every pair and stores it with the other statistics.

use std::path::Path;
use std::sync::Arc;

use anyhow::{Context as _, Result};
use asap_core::{Assessment, Mask, Reporter as _, StatRegion};
use asap_metrics::{Lpips, LpipsNet, LpipsRegion, LpipsRule, RgbView};
use asap_store::{Dataset, Record};
use rayon::prelude::*;
use serde::Serialize;

use crate::args::StatsArgs;
use crate::curate::assess_missing;
use crate::failure::hinted;
use crate::printer::Printer;
use crate::progress::Progress;
use crate::weights;

/// Pairs of which the numbers are stored at once; an interrupted run goes on behind the last ones.
const N_STORED_AT_ONCE: usize = 256;
/// Pairs whose pixels and features are in memory at once, with AlexNet.
const N_MEASURED_AT_ONCE: usize = 16;

/// What was measured, with what.
#[derive(Debug, Serialize)]
pub(super) struct Measured {
    profile: String,
    /// SHA-256 of each file of weights.
    weights: Vec<(String, String)>,
    n_measured: usize,
    /// Pairs that had numbers of this profile.
    n_before: usize,
    /// Pairs whose images are too small for the network.
    n_too_small: usize,
}

pub(super) async fn measure(dataset: &mut Dataset, args: &StatsArgs, printer: Printer) -> Result<Measured> {
    let lpips = Arc::new(load(args.weights.as_deref(), args.lpips_net.into())?);
    dataset.lock().await?;
    let progress = Progress::new(printer);
    let assessments = assess_missing(dataset, &progress).await?;
    let profile = lpips.profile(LpipsRule::Composite);
    let (before, missing): (Vec<_>, Vec<_>) = assessments
        .into_values()
        .partition(|assessment| has_profile(assessment, &profile));
    let mut measured = Measured {
        profile,
        weights: lpips.weights_sha256().to_vec(),
        n_measured: 0,
        n_before: before.len(),
        n_too_small: 0,
    };
    progress.start("measuring LPIPS", missing.len() as u64);
    for batch in missing.chunks(N_STORED_AT_ONCE) {
        let mut done = Vec::with_capacity(batch.len());
        for few in batch.chunks(n_at_once(lpips.net())) {
            let mut jobs = Vec::with_capacity(few.len());
            for assessment in few {
                jobs.push((assessment.clone(), dataset.record(assessment.pair_id).await?));
            }
            let lpips = Arc::clone(&lpips);
            let results = tokio::task::spawn_blocking(move || all(&lpips, jobs));
            for filled in results.await.context("a measuring thread died")? {
                match filled? {
                    Some(assessment) => done.push(assessment),
                    None => measured.n_too_small += 1,
                }
                progress.advance(1);
            }
        }
        measured.n_measured += done.len();
        dataset.put_assessments(done).await?;
    }
    progress.finish();
    Ok(measured)
}

/// VGG16 needs gigabytes for a large pair, and is spread over the threads itself.
const fn n_at_once(net: LpipsNet) -> usize {
    match net {
        LpipsNet::Alex => N_MEASURED_AT_ONCE,
        LpipsNet::Vgg => 1,
    }
}

fn load(dir: Option<&Path>, net: LpipsNet) -> Result<Lpips> {
    let Some(dir) = dir else {
        let [trunk, heads] = net.networks();
        return Err(hinted(
            format!(
                "LPIPS ({}) needs a folder with its weights: name it after `--weights`",
                net.name()
            ),
            format!(
                "{}; {}; `asap weights list` lists all",
                weights::way_to_get(heads, Path::new("DIR")),
                weights::way_to_get(trunk, Path::new("DIR"))
            ),
        ));
    };
    Lpips::load(&weights::open(dir)?, net).map_err(|error| weights::with_way_out(error, dir))
}

/// Whether the pair was measured with this network, rule and weights.
fn has_profile(assessment: &Assessment, profile: &str) -> bool {
    let edit = assessment
        .stats
        .iter()
        .find(|stats| stats.region == StatRegion::Edit);
    edit.is_some_and(|stats| stats.profile.split(' ').any(|name| name == profile))
}

/// Each pair on one thread, as far as there are pairs.
fn all(lpips: &Lpips, jobs: Vec<(Assessment, Record)>) -> Vec<Result<Option<Assessment>>> {
    jobs.into_par_iter()
        .map(|(assessment, record)| {
            let id = record.pair.id;
            filled(lpips, assessment, &record).with_context(|| format!("cannot measure pair `{id}`"))
        })
        .collect()
}

/// The assessment with LPIPS over the masks of the pair; `None` where its images are too small.
fn filled(lpips: &Lpips, mut assessment: Assessment, record: &Record) -> Result<Option<Assessment>> {
    let preferred = asap_store::decode_rgb(&record.positive.image_png, "the preferred image")?;
    let rejected = asap_store::reconstruct(&record.positive, &record.pair)?;
    let (width, height) = preferred.dimensions();
    if width.min(height) < lpips.net().least_px() {
        return Ok(None);
    }
    let x = RgbView::new(width, height, preferred.as_raw())?;
    let y = RgbView::new(width, height, rejected.as_raw())?;
    let masks: [&Mask; 2] = [&record.pair.mask_edit, &record.pair.mask_part];
    let regions = lpips.regions(x, y, &masks, LpipsRule::Composite)?;
    let [edit, part]: [LpipsRegion; 2] = regions.try_into().ok().context("two masks have two results")?;
    for stats in &mut assessment.stats {
        match stats.region {
            StatRegion::Edit => edit.fill(stats),
            StatRegion::Part => part.fill(stats),
            // The only region of a pair has the mask of the part; masks of several are not stored.
            StatRegion::Body(_) if record.pair.regions.len() == 1 => part.fill(stats),
            StatRegion::Body(_) => {}
        }
    }
    Ok(Some(assessment))
}

impl Measured {
    pub(super) fn text(&self) -> String {
        let mut text = format!(
            "\nLPIPS {}: measured {} pairs, {} had it before\n",
            self.profile, self.n_measured, self.n_before
        );
        if self.n_too_small > 0 {
            text.push_str(&format!(
                "{} pairs are too small for it: not computed\n",
                self.n_too_small
            ));
        }
        text
    }
}
