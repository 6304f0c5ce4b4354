//! The quality guard: whether a lower error rate was bought with worse pictures, as learned scorers see them.

use std::collections::BTreeMap;

use asap_core::{PromptId, Sha256};

use super::config::Options;
use super::figure::{About, Figure};
use super::log::ModelScore;
use super::plot::Unit;
use super::status::Status;
use super::table::{Cell, Table};
use super::view::ends;
use crate::Result;
use crate::stats::scorers::{PairedScore, ScoreDifference, score_difference};

/// What makes two scores comparable: scorer, preparation, weights, number type.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ScorerKey {
    /// `pickscore`.
    pub scorer: String,
    /// How images are prepared.
    pub profile: String,
    /// The number type.
    pub dtype: String,
    /// The weights.
    pub weights_sha256: Sha256,
}

/// The models under one scorer.
#[derive(Clone, Debug, PartialEq)]
pub struct ScorerBoard {
    /// The scorer.
    pub key: ScorerKey,
    /// What its numbers are.
    pub scale: String,
    /// Each model against the baseline over the prompts and seeds that both have.
    pub differences: Vec<(String, ScoreDifference)>,
    /// Values whose prompt was longer than the scorer reads.
    pub n_truncated: u64,
    /// What the models are compared with.
    pub baseline: String,
}

/// The scores of a model by prompt and seed.
type Scores = BTreeMap<(PromptId, u64), f64>;

/// One board for each scorer that has values of the baseline and of another model.
pub(super) fn boards(
    scores: &[ModelScore],
    models: &[String],
    options: &Options,
) -> Result<Vec<ScorerBoard>> {
    let Some(baseline) = &options.baseline else {
        return Ok(Vec::new());
    };
    let mut by_key: BTreeMap<ScorerKey, Vec<&ModelScore>> = BTreeMap::new();
    for score in scores {
        by_key.entry(key(score)).or_default().push(score);
    }
    let mut boards = Vec::new();
    for (key, rows) in by_key {
        let mut by_model: BTreeMap<&str, Scores> = BTreeMap::new();
        for row in &rows {
            let place = (row.score.prompt_id.clone(), row.score.seed);
            by_model
                .entry(&row.model)
                .or_default()
                .insert(place, row.score.value);
        }
        let differences = differences(&by_model, models, baseline, options)?;
        if !differences.is_empty() {
            boards.push(ScorerBoard {
                key,
                scale: rows[0].score.scale.clone(),
                differences,
                n_truncated: rows.iter().filter(|row| row.score.is_truncated).count() as u64,
                baseline: baseline.clone(),
            });
        }
    }
    Ok(boards)
}

fn key(row: &ModelScore) -> ScorerKey {
    ScorerKey {
        scorer: row.score.scorer.clone(),
        profile: row.score.profile.clone(),
        dtype: row.score.dtype.clone(),
        weights_sha256: row.score.weights_sha256,
    }
}

fn differences(
    by_model: &BTreeMap<&str, Scores>,
    models: &[String],
    baseline: &String,
    options: &Options,
) -> Result<Vec<(String, ScoreDifference)>> {
    let Some(of_baseline) = by_model.get(baseline.as_str()) else {
        return Ok(Vec::new());
    };
    let mut differences = Vec::new();
    for model in models.iter().filter(|model| *model != baseline) {
        let Some(of_model) = by_model.get(model.as_str()) else {
            continue;
        };
        let pairs: Vec<PairedScore> = of_model
            .iter()
            .filter_map(|(place, value)| {
                of_baseline.get(place).map(|baseline| PairedScore {
                    prompt_id: place.0.clone(),
                    model: *value,
                    baseline: *baseline,
                })
            })
            .collect();
        if !pairs.is_empty() {
            differences.push((model.clone(), score_difference(&pairs, &options.bootstrap)?));
        }
    }
    Ok(differences)
}

impl ScorerBoard {
    /// The difference of a model.
    pub fn of(&self, model: &str) -> Option<&ScoreDifference> {
        let found = self.differences.iter().find(|(name, _)| name == model);
        found.map(|(_, difference)| difference)
    }
}

/// A scorer's name for people.
pub(super) fn title(scorer: &str) -> String {
    match scorer {
        "aesthetic" => "Aesthetic",
        "pickscore" => "PickScore",
        "hpsv2.1" => "HPSv2.1",
        "hpsv3" => "HPSv3",
        "imagereward" => "ImageReward",
        other => other,
    }
    .to_owned()
}

/// Every figure of the boards.
pub(super) fn figures(boards: &[ScorerBoard]) -> Vec<Figure> {
    let mut figures = Vec::new();
    for board in boards {
        for (model, difference) in &board.differences {
            let about = About {
                model,
                baseline: Some(&board.baseline),
                scope: "overall",
                status: Status::of_mean(difference.n_prompts),
                n: difference.n_pairs,
            };
            let named = |part: &str| format!("{}_{part}", board.key.scorer);
            let interval = difference.interval.map(Into::into);
            let method = "scores/prompt-bootstrap/v1";
            let mut value = about.with(
                &named("difference"),
                Some(difference.difference),
                interval,
                method,
            );
            value.note = Some(format!("{}, {}", board.key.profile, board.key.dtype));
            figures.extend([
                value,
                about.plain(&named("mean"), Some(difference.model_mean), "mean"),
                about.plain(&named("mean_of_baseline"), Some(difference.baseline_mean), "mean"),
                about.plain(&named("p"), Some(difference.signed_rank.p), "wilcoxon/zsplit/v1"),
            ]);
        }
    }
    figures
}

/// The table of all scorers.
pub(super) fn tables(boards: &[ScorerBoard]) -> Vec<Table> {
    let mut table = Table::new(
        "quality",
        "Learned scores against the baseline",
        &[
            ("scorer", "scorer"),
            ("model", "model"),
            ("", "baseline"),
            ("#mean", "mean"),
            ("#of the baseline", "baseline_mean"),
            ("#difference", "difference"),
            ("#interval", "interval"),
            ("#p (Wilcoxon)", "p"),
            ("#pairs", "pairs"),
            ("preparation", "profile"),
        ],
    );
    for board in boards {
        for (model, difference) in &board.differences {
            table.rows.push(vec![
                Cell::text(title(&board.key.scorer)),
                Cell::text(model),
                Cell::text(&board.baseline),
                Cell::number(Some(difference.model_mean), Unit::Plain),
                Cell::number(Some(difference.baseline_mean), Unit::Plain),
                Cell::number(Some(difference.difference), Unit::Difference).with_class("key"),
                Cell::interval(difference.interval.map(ends), Unit::Difference),
                Cell::p(Some(difference.signed_rank.p)),
                Cell::count(difference.n_pairs),
                Cell::text(format!("{}, {}", board.key.profile, board.key.dtype)),
            ]);
        }
    }
    vec![table]
}
