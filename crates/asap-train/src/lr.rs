//! The learning rate of a step.

use crate::config::{Schedule, Settings};

/// The rate of a step; the first step is 0.
///
/// It rises from 0 through `warmup_steps` and stays, or falls as half a cosine that would reach 0 at `steps`.
///
/// # Units
/// As `optimiser.learning_rate`.
/// # Source
/// `constant_with_warmup` and `cosine` of diffusers' `get_scheduler`.
pub fn learning_rate(settings: &Settings, step: u32) -> f64 {
    let (optimiser, steps) = (&settings.optimiser, settings.run.steps);
    optimiser.learning_rate * share(optimiser.schedule, step, optimiser.warmup_steps, steps)
}

fn share(schedule: Schedule, step: u32, warmup: u32, steps: u32) -> f64 {
    if step < warmup {
        return f64::from(step) / f64::from(warmup);
    }
    match schedule {
        Schedule::Constant => 1.0,
        Schedule::Cosine => {
            let progress = f64::from(step - warmup) / f64::from(steps.saturating_sub(warmup).max(1));
            // A run that goes on past its end does not learn again.
            0.5 * (1.0 + (std::f64::consts::PI * progress.min(1.0)).cos())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shares(schedule: Schedule, warmup: u32, steps: u32) -> Vec<f64> {
        (0..steps)
            .map(|step| share(schedule, step, warmup, steps))
            .collect()
    }

    #[test]
    fn rates_equal_those_of_diffusers() {
        // diffusers 0.42.1: get_scheduler(name, SGD([p], lr=1.0), num_warmup_steps=w, num_training_steps=n), the
        // rate of the optimiser before each of n steps.
        let rise = [0.0, 0.25, 0.5, 0.75];
        let constant = [rise.to_vec(), vec![1.0; 8]].concat();
        assert_eq!(shares(Schedule::Constant, 4, 12), constant);
        let fall = [
            1.0,
            0.9619397662556434,
            0.8535533905932737,
            0.6913417161825449,
            0.5,
            0.30865828381745514,
            0.14644660940672627,
            0.03806023374435663,
        ];
        let cosine = [&rise[..], &fall].concat();
        for (got, expected) in shares(Schedule::Cosine, 4, 12).iter().zip(cosine) {
            assert!((got - expected).abs() < 1e-15);
        }
        let short = [
            1.0,
            0.9045084971874737,
            0.6545084971874737,
            0.34549150281252633,
            0.09549150281252633,
        ];
        for (got, expected) in shares(Schedule::Cosine, 0, 5).iter().zip(short) {
            assert!((got - expected).abs() < 1e-15);
        }
        assert_eq!(shares(Schedule::Constant, 0, 3), [1.0; 3]);
        assert!(share(Schedule::Cosine, 20, 4, 12).abs() < 1e-15);
    }

    #[test]
    fn the_rate_of_a_preset_is_reached_after_the_warm_up() {
        use crate::config::Layer;
        let settings = Settings::resolve(&[Layer::preset("flux-asap").unwrap()]).unwrap();
        assert_eq!(learning_rate(&settings, 50), 2.5e-6);
        assert_eq!(learning_rate(&settings, 2999), 5e-6);
    }
}
