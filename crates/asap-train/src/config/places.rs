//! Settings that are a word or a word with a number: layers, blocks, devices.

use super::choices::Backbone;
use super::value::{Value, quoted};

/// Layers that get an adapter.
///
/// Ambiguity 12: not in the paper. The presets take `feed-forward` for FLUX (the list of diffusers' script) and
/// `attention` for SDXL.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Targets {
    /// Queries, keys, values and outputs of attention.
    Attention,
    /// Those, FLUX's second set for the text, and the layers of the feed-forward parts.
    FeedForward,
    /// Those and the fused layers of FLUX's single blocks, or the projections around SDXL's transformers.
    AllLinear,
    /// The last words of the layers' paths.
    Layers(Vec<String>),
}

const ATTENTION: [&str; 4] = ["attn.to_q", "attn.to_k", "attn.to_v", "attn.to_out.0"];
const FLUX_FEED_FORWARD: [&str; 8] = [
    "attn.add_q_proj",
    "attn.add_k_proj",
    "attn.add_v_proj",
    "attn.to_add_out",
    "ff.net.0.proj",
    "ff.net.2",
    "ff_context.net.0.proj",
    "ff_context.net.2",
];
const SDXL_ATTENTION: [&str; 4] = ["to_q", "to_k", "to_v", "to_out.0"];

impl Targets {
    /// The last words of the paths of the layers that are meant.
    pub fn suffixes(&self, backbone: Backbone) -> Vec<String> {
        let is_sdxl = backbone == Backbone::Sdxl;
        let attention = if is_sdxl { SDXL_ATTENTION } else { ATTENTION };
        let feed_forward: &[&str] = if is_sdxl {
            &["ff.net.0.proj", "ff.net.2"]
        } else {
            &FLUX_FEED_FORWARD
        };
        let rest: &[&str] = if is_sdxl {
            &["proj_in", "proj_out"]
        } else {
            &["proj_mlp", "proj_out"]
        };
        let lists: &[&[&str]] = match self {
            Self::Attention => &[&attention],
            Self::FeedForward => &[&attention, feed_forward],
            Self::AllLinear => &[&attention, feed_forward, rest],
            Self::Layers(layers) => return layers.clone(),
        };
        lists.concat().into_iter().map(str::to_owned).collect()
    }
}

impl Value for Targets {
    fn expected() -> String {
        "`attention`, `feed-forward`, `all-linear` or a list of the last words of paths".to_owned()
    }

    fn from_toml(value: &toml::Value) -> Option<Self> {
        if let Some(list) = value.as_array() {
            let layers: Option<Vec<String>> = list
                .iter()
                .map(|layer| layer.as_str().map(str::to_owned))
                .collect();
            return layers.filter(|layers| !layers.is_empty()).map(Self::Layers);
        }
        match value.as_str()? {
            "attention" => Some(Self::Attention),
            "feed-forward" => Some(Self::FeedForward),
            "all-linear" => Some(Self::AllLinear),
            _ => None,
        }
    }

    fn to_toml(&self) -> String {
        match self {
            Self::Attention => quoted("attention"),
            Self::FeedForward => quoted("feed-forward"),
            Self::AllLinear => quoted("all-linear"),
            Self::Layers(layers) => {
                let layers: Vec<String> = layers.iter().map(|layer| quoted(layer)).collect();
                format!("[{}]", layers.join(", "))
            }
        }
    }
}

/// Blocks whose values are computed again in the backward pass instead of being kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Checkpointing {
    /// None: fastest.
    Off,
    /// One of so many.
    Every(u32),
    /// All: least memory.
    All,
}

impl Checkpointing {
    /// The share of the blocks that are computed again.
    pub fn share(self) -> f64 {
        match self {
            Self::Off => 0.0,
            Self::Every(n) => 1.0 / f64::from(n),
            Self::All => 1.0,
        }
    }
}

impl std::fmt::Display for Checkpointing {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Off => f.write_str("off"),
            Self::Every(n) => write!(f, "every-{n}"),
            Self::All => f.write_str("all"),
        }
    }
}

impl Value for Checkpointing {
    fn expected() -> String {
        "`off`, `all` or `every-N` with N of 2 or more".to_owned()
    }

    fn from_toml(value: &toml::Value) -> Option<Self> {
        match value.as_str()? {
            "off" => Some(Self::Off),
            "all" => Some(Self::All),
            word => {
                let n = word.strip_prefix("every-")?.parse().ok()?;
                (n >= 2).then_some(Self::Every(n))
            }
        }
    }

    fn to_toml(&self) -> String {
        quoted(&self.to_string())
    }
}

/// Where a network runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Device {
    /// The GPU of this process where there is one, else the CPU.
    Auto,
    /// The CPU.
    Cpu,
    /// The GPU of that number.
    Cuda(u32),
}

impl std::fmt::Display for Device {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Auto => f.write_str("auto"),
            Self::Cpu => f.write_str("cpu"),
            Self::Cuda(number) => write!(f, "cuda:{number}"),
        }
    }
}

impl Value for Device {
    fn expected() -> String {
        "`auto`, `cpu` or `cuda:N`".to_owned()
    }

    fn from_toml(value: &toml::Value) -> Option<Self> {
        match value.as_str()? {
            "auto" => Some(Self::Auto),
            "cpu" => Some(Self::Cpu),
            word => word.strip_prefix("cuda:")?.parse().ok().map(Self::Cuda),
        }
    }

    fn to_toml(&self) -> String {
        quoted(&self.to_string())
    }
}
