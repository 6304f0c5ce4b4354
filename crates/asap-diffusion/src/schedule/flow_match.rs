//! Rectified flow: straight lines from images to noise, and Euler's steps back.
//!
//! A noise level sigma is 0 for an image and 1 for noise.

use std::path::Path;

use serde::Deserialize;
use serde_json::Value;
use tch::{Kind, Tensor};

use crate::{Array, Error, Result};

/// How noise levels are laid out, by the names of diffusers' `scheduler_config.json`. What a file leaves out has
/// the value that diffusers gives it, which is that of FLUX.1-schnell.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(default = "SchedulerConfig::flux_schnell")]
pub struct SchedulerConfig {
    /// Levels that training draws from.
    pub num_train_timesteps: usize,
    /// The shift of all levels, where it does not depend on the image's size.
    pub shift: f64,
    /// Whether the shift grows with the image.
    pub use_dynamic_shifting: bool,
    /// The exponent of the shift at `base_image_seq_len` tokens.
    pub base_shift: f64,
    /// The exponent of the shift at `max_image_seq_len` tokens.
    pub max_shift: f64,
    /// Tokens of a small image.
    pub base_image_seq_len: usize,
    /// Tokens of a large image.
    pub max_image_seq_len: usize,
}

/// Keys that change the numbers, with the one value that is built here.
const FIXED: [(&str, &str); 8] = [
    ("_class_name", "\"FlowMatchEulerDiscreteScheduler\""),
    ("time_shift_type", "\"exponential\""),
    ("invert_sigmas", "false"),
    ("stochastic_sampling", "false"),
    ("use_karras_sigmas", "false"),
    ("use_exponential_sigmas", "false"),
    ("use_beta_sigmas", "false"),
    ("shift_terminal", "null"),
];

impl SchedulerConfig {
    /// That of FLUX.1-dev.
    pub fn flux_dev() -> Self {
        Self {
            shift: 3.0,
            use_dynamic_shifting: true,
            ..Self::flux_schnell()
        }
    }

    /// That of FLUX.1-schnell, which shifts nothing.
    pub fn flux_schnell() -> Self {
        Self {
            num_train_timesteps: 1000,
            shift: 1.0,
            use_dynamic_shifting: false,
            base_shift: 0.5,
            max_shift: 1.15,
            base_image_seq_len: 256,
            max_image_seq_len: 4096,
        }
    }

    /// The configuration in a `scheduler_config.json` of diffusers.
    ///
    /// # Errors
    /// [`Error::Io`] where the file does not read; [`Error::File`] where it is of another scheduler or asks for
    /// noise levels that are not built here.
    pub fn read(path: &Path) -> Result<Self> {
        let text = std::fs::read(path).map_err(|source| Error::io(path, "read", source))?;
        let broken = |error: serde_json::Error| {
            Error::file(
                path,
                "a configuration of a flow-matching scheduler",
                error.to_string(),
            )
        };
        let value: Value = serde_json::from_slice(&text).map_err(broken)?;
        for (key, expected) in FIXED {
            let got = value.get(key).filter(|got| !got.is_null()).map(Value::to_string);
            if let Some(got) = got.filter(|got| got != expected) {
                return Err(Error::file(path, format!("`{key}` = {expected}"), got));
            }
        }
        let config: Self = serde_json::from_value(value).map_err(broken)?;
        if config.num_train_timesteps == 0 || config.max_image_seq_len <= config.base_image_seq_len {
            let expected =
                "`num_train_timesteps` of 1 or more and `base_image_seq_len` < `max_image_seq_len`";
            let got = format!(
                "{}, {} and {}",
                config.num_train_timesteps, config.base_image_seq_len, config.max_image_seq_len
            );
            return Err(Error::file(path, expected, got));
        }
        if config.shift <= 0.0 {
            return Err(Error::file(path, "`shift` above 0", config.shift.to_string()));
        }
        Ok(config)
    }
}

/// The exponent of the shift for an image of so many packed tokens.
///
/// # Source
/// mu of `calculate_shift` in diffusers' pipeline for FLUX: a line through (256, 0.5) and (4096, 1.15), which goes
/// on outside these sizes.
pub fn shift_exponent(n_tokens: usize, config: &SchedulerConfig) -> f64 {
    let (least, most) = (config.base_image_seq_len as f64, config.max_image_seq_len as f64);
    let slope = (config.max_shift - config.base_shift) / (most - least);
    config.base_shift + slope * (n_tokens as f64 - least)
}

/// A noise level moved towards noise by a factor: `factor sigma / (1 + (factor - 1) sigma)`.
///
/// # Source
/// arXiv:2403.03206, Eq. 23, with the factor for sqrt(m / n). With `exp(mu)` for the factor it is the dynamic shift
/// `exp(mu) / (exp(mu) + 1 / sigma - 1)`.
pub fn shift_sigma(sigma: f64, factor: f64) -> f64 {
    factor * sigma / (1.0 + (factor - 1.0) * sigma)
}

