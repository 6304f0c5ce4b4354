//! The noise of SDXL: betas between two ends, evenly spaced in their square roots.

use std::path::Path;

use serde_json::json;
use tch::{Kind, Tensor};

use crate::config_file::ConfigFile;
use crate::{Error, Result};

/// What the network was trained to say.
#[derive(Clone, Copy, Debug, Eq, PartialEq, serde::Deserialize)]
pub enum Prediction {
    /// The noise.
    #[serde(rename = "epsilon")]
    Noise,
    /// `sqrt(abar) * noise - sqrt(1 - abar) * latent`.
    #[serde(rename = "v_prediction")]
    Velocity,
}

/// Which of the training's times sampling goes through.
///
/// # Source
/// "Common Diffusion Noise Schedules and Sample Steps are Flawed", arXiv:2305.08891, table 2.
#[derive(Clone, Copy, Debug, Eq, PartialEq, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Spacing {
    /// From the first time upwards by a whole stride, moved by the offset.
    Leading,
    /// From the last time downwards.
    Trailing,
    /// From the last time to the first, both included.
    Linspace,
}

/// A `scheduler_config.json`.
#[derive(Clone, Debug, PartialEq)]
pub struct ScheduleConfig {
    /// Times of the training.
    pub n_timesteps: usize,
    /// The first beta.
    pub beta_start: f64,
    /// The last beta.
    pub beta_end: f64,
    /// What the network says.
    pub prediction: Prediction,
    /// Which times sampling goes through.
    pub spacing: Spacing,
    /// Added to the times of leading spacing.
    pub steps_offset: usize,
    /// Whether the last step of DDIM ends without noise; at the noise of time 0 otherwise.
    pub ends_clean: bool,
}

impl ScheduleConfig {
    /// What SDXL 1.0 is published with.
    pub fn sdxl() -> Self {
        Self {
            n_timesteps: 1000,
            beta_start: 0.00085,
            beta_end: 0.012,
            prediction: Prediction::Noise,
            spacing: Spacing::Leading,
            steps_offset: 1,
            ends_clean: false,
        }
    }

    /// Reads diffusers' `scheduler_config.json`, or the one in the folder at `path`, of a DDPM, DDIM or Euler
    /// scheduler: they share one training schedule.
    ///
    /// # Errors
    /// [`Error::Io`]; [`Error::File`] with the key, what is implemented and what is there.
    pub fn read(path: &Path) -> Result<Self> {
        let file = ConfigFile::read(path, "scheduler_config.json")?;
        let betas: String = file.get("beta_schedule", "\"scaled_linear\"", None)?;
        if betas != "scaled_linear" {
            return Err(file.refused("beta_schedule", "\"scaled_linear\""));
        }
        refuse_variants(&file)?;
        // Each class of scheduler has another default for it, so it must be there.
        let spacing = file.get("timestep_spacing", "`leading`, `trailing` or `linspace`", None)?;
        let config = Self {
            n_timesteps: file.get("num_train_timesteps", "a whole number", Some(1000))?,
            beta_start: file.get("beta_start", "a number", None)?,
            beta_end: file.get("beta_end", "a number", None)?,
            prediction: file.get(
                "prediction_type",
                "`epsilon` or `v_prediction`",
                Some(Prediction::Noise),
            )?,
            spacing,
            steps_offset: file.get("steps_offset", "a whole number", Some(0))?,
            ends_clean: file.get("set_alpha_to_one", "true or false", Some(true))?,
        };
        if !(0.0 < config.beta_start && config.beta_start <= config.beta_end && config.beta_end < 1.0) {
            return Err(file.refused("beta_end", "between `beta_start` and 1"));
        }
        if config.n_timesteps < 2 {
            return Err(file.refused("num_train_timesteps", "at least 2"));
        }
        file.finish()?;
        Ok(config)
    }
}

/// Refuses what changes the schedule and is not implemented.
fn refuse_variants(file: &ConfigFile) -> Result<()> {
    for (key, implemented) in [
        ("clip_sample", json!(false)),
        ("final_sigmas_type", json!("zero")),
        ("interpolation_type", json!("linear")),
        ("rescale_betas_zero_snr", json!(false)),
        ("sigma_max", json!(null)),
        ("sigma_min", json!(null)),
        ("thresholding", json!(false)),
        ("timestep_type", json!("discrete")),
        ("trained_betas", json!(null)),
        ("use_beta_sigmas", json!(false)),
        ("use_exponential_sigmas", json!(false)),
        ("use_karras_sigmas", json!(false)),
    ] {
        file.only(key, &implemented)?;
    }
    file.ignore(&[
        // Of clipping and thresholding, which are off, and of other samplers.
        "clip_sample_range",
        "dynamic_thresholding_ratio",
        "sample_max_value",
        "skip_prk_steps",
        "variance_type",
    ]);
    Ok(())
}

