//! AER (Eq. 7) and RSI (Eq. 8) from counts.

use serde::{Deserialize, Serialize};

use crate::judgement::Outcome;

/// Why there is no verdict. Nothing defaults to a verdict: each of these is counted and shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum UnscoredReason {
    /// The answer is not the JSON that was asked for.
    Parse,
    /// The answer has a verdict that the protocol does not know.
    InvalidEnum,
    /// The answer was cut.
    Truncated,
    /// A filter stopped the question or the answer.
    Blocked,
    /// The judge will not answer.
    Refused,
    /// The judge looked and could not tell.
    Declined,
    /// The call failed.
    Http,
    /// The image is missing or does not decode.
    NoImage,
}

impl UnscoredReason {
    /// The name used in files and tables.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Parse => "parse",
            Self::InvalidEnum => "invalid_enum",
            Self::Truncated => "truncated",
            Self::Blocked => "blocked",
            Self::Refused => "refused",
            Self::Declined => "declined",
            Self::Http => "http",
            Self::NoImage => "no_image",
        }
    }
}

/// What a judge says of one image.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// Anatomically plausible.
    Pass,
    /// An anatomical error was found.
    Fail,
    /// No verdict.
    Unscored {
        /// Why there is none.
        reason: UnscoredReason,
    },
}

/// What a judge says of two images, by the order in which they were shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Choice {
    /// Image 1 is anatomically better.
    First,
    /// Image 2 is anatomically better.
    Second,
    /// No clear difference in anatomical errors.
    Tie,
    /// No choice.
    Unscored {
        /// Why there is none.
        reason: UnscoredReason,
    },
}

/// Counts behind an anatomical error rate.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AerCounts {
    /// Images judged to fail.
    pub failures: u64,
    /// Images judged to pass.
    pub passes: u64,
    /// Images without a verdict: in neither the numerator nor the denominator, and always shown.
    pub unscored: u64,
}

impl AerCounts {
    /// Counts verdicts.
    pub fn of<'a>(verdicts: impl IntoIterator<Item = &'a Verdict>) -> Self {
        let mut counts = Self::default();
        for verdict in verdicts {
            match verdict {
                Verdict::Pass => counts.passes += 1,
                Verdict::Fail => counts.failures += 1,
                Verdict::Unscored { .. } => counts.unscored += 1,
            }
        }
        counts
    }

    /// The anatomical error rate, 0 to 1; `None` when nothing was scored.
    ///
    /// # Source
    /// §5.2, Eq. 7: failures over |D|.
    ///
    /// # Deviation
    /// The denominator is the number of scored images: an image without a verdict is not a pass.
    pub fn aer(&self) -> Option<f64> {
        let scored = self.failures + self.passes;
        (scored > 0).then(|| self.failures as f64 / scored as f64)
    }
}

/// Counts behind a relative superiority index of a model against a baseline.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RsiCounts {
    /// The model was preferred.
    pub wins: u64,
    /// Neither was.
    pub ties: u64,
    /// The baseline was preferred.
    pub losses: u64,
}

impl RsiCounts {
    /// Counts outcomes.
    pub fn of(outcomes: impl IntoIterator<Item = Outcome>) -> Self {
        let mut counts = Self::default();
        for outcome in outcomes {
            match outcome {
                Outcome::Win => counts.wins += 1,
                Outcome::Tie => counts.ties += 1,
                Outcome::Loss => counts.losses += 1,
            }
        }
        counts
    }

    /// The relative superiority index; `None` when both losses and ties are 0.
    ///
    /// # Source
    /// §5.2, Eq. 8: (W + T) / (L + T).
    pub fn rsi(&self) -> Option<f64> {
        let below = self.losses + self.ties;
        (below > 0).then(|| (self.wins + self.ties) as f64 / below as f64)
    }

    /// The same comparison seen from the baseline.
    pub const fn reversed(self) -> Self {
        Self {
            wins: self.losses,
            ties: self.ties,
            losses: self.wins,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn aer_leaves_unscored_images_out_and_counts_them() {
        let unscored = Verdict::Unscored {
            reason: UnscoredReason::Blocked,
        };
        let counts = AerCounts::of(&[
            Verdict::Fail,
            Verdict::Pass,
            Verdict::Pass,
            unscored,
            Verdict::Pass,
        ]);
        assert_eq!(
            counts,
            AerCounts {
                failures: 1,
                passes: 3,
                unscored: 1
            }
        );
        assert_eq!(counts.aer(), Some(0.25));
        assert_eq!(AerCounts::default().aer(), None);
    }

    #[test]
    fn rsi_of_the_reversed_comparison_is_the_reciprocal() {
        let counts = RsiCounts {
            wins: 40,
            ties: 35,
            losses: 25,
        };
        assert_eq!(counts.rsi(), Some(75.0 / 60.0));
        let product = counts.rsi().unwrap() * counts.reversed().rsi().unwrap();
        assert!((product - 1.0).abs() < 1e-15);
        assert_eq!(
            RsiCounts {
                wins: 3,
                ties: 0,
                losses: 0
            }
            .rsi(),
            None
        );
    }
}
