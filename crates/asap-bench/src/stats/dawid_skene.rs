//! What several raters who err say together, weighted by how well each of them tells the classes apart.

use serde::{Deserialize, Serialize};

use super::agreement::check_class;
use super::{Error, Result};

/// The smallest probability of an answer or a class, so that no answer makes a class impossible.
const LEAST: f64 = 1e-10;
/// The iteration ends when no probability of an item moves by more.
const STILL: f64 = 1e-11;
/// Iterations before giving up.
const MAX_ITERATIONS: usize = 20_000;

/// One answer by one rater on one item. The numbers of item and rater are names only.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Answer {
    /// The item.
    pub item: u32,
    /// The rater.
    pub rater: u32,
    /// The class, such as 0 for a pass and 1 for a failure, or win, tie and loss.
    pub class: usize,
}

/// What is estimated of one item.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ItemClasses {
    /// The item.
    pub item: u32,
    /// The probability of each class.
    pub probabilities: Vec<f64>,
}

/// What is estimated of one rater.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RaterErrors {
    /// The rater.
    pub rater: u32,
    /// `errors[truth][said]`: the probability of an answer given the item's class.
    pub errors: Vec<Vec<f64>>,
}

/// A fit.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DawidSkene {
    /// The share of each class among the items: at the class of failures a consensus error rate.
    pub shares: Vec<f64>,
    /// The items, sorted.
    pub items: Vec<ItemClasses>,
    /// The raters, sorted.
    pub raters: Vec<RaterErrors>,
    /// The log likelihood of the answers.
    pub log_likelihood: f64,
    /// Iterations that it took.
    pub n_iterations: usize,
}

/// Fits the model of Dawid and Skene by expectation and maximisation, starting from the vote shares of each item.
///
/// An item is of class k with probability p_k, and then rater r says c with probability e_rkc, independent of the
/// others. The two steps alternate until no probability of an item moves by more than 1e-11. The start decides which
/// of several maxima is found; from vote shares it is the one in which most raters are right. Items with one answer
/// and raters with a few say little: the fit is as good as the answers for each rater.
///
/// # Errors
/// [`Error::TooFew`] without answers, [`Error::TooMany`] for a class that is not under `n_classes`,
/// [`Error::NotConverged`] after 20 000 iterations.
///
/// # Source
/// Dawid and Skene, "Maximum likelihood estimation of observer error-rates using the EM algorithm", Applied
/// Statistics 28 (1979); `crowdkit.aggregation.DawidSkene`, whose start and smallest
/// probability it has.
pub fn dawid_skene(answers: &[Answer], n_classes: usize) -> Result<DawidSkene> {
    for answer in answers {
        check_class(answer.class, n_classes)?;
    }
    if answers.is_empty() {
        return Err(Error::TooFew {
            what: "answers",
            least: 1,
            got: 0,
        });
    }
    let data = Data::new(answers, n_classes);
    let mut truths = data.vote_shares();
    let mut change = f64::INFINITY;
    for iteration in 1..=MAX_ITERATIONS {
        let (shares, errors) = data.maximise(&truths);
        let (next, log_likelihood) = data.expect(&shares, &errors);
        change = largest_change(&truths, &next);
        truths = next;
        if change <= STILL {
            let (shares, errors) = data.maximise(&truths);
            return Ok(data.fit(shares, truths, errors, (log_likelihood, iteration)));
        }
    }
    Err(Error::NotConverged {
        what: "the model of Dawid and Skene",
        iterations: MAX_ITERATIONS,
        change,
    })
}

/// Rows of probabilities: of the classes of an item, or of a rater's answers.
type Rows = Vec<Vec<f64>>;

struct Data {
    n_classes: usize,
    items: Vec<u32>,
    raters: Vec<u32>,
    /// Item, rater, class.
    answers: Vec<(usize, usize, usize)>,
}

