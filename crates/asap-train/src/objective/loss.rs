//! The losses as functions of delta, with their derivatives.

use super::Pair;

/// A loss with its numbers.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Loss {
    Sft,
    Dpo { beta: f64 },
    Squared { tau: f64 },
}

impl Loss {
    pub(super) fn value(self, delta: f64, winner_error: f64) -> f64 {
        match self {
            Self::Sft => winner_error,
            Self::Dpo { beta } => {
                let logit = beta * delta;
                // -log sigmoid without overflow.
                (-logit).max(0.0) + (-logit.abs()).exp().ln_1p()
            }
            Self::Squared { tau } => (delta - tau).powi(2),
        }
    }

    /// The derivative by the error of each image.
    pub(super) fn slope(self, delta: f64) -> Pair<f64> {
        match self {
            Self::Sft => Pair {
                preferred: 1.0,
                rejected: 0.0,
            },
            Self::Dpo { beta } => of_delta(-beta * sigmoid(-beta * delta)),
            Self::Squared { tau } => of_delta(2.0 * (delta - tau)),
        }
    }
}

/// The derivatives by the two errors out of that by delta: delta falls with the error of the preferred image.
pub(super) fn of_delta(slope: f64) -> Pair<f64> {
    Pair {
        preferred: -slope,
        rejected: slope,
    }
}

fn sigmoid(x: f64) -> f64 {
    if x >= 0.0 {
        1.0 / (1.0 + (-x).exp())
    } else {
        let e = x.exp();
        e / (1.0 + e)
    }
}
