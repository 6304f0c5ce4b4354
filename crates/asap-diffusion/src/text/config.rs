//! Sizes of the text encoders, as transformers writes them.

use std::path::Path;

use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::{Error, Result};

/// The function between the two layers of CLIP's feed-forward part.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq)]
#[serde(rename_all = "snake_case")]
pub enum ClipActivation {
    /// `x * sigmoid(1.702 x)`: OpenAI's networks.
    QuickGelu,
    /// The exact one: OpenCLIP's networks.
    Gelu,
}

/// Sizes and constants of a text encoder of CLIP.
#[derive(Clone, Debug, Deserialize, PartialEq)]
pub struct ClipConfig {
    /// Tokens that it knows.
    pub vocab_size: i64,
    /// Width of a token.
    pub hidden_size: i64,
    /// Width between the two layers of the feed-forward part.
    pub intermediate_size: i64,
    /// Width of the projected vector.
    pub projection_dim: i64,
    /// Layers.
    pub num_hidden_layers: usize,
    /// Heads of each attention.
    pub num_attention_heads: i64,
    /// Tokens that it reads.
    pub max_position_embeddings: i64,
    /// The function of the feed-forward part.
    pub hidden_act: ClipActivation,
    /// Of the normalisations.
    pub layer_norm_eps: f64,
    /// The token whose vector stands for the text. 2 is what the first files say, wrongly: with it the highest
    /// token is taken, as transformers does.
    pub eos_token_id: i64,
}

impl ClipConfig {
    /// OpenAI's ViT-L/14, the first encoder of SDXL and of FLUX: for files that have no configuration beside them.
    ///
    /// Source: `text_encoder/config.json` of stable-diffusion-xl-base-1.0.
    pub fn clip_l() -> Self {
        Self {
            vocab_size: 49_408,
            hidden_size: 768,
            intermediate_size: 3072,
            projection_dim: 768,
            num_hidden_layers: 12,
            num_attention_heads: 12,
            max_position_embeddings: 77,
            hidden_act: ClipActivation::QuickGelu,
            layer_norm_eps: 1e-5,
            eos_token_id: 2,
        }
    }

    /// OpenCLIP's ViT-bigG/14, the second encoder of SDXL: for files that have no configuration beside them.
    ///
    /// Source: `text_encoder_2/config.json` of stable-diffusion-xl-base-1.0.
    pub fn big_g() -> Self {
        Self {
            hidden_size: 1280,
            intermediate_size: 5120,
            projection_dim: 1280,
            num_hidden_layers: 32,
            num_attention_heads: 20,
            hidden_act: ClipActivation::Gelu,
            ..Self::clip_l()
        }
    }

    /// Reads the `config.json` of transformers.
    ///
    /// # Errors
    /// [`Error::Io`]; [`Error::File`] where a key is missing or asks for a network of another kind.
    pub fn read(path: &Path) -> Result<Self> {
        let config: Self = read(path, "the configuration of CLIP's text encoder")?;
        let (width, n_heads) = (config.hidden_size, config.num_attention_heads);
        if n_heads < 1 || width % n_heads != 0 {
            return Err(Error::file(
                path,
                format!("a width that is a multiple of {n_heads} heads"),
                width.to_string(),
            ));
        }
        if config.num_hidden_layers < 2 {
            return Err(Error::file(
                path,
                "at least 2 layers",
                config.num_hidden_layers.to_string(),
            ));
        }
        Ok(config)
    }
}

/// The feed-forward part of T5.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq)]
#[serde(rename_all = "kebab-case")]
pub enum T5FeedForward {
    /// Two layers multiplied, one of them through GELU: T5 1.1, the one of FLUX.
    GatedGelu,
}

/// Sizes and constants of a text encoder of T5.
#[derive(Clone, Debug, Deserialize, PartialEq)]
pub struct T5Config {
    /// Tokens that it knows.
    pub vocab_size: i64,
    /// Width of a token.
    pub d_model: i64,
    /// Width of a head.
    pub d_kv: i64,
    /// Width between the layers of the feed-forward part.
    pub d_ff: i64,
    /// Layers.
    pub num_layers: usize,
    /// Heads of each attention.
    pub num_heads: i64,
    /// Rows of the table of distances.
    pub relative_attention_num_buckets: i64,
    /// From here on all distances share a row. Files from before the key mean 128.
    #[serde(default = "first_max_distance")]
    pub relative_attention_max_distance: i64,
    /// Of the normalisations.
    pub layer_norm_epsilon: f64,
    /// The kind of feed-forward part.
    pub feed_forward_proj: T5FeedForward,
}

