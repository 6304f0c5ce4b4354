//! Euler's method along the noise level, without added noise.

use crate::Result;
use crate::schedule::{NoiseSchedule, Prediction, SamplingPlan, SamplingStep, Spacing};

/// The table of Euler's method with `n_steps`.
///
/// The latent is kept as signal plus `sigma` times noise, so the network sees it divided by `sqrt(sigma^2 + 1)`.
///
/// # Errors
/// [`Error::Argument`](crate::Error::Argument) for a number of steps that the schedule does not have.
/// # Source
/// "Elucidating the Design Space of Diffusion-Based Generative Models", arXiv:2206.00364, algorithm 2 with
/// churn 0 and no correction; sigmas between times are linear in the time, the last one is 0.
pub fn plan(schedule: &NoiseSchedule, n_steps: usize) -> Result<SamplingPlan> {
    let config = schedule.config();
    let times = schedule.timesteps(n_steps)?;
    let table = schedule.sigmas();
    let sigmas: Vec<f64> = times.iter().map(|&time| between(&table, time)).collect();
    let steps = times
        .iter()
        .enumerate()
        .map(|(at, &timestep)| {
            let next = sigmas.get(at + 1).copied().unwrap_or_default();
            step(timestep, sigmas[at], next, config.prediction)
        })
        .collect();
    let first = sigmas[0];
    let noise_scale = match config.spacing {
        // Leading times do not begin at the noisiest one: the signal's variance is counted in.
        Spacing::Leading => first.hypot(1.0),
        Spacing::Trailing | Spacing::Linspace => first,
    };
    Ok(SamplingPlan { noise_scale, steps })
}

/// The table at a time between two of its own.
fn between(table: &[f64], time: f64) -> f64 {
    let below = (time as usize).min(table.len() - 1);
    let above = (below + 1).min(table.len() - 1);
    table[below] + (table[above] - table[below]) * (time - below as f64)
}

fn step(timestep: f64, sigma: f64, next: f64, prediction: Prediction) -> SamplingStep {
    let spread = sigma.hypot(1.0);
    let (keep, add) = match prediction {
        Prediction::Noise => (1.0, next - sigma),
        Prediction::Velocity => (
            1.0 + (next - sigma) * sigma / (spread * spread),
            (next - sigma) / spread,
        ),
    };
    SamplingStep {
        timestep,
        input_scale: 1.0 / spread,
        keep,
        add,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schedule::plan::tests::spaced;
    use crate::testing::Golden;

    /// Within what the `f32` tables of diffusers allow.
    fn check_near(what: &str, got: f64, expected: f64) {
        let relative = (got - expected).abs() / expected.abs();
        assert!(relative <= 2e-5, "{what}: {got} and {expected}");
    }

    #[test]
    fn times_and_sigmas_are_those_of_diffusers() {
        let golden = Golden::read("sdxl");
        for (name, schedule) in spaced() {
            for n_steps in [1, 7, 50] {
                let fact = |what: &str| golden.fact::<Vec<f64>>(&format!("/times/{what}/{name}/{n_steps}"));
                let plan = plan(&schedule, n_steps).unwrap();
                for (step, expected) in plan.steps.iter().zip(fact("euler")) {
                    assert!(
                        (step.timestep - expected).abs() < 1e-4,
                        "{name}: {step:?}, {expected}"
                    );
                }
                let sigmas = fact("sigmas");
                assert_eq!(sigmas.len(), plan.steps.len() + 1);
                for (step, pair) in plan.steps.iter().zip(sigmas.windows(2)) {
                    check_near("the input", step.input_scale, 1.0 / pair[0].hypot(1.0));
                    check_near("the step", step.add, pair[1] - pair[0]);
                }
                check_near("the noise", plan.noise_scale, fact("noise_scale")[0]);
            }
        }
    }
}
