//! What a FLUX.1 transformer is made of.

use std::path::Path;

use serde::Deserialize;
use serde_json::Value;

use crate::{Error, Result};

/// The sizes of a FLUX.1 transformer, by the names of diffusers' `config.json`.
#[derive(Clone, Debug, Eq, PartialEq, Deserialize)]
pub struct FluxConfig {
    /// Channels of a packed token: four per latent channel.
    pub in_channels: i64,
    /// Blocks with separate weights for image and text.
    pub num_layers: usize,
    /// Blocks that treat image and text as one sequence.
    pub num_single_layers: usize,
    /// Channels of one head.
    pub attention_head_dim: i64,
    /// Heads of each attention.
    pub num_attention_heads: i64,
    /// Channels of a text token (T5).
    pub joint_attention_dim: i64,
    /// Channels of the pooled text (CLIP).
    pub pooled_projection_dim: i64,
    /// Whether the network takes a guidance: FLUX.1-dev does, FLUX.1-schnell does not.
    #[serde(default)]
    pub guidance_embeds: bool,
    /// How the channels of a head are divided over the three axes of a position.
    #[serde(default = "axes_of_flux")]
    pub axes_dims_rope: [i64; 3],
}

fn axes_of_flux() -> [i64; 3] {
    [16, 56, 56]
}

/// A key with the one value that is built here, in words and as JSON.
const FIXED: [(&str, &str); 4] = [
    ("_class_name", "\"FluxTransformer2DModel\""),
    ("patch_size", "1"),
    ("qk_norm", "\"rms_norm\""),
    ("quantization_config", "null"),
];

impl FluxConfig {
    /// The sizes of FLUX.1-dev, for its original file, which has no configuration beside it.
    ///
    /// # Source
    /// `flux-dev` in `src/flux/util.py` of Black Forest Labs.
    pub fn dev() -> Self {
        Self {
            in_channels: 64,
            num_layers: 19,
            num_single_layers: 38,
            attention_head_dim: 128,
            num_attention_heads: 24,
            joint_attention_dim: 4096,
            pooled_projection_dim: 768,
            guidance_embeds: true,
            axes_dims_rope: axes_of_flux(),
        }
    }

    /// The sizes of FLUX.1-schnell: those of FLUX.1-dev without guidance.
    pub fn schnell() -> Self {
        Self {
            guidance_embeds: false,
            ..Self::dev()
        }
    }

    /// The configuration in a `config.json` of diffusers. Keys that do not change the numbers are passed over.
    ///
    /// # Errors
    /// [`Error::Io`] where the file does not read; [`Error::File`] where it is of another network, of a variant
    /// that is not built here, or contradicts itself.
    pub fn read(path: &Path) -> Result<Self> {
        let text = std::fs::read(path).map_err(|source| Error::io(path, "read", source))?;
        let broken =
            |error: serde_json::Error| Error::file(path, "a configuration of FLUX.1", error.to_string());
        let value: Value = serde_json::from_slice(&text).map_err(broken)?;
        let refuse = |(expected, got): (String, String)| Error::file(path, expected, got);
        refuse_variants(&value).map_err(refuse)?;
        let config: Self = serde_json::from_value(value).map_err(broken)?;
        config.check().map_err(refuse)?;
        Ok(config)
    }

    /// Channels of a token inside the network.
    pub fn inner_dim(&self) -> i64 {
        self.attention_head_dim * self.num_attention_heads
    }

    /// Channels of the latents before they are packed.
    pub fn latent_channels(&self) -> i64 {
        self.in_channels / 4
    }

    fn check(&self) -> std::result::Result<(), (String, String)> {
        let sizes = [
            ("in_channels", self.in_channels),
            ("attention_head_dim", self.attention_head_dim),
            ("num_attention_heads", self.num_attention_heads),
            ("joint_attention_dim", self.joint_attention_dim),
            ("pooled_projection_dim", self.pooled_projection_dim),
        ];
        if let Some((key, size)) = sizes.into_iter().find(|(_, size)| *size < 1) {
            return Err((format!("`{key}` of 1 or more"), size.to_string()));
        }
        if self.in_channels % 4 != 0 {
            let expected = "`in_channels` divisible by 4: a token is two by two cells".to_owned();
            return Err((expected, self.in_channels.to_string()));
        }
        let sum: i64 = self.axes_dims_rope.iter().sum();
        if sum != self.attention_head_dim || self.axes_dims_rope.iter().any(|dim| dim % 2 != 0 || *dim < 0) {
            let expected = format!(
                "`axes_dims_rope` of even numbers whose sum is `attention_head_dim` = {}",
                self.attention_head_dim
            );
            return Err((expected, format!("{:?}", self.axes_dims_rope)));
        }
        Ok(())
    }
}

