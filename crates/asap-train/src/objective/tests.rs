//! Against `asap_core::objective`, central differences, and extremes.

use asap_core::objective::{PairErrors, localized_error};

use super::*;
use crate::config::Layer;

const MASK: MaskMeans = MaskMeans { m1: 0.3, m2: 0.25 };

fn objective(preset: &str, flags: &[(&str, &str)]) -> Objective {
    let mut layers = vec![Layer::preset(preset).unwrap()];
    layers.extend(flags.iter().map(|(key, value)| Layer::flag(key, value).unwrap()));
    Objective::of(&Settings::resolve(&layers).unwrap())
}

fn errors(e0: f64, e1: f64, e2: f64) -> Errors {
    Errors { e0, e1, e2 }
}

fn draw(shift: f64) -> DrawErrors {
    DrawErrors {
        policy: Pair {
            preferred: errors(0.301 + shift, 0.03, 0.021),
            rejected: errors(0.312, 0.031 - shift, 0.02),
        },
        reference: Pair {
            preferred: errors(0.3012, 0.03005, 0.02101),
            rejected: errors(0.311, 0.0309, 0.0199),
        },
    }
}

fn kinds() -> Vec<Objective> {
    let two = ("objective.draws", "2");
    vec![
        objective("flux-asap", &[]),
        objective(
            "flux-asap",
            &[
                ("objective.weight_power", "1"),
                ("objective.normalise", "mean-square-weight"),
            ],
        ),
        objective(
            "flux-asap",
            &[
                ("objective.normalise", "mean-square-weight"),
                ("objective.loss_scale", "50"),
            ],
        ),
        objective("flux-asap", &[two, ("objective.estimator", "product")]),
        objective("flux-dpo", &[]),
        objective(
            "flux-dpo",
            &[("objective.kind", "ipo"), ("objective.beta", "50"), two],
        ),
        objective("flux-sft", &[]),
        objective("sdxl-asap", &[]),
    ]
}

#[test]
fn errors_and_losses_equal_the_core() {
    let (predicted, target) = ([0.1, -0.4, 0.9, 0.3], [0.5, 0.2, -0.7, 0.35]);
    let mask = [0.25, 1.0];
    let mean = |power: i32| {
        let squares = predicted.iter().zip(&target).map(|(p, t)| (t - p) * (t - p));
        squares
            .zip(mask.iter().cycle())
            .map(|(e, m): (f64, &f64)| e * m.powi(power))
            .sum::<f64>()
            / 4.0
    };
    let image = errors(mean(0), mean(1), mean(2));
    let bounded = objective("flux-asap", &[]);
    let expected = localized_error(&predicted, &target, &mask, 10.0).unwrap();
    assert!((bounded.error(&image, MASK) - expected).abs() < 1e-13 * expected);

    let DrawErrors { policy, reference } = draw(0.0);
    for (objective, loss) in [
        (
            bounded,
            (|core, _| core.bounded_loss(0.01)) as fn(PairErrors, f64) -> f64,
        ),
        (objective("flux-dpo", &[]), |core, _| core.dpo_loss(2500.0)),
        (
            objective("flux-dpo", &[("objective.kind", "ipo"), ("objective.beta", "50")]),
            |core, _| core.bounded_loss(0.01),
        ),
        (objective("flux-sft", &[]), |_, preferred| preferred),
    ] {
        let error = |errors: &Errors| objective.error(errors, MASK);
        let core = PairErrors {
            policy_preferred: error(&policy.preferred),
            policy_rejected: error(&policy.rejected),
            reference_preferred: error(&reference.preferred),
            reference_rejected: error(&reference.rejected),
        };
        let outcome = objective.outcome(policy, reference, MASK);
        assert!((outcome.delta - core.gap()).abs() < 1e-14);
        assert!((outcome.loss - loss(core, core.policy_preferred)).abs() < 1e-12);
        assert!((outcome.winner_advantage + outcome.loser_advantage - outcome.delta).abs() < 1e-15);
    }
}