impl Data {
    fn new(answers: &[Answer], n_classes: usize) -> Self {
        let names = |name: fn(&Answer) -> u32| {
            let mut names: Vec<u32> = answers.iter().map(name).collect();
            names.sort_unstable();
            names.dedup();
            names
        };
        let (items, raters) = (names(|answer| answer.item), names(|answer| answer.rater));
        let place = |names: &[u32], name: u32| names.partition_point(|other| *other < name);
        let mut sorted = answers.to_vec();
        // Sums in one order, whatever the order of the answers.
        sorted.sort_unstable();
        let answers = sorted
            .iter()
            .map(|answer| {
                (
                    place(&items, answer.item),
                    place(&raters, answer.rater),
                    answer.class,
                )
            })
            .collect();
        Self {
            n_classes,
            items,
            raters,
            answers,
        }
    }

    fn vote_shares(&self) -> Rows {
        let mut shares = vec![vec![0.0; self.n_classes]; self.items.len()];
        for &(item, _, class) in &self.answers {
            shares[item][class] += 1.0;
        }
        for row in &mut shares {
            normalise(row);
        }
        shares
    }

    /// Shares of classes and errors of raters from the classes of items.
    fn maximise(&self, truths: &Rows) -> (Vec<f64>, Vec<Rows>) {
        let mut shares = vec![0.0; self.n_classes];
        for row in truths {
            for (sum, value) in shares.iter_mut().zip(row) {
                *sum += value / truths.len() as f64;
            }
        }
        let mut errors = vec![vec![vec![0.0; self.n_classes]; self.n_classes]; self.raters.len()];
        for &(item, rater, class) in &self.answers {
            for (truth, probability) in truths[item].iter().enumerate() {
                errors[rater][truth][class] += probability;
            }
        }
        for row in errors.iter_mut().flatten() {
            row.iter_mut().for_each(|value| *value = value.max(LEAST));
            normalise(row);
        }
        (shares, errors)
    }

    /// Classes of items from shares and errors, and the log likelihood of the answers.
    fn expect(&self, shares: &[f64], errors: &[Rows]) -> (Rows, f64) {
        let start: Vec<f64> = shares.iter().map(|share| share.max(LEAST).ln()).collect();
        let mut logs = vec![start; self.items.len()];
        for &(item, rater, class) in &self.answers {
            for (truth, log) in logs[item].iter_mut().enumerate() {
                *log += errors[rater][truth][class].ln();
            }
        }
        let mut log_likelihood = 0.0;
        for row in &mut logs {
            let largest = row.iter().copied().fold(f64::NEG_INFINITY, f64::max);
            row.iter_mut().for_each(|log| *log = (*log - largest).exp());
            log_likelihood += largest + normalise(row).ln();
        }
        (logs, log_likelihood)
    }

    fn fit(&self, shares: Vec<f64>, truths: Rows, errors: Vec<Rows>, end: (f64, usize)) -> DawidSkene {
        let item = |(item, probabilities): (&u32, Vec<f64>)| ItemClasses {
            item: *item,
            probabilities,
        };
        let rater = |(rater, errors): (&u32, Rows)| RaterErrors {
            rater: *rater,
            errors,
        };
        DawidSkene {
            shares,
            items: self.items.iter().zip(truths).map(item).collect(),
            raters: self.raters.iter().zip(errors).map(rater).collect(),
            log_likelihood: end.0,
            n_iterations: end.1,
        }
    }
}

/// Divides by the sum, and returns it.
fn normalise(row: &mut [f64]) -> f64 {
    let sum: f64 = row.iter().sum();
    row.iter_mut().for_each(|value| *value /= sum);
    sum
}

fn largest_change(before: &Rows, after: &Rows) -> f64 {
    let pairs = before.iter().flatten().zip(after.iter().flatten());
    pairs.map(|(a, b)| (a - b).abs()).fold(0.0, f64::max)
}
