//! How much a figure can carry.

use serde::{Deserialize, Serialize};

use crate::stats::Interval;
use crate::stats::aer::MIN_COVERAGE;

/// How much a figure can carry: documented in `docs/benchmark.md`, and a pure function of what is known of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// Nothing was measured.
    NotComputed,
    /// A first look: few prompts, much unscored, or a wide interval.
    Preliminary,
    /// Good enough to choose between models that differ clearly.
    Usable,
    /// Good enough to publish.
    Established,
}

/// Prompts below which everything is preliminary.
pub const MIN_PROMPTS_USABLE: u64 = 30;
/// Prompts from which a figure can be established.
pub const MIN_PROMPTS_ESTABLISHED: u64 = 100;
/// Half of the interval's width above which a rate is preliminary.
pub const MAX_HALF_WIDTH_USABLE: f64 = 0.10;
/// Half of the interval's width up to which a rate can be established.
pub const MAX_HALF_WIDTH_ESTABLISHED: f64 = 0.05;
/// The same for an index: the square root of upper over lower end.
pub const MAX_FACTOR_USABLE: f64 = 1.5;
/// The same for an index.
pub const MAX_FACTOR_ESTABLISHED: f64 = 1.2;

impl Status {
    /// The word for people.
    pub const fn name(self) -> &'static str {
        match self {
            Self::NotComputed => "not computed",
            Self::Preliminary => "preliminary",
            Self::Usable => "usable",
            Self::Established => "established",
        }
    }

    /// The status of a rate or of a difference of rates.
    pub fn of_rate(coverage: Option<f64>, n_prompts: u64, interval: Option<Interval>) -> Self {
        let half = interval.map_or(f64::INFINITY, |interval| interval.width() / 2.0);
        Self::of(
            coverage,
            n_prompts,
            half,
            [MAX_HALF_WIDTH_USABLE, MAX_HALF_WIDTH_ESTABLISHED],
        )
    }

    /// The status of a mean on a scale of its own, of which no width is wide: it is never established.
    pub fn of_mean(n_prompts: u64) -> Self {
        Self::of_rate(Some(1.0), n_prompts, Some(Interval { low: 0.0, high: 0.0 })).min(Self::Usable)
    }

    /// The status of an index.
    pub fn of_index(coverage: Option<f64>, n_prompts: u64, ends: (f64, Option<f64>)) -> Self {
        let factor = match ends {
            (low, Some(high)) if low > 0.0 => (high / low).sqrt(),
            _ => f64::INFINITY,
        };
        Self::of(
            coverage,
            n_prompts,
            factor,
            [MAX_FACTOR_USABLE, MAX_FACTOR_ESTABLISHED],
        )
    }

    fn of(coverage: Option<f64>, n_prompts: u64, width: f64, [usable, established]: [f64; 2]) -> Self {
        let Some(coverage) = coverage else {
            return Self::NotComputed;
        };
        if n_prompts == 0 {
            return Self::NotComputed;
        }
        if coverage < MIN_COVERAGE || n_prompts < MIN_PROMPTS_USABLE || width > usable {
            return Self::Preliminary;
        }
        if n_prompts < MIN_PROMPTS_ESTABLISHED || width > established {
            return Self::Usable;
        }
        Self::Established
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rate(coverage: f64, n_prompts: u64, half: f64) -> &'static str {
        let interval = Interval {
            low: 0.3 - half,
            high: 0.3 + half,
        };
        Status::of_rate(Some(coverage), n_prompts, Some(interval)).name()
    }

    #[test]
    fn each_condition_alone_lowers_the_status() {
        assert_eq!(rate(1.0, 500, 0.04), "established");
        assert_eq!(rate(1.0, 99, 0.04), "usable");
        assert_eq!(rate(1.0, 500, 0.06), "usable");
        assert_eq!(rate(0.979, 500, 0.04), "preliminary");
        assert_eq!(rate(1.0, 29, 0.04), "preliminary");
        assert_eq!(rate(1.0, 500, 0.11), "preliminary");
        assert_eq!(rate(1.0, 0, 0.04), "not computed");
        assert_eq!(Status::of_rate(None, 500, None), Status::NotComputed);
        assert_eq!(
            [0, 29, 500].map(Status::of_mean).map(Status::name),
            ["not computed", "preliminary", "usable"]
        );
        assert_eq!(Status::of_rate(Some(1.0), 500, None), Status::Preliminary);
    }

    #[test]
    fn an_index_is_as_good_as_its_ratio_of_ends() {
        let index = |low, high| Status::of_index(Some(1.0), 500, (low, high));
        assert_eq!(index(1.0, Some(1.4)), Status::Established);
        assert_eq!(index(1.0, Some(2.0)), Status::Usable);
        assert_eq!(index(1.0, Some(2.5)), Status::Preliminary);
        assert_eq!(index(1.0, None), Status::Preliminary);
        assert_eq!(index(0.0, Some(0.1)), Status::Preliminary);
    }
}
