//! The files of an examination.

use std::path::{Path, PathBuf};

use asap_core::{PairId, Stream};
use serde_json::json;

use super::finding::Severity;
use super::{Examination, sheet, thresholds};
use crate::config::Settings;
use crate::folder::write_whole;

/// What was measured and found, as JSON.
pub const JSON: &str = "doctor.json";
/// The pairs as pictures.
pub const SHEET: &str = "doctor.png";

/// Of each finding this many worst pairs are shown.
const N_WORST: usize = 2;
/// Pairs that are shown at random, as what no check finds is found by looking.
const N_RANDOM: usize = 4;
/// A sheet that is longer than this is not looked at.
const N_SHOWN: usize = 12;

/// A pair on the sheet, and why it is there.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Shown {
    pub(super) pair: PairId,
    pub(super) severity: Option<Severity>,
    pub(super) why: String,
}

/// Writes `doctor.json` and `doctor.png` into a folder and gives their paths.
///
/// # Errors
/// A folder that cannot be written, or a dataset that changed in between.
pub async fn write(
    examination: &Examination,
    settings: &Settings,
    out: &Path,
) -> anyhow::Result<[PathBuf; 2]> {
    let shown = shown(examination, settings.run.seed);
    let pairs: Vec<PairId> = shown.iter().map(|shown| shown.pair).collect();
    let records = super::records(settings, &pairs).await?;
    let png = sheet::png(&shown, &records, examination, settings)?;
    let [json, sheet] = [JSON, SHEET].map(|name| out.join(name));
    write_whole(&json, &serde_json::to_vec_pretty(&page(examination, settings))?)?;
    write_whole(&sheet, &png)?;
    Ok([json, sheet])
}

/// The worst pairs of the findings, errors first, and some at random.
pub(super) fn shown(examination: &Examination, seed: u64) -> Vec<Shown> {
    let mut shown: Vec<Shown> = Vec::new();
    let is_new = |shown: &[Shown], pair: PairId| shown.iter().all(|other| other.pair != pair);
    for severity in [Severity::Error, Severity::Warning, Severity::Note] {
        for finding in examination.bad(severity) {
            for hit in finding.hits.iter().take(N_WORST) {
                // Bytes that do not decode cannot be shown.
                let is_readable = finding.check != "pair.unreadable";
                if is_readable && is_new(&shown, hit.pair) && shown.len() < N_SHOWN - N_RANDOM {
                    shown.push(Shown {
                        pair: hit.pair,
                        severity: Some(severity),
                        why: format!("{}: {}", finding.check, hit.evidence),
                    });
                }
            }
        }
    }
    let readable = examination
        .facts
        .iter()
        .filter(|facts| facts.unreadable.is_none());
    let mut others: Vec<PairId> = readable
        .map(|facts| facts.pair)
        .filter(|pair| is_new(&shown, *pair))
        .collect();
    Stream::new(seed, "train/doctor/sheet").shuffle(&mut others);
    shown.extend(others.into_iter().take(N_RANDOM).map(|pair| Shown {
        pair,
        severity: None,
        why: "chosen at random".to_owned(),
    }));
    shown
}

fn page(examination: &Examination, settings: &Settings) -> serde_json::Value {
    let findings: Vec<_> = examination
        .findings
        .iter()
        .map(|finding| {
            json!({
                "check": finding.check,
                "severity": finding.severity,
                "what": finding.what,
                "way_out": finding.way_out,
                "n": finding.n,
                "n_bad": finding.hits.len(),
                "bad": finding.hits,
            })
        })
        .collect();
    json!({
        "format": 1,
        "toolkit_version": env!("CARGO_PKG_VERSION"),
        "data_version": examination.version,
        "n_chosen": examination.n_chosen,
        "n_pairs": examination.facts.len(),
        "seed": settings.run.seed,
        "mask": settings.data.mask.name(),
        "thresholds": {
            "inverted_ratio": thresholds::INVERTED_RATIO,
            "background_mean_max": thresholds::BACKGROUND_MEAN_MAX,
            "background_max": thresholds::BACKGROUND_MAX,
            "latent_leak_max": thresholds::LATENT_LEAK_MAX,
            "full_share": thresholds::FULL_SHARE,
            "min_cells": thresholds::MIN_CELLS,
            "pose_margin": thresholds::POSE_MARGIN,
        },
        "findings": findings,
        "pairs": examination.facts,
    })
}
