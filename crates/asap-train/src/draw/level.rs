//! From a number in `[0, 1)` to the amount of noise.

use asap_diffusion::Result;
use asap_diffusion::schedule::{self, SchedulerConfig, shift_exponent, shift_sigma, training_sigma};

use super::quantile::normal_quantile;
use crate::config::{Backbone, Noise, Settings, SigmaRounding, Timesteps};

/// Time steps of SDXL's training.
const N_TIMESTEPS: f64 = 1000.0;

/// The amount of noise of a draw.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Level {
    /// FLUX: x = (1 - sigma) data + sigma noise; the network's time is 1000 sigma.
    Sigma(f32),
    /// SDXL: the step of the schedule, 0 to 999; larger is noisier.
    Timestep(u32),
}

/// How numbers in `[0, 1)` become amounts of noise.
#[derive(Clone, Debug, PartialEq)]
pub struct Levels {
    backbone: Backbone,
    noise: Noise,
}

impl Levels {
    /// As the settings say.
    pub fn of(settings: &Settings) -> Self {
        Self {
            backbone: settings.model.backbone,
            noise: settings.noise.clone(),
        }
    }

    /// The amount of noise of an image of `n_tokens` packed tokens, which count for `flux-shift` alone.
    ///
    /// # Units
    /// `unit` in `[0, 1)`. A larger one is less noise for FLUX and more for SDXL, as in their schedulers.
    /// # Errors
    /// FLUX: [`asap_diffusion::Error::Argument`] where `unit` is outside.
    /// # Source
    /// FLUX: [`training_sigma`] at the levels of FLUX.1-dev, 0.001 to 1. Shift: that of the sampler, on the
    /// logit-normal number itself, as kohya's `flux_shift`. SDXL: whole steps.
    pub fn level(&self, unit: f64, n_tokens: usize) -> Result<Level> {
        let time = match self.noise.timesteps {
            Timesteps::Uniform => unit,
            // Far in the tail the logistic function is 1 in `f64`.
            Timesteps::LogitNormal | Timesteps::FluxShift => self.logit_normal(unit).min(1.0f64.next_down()),
        };
        if self.backbone == Backbone::Sdxl {
            return Ok(Level::Timestep((time * N_TIMESTEPS) as u32));
        }
        let rounding = match self.noise.sigma_rounding {
            SigmaRounding::F32 => schedule::SigmaRounding::None,
            SigmaRounding::Bf16 => schedule::SigmaRounding::Bf16,
        };
        let scheduler = SchedulerConfig::flux_dev();
        let sigma = match self.noise.timesteps {
            Timesteps::FluxShift => {
                rounding.round(shift_sigma(time, shift_exponent(n_tokens, &scheduler).exp()))
            }
            Timesteps::Uniform | Timesteps::LogitNormal => training_sigma(time, &scheduler, rounding)?,
        };
        Ok(Level::Sigma(sigma as f32))
    }

    fn logit_normal(&self, unit: f64) -> f64 {
        let logit = self.noise.logit_mean + self.noise.logit_std * normal_quantile(unit);
        1.0 / (1.0 + (-logit).exp())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Layer;

    fn levels(preset: &str, flags: &[(&str, &str)]) -> Levels {
        let mut layers = vec![Layer::preset(preset).unwrap()];
        layers.extend(flags.iter().map(|(key, value)| Layer::flag(key, value).unwrap()));
        Levels::of(&Settings::resolve(&layers).unwrap())
    }

    const F32: (&str, &str) = ("noise.sigma_rounding", "f32");

    #[test]
    fn uniform_levels_are_the_thousand_of_the_scheduler() {
        let levels = levels("flux-asap", &[F32]);
        assert_eq!(levels.level(0.0, 0).unwrap(), Level::Sigma(1.0));
        assert_eq!(levels.level(0.5004, 0).unwrap(), Level::Sigma(0.5));
        assert_eq!(levels.level(1.0f64.next_down(), 0).unwrap(), Level::Sigma(0.001));
    }

    #[test]
    fn logit_normal_levels_equal_the_formula() {
        // Python 3.11: floor(1000 / (1 + exp(-(0.3 + 0.8 * NormalDist().inv_cdf(u))))).
        let flags = [
            F32,
            ("noise.timesteps", "logit-normal"),
            ("noise.logit_mean", "0.3"),
            ("noise.logit_std", "0.8"),
        ];
        let levels = levels("flux-asap", &flags);
        for (unit, idx) in LOGIT {
            assert_eq!(
                levels.level(unit, 0).unwrap(),
                Level::Sigma((1000.0 - idx) / 1000.0)
            );
        }
        assert_eq!(levels.level(0.0, 0).unwrap(), Level::Sigma(1.0));
    }

    #[test]
    fn the_shift_is_that_of_the_sampler() {
        let levels = levels("flux-asap", &[F32, ("noise.timesteps", "flux-shift")]);
        // At the median sigma is e^mu / (e^mu + 1): mu is 1.15 at 4096 tokens and 0.5 at 256.
        for (n_tokens, mu) in [(4096, 1.15f64), (256, 0.5), (1024, 0.63)] {
            let expected = (mu.exp() / (mu.exp() + 1.0)) as f32;
            let Level::Sigma(got) = levels.level(0.5, n_tokens).unwrap() else {
                panic!("FLUX has a sigma")
            };
            assert!((got - expected).abs() < 1e-6, "{got} {expected}");
        }
    }

    #[test]
    fn sdxl_takes_whole_steps() {
        let levels = levels("sdxl-asap", &[]);
        assert_eq!(levels.level(0.0, 0).unwrap(), Level::Timestep(0));
        assert_eq!(levels.level(0.7305, 0).unwrap(), Level::Timestep(730));
        assert_eq!(levels.level(1.0f64.next_down(), 0).unwrap(), Level::Timestep(999));
    }

    #[test]
    fn sigma_is_rounded_where_the_settings_say_so() {
        assert_eq!(
            levels("flux-asap", &[]).level(0.0005, 0).unwrap(),
            Level::Sigma(1.0)
        );
        assert_eq!(
            levels("flux-asap", &[]).level(0.6995, 0).unwrap(),
            Level::Sigma(0.30078125)
        );
    }

    const LOGIT: [(f64, f32); 3] = [(0.1, 326.0), (0.5, 574.0), (0.93, 814.0)];
}