fn first_max_distance() -> i64 {
    128
}

impl T5Config {
    /// Reads the `config.json` of transformers.
    ///
    /// # Errors
    /// [`Error::Io`]; [`Error::File`] where a key is missing or asks for a network of another kind.
    pub fn read(path: &Path) -> Result<Self> {
        let config: Self = read(path, "the configuration of a T5 encoder")?;
        let (n_rows, distance) = (
            config.relative_attention_num_buckets,
            config.relative_attention_max_distance,
        );
        // Half of the rows are for each direction, half of those for single distances.
        if n_rows < 4 || n_rows % 4 != 0 || distance <= n_rows / 4 {
            let expected =
                "a multiple of 4 rows of distances, and a farthest distance beyond a quarter of it";
            return Err(Error::file(path, expected, format!("{n_rows} and {distance}")));
        }
        Ok(config)
    }
}

fn read<T: DeserializeOwned>(path: &Path, what: &str) -> Result<T> {
    let text = std::fs::read(path).map_err(|source| Error::io(path, "read", source))?;
    serde_json::from_slice(&text).map_err(|error| Error::file(path, what, error.to_string()))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn written(value: &serde_json::Value) -> (tempfile::TempDir, std::path::PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("config.json");
        std::fs::write(&path, value.to_string()).unwrap();
        (folder, path)
    }

    #[test]
    fn the_file_of_clip_l_is_the_preset() {
        let mut stored = json!({
            "architectures": ["CLIPTextModel"], "bos_token_id": 0, "eos_token_id": 2, "hidden_act": "quick_gelu",
            "hidden_size": 768, "intermediate_size": 3072, "layer_norm_eps": 1e-5,
            "max_position_embeddings": 77, "num_attention_heads": 12, "num_hidden_layers": 12,
            "projection_dim": 768, "vocab_size": 49408,
        });
        let (_folder, path) = written(&stored);
        assert_eq!(ClipConfig::read(&path).unwrap(), ClipConfig::clip_l());
        for (key, value, message) in [
            (
                "hidden_act",
                json!("relu"),
                "unknown variant `relu`, expected `quick_gelu` or `gelu`",
            ),
            (
                "num_attention_heads",
                json!(5),
                "expected a width that is a multiple of 5 heads, got 768",
            ),
            ("num_hidden_layers", json!(1), "expected at least 2 layers, got 1"),
        ] {
            let before = std::mem::replace(&mut stored[key], value);
            let (_folder, path) = written(&stored);
            let error = ClipConfig::read(&path).unwrap_err().to_string();
            assert!(error.contains(message), "{error}");
            stored[key] = before;
        }
    }

    #[test]
    fn another_t5_is_refused() {
        let mut stored = json!({
            "vocab_size": 32128, "d_model": 4096, "d_kv": 64, "d_ff": 10240, "num_layers": 24, "num_heads": 64,
            "relative_attention_num_buckets": 32, "layer_norm_epsilon": 1e-6, "feed_forward_proj": "gated-gelu",
        });
        let (_folder, path) = written(&stored);
        assert_eq!(
            T5Config::read(&path).unwrap().relative_attention_max_distance,
            128
        );
        stored["feed_forward_proj"] = json!("relu");
        let (_folder, path) = written(&stored);
        let error = T5Config::read(&path).unwrap_err().to_string();
        assert!(
            error.contains("unknown variant `relu`, expected `gated-gelu`"),
            "{error}"
        );
        stored["feed_forward_proj"] = json!("gated-gelu");
        stored["relative_attention_num_buckets"] = json!(6);
        let (_folder, path) = written(&stored);
        let error = T5Config::read(&path).unwrap_err().to_string();
        assert!(error.ends_with("got 6 and 128"), "{error}");
    }
}
