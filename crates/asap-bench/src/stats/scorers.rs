//! The difference of a learned score between two models on the same prompts and seeds.

use std::collections::BTreeMap;

use asap_core::PromptId;
use serde::{Deserialize, Serialize};

use super::wilcoxon::{SignedRank, ZeroMethod, signed_rank};
use super::{Bootstrap, Error, Interval, Result};

/// The scores of both models for one prompt and seed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PairedScore {
    /// The prompt.
    pub prompt_id: PromptId,
    /// The score of the model's image.
    pub model: f64,
    /// The score of the baseline's image.
    pub baseline: f64,
}

/// How much a score differs. Each prompt weighs the same, however many seeds it has.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct ScoreDifference {
    /// Prompts and seeds.
    pub n_pairs: u64,
    /// Prompts.
    pub n_prompts: u64,
    /// The mean of the model's scores.
    pub model_mean: f64,
    /// The mean of the baseline's scores.
    pub baseline_mean: f64,
    /// Their difference: positive where the model scores higher.
    pub difference: f64,
    /// The percentile interval of the difference over prompts; `None` with fewer than two.
    pub interval: Option<Interval>,
    /// Wilcoxon's test on the mean differences of prompts, zeros split.
    pub signed_rank: SignedRank,
}

/// Compares the scores of two models.
///
/// # Errors
/// [`Error::TooFew`] without scores, [`Error::NotFinite`] for one that is not a number.
///
/// # Source
/// Mean difference of pairs with the percentile bootstrap over prompts; [`signed_rank`].
pub fn score_difference(scores: &[PairedScore], bootstrap: &Bootstrap) -> Result<ScoreDifference> {
    for (index, score) in scores.iter().enumerate() {
        for (what, got) in [
            ("score of the model", score.model),
            ("score of the baseline", score.baseline),
        ] {
            if !got.is_finite() {
                return Err(Error::NotFinite { what, index, got });
            }
        }
    }
    let mut prompts: BTreeMap<&PromptId, Vec<&PairedScore>> = BTreeMap::new();
    for score in scores {
        prompts.entry(&score.prompt_id).or_default().push(score);
    }
    let mean_of = |value: fn(&PairedScore) -> f64| -> Vec<f64> {
        let of_prompt =
            |pairs: &Vec<&PairedScore>| mean(&pairs.iter().map(|pair| value(pair)).collect::<Vec<_>>());
        prompts.values().map(of_prompt).collect()
    };
    let differences = mean_of(|score| score.model - score.baseline);
    let signed_rank = signed_rank(&differences, ZeroMethod::ZSplit)?;
    let replicates = || {
        bootstrap.items("scores", differences.len(), |drawn| {
            let sum: f64 = drawn
                .iter()
                .zip(&differences)
                .map(|(times, value)| f64::from(*times) * value)
                .sum();
            Some(sum / differences.len() as f64)
        })
    };
    Ok(ScoreDifference {
        n_pairs: scores.len() as u64,
        n_prompts: differences.len() as u64,
        model_mean: mean(&mean_of(|score| score.model)),
        baseline_mean: mean(&mean_of(|score| score.baseline)),
        difference: mean(&differences),
        interval: match differences.len() {
            0 | 1 => None,
            _ => Some(replicates().interval(bootstrap.level)?),
        },
        signed_rank,
    })
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}