/// The noise levels of a sampler: `n_steps` levels from 1 down, and 0.
///
/// # Units
/// Noise levels in 0..1; the network's timestep is the level itself.
/// # Source
/// `set_timesteps` of diffusers' `FlowMatchEulerDiscreteScheduler` as its pipeline for FLUX calls it: from 1 to
/// `1 / n_steps` in equal steps, then shifted.
/// # Deviation
/// Computed in `f64`; the reference rounds to `f32` on the way.
pub fn sampler_sigmas(n_steps: usize, n_tokens: usize, config: &SchedulerConfig) -> Vec<f64> {
    let factor = if config.use_dynamic_shifting {
        shift_exponent(n_tokens, config).exp()
    } else {
        config.shift
    };
    (0..=n_steps)
        .map(|step| shift_sigma((n_steps - step) as f64 / n_steps.max(1) as f64, factor))
        .collect()
}

/// Whether a noise level is rounded before it is used.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum SigmaRounding {
    /// As it is.
    None,
    /// To the nearest `bf16`: the level that noises an image is then the one that a `bf16` network is told.
    Bf16,
}

impl SigmaRounding {
    /// The level that is used for this one.
    pub fn round(self, sigma: f64) -> f64 {
        match self {
            Self::None => sigma,
            Self::Bf16 => bf16(sigma),
        }
    }
}

/// The noise level of a uniform draw `u` in 0..1.
///
/// # Units
/// A noise level above 0, at most 1.
/// # Errors
/// [`Error::Argument`] where `u` is not in 0..1, 1 excluded.
/// # Source
/// diffusers' training script for FLUX with weighting `none`: the `floor(1000 u)`-th of the training levels, from
/// noise down. A static shift is part of these levels, a dynamic one is not.
/// # Deviation
/// The script computes level and noised image in the network's numbers; here the level is rounded once, where
/// asked, and used the same everywhere.
pub fn training_sigma(u: f64, config: &SchedulerConfig, rounding: SigmaRounding) -> Result<f64> {
    if !(0.0..1.0).contains(&u) {
        return Err(Error::argument("a uniform draw", "0 to 1, 1 excluded", u));
    }
    let n = config.num_train_timesteps;
    let place = (u * n as f64) as usize;
    let level = (n - place.min(n - 1)) as f64 / n as f64;
    let level = if config.use_dynamic_shifting {
        level
    } else {
        shift_sigma(level, config.shift)
    };
    Ok(rounding.round(level))
}

/// The nearest `bf16`, ties to even, by way of `f32` as everywhere in libtorch.
fn bf16(x: f64) -> f64 {
    let bits = (x as f32).to_bits();
    let half = 0x7FFF + ((bits >> 16) & 1);
    f64::from(f32::from_bits((bits + half) & 0xFFFF_0000))
}

/// Latents with noise: `(1 - sigma) x + sigma noise`, each of the batch at its level.
///
/// # Shapes
/// `latents` and `noise` `[B, …]`, one sigma for each of the batch; the result is like `latents`.
/// # Errors
/// [`Error::Argument`] where sizes differ or a level is not in 0..1.
/// # Source
/// "Flow Straight and Fast", arXiv:2209.03003, §2.1; `scale_noise` of diffusers.
pub fn noised(latents: &Array, noise: &Array, sigmas: &[f64]) -> Result<Array> {
    if latents.shape() != noise.shape() {
        let (expected, got) = (format!("{:?}", latents.shape()), format!("{:?}", noise.shape()));
        return Err(Error::argument("the noise", expected, got));
    }
    if latents.shape().first() != Some(&sigmas.len()) {
        let expected = format!("one for each of {:?}", latents.shape());
        return Err(Error::argument("the noise levels", expected, sigmas.len()));
    }
    if let Some(sigma) = sigmas.iter().find(|sigma| !(0.0..=1.0).contains(*sigma)) {
        return Err(Error::argument("a noise level", "0 to 1", sigma));
    }
    let sigmas = Tensor::from_slice(sigmas).to_kind(Kind::Float);
    Ok(Array::of(&add_noise(&latents.tensor(), &noise.tensor(), &sigmas)))
}

/// [`noised`] on tensors; in `f32`. Shapes: `[B, …]` and `sigmas` `[B]`.
pub(crate) fn add_noise(latents: &Tensor, noise: &Tensor, sigmas: &Tensor) -> Tensor {
    let mut shape = vec![1; latents.dim()];
    shape[0] = sigmas.size()[0];
    let sigmas = sigmas.to_kind(Kind::Float).reshape(shape);
    (1.0 - &sigmas) * latents.to_kind(Kind::Float) + sigmas * noise.to_kind(Kind::Float)
}

