//! What the shapes of ImageReward's tensors do not tell: heads and epsilon.

use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::scorers::config_file;
use crate::weights::Fault;
use crate::{Error, Result};

/// Epsilon of the norms of BERT where no file says otherwise.
const TEXT_NORM_EPSILON: f64 = 1e-12;

/// `med_config.json` of the publishers, of which few keys matter, and one key more.
#[derive(Clone, Debug, Default, Deserialize)]
pub(super) struct Config {
    #[serde(skip)]
    path: PathBuf,
    /// Of the text tower.
    num_attention_heads: Option<usize>,
    layer_norm_eps: Option<f64>,
    hidden_act: Option<String>,
    /// Of the image tower. The publishers' file has no such key, for the reference has the number in code.
    vision_num_attention_heads: Option<usize>,
}

impl Config {
    /// Reads the file; where there is none, the configuration says nothing.
    ///
    /// # Errors
    /// [`Error::Weights`] when it is no configuration, or says that the text tower has no GELU.
    pub(super) fn read(path: &Path) -> Result<Self> {
        let mut config: Self = config_file::read(path, "ImageReward")?.unwrap_or_default();
        config.path = path.to_owned();
        match config.hidden_act.as_deref() {
            None | Some("gelu") => Ok(config),
            Some(other) => Err(config.unfit(format!(
                "expected `hidden_act` `gelu`, got `{other}`: it is of another network"
            ))),
        }
    }

    /// Heads of the image tower.
    pub(super) fn n_vision_heads(&self, width: usize, weights: &Path) -> Result<usize> {
        let known = matches!(width, 768 | 1024).then_some(width / 64);
        self.heads(
            "image tower",
            self.vision_num_attention_heads.or(known),
            width,
            weights,
        )
    }

    /// Heads of the text tower.
    pub(super) fn n_text_heads(&self, width: usize, weights: &Path) -> Result<usize> {
        let known = (width == 768).then_some(12);
        self.heads("text tower", self.num_attention_heads.or(known), width, weights)
    }

    /// Epsilon of the norms of the text tower.
    pub(super) fn text_norm_epsilon(&self) -> f64 {
        self.layer_norm_eps.unwrap_or(TEXT_NORM_EPSILON)
    }

    fn heads(&self, tower: &str, n_heads: Option<usize>, width: usize, weights: &Path) -> Result<usize> {
        match n_heads {
            Some(n_heads) if n_heads > 0 && width.is_multiple_of(n_heads) => Ok(n_heads),
            Some(n_heads) => Err(self.unfit(format!(
                "expected a number of heads of the {tower} that divides its width {width}, got {n_heads}"
            ))),
            None => Err(Error::weights(
                weights,
                Fault::Unfit {
                    what: format!(
                        "no tensor tells the number of heads of the {tower} of width {width}, and no published \
                         network has that width: put its configuration beside it"
                    ),
                },
            )),
        }
    }

    fn unfit(&self, what: String) -> Error {
        Error::weights(&self.path, Fault::Unfit { what })
    }
}