fn refuse_variants(value: &Value) -> std::result::Result<(), (String, String)> {
    for (key, expected) in FIXED {
        let got = value.get(key).filter(|got| !got.is_null()).map(Value::to_string);
        if let Some(got) = got.filter(|got| got != expected) {
            return Err((format!("`{key}` = {expected}"), got));
        }
    }
    let out = value.get("out_channels").filter(|got| !got.is_null());
    match (out, value.get("in_channels")) {
        (Some(out), Some(n_in)) if out != n_in => Err((
            format!("`out_channels` = `in_channels` = {n_in}"),
            format!("{out}, as networks for filling and control have it"),
        )),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DEV: &str = r#"{
        "_class_name": "FluxTransformer2DModel", "_diffusers_version": "0.30.0.dev0", "attention_head_dim": 128,
        "guidance_embeds": true, "in_channels": 64, "joint_attention_dim": 4096, "num_attention_heads": 24,
        "num_layers": 19, "num_single_layers": 38, "patch_size": 1, "pooled_projection_dim": 768
    }"#;

    fn read(from: &str, to: &str) -> Result<FluxConfig> {
        assert!(DEV.contains(from));
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("config.json");
        std::fs::write(&path, DEV.replacen(from, to, 1)).unwrap();
        FluxConfig::read(&path)
    }

    fn refusal(from: &str, to: &str) -> String {
        let message = read(from, to).unwrap_err().to_string();
        let (_, after) = message.split_once("config.json`: ").unwrap();
        after.to_owned()
    }

    #[test]
    fn the_published_configurations_are_the_constants() {
        assert_eq!(read("{", "{").unwrap(), FluxConfig::dev());
        let schnell = read("\"guidance_embeds\": true", "\"guidance_embeds\": false").unwrap();
        assert_eq!(schnell, FluxConfig::schnell());
        assert_eq!((schnell.inner_dim(), schnell.latent_channels()), (3072, 16));
    }

    #[test]
    fn what_is_not_built_here_is_refused() {
        for (from, to, expected) in [
            (
                "FluxTransformer2DModel",
                "SD3Transformer2DModel",
                r#"expected `_class_name` = "FluxTransformer2DModel", got "SD3Transformer2DModel""#,
            ),
            (
                "\"patch_size\": 1",
                "\"patch_size\": 2",
                "expected `patch_size` = 1, got 2",
            ),
            (
                "{",
                r#"{"qk_norm": "layer_norm","#,
                r#"expected `qk_norm` = "rms_norm", got "layer_norm""#,
            ),
            (
                "{",
                r#"{"quantization_config": {"bits": 4},"#,
                r#"expected `quantization_config` = null, got {"bits":4}"#,
            ),
            (
                "\"in_channels\": 64",
                "\"in_channels\": 384, \"out_channels\": 64",
                "expected `out_channels` = `in_channels` = 384, got 64, as networks for filling and control have it",
            ),
            (
                "\"attention_head_dim\": 128",
                "\"attention_head_dim\": 64",
                "expected `axes_dims_rope` of even numbers whose sum is `attention_head_dim` = 64, got [16, 56, 56]",
            ),
            (
                "\"in_channels\": 64",
                "\"in_channels\": 63",
                "expected `in_channels` divisible by 4: a token is two by two cells, got 63",
            ),
            (
                "\"num_attention_heads\": 24",
                "\"num_attention_heads\": 0",
                "expected `num_attention_heads` of 1 or more, got 0",
            ),
        ] {
            assert_eq!(refusal(from, to), expected);
        }
        let error = refusal("\"num_layers\": 19,", "");
        assert!(error.contains("missing field `num_layers`"), "{error}");
    }
}