/// One step of Euler from one noise level to the next along the velocity; in `f32`. Shapes: all the same.
pub(crate) fn euler_step(latents: &Tensor, velocity: &Tensor, sigma: f64, next: f64) -> Tensor {
    latents + velocity.to_kind(Kind::Float) * (next - sigma)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Golden;

    #[derive(Deserialize)]
    struct Sampler {
        scheduler: String,
        n_tokens: usize,
        n_steps: usize,
        sigmas: Vec<f64>,
    }

    #[derive(Deserialize)]
    struct Training {
        scheduler: String,
        u: f64,
        sigma: f64,
        bf16: f64,
    }

    fn near(a: f64, b: f64) -> bool {
        (a - b).abs() <= 1e-6
    }

    #[test]
    fn the_levels_of_the_sampler_are_those_of_diffusers() {
        let golden = Golden::read("flux");
        for case in golden.fact::<Vec<Sampler>>("/schedules/sampler") {
            let config = golden.fact(&format!("/schedulers/{}", case.scheduler));
            let got = sampler_sigmas(case.n_steps, case.n_tokens, &config);
            let is_equal =
                got.len() == case.sigmas.len() && got.iter().zip(&case.sigmas).all(|(a, b)| near(*a, *b));
            assert!(is_equal, "{} {}: {got:?}", case.scheduler, case.n_tokens);
        }
    }

    #[test]
    fn the_levels_of_training_are_those_of_diffusers() {
        let golden = Golden::read("flux");
        for case in golden.fact::<Vec<Training>>("/schedules/training") {
            let config = golden.fact(&format!("/schedulers/{}", case.scheduler));
            let exact = training_sigma(case.u, &config, SigmaRounding::None).unwrap();
            let rounded = training_sigma(case.u, &config, SigmaRounding::Bf16).unwrap();
            assert!(near(exact, case.sigma), "u = {}: {exact}", case.u);
            assert!(rounded == case.bf16, "u = {}: {rounded}", case.u);
        }
        for u in [1.0, -0.1, f64::NAN] {
            let error = training_sigma(u, &SchedulerConfig::flux_dev(), SigmaRounding::None).unwrap_err();
            let expected = format!("a uniform draw: expected 0 to 1, 1 excluded, got {u}");
            assert_eq!(error.to_string(), expected);
        }
    }

    #[test]
    fn bf16_is_the_nearest_with_ties_to_even() {
        // torch 2.11: torch.tensor(x).bfloat16().float().
        for (number, expected) in [
            (0.001, 0.000_999_450_7),
            (0.3, 0.300_781_25),
            (0.301, 0.300_781_25),
            (0.999, 1.0),
            (1.0, 1.0),
            (1.003_906_3, 1.0),
            (1.011_718_8, 1.015_625),
        ] {
            assert_eq!(SigmaRounding::Bf16.round(number) as f32, expected);
        }
    }

    #[test]
    fn the_published_configurations_are_the_constants() {
        let golden = Golden::read("flux");
        let read = |name: &str| golden.fact::<SchedulerConfig>(&format!("/schedulers/{name}"));
        assert_eq!(read("dev"), SchedulerConfig::flux_dev());
        assert_eq!(read("schnell"), SchedulerConfig::flux_schnell());
    }

    #[test]
    fn another_scheduler_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("scheduler_config.json");
        for (text, expected) in [
            (
                r#"{"_class_name": "DDIMScheduler"}"#,
                r#"expected `_class_name` = "FlowMatchEulerDiscreteScheduler", got "DDIMScheduler""#,
            ),
            (
                r#"{"use_karras_sigmas": true}"#,
                "expected `use_karras_sigmas` = false, got true",
            ),
            (
                r#"{"shift_terminal": 0.02}"#,
                "expected `shift_terminal` = null, got 0.02",
            ),
            (r#"{"shift": 0.0}"#, "expected `shift` above 0, got 0"),
        ] {
            std::fs::write(&path, text).unwrap();
            let error = SchedulerConfig::read(&path).unwrap_err().to_string();
            assert!(error.ends_with(expected), "{error}");
        }
        std::fs::write(&path, r#"{"shift": 2.0, "shift_terminal": null}"#).unwrap();
        assert_eq!(SchedulerConfig::read(&path).unwrap().shift, 2.0);
    }

    #[test]
    fn a_noised_image_lies_between_image_and_noise() {
        let image = Array::new(&[2, 2], vec![1.0, 2.0, 3.0, 4.0]).unwrap();
        let noise = Array::new(&[2, 2], vec![-1.0, 0.0, 1.0, 8.0]).unwrap();
        let got = noised(&image, &noise, &[0.25, 1.0]).unwrap();
        assert_eq!(got.values(), [0.5, 1.5, 1.0, 8.0]);
        let error = noised(&image, &noise, &[0.25]).unwrap_err();
        assert_eq!(
            error.to_string(),
            "the noise levels: expected one for each of [2, 2], got 1"
        );
        let error = noised(&image, &noise, &[0.25, 1.5]).unwrap_err();
        assert_eq!(error.to_string(), "a noise level: expected 0 to 1, got 1.5");
    }
}
