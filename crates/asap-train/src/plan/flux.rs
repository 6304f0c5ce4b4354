//! The arithmetic of FLUX's transformer.

use super::sizes::Layer;
use crate::config::Settings;
use crate::data::TINY_TEXT_DIM;

/// Sizes of a transformer of FLUX's shape, as in its `config.json`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FluxSizes {
    /// Width of the stream: heads times their width.
    pub width: u32,
    /// Blocks with two streams.
    pub n_double: u32,
    /// Blocks with one.
    pub n_single: u32,
    /// Channels of a packed token.
    pub packed_channels: u32,
    /// Width of the text's tokens.
    pub text_width: u32,
    /// Width of the pooled text.
    pub pooled_width: u32,
}

/// Vectors of the stream's width that a double block keeps for each token: inputs of the two norms, the input of
/// the adapters of q, k and v, q and k before and after norm and rotation, v, the result of attention, and what is
/// before GELU.
const DOUBLE_KEPT: f64 = 13.0;
/// More of them with adapters in the feed-forward part: its two inputs.
const DOUBLE_FEED_FORWARD_KEPT: f64 = 5.0;
/// Those of a single block, which has one norm.
const SINGLE_KEPT: f64 = 12.0;
/// More of them with adapters in its fused output: its input.
const SINGLE_OUTPUT_KEPT: f64 = 5.0;

impl FluxSizes {
    /// FLUX.1-dev.
    pub const fn dev() -> Self {
        Self {
            width: 3072,
            n_double: 19,
            n_single: 38,
            packed_channels: 64,
            text_width: 4096,
            pooled_width: 768,
        }
    }

    /// The base that the preset `tiny` makes.
    pub const fn tiny() -> Self {
        Self {
            width: 128,
            n_double: 2,
            n_single: 2,
            packed_channels: 64,
            text_width: TINY_TEXT_DIM as u32,
            pooled_width: TINY_TEXT_DIM as u32,
        }
    }

    fn width(&self) -> f64 {
        f64::from(self.width)
    }

    fn n_tokens(settings: &Settings) -> f64 {
        let side = f64::from(settings.model.resolution_px / 16);
        side * side + f64::from(settings.model.text_tokens)
    }

    pub(super) fn n_blocks(&self) -> f64 {
        f64::from(self.n_double + self.n_single)
    }

    /// Each token passes 12 squares of the width in a block of either kind.
    pub(super) fn forward_flop(&self, settings: &Settings) -> (f64, f64) {
        let (n, width) = (Self::n_tokens(settings), self.width());
        let layers = self.n_blocks() * 12.0 * width * width * n;
        let attention = self.n_blocks() * 2.0 * n * n * width;
        (2.0 * layers, 2.0 * attention)
    }

    pub(super) fn kept_numbers(&self, settings: &Settings) -> f64 {
        let suffixes = settings.lora.targets.suffixes(settings.model.backbone);
        let has = |word: &str| suffixes.iter().any(|target| target.contains(word));
        let feed_forward = if has("net.") {
            DOUBLE_FEED_FORWARD_KEPT
        } else {
            0.0
        };
        let output = if has("proj_out") { SINGLE_OUTPUT_KEPT } else { 0.0 };
        let (double, single) = (DOUBLE_KEPT + feed_forward, SINGLE_KEPT + output);
        let all = f64::from(self.n_double) * double + f64::from(self.n_single) * single;
        let again = settings.run.checkpointing.share();
        // A block that is computed again keeps its input, and is whole while its turn lasts.
        let one = if again > 0.0 { double.max(single) } else { 0.0 };
        let vectors = (1.0 - again) * all + again * self.n_blocks() + one;
        vectors * Self::n_tokens(settings) * self.width()
    }

    pub(super) fn layers(&self) -> Vec<Layer> {
        let (width, double, single) = (self.width(), f64::from(self.n_double), f64::from(self.n_single));
        let mut layers = Vec::new();
        for name in [
            "to_q",
            "to_k",
            "to_v",
            "to_out.0",
            "add_q_proj",
            "add_k_proj",
            "add_v_proj",
            "to_add_out",
        ] {
            layers.push(Layer::new(
                &format!("transformer_blocks.attn.{name}"),
                width,
                width,
                double,
            ));
        }
        for part in ["ff", "ff_context"] {
            layers.push(Layer::new(
                &format!("transformer_blocks.{part}.net.0.proj"),
                width,
                4.0 * width,
                double,
            ));
            layers.push(Layer::new(
                &format!("transformer_blocks.{part}.net.2"),
                4.0 * width,
                width,
                double,
            ));
        }
        for name in ["to_q", "to_k", "to_v"] {
            layers.push(Layer::new(
                &format!("single_transformer_blocks.attn.{name}"),
                width,
                width,
                single,
            ));
        }
        layers.push(Layer::new(
            "single_transformer_blocks.proj_mlp",
            width,
            4.0 * width,
            single,
        ));
        layers.push(Layer::new(
            "single_transformer_blocks.proj_out",
            5.0 * width,
            width,
            single,
        ));
        layers
    }

    /// Squares of the width: 18 for each stream of a double block (6 of them for its modulation), 15 for a single
    /// block (3 of them), then the embeddings and the last layers.
    pub(super) fn n_weights(&self) -> f64 {
        let width = self.width();
        let ends =
            f64::from(2 * self.packed_channels + self.text_width + self.pooled_width + 2 * 256) * width;
        self.n_blocks() * self.block_weights() + 5.0 * width * width + ends
    }

    pub(super) fn block_weights(&self) -> f64 {
        let squares = 36.0 * f64::from(self.n_double) + 15.0 * f64::from(self.n_single);
        squares * self.width() * self.width() / self.n_blocks().max(1.0)
    }
}
