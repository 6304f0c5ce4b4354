//! From the errors of a pair to its loss, and to the two factors that the tensor side needs (§4.2, Eq. 3 to 6).
//!
//! A network tells three means per image: of e^2, of M e^2 and of M^2 e^2. They give the weighted error for every
//! alpha, so errors of the frozen network are kept once for all alpha, tau and beta. The gradient of a pair is the
//! sum of the gradients of its two errors, each times a factor: the images can be propagated one after the other.

mod loss;
#[cfg(test)]
mod tests;

use crate::config::{Estimator, Kind, Normalise, Settings};
use loss::Loss;

/// A value for each image of a pair.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Pair<T> {
    /// Of the preferred image, x_w.
    pub preferred: T,
    /// Of the rejected image, x_l.
    pub rejected: T,
}

/// The errors of one image at one draw of time and noise: means over channels, rows and columns.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Errors {
    /// Mean of e^2.
    pub e0: f64,
    /// Mean of M e^2.
    pub e1: f64,
    /// Mean of M^2 e^2.
    pub e2: f64,
}

/// Means of a mask over the latent grid.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct MaskMeans {
    /// Mean of M.
    pub m1: f64,
    /// Mean of M^2.
    pub m2: f64,
}

/// The errors of a pair at one draw.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct DrawErrors {
    /// With the adapter.
    pub policy: Pair<Errors>,
    /// Without it.
    pub reference: Pair<Errors>,
}

/// What a pair says to the optimiser and to the reader.
#[derive(Clone, Debug, PartialEq)]
pub struct Outcome {
    /// The loss, without `loss_scale`.
    pub loss: f64,
    /// The preference gap (§4.2.1, Eq. 5), the mean over draws.
    pub delta: f64,
    /// How much the error of the preferred image fell below that of the reference.
    pub winner_advantage: f64,
    /// How much the error of the rejected image rose above that of the reference.
    pub loser_advantage: f64,
    /// 1 where delta is positive, 0.5 at 0, else 0. Nonsense (NaN) counts 0; the loss shows it.
    pub accuracy_credit: f64,
    /// Whether delta is past the margin; `None` where the loss has none.
    pub is_past_tau: Option<bool>,
    /// For each draw: the derivative of the loss by the weighted error of each image, times `loss_scale`.
    pub factors: Vec<Pair<f64>>,
}

/// The loss of a pair, with its numbers.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Objective {
    loss: Loss,
    alpha: f64,
    weight_power: u32,
    normalise: Normalise,
    estimator: Estimator,
    scale: f64,
}

impl Objective {
    /// What the settings ask for; they were checked when they were resolved.
    pub fn of(settings: &Settings) -> Self {
        let objective = &settings.objective;
        // A checked setting gives the number that its kind needs: the other is never read.
        let (tau, beta) = (
            objective.tau.unwrap_or(f64::NAN),
            objective.beta.unwrap_or(f64::NAN),
        );
        let loss = match objective.kind {
            Kind::Sft => Loss::Sft,
            Kind::Dpo => Loss::Dpo { beta },
            Kind::Ipo => Loss::Squared { tau: 0.5 / beta },
            Kind::BoundedLocal => Loss::Squared { tau },
        };
        Self {
            loss,
            alpha: objective.alpha.unwrap_or(0.0),
            weight_power: objective.weight_power,
            normalise: objective.normalise,
            estimator: objective.estimator,
            scale: objective.loss_scale,
        }
    }

    /// The margin of the loss, where it has one.
    pub fn tau(&self) -> Option<f64> {
        match self.loss {
            Loss::Squared { tau } => Some(tau),
            Loss::Sft | Loss::Dpo { .. } => None,
        }
    }

