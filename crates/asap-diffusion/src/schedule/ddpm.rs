//! The noise of SDXL: betas between two ends, evenly spaced in their square roots.

use tch::{Kind, Tensor};

use crate::schedule::{Prediction, ScheduleConfig, Spacing};
use crate::{Error, Result};

/// How much of the latent is left at each time.
#[derive(Clone, Debug)]
pub struct NoiseSchedule {
    config: ScheduleConfig,
    alphas_cumprod: Vec<f64>,
}

impl NoiseSchedule {
    /// The table of a configuration.
    ///
    /// # Errors
    /// [`Error::Argument`] for less than two times, and for betas that do not rise between 0 and 1.
    /// # Source
    /// "Denoising Diffusion Probabilistic Models", arXiv:2006.11239, §2 (abar); the betas as in latent diffusion,
    /// `linspace(sqrt(start), sqrt(end), n)^2`.
    /// # Deviation
    /// In `f64`; diffusers computes the table in `f32`.
    pub fn new(config: ScheduleConfig) -> Result<Self> {
        let (n, first, last) = (config.n_timesteps, config.beta_start, config.beta_end);
        if n < 2 {
            return Err(Error::argument("the times of a schedule", "at least 2", n));
        }
        if !(0.0 < first && first <= last && last < 1.0) {
            let got = format!("{first} to {last}");
            return Err(Error::argument(
                "the betas of a schedule",
                "rising between 0 and 1",
                got,
            ));
        }
        let (start, end) = (first.sqrt(), last.sqrt());
        let mut left = 1.0;
        let alphas_cumprod = (0..n)
            .map(|t| {
                left *= 1.0 - (start + (end - start) * t as f64 / (n - 1) as f64).powi(2);
                left
            })
            .collect();
        Ok(Self {
            config,
            alphas_cumprod,
        })
    }

    /// What it was made from.
    pub fn config(&self) -> &ScheduleConfig {
        &self.config
    }

    /// abar by time: the share of the latent's variance that is left.
    pub fn alphas_cumprod(&self) -> &[f64] {
        &self.alphas_cumprod
    }

    /// Noise over signal at each time: `sqrt((1 - abar) / abar)`.
    pub fn sigmas(&self) -> Vec<f64> {
        let sigma = |left: &f64| ((1.0 - left) / left).sqrt();
        self.alphas_cumprod.iter().map(sigma).collect()
    }

    /// The times of sampling with `n_steps`, the noisiest first.
    ///
    /// # Errors
    /// [`Error::Argument`] for no steps, for more than times of the training, and where the offset leaves them.
    /// # Deviation
    /// Trailing spacing has `n_steps` times; diffusers gives one more where its stride is rounded down.
    pub(super) fn timesteps(&self, n_steps: usize) -> Result<Vec<f64>> {
        let n_timesteps = self.config.n_timesteps;
        if n_steps == 0 || n_steps > n_timesteps {
            return Err(Error::argument(
                "the number of steps",
                format!("1 to {n_timesteps}"),
                n_steps,
            ));
        }
        let (n, of) = (n_steps as f64, n_timesteps as f64);
        let time = |at: usize| match self.config.spacing {
            Spacing::Leading => {
                ((n_steps - 1 - at) * (n_timesteps / n_steps) + self.config.steps_offset) as f64
            }
            Spacing::Trailing => (of - at as f64 * of / n).round_ties_even() - 1.0,
            Spacing::Linspace if n_steps == 1 => 0.0,
            Spacing::Linspace => (of - 1.0) * (n_steps - 1 - at) as f64 / (n - 1.0),
        };
        let times: Vec<f64> = (0..n_steps).map(time).collect();
        if times[0] > of - 1.0 {
            let expected = format!("a first time of at most {}", n_timesteps - 1);
            return Err(Error::argument("`steps_offset`", expected, times[0]));
        }
        Ok(times)
    }

