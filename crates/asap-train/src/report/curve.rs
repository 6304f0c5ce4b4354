//! Curves of a long run, with as many points as a plot can show.

use super::figure::Series;
use crate::telemetry::Step;

/// More points than this cannot be told apart on the width of a plot.
const N_POINTS: usize = 300;

/// The share of the run that a moving mean looks at.
const WINDOW_SHARE: usize = 20;

/// A number of each step as a curve; steps where `value` knows none are left out.
pub(super) fn curve(name: &'static str, steps: &[&Step], value: impl Fn(&Step) -> Option<f64>) -> Series {
    let values: Vec<[f64; 2]> = steps
        .iter()
        .filter_map(|step| value(step).map(|value| [step.step as f64, value]))
        .collect();
    let size = values.len().div_ceil(N_POINTS).max(1);
    let points: Vec<[f64; 2]> = values.chunks(size).map(bucket).collect();
    let window = values.len() / WINDOW_SHARE;
    let smooth = if window > 1 {
        (0..points.len())
            .map(|idx| {
                let centre = (idx * size + (size - 1) / 2).min(values.len() - 1);
                let near =
                    &values[centre.saturating_sub(window / 2)..(centre + window / 2 + 1).min(values.len())];
                // A gap stays a gap: a mean over what is left would hide it.
                let value = if points[idx][1].is_finite() {
                    finite_mean(near)
                } else {
                    f64::NAN
                };
                [points[idx][0], value]
            })
            .collect()
    } else {
        Vec::new()
    };
    Series {
        name,
        points,
        smooth,
        interval: Vec::new(),
    }
}

/// The mean of some steps at the last of them; one that is not finite makes it so, at its own step.
fn bucket(values: &[[f64; 2]]) -> [f64; 2] {
    if let Some(lost) = values.iter().find(|point| !point[1].is_finite()) {
        return *lost;
    }
    let sum: f64 = values.iter().map(|point| point[1]).sum();
    let step = values.last().map_or(0.0, |point| point[0]);
    [step, sum / values.len() as f64]
}

fn finite_mean(values: &[[f64; 2]]) -> f64 {
    let finite = values
        .iter()
        .map(|point| point[1])
        .filter(|value| value.is_finite());
    let (n, sum) = finite.fold((0.0, 0.0), |(n, sum), value| (n + 1.0, sum + value));
    sum / n
}

#[cfg(test)]
mod tests {
    use super::*;

    fn steps(n: u64, lost: Option<u64>) -> Vec<Step> {
        let step = |step| Step {
            step,
            epoch: 0,
            loss: if Some(step) == lost { f64::NAN } else { step as f64 },
            delta: 0.0,
            winner_advantage: 0.0,
            loser_advantage: 0.0,
            accuracy: 0.0,
            share_past_tau: None,
            grad_norm: 0.0,
            learning_rate: 0.0,
            seconds: 0.0,
            data_wait_seconds: 0.0,
            memory_peak_bytes: None,
            pairs: Vec::new(),
        };
        (1..=n).map(step).collect()
    }

    fn losses(steps: &[Step]) -> Series {
        curve("loss", &steps.iter().collect::<Vec<_>>(), |step| Some(step.loss))
    }

    #[test]
    fn a_short_run_is_shown_step_by_step() {
        let series = losses(&steps(3, None));
        assert_eq!(series.points, [[1.0, 1.0], [2.0, 2.0], [3.0, 3.0]]);
        assert!(series.smooth.is_empty());
    }

    #[test]
    fn a_long_run_is_shown_by_means() {
        let series = losses(&steps(1200, Some(7)));
        assert_eq!(series.points.len(), 300);
        assert_eq!(series.points[0], [4.0, 2.5]);
        assert!(series.points[1][0] == 7.0 && series.points[1][1].is_nan() && series.smooth[1][1].is_nan());
        // A straight line stays one away from its ends, its mean is centred.
        assert_eq!(series.smooth[150], [604.0, 602.0]);
    }
}
