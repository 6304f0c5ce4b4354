//! From a number in `[0, 1)` to the amount of noise.

use super::quantile::normal_quantile;
use crate::config::{Backbone, Noise, Settings, SigmaRounding, Timesteps};

/// Time steps of the networks' training.
const N_LEVELS: f64 = 1000.0;
/// FLUX's shift: packed tokens and their mu, at two sizes; the rest lies on the line through them.
const SHIFT_TOKENS: [f64; 2] = [256.0, 4096.0];
const SHIFT_MU: [f64; 2] = [0.5, 1.15];

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
    /// # Source
    /// FLUX: `compute_density_for_timestep_sampling` and `FlowMatchEulerDiscreteScheduler` of diffusers, 1000
    /// levels of 0.001 to 1. Shift: `calculate_shift` of diffusers' FLUX pipeline, on the logit-normal number
    /// itself, as kohya's `flux_shift`. SDXL: whole steps.
    pub fn level(&self, unit: f64, n_tokens: usize) -> Level {
        let time = match self.noise.timesteps {
            Timesteps::Uniform => unit,
            Timesteps::LogitNormal | Timesteps::FluxShift => self.logit_normal(unit),
        };
        let idx = (time * N_LEVELS).floor().min(N_LEVELS - 1.0);
        if self.backbone == Backbone::Sdxl {
            return Level::Timestep(idx as u32);
        }
        let sigma = match self.noise.timesteps {
            Timesteps::FluxShift => shifted(time, n_tokens),
            // In f32, as the scheduler's table.
            Timesteps::Uniform | Timesteps::LogitNormal => {
                f64::from((N_LEVELS - idx) as f32 / N_LEVELS as f32)
            }
        };
        Level::Sigma(match self.noise.sigma_rounding {
            SigmaRounding::F32 => sigma as f32,
            SigmaRounding::Bf16 => nearest_bf16(sigma as f32),
        })
    }

    fn logit_normal(&self, unit: f64) -> f64 {
        let logit = self.noise.logit_mean + self.noise.logit_std * normal_quantile(unit);
        1.0 / (1.0 + (-logit).exp())
    }
}

fn shifted(sigma: f64, n_tokens: usize) -> f64 {
    let slope = (SHIFT_MU[1] - SHIFT_MU[0]) / (SHIFT_TOKENS[1] - SHIFT_TOKENS[0]);
    let mu = SHIFT_MU[0] + slope * (n_tokens as f64 - SHIFT_TOKENS[0]);
    mu.exp() / (mu.exp() + (1.0 / sigma - 1.0))
}

/// Half to even, as the hardware does it.
fn nearest_bf16(number: f32) -> f32 {
    let bits = number.to_bits();
    let rounded = bits.wrapping_add(0x7fff + ((bits >> 16) & 1));
    f32::from_bits(rounded & 0xffff_0000)
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
        assert_eq!(levels.level(0.0, 0), Level::Sigma(1.0));
        assert_eq!(levels.level(0.5004, 0), Level::Sigma(0.5));
        assert_eq!(levels.level(1.0f64.next_down(), 0), Level::Sigma(0.001));
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
            assert_eq!(levels.level(unit, 0), Level::Sigma((1000.0 - idx) / 1000.0));
        }
        assert_eq!(levels.level(0.0, 0), Level::Sigma(1.0));
    }

    #[test]
    fn the_shift_is_that_of_the_sampler() {
        let levels = levels("flux-asap", &[F32, ("noise.timesteps", "flux-shift")]);
        // At the median sigma is e^mu / (e^mu + 1): mu is 1.15 at 4096 tokens and 0.5 at 256.
        for (n_tokens, mu) in [(4096, 1.15f64), (256, 0.5), (1024, 0.63)] {
            let expected = (mu.exp() / (mu.exp() + 1.0)) as f32;
            let Level::Sigma(got) = levels.level(0.5, n_tokens) else {
                panic!("FLUX has a sigma")
            };
            assert!((got - expected).abs() < 1e-6, "{got} {expected}");
        }
    }

    #[test]
    fn sdxl_takes_whole_steps() {
        let levels = levels("sdxl-asap", &[]);
        assert_eq!(levels.level(0.0, 0), Level::Timestep(0));
        assert_eq!(levels.level(0.7305, 0), Level::Timestep(730));
        assert_eq!(levels.level(1.0f64.next_down(), 0), Level::Timestep(999));
    }

    #[test]
    fn bf16_is_the_nearest_with_ties_to_even() {
        // torch 2.11: torch.tensor(x).bfloat16().float().
        for (number, expected) in BF16 {
            assert_eq!(nearest_bf16(number), expected);
        }
        assert_eq!(levels("flux-asap", &[]).level(0.0005, 0), Level::Sigma(1.0));
        assert_eq!(
            levels("flux-asap", &[]).level(0.6995, 0),
            Level::Sigma(0.30078125)
        );
    }

    const BF16: [(f32, f32); 7] = [
        (0.001, 0.000_999_450_7),
        (0.3, 0.30078125),
        (0.301, 0.30078125),
        (0.999, 1.0),
        (1.0, 1.0),
        (1.003_906_3, 1.0),
        (1.011_718_8, 1.015625),
    ];
    const LOGIT: [(f64, f32); 3] = [(0.1, 326.0), (0.5, 574.0), (0.93, 814.0)];
}