/// How much of the latent is left at each time.
#[derive(Clone, Debug)]
pub struct NoiseSchedule {
    config: ScheduleConfig,
    alphas_cumprod: Vec<f64>,
}

impl NoiseSchedule {
    /// The table of a configuration.
    ///
    /// # Source
    /// "Denoising Diffusion Probabilistic Models", arXiv:2006.11239, §2 (abar); the betas as in latent diffusion,
    /// `linspace(sqrt(start), sqrt(end), n)^2`.
    /// # Deviation
    /// In `f64`; diffusers computes the table in `f32`.
    pub fn new(config: ScheduleConfig) -> Self {
        let (start, end) = (config.beta_start.sqrt(), config.beta_end.sqrt());
        let last = (config.n_timesteps - 1) as f64;
        let mut left = 1.0;
        let alphas_cumprod = (0..config.n_timesteps)
            .map(|t| {
                left *= 1.0 - (start + (end - start) * t as f64 / last).powi(2);
                left
            })
            .collect();
        Self {
            config,
            alphas_cumprod,
        }
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

    /// The configuration that SDXL 1.0 is published with.
    const PUBLISHED: &str = r#"{
        "_class_name": "EulerDiscreteScheduler", "_diffusers_version": "0.19.0.dev0", "beta_end": 0.012,
        "beta_schedule": "scaled_linear", "beta_start": 0.00085, "clip_sample": false,
        "interpolation_type": "linear", "num_train_timesteps": 1000, "prediction_type": "epsilon",
        "sample_max_value": 1.0, "set_alpha_to_one": false, "skip_prk_steps": true, "steps_offset": 1,
        "timestep_spacing": "leading", "trained_betas": null, "use_karras_sigmas": false
    }"#;

    fn read(text: &str) -> Result<ScheduleConfig> {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("scheduler_config.json"), text).unwrap();
        ScheduleConfig::read(folder.path())
    }

    #[test]
    fn the_published_configuration_is_that_of_sdxl() {
        assert_eq!(read(PUBLISHED).unwrap(), ScheduleConfig::sdxl());
        let velocity = read(&PUBLISHED.replace("\"epsilon\"", "\"v_prediction\"")).unwrap();
        assert_eq!(velocity.prediction, Prediction::Velocity);
    }

    #[test]
    fn another_schedule_is_refused() {
        for (from, to, expected) in [
            (
                "scaled_linear",
                "linear",
                r#"expected `beta_schedule` to be "scaled_linear", got "linear""#,
            ),
            (
                r#""use_karras_sigmas": false"#,
                r#""use_karras_sigmas": true"#,
                "expected `use_karras_sigmas` to be false, got true",
            ),
            (
                "\"epsilon\"",
                "\"sample\"",
                r#"expected `prediction_type` to be `epsilon` or `v_prediction`, got "sample""#,
            ),
        ] {
            let error = read(&PUBLISHED.replace(from, to)).unwrap_err().to_string();
            assert!(error.ends_with(expected), "{error}");
        }
    }

    #[test]
    fn tables_and_noisy_latents_are_those_of_diffusers() {
        let golden = Golden::read("sdxl");
        let mut config = ScheduleConfig::sdxl();
        let schedule = NoiseSchedule::new(config.clone());
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
        let target = NoiseSchedule::new(config).target(&latents, &noise, &timesteps);
        golden.check("schedule.velocity", &target);
    }

    #[test]
    fn impossible_numbers_of_steps_are_refused() {
        let schedule = NoiseSchedule::new(ScheduleConfig::sdxl());
        let refused = |n_steps| schedule.timesteps(n_steps).unwrap_err().to_string();
        assert_eq!(refused(0), "the number of steps: expected 1 to 1000, got 0");
        assert_eq!(refused(1001), "the number of steps: expected 1 to 1000, got 1001");
        assert_eq!(
            refused(1000),
            "`steps_offset`: expected a first time of at most 999, got 1000"
        );
    }
}
