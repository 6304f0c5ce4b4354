//! What distinguishes one autoencoder from another.

use std::path::Path;

use serde::Deserialize;

use crate::{Error, Result};

/// Sizes and constants of an autoencoder.
#[derive(Clone, Debug, PartialEq)]
pub struct VaeConfig {
    /// Channels of each level, from the pixels inwards; each level but the last halves the sides.
    pub block_out_channels: Vec<i64>,
    /// Residual layers per level of the encoder; the decoder has one more.
    pub layers_per_block: usize,
    /// Channels of a latent.
    pub latent_channels: i64,
    /// Groups of the normalisations.
    pub norm_num_groups: i64,
    /// Side of the images it was trained on, in pixels; the side of a tile in diffusers.
    pub sample_size: usize,
    /// What a latent is multiplied with, after the shift, so that its variance is about 1.
    pub scaling_factor: f64,
    /// What is taken from a latent before the scaling.
    pub shift_factor: f64,
    /// Whether a 1x1 convolution follows the encoder.
    pub use_quant_conv: bool,
    /// Whether a 1x1 convolution stands before the decoder.
    pub use_post_quant_conv: bool,
    /// Whether the innermost level attends over the whole image.
    pub mid_block_add_attention: bool,
}

impl VaeConfig {
    /// FLUX.1: for its original `ae.safetensors`, which has no configuration beside it.
    ///
    /// Source: `params` of `flux-dev` in black-forest-labs/flux, `src/flux/util.py`.
    pub fn flux() -> Self {
        Self {
            latent_channels: 16,
            scaling_factor: 0.3611,
            shift_factor: 0.1159,
            use_quant_conv: false,
            use_post_quant_conv: false,
            ..Self::sdxl()
        }
    }

    /// SDXL: for its original single file, which has no configuration beside it.
    ///
    /// Source: `first_stage_config` and `scale_factor` in Stability's generative-models, `sd_xl_base.yaml`.
    pub fn sdxl() -> Self {
        Self {
            block_out_channels: vec![128, 256, 512, 512],
            layers_per_block: 2,
            latent_channels: 4,
            norm_num_groups: 32,
            sample_size: 1024,
            scaling_factor: 0.13025,
            shift_factor: 0.0,
            use_quant_conv: true,
            use_post_quant_conv: true,
            mid_block_add_attention: true,
        }
    }

    /// Reads the `config.json` of diffusers.
    ///
    /// # Errors
    /// [`Error::Io`]; [`Error::File`] where a key is missing or asks for a network of another kind.
    pub fn read(path: &Path) -> Result<Self> {
        let text = std::fs::read(path).map_err(|source| Error::io(path, "read", source))?;
        let stored: Stored = serde_json::from_slice(&text)
            .map_err(|error| Error::file(path, "the configuration of an autoencoder", error.to_string()))?;
        stored.check(path)?;
        Ok(Self {
            block_out_channels: stored.block_out_channels,
            layers_per_block: stored.layers_per_block,
            latent_channels: stored.latent_channels,
            norm_num_groups: stored.norm_num_groups,
            sample_size: stored.sample_size,
            scaling_factor: stored.scaling_factor,
            shift_factor: stored.shift_factor.unwrap_or_default(),
            use_quant_conv: stored.use_quant_conv,
            use_post_quant_conv: stored.use_post_quant_conv,
            mid_block_add_attention: stored.mid_block_add_attention,
        })
    }

    /// Pixels along a side per cell of the latent.
    pub fn factor(&self) -> usize {
        1 << (self.block_out_channels.len() - 1)
    }
}

/// The file. The keys with a default came later: older files are without them and mean these values.
#[derive(Deserialize)]
struct Stored {
    in_channels: i64,
    out_channels: i64,
    down_block_types: Vec<String>,
    up_block_types: Vec<String>,
    block_out_channels: Vec<i64>,
    layers_per_block: usize,
    act_fn: String,
    latent_channels: i64,
    norm_num_groups: i64,
    sample_size: usize,
    scaling_factor: f64,
    shift_factor: Option<f64>,
    latents_mean: Option<Vec<f64>>,
    latents_std: Option<Vec<f64>>,
    #[serde(default = "yes")]
    use_quant_conv: bool,
    #[serde(default = "yes")]
    use_post_quant_conv: bool,
    #[serde(default = "yes")]
    mid_block_add_attention: bool,
}

fn yes() -> bool {
    true
}

