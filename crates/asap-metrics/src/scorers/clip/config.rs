//! What the shapes of tensors do not tell: heads, activation, epsilon.

use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::scorers::config_file;
use crate::scorers::network::Activation;
use crate::weights::Fault;
use crate::{Error, Result};

/// Epsilon of CLIP's norms where no file says otherwise.
const NORM_EPSILON: f64 = 1e-5;

/// Which of the two towers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tower {
    /// Images.
    Vision,
    /// Texts.
    Text,
}

impl std::fmt::Display for Tower {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Vision => "image tower",
            Self::Text => "text tower",
        })
    }
}

/// What a configuration file says, if there is one: `config.json` of `transformers` or `open_clip_config.json`.
#[derive(Clone, Debug, Default)]
pub(crate) struct Config {
    path: PathBuf,
    vision: TowerConfig,
    text: TowerConfig,
}

#[derive(Clone, Copy, Debug, Default)]
struct TowerConfig {
    n_heads: Option<usize>,
    head_width: Option<usize>,
    activation: Option<Activation>,
    norm_epsilon: Option<f64>,
}

impl Config {
    /// Reads the file; where there is none, the configuration says nothing.
    ///
    /// # Errors
    /// [`Error::Weights`] when it is no configuration of a CLIP network.
    pub(crate) fn read(path: &Path) -> Result<Self> {
        let refuse = |what: String| unfit(path, what);
        let Some(file) = config_file::read::<File>(path, "a CLIP network")? else {
            return Ok(Self::default());
        };
        let (vision, text) = match file {
            File::OpenClip { model_cfg } => model_cfg.towers(),
            File::HuggingFace {
                vision_config,
                text_config,
            } => (
                vision_config.tower().map_err(refuse)?,
                text_config.tower().map_err(refuse)?,
            ),
        };
        Ok(Self {
            path: path.to_owned(),
            vision,
            text,
        })
    }

    /// The heads of a tower: those of the file, or the known ones of its width.
    ///
    /// # Errors
    /// [`Error::Weights`] when neither is there, or the heads do not divide the width.
    pub(crate) fn n_heads(&self, tower: Tower, width: usize, weights: &Path) -> Result<usize> {
        let told = self.tower(tower);
        let n_heads = told
            .n_heads
            .or_else(|| told.head_width.map(|head_width| width / head_width.max(1)))
            .or_else(|| known_heads(tower, width));
        match n_heads {
            Some(n_heads) if n_heads > 0 && width.is_multiple_of(n_heads) => Ok(n_heads),
            Some(n_heads) => Err(unfit(
                &self.path,
                format!("expected a number of heads that divides the width {width}, got {n_heads}"),
            )),
            None => Err(unfit(
                weights,
                format!(
                    "no tensor tells the number of heads of the {tower} of width {width}, and no published network \
                     has that width: put its configuration beside it"
                ),
            )),
        }
    }

    /// Refuses a file that has another activation than the network is known to have.
    pub(crate) fn check_activation(&self, tower: Tower, expected: Activation) -> Result<()> {
        match self.tower(tower).activation {
            Some(got) if got != expected => Err(unfit(
                &self.path,
                format!(
                    "expected the activation `{}` in the {tower}, got `{}`: it is of another network",
                    expected.name(),
                    got.name()
                ),
            )),
            _ => Ok(()),
        }
    }

    /// Epsilon of the norms of a tower.
    pub(crate) fn norm_epsilon(&self, tower: Tower) -> f64 {
        self.tower(tower).norm_epsilon.unwrap_or(NORM_EPSILON)
    }

    const fn tower(&self, tower: Tower) -> &TowerConfig {
        match tower {
            Tower::Vision => &self.vision,
            Tower::Text => &self.text,
        }
    }
}

fn unfit(path: &Path, what: String) -> Error {
    Error::weights(path, Fault::Unfit { what })
}

/// Heads of the published CLIP networks: 64 wide, but for the image tower of ViT-H, where they are 80 wide.
fn known_heads(tower: Tower, width: usize) -> Option<usize> {
    match (tower, width) {
        (_, 512) => Some(8),
        (_, 768) => Some(12),
        (_, 1024) | (Tower::Vision, 1280) => Some(16),
        (Tower::Text, 1280) => Some(20),
        _ => None,
    }
}

