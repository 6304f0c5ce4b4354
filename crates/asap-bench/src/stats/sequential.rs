//! Telling an attentive rater from a careless one with as few items of known answer as possible.

use serde::{Deserialize, Serialize};

/// Wald's sequential probability ratio test of two rates of right answers.
///
/// After each answer the logarithm of the ratio of likelihoods, careless over attentive, is compared with two bounds:
/// at `ln((1 - beta) / alpha)` or above the rater is careless, at `ln(beta / (1 - alpha))` or below attentive.
///
/// # Units
/// Shares from 0 to 1, `p_careless < p_attentive`, `alpha + beta < 1`.
///
/// # Source
/// Wald, "Sequential tests of statistical hypotheses", Annals of Mathematical Statistics 16 (1945), section 3. The
/// bounds are approximate: the true error rates are at most `alpha / (1 - beta)` and `beta / (1 - alpha)`.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Sprt {
    /// How often an attentive rater is right.
    pub p_attentive: f64,
    /// How often a careless one is.
    pub p_careless: f64,
    /// The chance that an attentive rater is called careless.
    pub alpha: f64,
    /// The chance that a careless one is called attentive.
    pub beta: f64,
}

/// What a test came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Decision {
    /// More answers are needed.
    Undecided,
    /// The rater looks.
    Attentive {
        /// The number of answers that it took.
        after: usize,
    },
    /// The rater does not.
    Careless {
        /// The number of answers that it took.
        after: usize,
    },
}

impl Sprt {
    /// Goes through answers, right or wrong, until there is a decision; answers after it are not looked at.
    pub fn run(&self, answers: &[bool]) -> Decision {
        let upper = ((1.0 - self.beta) / self.alpha).ln();
        let lower = (self.beta / (1.0 - self.alpha)).ln();
        let right = (self.p_careless / self.p_attentive).ln();
        let wrong = ((1.0 - self.p_careless) / (1.0 - self.p_attentive)).ln();
        let mut ratio = 0.0;
        for (index, is_right) in answers.iter().enumerate() {
            ratio += if *is_right { right } else { wrong };
            let after = index + 1;
            if ratio >= upper {
                return Decision::Careless { after };
            }
            if ratio <= lower {
                return Decision::Attentive { after };
            }
        }
        Decision::Undecided
    }
}

#[cfg(test)]
mod tests {
    use asap_core::Stream;

    use super::*;

    const TEST: Sprt = Sprt {
        p_attentive: 0.92,
        p_careless: 0.5,
        alpha: 0.01,
        beta: 0.05,
    };

    /// Share called careless, share called attentive, mean number of answers, of raters who are right with `p`.
    fn simulate(p: f64) -> (f64, f64, f64) {
        let n_raters = 20_000;
        let (mut careless, mut attentive, mut answers) = (0, 0, 0);
        for seed in 0..n_raters {
            let mut stream = Stream::new(seed, "sprt");
            let given: Vec<bool> = (0..500).map(|_| stream.chance(p)).collect();
            match TEST.run(&given) {
                Decision::Careless { after } => (careless, answers) = (careless + 1, answers + after),
                Decision::Attentive { after } => (attentive, answers) = (attentive + 1, answers + after),
                Decision::Undecided => {}
            }
        }
        let share = |n: usize| n as f64 / n_raters as f64;
        (share(careless), share(attentive), share(answers))
    }

    #[test]
    fn simulated_error_rates_keep_walds_bounds() {
        let (careless, attentive, mean) = simulate(TEST.p_attentive);
        assert!(careless <= TEST.alpha / (1.0 - TEST.beta), "{careless}");
        assert!(
            careless > 0.001 && careless + attentive > 0.9999,
            "{careless} {attentive}"
        );
        assert!((6.0..8.5).contains(&mean), "{mean}");
        let (careless, attentive, mean) = simulate(TEST.p_careless);
        assert!(attentive <= TEST.beta / (1.0 - TEST.alpha), "{attentive}");
        assert!(
            attentive > 0.01 && careless + attentive > 0.9999,
            "{careless} {attentive}"
        );
        assert!((7.0..9.5).contains(&mean), "{mean}");
    }

    #[test]
    fn decisions_are_those_of_the_ratio_by_hand() {
        // (.5 / .92)^4 = .0872 and ^5 = .0474; the lower bound is .05 / .99 = .0505.
        assert_eq!(TEST.run(&[true; 4]), Decision::Undecided);
        assert_eq!(TEST.run(&[true; 9]), Decision::Attentive { after: 5 });
        // (.5 / .08)^2 = 39.06 and ^3 = 244; the upper bound is .95 / .01 = 95.
        assert_eq!(TEST.run(&[false; 2]), Decision::Undecided);
        assert_eq!(TEST.run(&[false; 9]), Decision::Careless { after: 3 });
    }
}