impl Stored {
    /// Refuses what this network does not do, rather than to do something else.
    fn check(&self, path: &Path) -> Result<()> {
        let n_levels = self.block_out_channels.len();
        let is_levels =
            |types: &[String], kind: &str| types.len() == n_levels && types.iter().all(|found| found == kind);
        if n_levels == 0 || !is_levels(&self.down_block_types, "DownEncoderBlock2D") {
            let expected = format!("{n_levels} times `DownEncoderBlock2D`, at least one");
            return Err(Error::file(
                path,
                expected,
                format!("{:?}", self.down_block_types),
            ));
        }
        if !is_levels(&self.up_block_types, "UpDecoderBlock2D") {
            let expected = format!("{n_levels} times `UpDecoderBlock2D`");
            return Err(Error::file(path, expected, format!("{:?}", self.up_block_types)));
        }
        if self.norm_num_groups < 1
            || self
                .block_out_channels
                .iter()
                .any(|n| n % self.norm_num_groups != 0)
        {
            let expected = format!("channels in {} groups", self.norm_num_groups);
            return Err(Error::file(
                path,
                expected,
                format!("{:?}", self.block_out_channels),
            ));
        }
        if (self.in_channels, self.out_channels) != (3, 3) {
            let got = format!("{} and {}", self.in_channels, self.out_channels);
            return Err(Error::file(path, "3 colours in and out", got));
        }
        if self.act_fn != "silu" {
            return Err(Error::file(
                path,
                "the activation `silu`",
                format!("`{}`", self.act_fn),
            ));
        }
        if self.latents_mean.is_some() || self.latents_std.is_some() {
            return Err(Error::file(
                path,
                "one scale and one shift for all channels",
                "`latents_mean` or `latents_std`",
            ));
        }
        if !self.scaling_factor.is_normal() {
            return Err(Error::file(
                path,
                "a scale other than 0",
                self.scaling_factor.to_string(),
            ));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read(change: &[(&str, serde_json::Value)]) -> Result<VaeConfig> {
        let mut stored = json!({
            "_class_name": "AutoencoderKL",
            "in_channels": 3, "out_channels": 3,
            "down_block_types": vec!["DownEncoderBlock2D"; 4],
            "up_block_types": vec!["UpDecoderBlock2D"; 4],
            "block_out_channels": [128, 256, 512, 512],
            "layers_per_block": 2, "act_fn": "silu", "latent_channels": 4, "norm_num_groups": 32,
            "sample_size": 1024, "scaling_factor": 0.13025,
        });
        for (key, value) in change {
            stored[*key] = value.clone();
        }
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("config.json");
        std::fs::write(&path, stored.to_string()).unwrap();
        VaeConfig::read(&path)
    }

    #[test]
    fn the_files_of_both_backbones_are_the_presets() {
        assert_eq!(read(&[]).unwrap(), VaeConfig::sdxl());
        assert_eq!(VaeConfig::sdxl().factor(), 8);
        let flux = [
            ("latent_channels", json!(16)),
            ("scaling_factor", json!(0.3611)),
            ("shift_factor", json!(0.1159)),
            ("use_quant_conv", json!(false)),
            ("use_post_quant_conv", json!(false)),
        ];
        assert_eq!(read(&flux).unwrap(), VaeConfig::flux());
    }

    #[test]
    fn networks_of_another_kind_are_refused() {
        let cases = [
            (
                "act_fn",
                json!("relu"),
                "expected the activation `silu`, got `relu`",
            ),
            (
                "in_channels",
                json!(4),
                "expected 3 colours in and out, got 4 and 3",
            ),
            (
                "norm_num_groups",
                json!(3),
                "expected channels in 3 groups, got [128, 256, 512, 512]",
            ),
            (
                "latents_mean",
                json!([0.5]),
                "expected one scale and one shift for all channels",
            ),
            (
                "up_block_types",
                json!(["UpDecoderBlock2D"]),
                "expected 4 times `UpDecoderBlock2D`",
            ),
            (
                "scaling_factor",
                json!(0.0),
                "expected a scale other than 0, got 0",
            ),
            (
                "sample_size",
                json!(null),
                "expected the configuration of an autoencoder",
            ),
        ];
        for (key, value, message) in cases {
            let error = read(&[(key, value)]).unwrap_err().to_string();
            assert!(error.contains(message), "{key}: {error}");
        }
    }
}
