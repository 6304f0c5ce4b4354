//! The relative superiority index with its interval.

use asap_core::RsiCounts;
use serde::{Deserialize, Serialize};

use super::{Error, Level, Result};

/// An index, which need not be a number.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "kind", content = "value")]
pub enum RsiValue {
    /// A number, 0 where the model lost every comparison.
    Finite(f64),
    /// Neither losses nor ties: every comparison was won. The interval's lower end is what can be said.
    Infinite,
}

impl RsiValue {
    /// The number; `None` where it is infinite.
    pub const fn finite(self) -> Option<f64> {
        match self {
            Self::Finite(value) => Some(value),
            Self::Infinite => None,
        }
    }
}

/// How the interval of an index was made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RsiMethod {
    /// Closed form on the logarithm, over independent comparisons.
    Log,
    /// Influence function on the logarithm, summed up inside of prompts.
    LogClustered,
    /// All outcomes are alike, so no variance can be estimated: an exact bound.
    ExactBound,
    /// There is only one prompt, with several comparisons: nothing can be said.
    OneCluster,
    /// Percentiles over prompts drawn with replacement.
    PromptBootstrap,
    /// Percentiles over prompts and raters, both drawn with replacement.
    TwoWayBootstrap,
}

/// A confidence interval of an index.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct RsiInterval {
    /// The lower end, 0 or more.
    pub low: f64,
    /// The upper end; `None` where it is infinite.
    pub high: Option<f64>,
    /// How it was made.
    pub method: RsiMethod,
}

impl RsiInterval {
    /// Ends as numbers become ends as they are stored.
    pub(crate) fn new(low: f64, high: f64, method: RsiMethod) -> Self {
        Self {
            low,
            high: high.is_finite().then_some(high),
            method,
        }
    }

    /// Whether a value lies in it.
    pub fn contains(&self, value: f64) -> bool {
        self.low <= value && self.high.is_none_or(|high| value <= high)
    }

    /// The interval of the reversed comparison.
    pub fn reversed(self) -> Self {
        let low = self.high.map_or(0.0, |high| 1.0 / high);
        Self::new(low, 1.0 / self.low, self.method)
    }
}

/// An index and its interval.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct RsiIndex {
    /// (W + T) / (L + T).
    pub value: RsiValue,
    /// Its interval.
    pub interval: RsiInterval,
}

/// The index of independent comparisons: one for each prompt.
///
/// With shares w and l of wins and losses, `RSI = (1-l)/(1-w)`, and on the logarithm, where the reversed
/// comparison has the same interval with its sign changed,
/// `Var(log RSI) = (a + b + 2ab) / n`, `a = w/(1-w)`, `b = l/(1-l)`.
///
/// Where all n outcomes are alike this is no variance, and an exact bound stands in: with tail probability
/// α/2 the true share of the outcomes that were not seen is at most `q = 1 - (α/2)^(1/n)`, so after wins only
/// the index is at least `(1-q)/q`, after losses only at most `q/(1-q)`, and after ties only between `1-q` and
/// `1/(1-q)`.
///
/// # Errors
/// [`Error::TooFew`] without comparisons.
///
/// # Source
/// §5.2, Eq. 8. The variance is the delta method on multinomial shares. The bound is Clopper and Pearson's
/// (Biometrika 26, 1934) for a count of 0.
pub fn from_counts(counts: RsiCounts, level: Level) -> Result<RsiIndex> {
    let n = (counts.wins + counts.ties + counts.losses) as f64;
    let (w, l) = (counts.wins as f64 / n, counts.losses as f64 / n);
    let (a, b) = (w / (1.0 - w), l / (1.0 - l));
    index(counts, n, level, || {
        Some(((a + b + 2.0 * a * b) / n, level.z(), RsiMethod::Log))
    })
}

/// The index of comparisons in clusters, one [`RsiCounts`] for each prompt. Empty ones are passed over.
///
/// With A = W + T and B = L + T of a prompt, its influence on log RSI is `ψ = A/ΣA - B/ΣB`, and
/// `Var(log RSI) = G/(G-1) Σψ²` over G prompts; the quantile is that of Student's t at G-1 degrees of freedom.
/// Where no prompt has more than one comparison this is [`from_counts`]. Exact bounds, as there, take each
/// prompt for one comparison. One prompt with several comparisons bounds nothing.
///
/// # Errors
/// [`Error::TooFew`] without comparisons.
///
/// # Source
/// Linearisation of a ratio with clusters: Liang and Zeger, Biometrika 73 (1986); the correction G/(G-1) is that
/// of `statsmodels` with `cov_type="cluster"`.
pub fn from_clusters(clusters: &[RsiCounts], level: Level) -> Result<RsiIndex> {
    let filled = || clusters.iter().filter(|counts| size(counts) > 0);
    let counts = total(clusters);
    let n_clusters = filled().count() as u64;
    if size(&counts) == n_clusters {
        return from_counts(counts, level);
    }
    let (above, below) = (
        (counts.wins + counts.ties) as f64,
        (counts.losses + counts.ties) as f64,
    );
    let groups = n_clusters as f64;
    index(counts, groups, level, || {
        let influence = |cluster: &RsiCounts| {
            (cluster.wins + cluster.ties) as f64 / above - (cluster.losses + cluster.ties) as f64 / below
        };
        let squares: f64 = filled().map(|cluster| influence(cluster).powi(2)).sum();
        let variance = groups / (groups - 1.0) * squares;
        (n_clusters > 1).then(|| (variance, level.t(n_clusters - 1), RsiMethod::LogClustered))
    })
}

/// The index with the interval that its case needs; `variance` is asked for where outcomes differ.
fn index(
    counts: RsiCounts,
    n_independent: f64,
    level: Level,
    variance: impl Fn() -> Option<(f64, f64, RsiMethod)>,
) -> Result<RsiIndex> {
    let unseen = 1.0 - level.tail().powf(1.0 / n_independent);
    let bound = |low, high| RsiInterval::new(low, high, RsiMethod::ExactBound);
    let (value, interval) = match (counts.wins, counts.ties, counts.losses) {
        (0, 0, 0) => {
            return Err(Error::TooFew {
                what: "comparisons of an index",
                least: 1,
                got: 0,
            });
        }
        (_, 0, 0) => (RsiValue::Infinite, bound((1.0 - unseen) / unseen, f64::INFINITY)),
        (0, 0, _) => (RsiValue::Finite(0.0), bound(0.0, unseen / (1.0 - unseen))),
        (0, _, 0) => (RsiValue::Finite(1.0), bound(1.0 - unseen, 1.0 / (1.0 - unseen))),
        _ => {
            let value = (counts.wins + counts.ties) as f64 / (counts.losses + counts.ties) as f64;
            let interval = match variance() {
                Some((variance, quantile, method)) => {
                    let half = quantile * variance.sqrt();
                    RsiInterval::new(value * (-half).exp(), value * half.exp(), method)
                }
                None => RsiInterval::new(0.0, f64::INFINITY, RsiMethod::OneCluster),
            };
            (RsiValue::Finite(value), interval)
        }
    };
    Ok(RsiIndex { value, interval })
}

/// All outcomes of one count.
pub(crate) const fn size(counts: &RsiCounts) -> u64 {
    counts.wins + counts.ties + counts.losses
}

/// The sum of counts.
pub(crate) fn total(clusters: &[RsiCounts]) -> RsiCounts {
    clusters.iter().fold(RsiCounts::default(), |a, b| RsiCounts {
        wins: a.wins + b.wins,
        ties: a.ties + b.ties,
        losses: a.losses + b.losses,
    })
}
