//! The configuration of a noise schedule.

use std::path::Path;

use serde_json::json;

use crate::Result;
use crate::config_file::ConfigFile;

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
    /// [`Error::Io`](crate::Error::Io); [`Error::File`](crate::Error::File) with the key, what is implemented and what is there.
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

#[cfg(test)]
mod tests {
    use super::*;

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
}
