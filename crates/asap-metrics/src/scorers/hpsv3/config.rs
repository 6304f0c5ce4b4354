//! What the shapes of Qwen2-VL's tensors do not tell: heads, epsilon, the base of the rotations.

use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::scorers::config_file;
use crate::weights::Fault;
use crate::{Error, Result};

/// The decoder of Qwen2-VL-7B.
const PUBLISHED_WIDTH: usize = 3584;
const PUBLISHED_HEADS: usize = 28;
const PUBLISHED_THETA: f64 = 1e6;
const PUBLISHED_EPSILON: f64 = 1e-6;
/// Its image tower.
const PUBLISHED_VISION_WIDTH: usize = 1280;
const PUBLISHED_VISION_HEADS: usize = 16;

/// Whether a decoder of this width is the published one.
pub(super) const fn is_published(width: usize) -> bool {
    width == PUBLISHED_WIDTH
}

/// `config.json` of a Qwen2-VL, of which few keys matter.
#[derive(Clone, Debug, Default, Deserialize)]
pub(super) struct Config {
    #[serde(skip)]
    path: PathBuf,
    num_attention_heads: Option<usize>,
    rope_theta: Option<f64>,
    rms_norm_eps: Option<f64>,
    hidden_act: Option<String>,
    #[serde(default)]
    vision_config: Vision,
}

#[derive(Clone, Debug, Default, Deserialize)]
struct Vision {
    num_heads: Option<usize>,
    hidden_act: Option<String>,
}

impl Config {
    /// Reads the file; where there is none, the configuration says nothing.
    ///
    /// # Errors
    /// [`Error::Weights`] when it is no configuration, or has other activations than the network.
    pub(super) fn read(path: &Path) -> Result<Self> {
        let mut config: Self = config_file::read(path, "Qwen2-VL")?.unwrap_or_default();
        config.path = path.to_owned();
        for (part, got, expected) in [
            ("decoder", &config.hidden_act, "silu"),
            ("image tower", &config.vision_config.hidden_act, "quick_gelu"),
        ] {
            if let Some(got) = got
                && got != expected
            {
                return Err(config.unfit(format!(
                    "expected the activation `{expected}` in the {part}, got `{got}`: it is of another network"
                )));
            }
        }
        Ok(config)
    }

    /// Heads of the decoder.
    pub(super) fn n_heads(&self, width: usize, weights: &Path) -> Result<usize> {
        let known = is_published(width).then_some(PUBLISHED_HEADS);
        self.heads("decoder", self.num_attention_heads.or(known), width, weights)
    }

    /// Heads of the image tower.
    pub(super) fn n_vision_heads(&self, width: usize, weights: &Path) -> Result<usize> {
        let known = (width == PUBLISHED_VISION_WIDTH).then_some(PUBLISHED_VISION_HEADS);
        self.heads(
            "image tower",
            self.vision_config.num_heads.or(known),
            width,
            weights,
        )
    }

    /// The base of the decoder's rotations.
    pub(super) fn theta(&self) -> f64 {
        self.rope_theta.unwrap_or(PUBLISHED_THETA)
    }

    /// Epsilon of the decoder's norms.
    pub(super) fn epsilon(&self) -> f64 {
        self.rms_norm_eps.unwrap_or(PUBLISHED_EPSILON)
    }

    /// Heads whose width is a multiple of four: two axes of pairs.
    fn heads(&self, part: &str, n_heads: Option<usize>, width: usize, weights: &Path) -> Result<usize> {
        match n_heads {
            Some(n_heads) if n_heads > 0 && width.is_multiple_of(4 * n_heads) => Ok(n_heads),
            Some(n_heads) => Err(self.unfit(format!(
                "expected heads of the {part} of a multiple of 4 wide, got {n_heads} of its width {width}"
            ))),
            None => Err(Error::weights(
                weights,
                Fault::Unfit {
                    what: format!(
                        "no tensor tells the number of heads of the {part} of width {width}, and the published \
                         network has another width: put its configuration beside it"
                    ),
                },
            )),
        }
    }

    fn unfit(&self, what: String) -> Error {
        Error::weights(&self.path, Fault::Unfit { what })
    }
}
