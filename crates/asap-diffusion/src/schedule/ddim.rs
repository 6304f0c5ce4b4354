//! DDIM without noise.

use crate::Result;
use crate::schedule::{NoiseSchedule, Prediction, SamplingPlan, SamplingStep, Spacing};

/// The table of DDIM with `n_steps` and eta 0.
///
/// # Errors
/// [`Error::Argument`](crate::Error::Argument) for a number of steps that the schedule does not have.
/// # Source
/// "Denoising Diffusion Implicit Models", arXiv:2010.02502, eq. 12. As in diffusers, a step leads from `t` to
/// `t - n_timesteps / n_steps`, whole, whatever the spacing; before time 0 stands the end of the configuration.
pub fn plan(schedule: &NoiseSchedule, n_steps: usize) -> Result<SamplingPlan> {
    let config = schedule.config();
    let left = schedule.alphas_cumprod();
    let end = if config.ends_clean { 1.0 } else { left[0] };
    let stride = config.n_timesteps / n_steps.max(1);
    let steps = schedule
        .timesteps(n_steps)?
        .into_iter()
        .map(|time| {
            let timestep = match config.spacing {
                Spacing::Linspace => time.round_ties_even(),
                Spacing::Leading | Spacing::Trailing => time,
            };
            let at = timestep as usize;
            let after = at.checked_sub(stride).map_or(end, |after| left[after]);
            step(timestep, left[at], after, config.prediction)
        })
        .collect();
    Ok(SamplingPlan {
        noise_scale: 1.0,
        steps,
    })
}

fn step(timestep: f64, now: f64, after: f64, prediction: Prediction) -> SamplingStep {
    let (signal, noise) = (now.sqrt(), (1.0 - now).sqrt());
    let (next_signal, next_noise) = (after.sqrt(), (1.0 - after).sqrt());
    let (keep, add) = match prediction {
        Prediction::Noise => {
            let keep = next_signal / signal;
            (keep, next_noise - keep * noise)
        }
        Prediction::Velocity => (
            next_signal * signal + next_noise * noise,
            next_noise * signal - next_signal * noise,
        ),
    };
    SamplingStep {
        timestep,
        input_scale: 1.0,
        keep,
        add,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schedule::plan::tests::spaced;
    use crate::testing::Golden;

    #[test]
    fn times_are_those_of_diffusers() {
        let golden = Golden::read("sdxl");
        for (name, schedule) in spaced() {
            for n_steps in [1, 7, 50] {
                let expected: Vec<f64> = golden.fact(&format!("/times/ddim/{name}/{n_steps}"));
                let plan = plan(&schedule, n_steps).unwrap();
                let times: Vec<f64> = plan.steps.iter().map(|step| step.timestep).collect();
                assert_eq!(times, expected, "{name}, {n_steps} steps");
            }
        }
    }
}