    /// Weights `c` such that the error of an image is c0 e0 + c1 e1 + c2 e2, and that of an element
    /// (c0 + c1 M + c2 M^2) e^2.
    ///
    /// # Source
    /// §4.2.1, Eq. 4: (1 + alpha M)^2 = 1 + 2 alpha M + alpha^2 M^2.
    pub fn coefficients(&self, mask: MaskMeans) -> [f64; 3] {
        let alpha = self.alpha;
        let plain = match self.weight_power {
            1 => [1.0, alpha, 0.0],
            _ => [1.0, 2.0 * alpha, alpha * alpha],
        };
        match self.normalise {
            Normalise::None => plain,
            Normalise::MeanSquareWeight => {
                let mean = plain[0] + plain[1] * mask.m1 + plain[2] * mask.m2;
                plain.map(|c| c / mean)
            }
        }
    }

    /// The weighted error of an image.
    pub fn error(&self, errors: &Errors, mask: MaskMeans) -> f64 {
        let [c0, c1, c2] = self.coefficients(mask);
        c0 * errors.e0 + c1 * errors.e1 + c2 * errors.e2
    }

    /// The outcome of a pair at one draw. `sft` needs no frozen network for its loss: without one, give the policy's
    /// errors twice, and the gap is 0.
    ///
    /// # Units
    /// Squared units of the prediction.
    /// # Source
    /// §3 Eq. 3, §4.2 Eq. 5 and 6; `asap_core::objective` has the same formulas, without derivatives.
    pub fn outcome(&self, policy: Pair<Errors>, reference: Pair<Errors>, mask: MaskMeans) -> Outcome {
        self.outcome_of_draws(&[DrawErrors { policy, reference }], mask)
    }

    /// The outcome of a pair at several draws; of none, everything is NaN.
    ///
    /// # Deviation
    /// Eq. 6 squares an expectation over draws. `squared` squares the mean of the draws, whose expectation is
    /// larger by the variance of that mean; `product` multiplies two independent draws and has no bias.
    pub fn outcome_of_draws(&self, draws: &[DrawErrors], mask: MaskMeans) -> Outcome {
        let n = draws.len() as f64;
        let advantages: Vec<Pair<f64>> = draws.iter().map(|draw| self.advantages(draw, mask)).collect();
        let deltas: Vec<f64> = advantages.iter().map(|a| a.preferred + a.rejected).collect();
        let delta = deltas.iter().sum::<f64>() / n;
        let winner_error = draws
            .iter()
            .map(|draw| self.error(&draw.policy.preferred, mask))
            .sum::<f64>()
            / n;
        let (loss, factors) = match (self.loss, self.estimator, deltas.as_slice()) {
            (Loss::Squared { tau }, Estimator::Product, &[first, second]) => {
                let (first, second) = (first - tau, second - tau);
                (
                    first * second,
                    vec![loss::of_delta(second), loss::of_delta(first)],
                )
            }
            _ => {
                let factors = self.loss.slope(delta);
                let share = Pair {
                    preferred: factors.preferred / n,
                    rejected: factors.rejected / n,
                };
                (self.loss.value(delta, winner_error), vec![share; draws.len()])
            }
        };
        let scaled = |factor: Pair<f64>| Pair {
            preferred: factor.preferred * self.scale,
            rejected: factor.rejected * self.scale,
        };
        Outcome {
            loss,
            delta,
            winner_advantage: advantages.iter().map(|a| a.preferred).sum::<f64>() / n,
            loser_advantage: advantages.iter().map(|a| a.rejected).sum::<f64>() / n,
            accuracy_credit: credit(delta),
            is_past_tau: self.tau().map(|tau| delta > tau),
            factors: factors.into_iter().map(scaled).collect(),
        }
    }

    fn advantages(&self, draw: &DrawErrors, mask: MaskMeans) -> Pair<f64> {
        let error = |errors: &Errors| self.error(errors, mask);
        Pair {
            preferred: error(&draw.reference.preferred) - error(&draw.policy.preferred),
            rejected: error(&draw.policy.rejected) - error(&draw.reference.rejected),
        }
    }
}

fn credit(delta: f64) -> f64 {
    if delta > 0.0 {
        1.0
    } else if delta == 0.0 {
        0.5
    } else {
        0.0
    }
}
