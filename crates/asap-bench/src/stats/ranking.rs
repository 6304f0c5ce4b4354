//! A ranking of many models with the uncertainty of every rank.

use asap_core::{Outcome, RsiCounts};
use serde::{Deserialize, Serialize};

use super::bootstrap::quantile;
use super::davidson::{Davidson, Edge, Matchup, Prior, fit, fit_edges};
use super::{Bootstrap, Error, Interval, Replicates, Result};

/// One outcome between two models on one prompt.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ModelVote {
    /// The prompt. The number is a name only.
    pub prompt: u32,
    /// The place of one model in the list of models.
    pub first: usize,
    /// The place of the other.
    pub second: usize,
    /// The outcome, as the first one's.
    pub outcome: Outcome,
}

/// One model of a ranking.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RankedModel {
    /// The model.
    pub model: String,
    /// Its comparisons.
    pub n_votes: u64,
    /// The natural logarithm of its strength; the mean over all models is 0.
    pub log_strength: f64,
    /// The percentile interval over prompts.
    pub interval: Interval,
    /// 1 for the strongest. Models of equal strength share the better rank.
    pub rank: u32,
    /// The best and the worst rank of the percentile interval over prompts.
    pub rank_interval: [u32; 2],
}

/// All models, the strongest first.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Ranking {
    /// The models.
    pub models: Vec<RankedModel>,
    /// The fit, in the order in which the models were given.
    pub fit: Davidson,
    /// What was believed before.
    pub prior: Prior,
    /// How the bootstrap was made.
    pub bootstrap: Bootstrap,
    /// Replicates that have no best fit, left out. Many of them say that a [`Prior::Anchor`] is needed.
    pub n_undefined: u32,
}

/// Ranks models by Davidson's model, with intervals over prompts drawn with replacement.
///
/// # Errors
/// Those of [`fit`]; [`Error::TooFew`] with fewer than two prompts, or where fewer than two replicates have a
/// best fit.
///
/// # Source
/// Rank intervals are percentiles of bootstrapped ranks: Hall and Miller, "Using the bootstrap to quantify the
/// authority of an empirical ranking", Annals of Statistics 37 (2009). They are cut outwards to whole ranks.
pub fn ranking(
    models: &[String],
    votes: &[ModelVote],
    prior: Prior,
    bootstrap: &Bootstrap,
) -> Result<Ranking> {
    let pairs = Pairs::new(votes);
    let full = fit(models, &pairs.matchups(), prior)?;
    if pairs.prompts.len() < 2 {
        return Err(Error::TooFew {
            what: "prompts of a bootstrap",
            least: 2,
            got: pairs.prompts.len(),
        });
    }
    let scratch = || vec![0; pairs.prompts.len()];
    let draws = bootstrap.collect("ranking", scratch, |draws, counts| {
        draws.multiplicities(counts);
        let replicate = fit_edges(models, &pairs.weighted(counts), prior);
        replicate
            .ok()
            .map(|fit| (ranks(&fit.log_strengths), fit.log_strengths))
    });
    let fits: Vec<_> = draws.into_iter().flatten().collect();
    let full_ranks = ranks(&full.log_strengths);
    let mut rows = Vec::with_capacity(models.len());
    for (place, model) in models.iter().enumerate() {
        let strengths = Replicates::new(fits.iter().map(|(_, strengths)| Some(strengths[place])).collect());
        let mut placed: Vec<f64> = fits.iter().map(|(ranks, _)| f64::from(ranks[place])).collect();
        placed.sort_by(f64::total_cmp);
        let interval = strengths.interval(bootstrap.level)?;
        rows.push(RankedModel {
            model: model.clone(),
            n_votes: votes
                .iter()
                .filter(|vote| vote.first == place || vote.second == place)
                .count() as u64,
            log_strength: full.log_strengths[place],
            interval,
            rank: full_ranks[place],
            rank_interval: [
                quantile(&placed, bootstrap.level.tail()).floor() as u32,
                quantile(&placed, 1.0 - bootstrap.level.tail()).ceil() as u32,
            ],
        });
    }
    rows.sort_by_key(|row| row.rank);
    Ok(Ranking {
        models: rows,
        fit: full,
        prior,
        bootstrap: *bootstrap,
        n_undefined: bootstrap.replicates - fits.len() as u32,
    })
}

/// Strengths that differ by less than this, the fit's own error, share a rank.
const SAME_STRENGTH: f64 = 1e-9;

fn ranks(strengths: &[f64]) -> Vec<u32> {
    let better = |own: f64| {
        strengths
            .iter()
            .filter(|other| **other > own + SAME_STRENGTH)
            .count()
    };
    strengths.iter().map(|own| 1 + better(*own) as u32).collect()
}

/// Votes by prompt, each as a place in a list of pairs and an outcome.
struct Pairs {
    pairs: Vec<(usize, usize)>,
    prompts: Vec<Vec<(usize, Outcome)>>,
}

impl Pairs {
    fn new(votes: &[ModelVote]) -> Self {
        let mut sorted: Vec<(u32, (usize, usize), Outcome)> = votes
            .iter()
            .map(|vote| match vote.first <= vote.second {
                true => (vote.prompt, (vote.first, vote.second), vote.outcome),
                false => (vote.prompt, (vote.second, vote.first), vote.outcome.reversed()),
            })
            .collect();
        sorted.sort_unstable();
        let mut pairs: Vec<(usize, usize)> = sorted.iter().map(|(_, pair, _)| *pair).collect();
        pairs.sort_unstable();
        pairs.dedup();
        let place = |pair: (usize, usize)| pairs.partition_point(|other| *other < pair);
        let prompts = sorted
            .chunk_by(|a, b| a.0 == b.0)
            .map(|votes| {
                votes
                    .iter()
                    .map(|(_, pair, outcome)| (place(*pair), *outcome))
                    .collect()
            })
            .collect();
        Self { pairs, prompts }
    }

    fn matchups(&self) -> Vec<Matchup> {
        let mut counts = vec![[0; 3]; self.pairs.len()];
        for (pair, outcome) in self.prompts.iter().flatten() {
            counts[*pair][*outcome as usize] += 1;
        }
        let matchup = |(&(first, second), [wins, ties, losses]): (&(usize, usize), [u64; 3])| Matchup {
            first,
            second,
            counts: RsiCounts { wins, ties, losses },
        };
        self.pairs.iter().zip(counts).map(matchup).collect()
    }

    /// The outcomes with each prompt as often as it was drawn.
    fn weighted(&self, drawn: &[u32]) -> Vec<Edge> {
        let mut outcomes = vec![[0.0; 3]; self.pairs.len()];
        for (votes, times) in self.prompts.iter().zip(drawn) {
            for (pair, outcome) in votes {
                outcomes[*pair][*outcome as usize] += f64::from(*times);
            }
        }
        let edge = |(&(first, second), outcomes): (&(usize, usize), [f64; 3])| Edge {
            first,
            second,
            outcomes,
        };
        self.pairs.iter().zip(outcomes).map(edge).collect()
    }
}
