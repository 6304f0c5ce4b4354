//! Bootstrap replicates in parallel, the same for any number of threads.

use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::draws::Draws;
use super::{Error, Interval, Level, Result};

/// How a bootstrap is made.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Bootstrap {
    /// Seeds every replicate.
    pub seed: u64,
    /// How many are drawn. 1 000 give the ends of a 95 % interval to about a tenth of its width.
    pub replicates: u32,
    /// The level of the percentile interval.
    pub level: Level,
}

impl Bootstrap {
    /// Calls `statistic` once for each replicate with numbers of its own and a scratch space that it may reuse.
    pub(crate) fn replicate<S: Send>(
        &self,
        role: &str,
        scratch: impl Fn() -> S + Sync + Send,
        statistic: impl Fn(&mut Draws, &mut S) -> Option<f64> + Sync + Send,
    ) -> Replicates {
        let values = self.collect(role, scratch, statistic);
        Replicates::new(values)
    }

    /// As [`Bootstrap::replicate`], for any result, in the order of the replicates.
    pub(crate) fn collect<S: Send, T: Send>(
        &self,
        role: &str,
        scratch: impl Fn() -> S + Sync + Send,
        statistic: impl Fn(&mut Draws, &mut S) -> T + Sync + Send,
    ) -> Vec<T> {
        (0..self.replicates)
            .into_par_iter()
            .map_init(scratch, |scratch, index| {
                let mut draws = Draws::new(self.seed, &format!("bootstrap/{role}/{index}"));
                statistic(&mut draws, scratch)
            })
            .collect()
    }

    /// A statistic of items drawn with replacement; it gets how often each item was drawn.
    pub(crate) fn items(
        &self,
        role: &str,
        n_items: usize,
        statistic: impl Fn(&[u32]) -> Option<f64> + Sync + Send,
    ) -> Replicates {
        self.replicate(
            role,
            || vec![0; n_items],
            |draws, counts| {
                draws.multiplicities(counts);
                statistic(counts)
            },
        )
    }
}

/// The values of a statistic over bootstrap replicates, sorted.
#[derive(Clone, Debug, PartialEq)]
pub struct Replicates {
    sorted: Vec<f64>,
    n_undefined: u32,
}

impl Replicates {
    /// Sorts what the replicates gave; `None` is a replicate for which the statistic is not defined.
    pub(crate) fn new(values: Vec<Option<f64>>) -> Self {
        let n_drawn = values.len();
        let mut sorted: Vec<f64> = values
            .into_iter()
            .flatten()
            .filter(|value| !value.is_nan())
            .collect();
        sorted.sort_by(f64::total_cmp);
        Self {
            n_undefined: (n_drawn - sorted.len()) as u32,
            sorted,
        }
    }

    /// The values in ascending order; infinite ones are possible for ratios.
    pub fn sorted(&self) -> &[f64] {
        &self.sorted
    }

    /// Replicates for which the statistic is not defined. They are left out of everything else, so an interval
    /// with many of them is too narrow.
    pub const fn n_undefined(&self) -> u32 {
        self.n_undefined
    }

    /// The percentile interval.
    ///
    /// # Errors
    /// [`Error::TooFew`] where fewer than two replicates are defined.
    ///
    /// # Source
    /// Efron and Tibshirani, "An introduction to the bootstrap" (1993), section 13.3.
    pub fn interval(&self, level: Level) -> Result<Interval> {
        if self.sorted.len() < 2 {
            return Err(Error::TooFew {
                what: "bootstrap replicates for which the statistic is defined",
                least: 2,
                got: self.sorted.len(),
            });
        }
        Ok(Interval {
            low: quantile(&self.sorted, level.tail()),
            high: quantile(&self.sorted, 1.0 - level.tail()),
        })
    }

    /// The share of replicates above a value, those equal to it counted half.
    pub fn share_above(&self, value: f64) -> f64 {
        let below = self.sorted.partition_point(|other| *other < value);
        let up_to = self.sorted.partition_point(|other| *other <= value);
        let (n, above) = (self.sorted.len(), self.sorted.len() - up_to);
        (above as f64 + 0.5 * (up_to - below) as f64) / n as f64
    }
}

/// A quantile of sorted values with linear interpolation, NumPy's default. The slice must not be empty.
///
/// # Source
/// Hyndman and Fan, "Sample quantiles in statistical packages", The American Statistician 50 (1996), type 7.
pub(crate) fn quantile(sorted: &[f64], probability: f64) -> f64 {
    let place = probability * (sorted.len() - 1) as f64;
    let (below, above) = (sorted[place.floor() as usize], sorted[place.ceil() as usize]);
    let share = place.fract();
    // An infinite neighbour would make 0 * inf.
    if share == 0.0 || below == above {
        below
    } else {
        below + share * (above - below)
    }
}