/// A draw whose policy error of one image is larger by `by`: `e0` alone moves, by the inverse of its weight.
fn moved(draw: &DrawErrors, is_preferred: bool, by: f64) -> DrawErrors {
    let mut draw = *draw;
    let policy = &mut draw.policy;
    let image = if is_preferred {
        &mut policy.preferred
    } else {
        &mut policy.rejected
    };
    image.e0 += by;
    draw
}

#[test]
fn factors_equal_central_differences() {
    for objective in kinds() {
        let n_draws = if objective.estimator == Estimator::Product {
            2
        } else {
            3
        };
        let draws: Vec<DrawErrors> = (0..n_draws).map(|k| draw(1e-5 * f64::from(k))).collect();
        let outcome = objective.outcome_of_draws(&draws, MASK);
        let c0 = objective.coefficients(MASK)[0];
        for idx in 0..draws.len() {
            for is_preferred in [true, false] {
                let loss = |by: f64| {
                    let mut draws = draws.clone();
                    draws[idx] = moved(&draws[idx], is_preferred, by / c0);
                    objective.outcome_of_draws(&draws, MASK).loss
                };
                let step = 1e-6;
                let expected = objective.scale * (loss(step) - loss(-step)) / (2.0 * step);
                let factor = outcome.factors[idx];
                let got = if is_preferred {
                    factor.preferred
                } else {
                    factor.rejected
                };
                assert!(
                    (got - expected).abs() < 1e-6 * (1.0 + expected.abs()),
                    "{objective:?}: {got} {expected}"
                );
            }
        }
    }
}

#[test]
fn before_the_first_update_delta_is_exactly_0() {
    let reference = draw(0.0).reference;
    for objective in kinds() {
        let outcome = objective.outcome(reference, reference, MASK);
        assert_eq!((outcome.delta, outcome.accuracy_credit), (0.0, 0.5));
        if let Some(tau) = objective.tau() {
            assert_eq!(outcome.loss, tau * tau);
            assert_eq!(outcome.is_past_tau, Some(false));
        }
    }
    assert_eq!(
        objective("flux-asap", &[])
            .outcome(reference, reference, MASK)
            .loss,
        0.01 * 0.01
    );
}

#[test]
fn extremes_stay_finite_and_nonsense_shows() {
    let DrawErrors {
        mut policy,
        reference,
    } = draw(0.0);
    for size in [1e9, -1e9] {
        policy.preferred.e0 = size;
        for objective in kinds() {
            let outcome = objective.outcome(policy, reference, MASK);
            assert!(outcome.loss.is_finite(), "{objective:?}");
            let factor = outcome.factors[0];
            assert!(
                factor.preferred.is_finite() && factor.rejected.is_finite(),
                "{objective:?}"
            );
        }
    }
    policy.preferred.e0 = f64::NAN;
    let outcome = objective("flux-asap", &[]).outcome(policy, reference, MASK);
    assert!(outcome.loss.is_nan());
    assert_eq!(outcome.accuracy_credit, 0.0);
}

#[test]
fn a_product_of_two_draws_has_no_bias() {
    // Two draws of a delta that is 0.01 +- 0.02: the product of independent draws has mean 0, the square has not.
    let product = objective(
        "flux-asap",
        &[("objective.draws", "2"), ("objective.estimator", "product")],
    );
    let squared = objective("flux-asap", &[("objective.draws", "2")]);
    let pair = |e0| Pair {
        preferred: errors(e0, 0.0, 0.0),
        rejected: errors(0.5, 0.0, 0.0),
    };
    let at = |delta: f64| DrawErrors {
        policy: pair(0.5 - delta),
        reference: pair(0.5),
    };
    let mean = |objective: &Objective| {
        let signs = [(-1.0, -1.0), (-1.0, 1.0), (1.0, -1.0), (1.0, 1.0)];
        let losses = signs.map(|(a, b)| {
            let draws = [at(0.01 + 0.02 * a), at(0.01 + 0.02 * b)];
            objective.outcome_of_draws(&draws, MASK).loss
        });
        losses.iter().sum::<f64>() / 4.0
    };
    assert!(mean(&product).abs() < 1e-15);
    assert!((mean(&squared) - 0.0002).abs() < 1e-15);
}
