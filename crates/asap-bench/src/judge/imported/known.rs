//! Known answers: labels of images by their hashes.

use std::collections::BTreeMap;
use std::path::Path;

use asap_core::judgement::Order;
use asap_core::{Choice, Judge, PromptId, Sha256, UnscoredReason, Verdict};
use serde::Deserialize;

use super::{image_row, pair_row, refused};
use crate::judge::{Runs, VerdictRow};
use crate::protocol::Protocol;
use crate::run::Run;
use crate::{Error, Result, jsonl};

/// A line of known answers.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Label {
    image_sha256: Sha256,
    verdict: LabelWord,
    prompt_id: Option<PromptId>,
    seed: Option<u64>,
}

#[derive(Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum LabelWord {
    Pass,
    Fail,
}

/// Known answers by image, with their lines.
type Labels = BTreeMap<Sha256, (usize, LabelWord)>;

fn labels(path: &Path, runs: Runs<'_>) -> Result<Labels> {
    let mut labels = Labels::new();
    for (line, label) in jsonl::read_rows::<Label>(path)? {
        check_place(runs, &label).map_err(|message| refused(path, line, message))?;
        match labels.insert(label.image_sha256, (line, label.verdict)) {
            Some((first, word)) if word != label.verdict => {
                let message = format!("line {first} has the other verdict on the same image");
                return Err(refused(path, line, message));
            }
            _ => {}
        }
    }
    Ok(labels)
}

/// Whether a label that names a sample names the one that has these bytes.
fn check_place(runs: Runs<'_>, label: &Label) -> std::result::Result<(), String> {
    let (Some(prompt_id), Some(seed)) = (&label.prompt_id, label.seed) else {
        return Ok(());
    };
    let mut listed = [Some(runs.run), runs.baseline]
        .into_iter()
        .flatten()
        .map(|run| run.listed_sha256(prompt_id, seed));
    if listed.any(|sha256| sha256 == Some(label.image_sha256)) {
        return Ok(());
    }
    let sha256 = label.image_sha256.short();
    Err(format!(
        "no image of `{prompt_id}` seed {seed} has SHA-256 {sha256}"
    ))
}

/// The known answers about a run, or about two in both orders, with the lines that they stand in.
pub(in crate::judge) fn rows(
    runs: Runs<'_>,
    path: &Path,
    protocol: &Protocol,
) -> Result<Vec<(usize, VerdictRow)>> {
    let labels = labels(path, runs)?;
    let mut rows = Vec::new();
    let mut without: Vec<String> = Vec::new();
    let seeds = runs.baseline.map(|baseline| &baseline.manifest().seeds);
    for (prompt_id, seed) in runs
        .run
        .samples()
        .filter(|(_, seed)| seeds.is_none_or(|seeds| seeds.contains(seed)))
    {
        let mut label = |run: &Run| {
            let image = run.image(prompt_id, seed)?;
            let label = labels.get(&image.sha256).copied();
            if label.is_none() {
                without.push(format!("`{}`", run.image_path(image).display()));
            }
            label
        };
        let ours = label(runs.run);
        match runs.baseline {
            None => rows.push(known_image(runs.run, protocol, prompt_id, seed, ours)),
            Some(baseline) => {
                let theirs = label(baseline);
                rows.extend(Order::BOTH.map(|order| {
                    let labels = [ours, theirs];
                    known_pair(runs.run, baseline, protocol, (prompt_id, seed, order), labels)
                }));
            }
        }
    }
    if let Some(first) = without.first() {
        let message = format!("no known answer for {first}, {} images in all", without.len());
        return Err(Error::File {
            path: path.to_owned(),
            message,
        });
    }
    Ok(rows)
}

fn known_image(
    run: &Run,
    protocol: &Protocol,
    prompt_id: &PromptId,
    seed: u64,
    label: Option<(usize, LabelWord)>,
) -> (usize, VerdictRow) {
    let verdict = match label {
        Some((_, LabelWord::Pass)) => Verdict::Pass,
        Some((_, LabelWord::Fail)) => Verdict::Fail,
        None => Verdict::Unscored {
            reason: UnscoredReason::NoImage,
        },
    };
    let row = image_row(run, protocol, Judge::Known, (prompt_id, seed, 0), verdict);
    (label.map_or(0, |(line, _)| line), VerdictRow::Image(row))
}

fn known_pair(
    run: &Run,
    baseline: &Run,
    protocol: &Protocol,
    (prompt_id, seed, order): (&PromptId, u64, Order),
    labels: [Option<(usize, LabelWord)>; 2],
) -> (usize, VerdictRow) {
    let first_is_ours = order == Order::ModelFirst;
    let choice = match labels {
        [Some((_, ours)), Some((_, theirs))] if ours == theirs => Choice::Tie,
        [Some((_, ours)), Some(_)] if (ours == LabelWord::Pass) == first_is_ours => Choice::First,
        [Some(_), Some(_)] => Choice::Second,
        _ => Choice::Unscored {
            reason: UnscoredReason::NoImage,
        },
    };
    let row = pair_row(
        [run, baseline],
        protocol,
        Judge::Known,
        (prompt_id, seed, order, 0),
        choice,
    );
    (labels[0].map_or(0, |(line, _)| line), VerdictRow::Pair(row))
}
