//! The training objective (Eq. 4 to 6) as plain `f64` formulas.
//!
//! Slow and obvious on purpose: the trainer's tensor code is tested against them.

/// What the objective refuses.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// Arrays of different lengths.
    #[error("`{what}` has {got} values, expected {expected}")]
    Length {
        /// Which array.
        what: &'static str,
        /// Its length.
        got: usize,
        /// The length of the first array.
        expected: usize,
    },
    /// An array without values has no mean.
    #[error("`predicted` has no values, expected at least 1")]
    Empty,
}

/// The localized denoising error of one image: the mean of (W (target - predicted))^2 with W = 1 + alpha M.
///
/// # Shapes
/// `predicted`, `target`: one value per latent element, channel-major `[C, H, W]`. `mask`: the mask on the
/// latent grid, `[H, W]`, 0 to 1; it is repeated over the channels.
/// # Units
/// Squared units of the prediction (velocity for FLUX, noise for SDXL).
/// # Errors
/// [`Error`] when the lengths do not fit or are 0.
/// # Source
/// arXiv:2605.25759v1 §4.2.1, Eq. 4: W stands inside the square, so alpha = 10 weighs a masked element 121.
/// # Deviation
/// The paper writes a squared norm; we take the mean over C, H, W, as all Diffusion-DPO code does.
pub fn localized_error(predicted: &[f64], target: &[f64], mask: &[f64], alpha: f64) -> Result<f64, Error> {
    let n = predicted.len();
    if n == 0 {
        return Err(Error::Empty);
    }
    if target.len() != n {
        return Err(Error::Length {
            what: "target",
            got: target.len(),
            expected: n,
        });
    }
    if mask.is_empty() || !n.is_multiple_of(mask.len()) {
        return Err(Error::Length {
            what: "mask",
            got: mask.len(),
            expected: n,
        });
    }
    let weights = mask.iter().cycle().map(|m| 1.0 + alpha * m);
    let sum: f64 = predicted
        .iter()
        .zip(target)
        .zip(weights)
        .map(|((p, t), w)| (w * (t - p)).powi(2))
        .sum();
    Ok(sum / n as f64)
}

/// Denoising errors of one pair under the policy and under the frozen reference.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PairErrors {
    /// Policy, preferred image.
    pub policy_preferred: f64,
    /// Policy, rejected image.
    pub policy_rejected: f64,
    /// Reference, preferred image.
    pub reference_preferred: f64,
    /// Reference, rejected image.
    pub reference_rejected: f64,
}

impl PairErrors {
    /// The preference gap delta: positive when the policy moved towards the preferred image, relative to
    /// the reference, more than towards the rejected one.
    ///
    /// # Source
    /// §4.2.1, Eq. 5, written so that a larger gap is better.
    pub fn gap(&self) -> f64 {
        (self.reference_preferred - self.policy_preferred) + (self.policy_rejected - self.reference_rejected)
    }

    /// The margin-bounded loss of one pair.
    ///
    /// # Source
    /// §4.2.2, Eq. 6: (delta - tau)^2. It is IPO with tau = 1 / (2 beta).
    pub fn bounded_loss(&self, tau: f64) -> f64 {
        (self.gap() - tau).powi(2)
    }

    /// The Diffusion-DPO baseline: -log sigmoid(beta delta).
    ///
    /// # Source
    /// §3, Eq. 3.
    pub fn dpo_loss(&self, beta: f64) -> f64 {
        let logit = beta * self.gap();
        // log(1 + exp(-x)) without overflow.
        (-logit).max(0.0) + (-logit.abs()).exp().ln_1p()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_masked_element_weighs_121() {
        // Two channels on a grid of two cells, the second masked; all differences are 1.
        let error = localized_error(&[0.0; 4], &[1.0; 4], &[0.0, 1.0], 10.0);
        assert_eq!(error, Ok((1.0 + 121.0 + 1.0 + 121.0) / 4.0));
        assert_eq!(localized_error(&[0.0; 4], &[1.0; 4], &[1.0, 1.0], 0.0), Ok(1.0));
    }

    #[test]
    fn lengths_are_checked() {
        let error = localized_error(&[0.0; 4], &[1.0; 3], &[1.0], 0.0).unwrap_err();
        assert_eq!(error.to_string(), "`target` has 3 values, expected 4");
        assert!(localized_error(&[0.0; 4], &[1.0; 4], &[1.0; 3], 0.0).is_err());
        assert_eq!(localized_error(&[], &[], &[], 0.0), Err(Error::Empty));
    }

    #[test]
    fn a_step_that_helps_has_a_positive_gap() {
        let errors = PairErrors {
            policy_preferred: 0.30,
            policy_rejected: 0.50,
            reference_preferred: 0.40,
            reference_rejected: 0.45,
        };
        assert!((errors.gap() - 0.15).abs() < 1e-12);
        assert!((errors.bounded_loss(0.01) - 0.14f64.powi(2)).abs() < 1e-12);
        let expected = -(1.0 / (1.0 + (-2.0f64 * 0.15).exp())).ln();
        assert!((errors.dpo_loss(2.0) - expected).abs() < 1e-12);
    }

    #[test]
    fn before_the_first_step_the_gap_is_0_and_the_loss_tau_squared() {
        let errors = PairErrors {
            policy_preferred: 0.4,
            policy_rejected: 0.45,
            reference_preferred: 0.4,
            reference_rejected: 0.45,
        };
        assert_eq!(errors.gap(), 0.0);
        assert_eq!(errors.bounded_loss(0.01), 0.01 * 0.01);
        assert!((errors.dpo_loss(2500.0) - std::f64::consts::LN_2).abs() < 1e-15);
        assert!(
            PairErrors {
                policy_preferred: 1e9,
                ..errors
            }
            .dpo_loss(2500.0)
            .is_finite()
        );
    }
}
