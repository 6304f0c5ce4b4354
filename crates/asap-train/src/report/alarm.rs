//! What a reader must be warned of, in words.

use super::axis::{Unit, significant};
use super::over_steps::drift;
use crate::folder::RunRecord;
use crate::telemetry::{Eval, Step, mean_interval};

/// The share of time that a run may wait for data before it is worth a word.
const WAIT_SHARE: f64 = 0.1;

/// What is wrong, most pressing first.
pub(super) fn alarms(run: &RunRecord, steps: &[&Step], evals: &[&Eval]) -> Vec<String> {
    let late = &steps[steps.len() - steps.len() / 4..];
    [
        not_finite(steps),
        only_losers(late),
        drifting(steps, late),
        past_the_margin(run, late),
        no_better_than_chance(evals),
        worse_than_before(evals),
        waiting(steps),
    ]
    .into_iter()
    .flatten()
    .collect()
}

fn not_finite(steps: &[&Step]) -> Option<String> {
    let step = steps.iter().find(|step| !step.loss.is_finite())?;
    let pair = step.pairs.iter().find(|pair| !pair.delta.is_finite());
    let which = pair.map(|pair| format!(", first seen in pair `{}`", pair.pair_id.short()));
    Some(format!(
        "The loss is no finite number from step {} on{}. Checkpoints of earlier steps are not touched by it.",
        step.step,
        which.unwrap_or_default()
    ))
}

fn only_losers(late: &[&Step]) -> Option<String> {
    let (winner, interval) = mean_interval(&values(late, |step| step.winner_advantage))?;
    let (delta, _) = mean_interval(&values(late, |step| step.delta))?;
    let is_sure = interval.is_some_and(|[_, high]| high < 0.0);
    (is_sure && delta > 0.0).then(|| {
        format!(
            "Preferred images got worse (their advantage is {} over the last quarter), and only rejected images drive \
             δ: the adapter learns to spoil, not to repair.",
            significant(winner)
        )
    })
}

fn drifting(steps: &[&Step], late: &[&Step]) -> Option<String> {
    let accuracy = mean(&values(late, |step| step.accuracy))?;
    let quarter = steps.len() / 4;
    let drifts = |steps: &[&Step]| mean(&steps.iter().filter_map(|step| drift(step)).collect::<Vec<_>>());
    let (earlier, later) = (drifts(&steps[quarter..2 * quarter])?, drifts(late)?);
    (accuracy >= 0.95 && later > 2.0 * earlier).then(|| {
        format!(
            "Accuracy is {} and the background still drifts, from {} in the second quarter to {} in the last: the \
             pairs are learnt and the rest is paid for it. An earlier checkpoint may be the better one.",
            Unit::Percent.write(accuracy),
            significant(earlier),
            significant(later)
        )
    })
}

fn past_the_margin(run: &RunRecord, late: &[&Step]) -> Option<String> {
    let tau = run.tau?;
    let delta = mean(&values(late, |step| step.delta))?;
    (delta > 3.0 * tau).then(|| {
        format!(
            "The mean δ of the last quarter is {}, {} times τ: the margin does not hold it.",
            significant(delta),
            significant(delta / tau)
        )
    })
}

fn no_better_than_chance(evals: &[&Eval]) -> Option<String> {
    let last = evals.iter().rev().find(|eval| eval.step > 0)?;
    let [low, high] = last.accuracy_interval?;
    (low <= 0.5).then(|| {
        format!(
            "Held-out accuracy after step {} is not above chance: {} of {}, interval {}.",
            last.step,
            last.n_correct,
            last.n,
            Unit::Percent.write_interval([low, high])
        )
    })
}

fn worse_than_before(evals: &[&Eval]) -> Option<String> {
    let last = evals.last()?;
    let low = |eval: &Eval| eval.accuracy_interval.map(|[low, _]| low);
    let best = evals
        .iter()
        .max_by(|a, b| low(a).partial_cmp(&low(b)).unwrap_or(std::cmp::Ordering::Equal))?;
    let [_, high] = last.accuracy_interval?;
    (low(best)? > high).then(|| {
        format!(
            "Held-out accuracy fell from {} after step {} to {} at the end.",
            Unit::Percent.write(best.accuracy().unwrap_or(f64::NAN)),
            best.step,
            Unit::Percent.write(last.accuracy().unwrap_or(f64::NAN))
        )
    })
}

fn waiting(steps: &[&Step]) -> Option<String> {
    let waited: f64 = steps.iter().map(|step| step.data_wait_seconds).sum();
    let share = waited / steps.iter().map(|step| step.seconds).sum::<f64>();
    (share > WAIT_SHARE).then(|| {
        format!(
            "{} of the time went by waiting for data.",
            Unit::Percent.write(share)
        )
    })
}

fn values(steps: &[&Step], value: impl Fn(&Step) -> f64) -> Vec<f64> {
    steps.iter().map(|step| value(step)).collect()
}

fn mean(values: &[f64]) -> Option<f64> {
    mean_interval(values).map(|(mean, _)| mean)
}
