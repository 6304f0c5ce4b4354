//! What is shown over the steps.

use super::axis::Unit;
use super::curve::curve;
use super::figure::{Lines, Reference, Series};
use crate::folder::RunRecord;
use crate::telemetry::{Errors, Eval, PairRecord, Step};

/// The margin as a line; none for an objective without one.
fn tau(run: &RunRecord) -> Vec<Reference> {
    let label = |tau: f64| format!("τ = {tau}");
    let line = |value| Reference {
        value,
        label: label(value),
    };
    run.tau.map(line).into_iter().collect()
}

fn zero() -> Reference {
    Reference {
        value: 0.0,
        label: String::new(),
    }
}

/// 0 and the margin.
pub(super) fn zero_and_tau(run: &RunRecord) -> Vec<Reference> {
    let mut references = vec![zero()];
    references.extend(tau(run));
    references
}

/// Measurements on held-out pairs.
pub(super) fn held_out_lines(run: &RunRecord, evals: &[&Eval], last_step: u64) -> Vec<Lines> {
    let measured = |name, value: fn(&Eval) -> Option<f64>, interval: fn(&Eval) -> Option<[f64; 2]>| {
        let known = evals.iter().filter_map(|eval| Some((eval, value(eval)?)));
        let mut series = Series {
            name,
            ..Series::default()
        };
        for (eval, value) in known {
            series.points.push([eval.step as f64, value]);
            series.interval.push(interval(eval).unwrap_or([value; 2]));
        }
        series
    };
    vec![
        Lines {
            name: "held_out_accuracy",
            title: "Held-out preference accuracy",
            quantity: "share of pairs with δ > 0",
            caption: "Pairs that were never trained on, at fixed draws of time and noise. The band is Wilson's 95 % \
                      interval. Before the first step δ is 0 on every pair and there is no preference to count."
                .to_owned(),
            unit: Unit::Percent,
            last_step,
            series: vec![measured(
                "accuracy",
                |eval| eval.accuracy().filter(|_| eval.step > 0),
                |eval| eval.accuracy_interval,
            )],
            references: vec![Reference {
                value: 0.5,
                label: "chance".to_owned(),
            }],
        },
        Lines {
            name: "held_out_delta",
            title: "Held-out preference gap",
            quantity: "mean δ",
            caption: "The same pairs. The band is Student's 95 % interval of the mean.".to_owned(),
            unit: Unit::Plain,
            last_step,
            series: vec![measured("δ", |eval| eval.delta, |eval| eval.delta_interval)],
            references: zero_and_tau(run),
        },
    ]
}

/// What the steps did to the gap.
pub(super) fn gap_lines(run: &RunRecord, steps: &[&Step]) -> Vec<Lines> {
    let plain = |name, title, quantity, caption: &str, series| Lines {
        name,
        title,
        quantity,
        caption: caption.to_owned(),
        unit: Unit::Plain,
        last_step: last_step(steps),
        series,
        references: vec![zero()],
    };
    vec![
        Lines {
            unit: Unit::Log,
            references: Vec::new(),
            ..plain(
                "loss",
                "Loss",
                "mean loss",
                "",
                vec![curve("loss", steps, |step| Some(step.loss))],
            )
        },
        Lines {
            references: zero_and_tau(run),
            ..plain(
                "delta",
                "Preference gap",
                "mean δ",
                "δ is the sum of the two advantages (Eq. 5).",
                vec![curve("δ", steps, |step| Some(step.delta))],
            )
        },
        plain(
            "advantages",
            "Where the gap comes from",
            "advantage over the base model",
            "Preferred above 0: denoised better than by the base model. Rejected above 0: denoised worse.",
            vec![
                curve("preferred", steps, |step| Some(step.winner_advantage)),
                curve("rejected", steps, |step| Some(step.loser_advantage)),
            ],
        ),
        Lines {
            unit: Unit::Percent,
            references: vec![Reference {
                value: 0.5,
                label: String::new(),
            }],
            ..plain(
                "accuracy",
                "Accuracy in training",
                "share of the pairs of a step",
                "",
                vec![
                    curve("δ > 0", steps, |step| Some(step.accuracy)),
                    curve("δ > τ", steps, |step| step.share_past_tau),
                ],
            )
        },
        plain(
            "inside_outside",
            "Inside and outside of the mask",
            "gap in unweighted squared error",
            "The gap of the two areas, each as a mean over its own latents.",
            vec![
                curve("inside", steps, |step| area_gap(step, |errors| errors.inside)),
                curve("outside", steps, |step| area_gap(step, |errors| errors.outside)),
            ],
        ),
        plain(
            "background_drift",
            "Background drift",
            "mean square of policy − base outside",
            "How far the prediction moved where it should not.",
            vec![curve("drift", steps, drift)],
        ),
    ]
}

/// What the optimiser and the machine did.
pub(super) fn machine_lines(steps: &[&Step]) -> Vec<Lines> {
    let line = |name, title, quantity, unit, series| Lines {
        name,
        title,
        quantity,
        caption: String::new(),
        unit,
        last_step: last_step(steps),
        series: vec![series],
        references: Vec::new(),
    };
    let norm = curve("norm", steps, |step| Some(step.grad_norm));
    let rate = curve("pairs/s", steps, |step| {
        ratio(step.pairs.len() as f64, step.seconds)
    });
    let waited = curve("waiting", steps, |step| {
        ratio(step.data_wait_seconds, step.seconds)
    });
    let mut learning = curve("learning rate", steps, |step| Some(step.learning_rate));
    // It has no noise to smooth.
    learning.smooth.clear();
    vec![
        line("grad_norm", "Gradient norm", "before clipping", Unit::Log, norm),
        Lines {
            caption: String::new(),
            references: vec![zero()],
            ..line(
                "learning_rate",
                "Learning rate",
                "of the step",
                Unit::Plain,
                learning,
            )
        },
        Lines {
            references: vec![zero()],
            ..line("throughput", "Throughput", "pairs per second", Unit::Plain, rate)
        },
        Lines {
            references: vec![zero()],
            ..line(
                "wait_share",
                "Waiting for data",
                "share of the step",
                Unit::Percent,
                waited,
            )
        },
    ]
}

/// The step that was done last.
pub(super) fn last_step(steps: &[&Step]) -> u64 {
    steps.last().map_or(0, |step| step.step)
}

fn ratio(part: f64, whole: f64) -> Option<f64> {
    (whole > 0.0).then(|| part / whole)
}

/// The mean of a number of the pairs that have it.
fn mean_of(pairs: &[PairRecord], value: impl Fn(&PairRecord) -> Option<f64>) -> Option<f64> {
    let values: Vec<f64> = pairs.iter().filter_map(value).collect();
    (!values.is_empty()).then(|| values.iter().sum::<f64>() / values.len() as f64)
}

/// The mean background drift of a step.
pub(super) fn drift(step: &Step) -> Option<f64> {
    mean_of(&step.pairs, |pair| pair.background_drift)
}

fn area_gap(step: &Step, area: impl Fn(&Errors) -> Option<f64>) -> Option<f64> {
    mean_of(&step.pairs, |pair| {
        let [winner, loser] = [&pair.winner, &pair.loser];
        let preferred = area(&winner.reference)? - area(&winner.policy)?;
        let rejected = area(&loser.policy)? - area(&loser.reference)?;
        Some(preferred + rejected)
    })
}
