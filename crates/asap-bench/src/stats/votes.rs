//! Votes by prompt and rater, and the bootstraps over them.

use asap_core::{Outcome, RsiCounts};
use serde::{Deserialize, Serialize};

use super::rsi::{RsiInterval, RsiMethod};
use super::{Bootstrap, Error, Level, Replicates, Result};

/// One outcome by one rater on one prompt. The numbers are names only: any will do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Vote {
    /// The prompt.
    pub prompt: u32,
    /// The rater: a person or a judge.
    pub rater: u32,
    /// What was said of the model.
    pub outcome: Outcome,
}

/// Votes in the order that a bootstrap reads them in.
///
/// Prompts and raters are numbered anew without gaps. Votes lie by prompt, inside of it wins, ties, losses, so a
/// replicate adds up the weights of raters along three runs for each prompt.
#[derive(Clone, Debug)]
pub struct Votes {
    raters: Vec<u32>,
    /// For each prompt the first win, tie and loss, and the end.
    runs: Vec<[u32; 4]>,
    n_raters: usize,
}

/// What a bootstrap says about an index.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct RsiBootstrap {
    /// The percentile interval.
    pub interval: RsiInterval,
    /// The share of replicates with an index above 1, those at 1 counted half: P(RSI > 1).
    pub p_above_1: f64,
    /// Replicates without a single vote, left out.
    pub n_undefined: u32,
}

impl Votes {
    /// Sorts and numbers votes.
    pub fn new(votes: &[Vote]) -> Self {
        let mut sorted = votes.to_vec();
        // `Outcome` is ordered win, tie, loss.
        sorted.sort_by_key(|vote| (vote.prompt, vote.outcome, vote.rater));
        let mut names: Vec<u32> = sorted.iter().map(|vote| vote.rater).collect();
        names.sort_unstable();
        names.dedup();
        let number = |rater: u32| names.partition_point(|name| *name < rater) as u32;
        let mut end = 0;
        let runs = sorted
            .chunk_by(|a, b| a.prompt == b.prompt)
            .map(|votes| {
                let start = end;
                let up_to = |last: Outcome| start + votes.partition_point(|vote| vote.outcome <= last) as u32;
                end += votes.len() as u32;
                [start, up_to(Outcome::Win), up_to(Outcome::Tie), end]
            })
            .collect();
        Self {
            raters: sorted.iter().map(|vote| number(vote.rater)).collect(),
            runs,
            n_raters: names.len(),
        }
    }

    /// How many votes there are.
    pub fn len(&self) -> usize {
        self.raters.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.raters.is_empty()
    }

    /// Prompts with at least one vote.
    pub fn n_prompts(&self) -> usize {
        self.runs.len()
    }

    /// Raters with at least one vote.
    pub const fn n_raters(&self) -> usize {
        self.n_raters
    }

    /// The outcomes of each prompt.
    pub fn by_prompt(&self) -> Vec<RsiCounts> {
        self.runs
            .iter()
            .map(|[wins, ties, losses, end]| RsiCounts {
                wins: u64::from(ties - wins),
                ties: u64::from(losses - ties),
                losses: u64::from(end - losses),
            })
            .collect()
    }

    /// All outcomes.
    pub fn counts(&self) -> RsiCounts {
        super::rsi::total(&self.by_prompt())
    }

    /// Draws prompts with replacement, each with all of its votes.
    ///
    /// Allows for the likeness of votes on one prompt. It takes raters as given: with few of them the interval
    /// is too narrow for what other raters would say, see [`Votes::two_way_bootstrap`].
    ///
    /// # Errors
    /// [`Error::TooFew`] with fewer than two prompts.
    ///
    /// # Source
    /// Field and Welsh, "Bootstrapping clustered data", J. R. Stat. Soc. B 69 (2007), the cluster bootstrap.
    pub fn prompt_bootstrap(&self, bootstrap: &Bootstrap) -> Result<RsiBootstrap> {
        at_least_two("prompts of a bootstrap", self.n_prompts())?;
        let prompts: Vec<[u32; 3]> = self.runs.iter().map(lengths).collect();
        let replicates = bootstrap.replicate(
            "rsi/prompt",
            || (),
            |draws, ()| {
                let mut sums = [0_u64; 3];
                for _ in 0..prompts.len() {
                    let drawn = prompts[draws.below(prompts.len())];
                    for (sum, count) in sums.iter_mut().zip(drawn) {
                        *sum += u64::from(count);
                    }
                }
                ratio(sums)
            },
        );
        summary(&replicates, bootstrap.level, RsiMethod::PromptBootstrap)
    }

