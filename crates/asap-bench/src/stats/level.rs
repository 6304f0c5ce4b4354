//! Confidence levels and intervals.

use serde::{Deserialize, Serialize};

use super::distribution;
use super::{Error, Result};

/// How often an interval is meant to hold the truth: a number between 0 and 1.
#[derive(Clone, Copy, Debug, PartialEq, PartialOrd, Serialize, Deserialize)]
#[serde(try_from = "f64", into = "f64")]
pub struct Level(f64);

impl Level {
    /// 90 %.
    pub const P90: Self = Self(0.90);
    /// 95 %, which all tables of this toolkit have.
    pub const P95: Self = Self(0.95);
    /// 99 %.
    pub const P99: Self = Self(0.99);

    /// A level of one's own.
    ///
    /// # Errors
    /// [`Error::Level`] unless it lies between 0 and 1.
    pub fn new(level: f64) -> Result<Self> {
        if level > 0.0 && level < 1.0 {
            return Ok(Self(level));
        }
        Err(Error::Level { got: level })
    }

    /// The number.
    pub const fn get(self) -> f64 {
        self.0
    }

    /// The probability outside of the interval on one side: 0.025 at 95 %.
    pub fn tail(self) -> f64 {
        0.5 * (1.0 - self.0)
    }

    /// The two-sided quantile of the standard normal distribution: 1.95996 at 95 %.
    pub fn z(self) -> f64 {
        distribution::normal_quantile(1.0 - self.tail())
    }

    /// The level whose quantile is `sqrt(n / (n - 1))` times as large: drawing n units with replacement gives
    /// `(n - 1) / n` of the variance between them. `n` must be at least 2.
    pub(crate) fn widened(self, n: usize) -> Self {
        let factor = (n as f64 / (n as f64 - 1.0)).sqrt();
        Self(1.0 - 2.0 * distribution::normal_cdf(-factor * self.z()))
    }

    /// The two-sided quantile of Student's t distribution; that of the normal one where `degrees` is 0.
    pub(crate) fn t(self, degrees: u64) -> f64 {
        match degrees {
            0 => self.z(),
            _ => distribution::student_quantile(1.0 - self.tail(), degrees as f64),
        }
    }
}

impl TryFrom<f64> for Level {
    type Error = Error;

    fn try_from(level: f64) -> Result<Self> {
        Self::new(level)
    }
}

impl From<Level> for f64 {
    fn from(level: Level) -> Self {
        level.0
    }
}

/// A confidence interval, both ends included.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Interval {
    /// The lower end.
    pub low: f64,
    /// The upper end.
    pub high: f64,
}

impl Interval {
    /// Whether a value lies in it.
    pub fn contains(&self, value: f64) -> bool {
        self.low <= value && value <= self.high
    }

    /// Its width.
    pub fn width(&self) -> f64 {
        self.high - self.low
    }

    /// The part of it that lies in `low..=high`.
    pub(crate) fn within(self, low: f64, high: f64) -> Self {
        Self {
            low: self.low.clamp(low, high),
            high: self.high.clamp(low, high),
        }
    }
}
