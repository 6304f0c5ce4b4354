//! A proportion with its interval, over independent items or over clusters.

use serde::{Deserialize, Serialize};

use super::{Error, Interval, Level, Result};

/// What one cluster, a prompt in most cases, adds to a proportion.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClusterCount {
    /// Items that have the property.
    pub hits: u64,
    /// All items.
    pub n: u64,
}

/// Which interval a [`Rate`] has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RateMethod {
    /// Wilson's score interval over independent items.
    Wilson,
    /// Wilson's score interval at the effective number of items, over clusters.
    ClusterWilson,
}

/// A proportion with its numerator, denominator and interval.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Rate {
    /// The numerator.
    pub hits: u64,
    /// The denominator.
    pub n: u64,
    /// Clusters that the items come from.
    pub n_clusters: u64,
    /// The proportion, 0 to 1.
    pub value: f64,
    /// Its interval.
    pub interval: Interval,
    /// How many independent items would tell as much. At most `n`.
    pub n_effective: f64,
    /// How the interval was made.
    pub method: RateMethod,
}

impl Rate {
    /// A proportion over independent items.
    ///
    /// # Errors
    /// Those of [`wilson`].
    pub fn independent(hits: u64, n: u64, level: Level) -> Result<Self> {
        Ok(Self {
            hits,
            n,
            n_clusters: n,
            value: hits as f64 / n as f64,
            interval: wilson(hits, n, level)?,
            n_effective: n as f64,
            method: RateMethod::Wilson,
        })
    }

    /// A proportion over clusters: that of independent items where no cluster has more than one, else one that
    /// allows for the likeness of items of one cluster. Clusters without items are passed over.
    ///
    /// The transformation is that of an effective sample: with p = Σy / Σm over G clusters of m items and y hits,
    /// `var = G/(G-1) Σ(y - p m)² / (Σm)²` is the cluster-robust variance, `n* = p(1-p) / var` the number of
    /// independent items of the same variance, cut to Σm, and the interval is Wilson's for p and n* with the
    /// quantile of Student's t at G-1 degrees of freedom. Where p is 0 or 1 the variance says nothing and n* is
    /// G, which is right for clusters whose items are all alike and wide for others. The same with one cluster.
    ///
    /// # Errors
    /// [`Error::TooFew`] without items, [`Error::TooMany`] where a cluster has more hits than items.
    ///
    /// # Source
    /// Variance: that of `statsmodels` OLS on a constant with `cov_type="cluster"`; Miller, "Adding error bars to
    /// evals" (arXiv 2411.00640). Interval: Dean and Pagano, "Evaluating confidence interval methods
    /// for binomial proportions in clustered surveys", J. Surv. Stat. Methodol. 3 (2015), the modified Wilson
    /// interval; the cut at Σm is that of Korn and Graubard, Survey Methodology 24 (1998).
    pub fn clustered(clusters: &[ClusterCount], level: Level) -> Result<Self> {
        let filled: Vec<ClusterCount> = clusters.iter().copied().filter(|cluster| cluster.n > 0).collect();
        if let Some(wrong) = filled.iter().find(|cluster| cluster.hits > cluster.n) {
            return Err(Error::TooMany {
                what: "hits of a cluster",
                most: wrong.n,
                got: wrong.hits,
            });
        }
        let hits = filled.iter().map(|cluster| cluster.hits).sum();
        let n: u64 = filled.iter().map(|cluster| cluster.n).sum();
        if filled.iter().all(|cluster| cluster.n == 1) {
            return Self::independent(hits, n, level);
        }
        let n_clusters = filled.len() as u64;
        let value = hits as f64 / n as f64;
        let n_effective = effective_items(&filled, value, n as f64);
        Ok(Self {
            hits,
            n,
            n_clusters,
            value,
            interval: wilson_at(value, n_effective, level.t(n_clusters - 1)),
            n_effective,
            method: RateMethod::ClusterWilson,
        })
    }
}

/// How many independent items have the variance of these clusters.
fn effective_items(clusters: &[ClusterCount], p: f64, n: f64) -> f64 {
    let n_clusters = clusters.len() as f64;
    if clusters.len() == 1 || p == 0.0 || p == 1.0 {
        return n_clusters;
    }
    let squares: f64 = clusters
        .iter()
        .map(|cluster| (cluster.hits as f64 - p * cluster.n as f64).powi(2))
        .sum();
    let variance = n_clusters / (n_clusters - 1.0) * squares / (n * n);
    // No variance between clusters: infinitely many, cut to `n`.
    (p * (1.0 - p) / variance).min(n)
}

/// Wilson's score interval of `hits` out of `n` independent items, at any level.
///
/// `(p + z²/2n ± z sqrt(p(1-p)/n + z²/4n²)) / (1 + z²/n)`.
///
/// # Errors
/// [`Error::TooFew`] where `n` is 0, [`Error::TooMany`] where `hits` is more than `n`.
///
/// # Source
/// Wilson, JASA 22 (1927); `statsmodels.stats.proportion.proportion_confint(method="wilson")`.
pub fn wilson(hits: u64, n: u64, level: Level) -> Result<Interval> {
    if n == 0 {
        return Err(Error::TooFew {
            what: "items of a proportion",
            least: 1,
            got: 0,
        });
    }
    if hits > n {
        return Err(Error::TooMany {
            what: "hits of a proportion",
            most: n,
            got: hits,
        });
    }
    Ok(wilson_at(hits as f64 / n as f64, n as f64, level.z()))
}

/// Wilson's interval of a proportion `p` over `n` items, which need not be whole, for a quantile.
fn wilson_at(p: f64, n: f64, quantile: f64) -> Interval {
    let square = quantile * quantile;
    let middle = p + square / (2.0 * n);
    let half = quantile * (p * (1.0 - p) / n + square / (4.0 * n * n)).sqrt();
    let scale = 1.0 + square / n;
    Interval {
        // The ends are exact where nothing, or everything, was hit; rounding must not leave the unit interval.
        low: if p == 0.0 { 0.0 } else { (middle - half) / scale },
        high: if p == 1.0 { 1.0 } else { (middle + half) / scale },
    }
    .within(0.0, 1.0)
}