    /// Draws prompts and, independently, raters with replacement; a vote counts as often as its prompt was drawn
    /// times as often as its rater was drawn.
    ///
    /// This is the pigeonhole bootstrap. It allows for the likeness of votes on one prompt and of votes by one
    /// rater. Where what matters is neither the prompt nor the rater but the single vote, its interval is too wide:
    /// with one vote for each prompt a nominal 95 % can be 99 %.
    ///
    /// Few raters drawn with replacement vary too little, by (n - 1) / n with n the smaller of both numbers, so the
    /// percentiles are taken at `Φ(-z sqrt(n / (n - 1)))` and its complement: for 11 raters at 2.0 and 98.0 %.
    ///
    /// # Errors
    /// [`Error::TooFew`] with fewer than two prompts or raters.
    ///
    /// # Source
    /// Owen, "The pigeonhole bootstrap", Annals of Applied Statistics 1 (2007); Owen and Eckles, "Bootstrapping data
    /// arrays of arbitrary order", the same 6 (2012).
    ///
    /// # Deviation
    /// The percentiles are widened as in the expanded percentile interval of Hesterberg, "What teachers should know
    /// about the bootstrap", The American Statistician 69 (2015), but by the normal quantile and not Student's, for
    /// the pigeonhole errs on the wide side.
    pub fn two_way_bootstrap(&self, bootstrap: &Bootstrap) -> Result<RsiBootstrap> {
        at_least_two("prompts of a bootstrap", self.n_prompts())?;
        at_least_two("raters of a bootstrap", self.n_raters)?;
        let scratch = || (vec![0; self.n_prompts()], vec![0; self.n_raters]);
        let replicates = bootstrap.replicate("rsi/two_way", scratch, |draws, (prompts, raters)| {
            draws.multiplicities(prompts);
            draws.multiplicities(raters);
            ratio(self.weighted(prompts, raters))
        });
        let level = bootstrap.level.widened(self.n_raters.min(self.n_prompts()));
        summary(&replicates, level, RsiMethod::TwoWayBootstrap)
    }

    /// Wins, ties and losses with weights for prompts and raters.
    fn weighted(&self, prompts: &[u32], raters: &[u32]) -> [u64; 3] {
        let mut sums = [0_u64; 3];
        for (run, &times) in self.runs.iter().zip(prompts).filter(|(_, times)| **times > 0) {
            for (sum, ends) in sums.iter_mut().zip(run.windows(2)) {
                let voters = &self.raters[ends[0] as usize..ends[1] as usize];
                let weight: u32 = voters.iter().map(|rater| raters[*rater as usize]).sum();
                *sum += u64::from(times) * u64::from(weight);
            }
        }
        sums
    }
}

fn at_least_two(what: &'static str, got: usize) -> Result<()> {
    match got {
        0 | 1 => Err(Error::TooFew { what, least: 2, got }),
        _ => Ok(()),
    }
}

const fn lengths([wins, ties, losses, end]: &[u32; 4]) -> [u32; 3] {
    [*ties - *wins, *losses - *ties, *end - *losses]
}

/// The index of weighted sums: infinite after wins only, `None` without votes.
fn ratio([wins, ties, losses]: [u64; 3]) -> Option<f64> {
    let (above, below) = (wins + ties, losses + ties);
    (above + below > 0).then(|| above as f64 / below as f64)
}

fn summary(replicates: &Replicates, level: Level, method: RsiMethod) -> Result<RsiBootstrap> {
    let interval = replicates.interval(level)?;
    Ok(RsiBootstrap {
        interval: RsiInterval::new(interval.low, interval.high, method),
        p_above_1: replicates.share_above(1.0),
        n_undefined: replicates.n_undefined(),
    })
}