#[derive(Deserialize)]
#[serde(untagged)]
enum File {
    OpenClip {
        model_cfg: OpenClipConfig,
    },
    HuggingFace {
        vision_config: HuggingFaceTower,
        text_config: HuggingFaceTower,
    },
}

#[derive(Deserialize)]
struct OpenClipConfig {
    #[serde(default)]
    quick_gelu: bool,
    vision_cfg: OpenClipVision,
    text_cfg: OpenClipText,
}

#[derive(Deserialize)]
struct OpenClipVision {
    head_width: Option<usize>,
}

#[derive(Deserialize)]
struct OpenClipText {
    heads: Option<usize>,
}

impl OpenClipConfig {
    fn towers(&self) -> (TowerConfig, TowerConfig) {
        let activation = if self.quick_gelu {
            Activation::QuickGelu
        } else {
            Activation::Gelu
        };
        let of = |n_heads, head_width| TowerConfig {
            n_heads,
            head_width,
            activation: Some(activation),
            norm_epsilon: None,
        };
        (
            of(None, self.vision_cfg.head_width),
            of(self.text_cfg.heads, None),
        )
    }
}

#[derive(Deserialize)]
struct HuggingFaceTower {
    num_attention_heads: Option<usize>,
    hidden_act: Option<String>,
    layer_norm_eps: Option<f64>,
}

impl HuggingFaceTower {
    fn tower(&self) -> std::result::Result<TowerConfig, String> {
        let activation = match self.hidden_act.as_deref() {
            None => None,
            Some("quick_gelu") => Some(Activation::QuickGelu),
            Some("gelu") => Some(Activation::Gelu),
            Some(other) => {
                return Err(format!(
                    "expected `hidden_act` `gelu` or `quick_gelu`, got `{other}`"
                ));
            }
        };
        Ok(TowerConfig {
            n_heads: self.num_attention_heads,
            head_width: None,
            activation,
            norm_epsilon: self.layer_norm_eps,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Config> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("config.json");
        fs_err::write(&path, text).unwrap();
        Config::read(&path)
    }

    #[test]
    fn heads_are_told_or_known_and_never_guessed() {
        let none = Config::read(Path::new("/nowhere/config.json")).unwrap();
        let weights = Path::new("w.safetensors");
        let heads = |config: &Config, tower, width| config.n_heads(tower, width, weights).ok();
        assert_eq!(heads(&none, Tower::Vision, 1280), Some(16));
        assert_eq!(heads(&none, Tower::Vision, 1024), Some(16));
        assert_eq!(heads(&none, Tower::Text, 1280), Some(20));
        assert_eq!(heads(&none, Tower::Vision, 32), None);

        let open_clip = r#"{"model_cfg": {"embed_dim": 16, "vision_cfg": {"head_width": 8, "layers": 2},
            "text_cfg": {"heads": 2}}, "preprocess_cfg": {}}"#;
        let told = read(open_clip).unwrap();
        assert_eq!(heads(&told, Tower::Vision, 32), Some(4));
        assert_eq!(heads(&told, Tower::Text, 32), Some(2));
        assert_eq!(heads(&told, Tower::Text, 33), None);
    }

    #[test]
    fn another_activation_is_another_network() {
        let text = r#"{"vision_config": {"num_attention_heads": 4, "hidden_act": "gelu"},
            "text_config": {"hidden_act": "quick_gelu", "layer_norm_eps": 1e-6}}"#;
        let config = read(text).unwrap();
        assert!(config.check_activation(Tower::Vision, Activation::Gelu).is_ok());
        let error = config
            .check_activation(Tower::Vision, Activation::QuickGelu)
            .unwrap_err();
        let text = error.to_string();
        assert!(
            text.ends_with(
                "expected the activation `quick_gelu` in the image tower, got `gelu`: it is of another network"
            ),
            "{text}"
        );
        assert_eq!(config.norm_epsilon(Tower::Text), 1e-6);
        assert_eq!(config.norm_epsilon(Tower::Vision), 1e-5);
    }

    #[test]
    fn what_is_no_configuration_is_refused() {
        for bad in [
            "",
            "{}",
            "[1]",
            r#"{"vision_config": {"hidden_act": "relu"}, "text_config": {}}"#,
        ] {
            assert!(matches!(read(bad), Err(Error::Weights { .. })), "{bad}");
        }
    }
}