    /// The noisy latent, `sqrt(abar) * latents + sqrt(1 - abar) * noise`, in `f32`.
    ///
    /// Shapes: `latents` and `noise` `[B, C, h, w]`, `timesteps` `[B]` (`i64`).
    /// Source: arXiv:2006.11239, eq. 4.
    /// Deviation: abar stays `f32` for `bf16` latents; diffusers rounds it to their numbers.
    pub(crate) fn add_noise(&self, latents: &Tensor, noise: &Tensor, timesteps: &Tensor) -> Tensor {
        let (signal, spread) = self.shares(timesteps);
        latents.to_kind(Kind::Float) * signal + noise.to_kind(Kind::Float) * spread
    }

    /// What the network should say of the noisy latent, in `f32`.
    ///
    /// Shapes: as for [`Self::add_noise`].
    /// Source: arXiv:2006.11239, eq. 14; velocity: "Progressive Distillation for Fast Sampling of Diffusion
    /// Models", arXiv:2202.00512, appendix D.
    pub(crate) fn target(&self, latents: &Tensor, noise: &Tensor, timesteps: &Tensor) -> Tensor {
        let noise = noise.to_kind(Kind::Float);
        match self.config.prediction {
            Prediction::Noise => noise,
            Prediction::Velocity => {
                let (signal, spread) = self.shares(timesteps);
                noise * signal - latents.to_kind(Kind::Float) * spread
            }
        }
    }

    /// `sqrt(abar)` and `sqrt(1 - abar)` of each image, `[B, 1, 1, 1]`.
    fn shares(&self, timesteps: &Tensor) -> (Tensor, Tensor) {
        let table = Tensor::from_slice(&self.alphas_cumprod).to_device(timesteps.device());
        let left = table
            .index_select(0, &timesteps.to_kind(Kind::Int64))
            .reshape([-1, 1, 1, 1]);
        let spread: Tensor = 1.0 - &left;
        (
            left.sqrt().to_kind(Kind::Float),
            spread.sqrt().to_kind(Kind::Float),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Golden;

    #[test]
    fn tables_and_noisy_latents_are_those_of_diffusers() {
        let golden = Golden::read("sdxl");
        let mut config = ScheduleConfig::sdxl();
        let schedule = NoiseSchedule::new(config.clone()).unwrap();
        let table = Tensor::from_slice(schedule.alphas_cumprod());
        golden.check("schedule.alphas_cumprod", &table);
        let (latents, noise) = (
            Golden::input("latents", &[3, 4, 3, 2], 2.0),
            Golden::input("noise", &[3, 4, 3, 2], 2.0),
        );
        let timesteps = Tensor::from_slice(&[0i64, 421, 999]);
        golden.check(
            "schedule.noisy",
            &schedule.add_noise(&latents, &noise, &timesteps),
        );
        assert_eq!(schedule.target(&latents, &noise, &timesteps), noise);
        config.prediction = Prediction::Velocity;
        let target = NoiseSchedule::new(config)
            .unwrap()
            .target(&latents, &noise, &timesteps);
        golden.check("schedule.velocity", &target);
    }

    #[test]
    fn impossible_numbers_of_steps_are_refused() {
        let schedule = NoiseSchedule::new(ScheduleConfig::sdxl()).unwrap();
        let refused = |n_steps| schedule.timesteps(n_steps).unwrap_err().to_string();
        assert_eq!(refused(0), "the number of steps: expected 1 to 1000, got 0");
        assert_eq!(refused(1001), "the number of steps: expected 1 to 1000, got 1001");
        assert_eq!(
            refused(1000),
            "`steps_offset`: expected a first time of at most 999, got 1000"
        );
    }

    #[test]
    fn impossible_betas_are_refused() {
        let refused = |config| NoiseSchedule::new(config).unwrap_err().to_string();
        let falling = ScheduleConfig {
            beta_start: 0.5,
            ..ScheduleConfig::sdxl()
        };
        assert_eq!(
            refused(falling),
            "the betas of a schedule: expected rising between 0 and 1, got 0.5 to 0.012"
        );
        let short = ScheduleConfig {
            n_timesteps: 1,
            ..ScheduleConfig::sdxl()
        };
        assert_eq!(
            refused(short),
            "the times of a schedule: expected at least 2, got 1"
        );
    }
}
