//! The arithmetic of SDXL's UNet.

use super::sizes::Layer;
use crate::config::Settings;

/// Sizes of a UNet of SDXL's shape, as in its `config.json`: two residual layers in each block on the way down,
/// three on the way up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SdxlSizes {
    /// Channels of the three levels.
    pub channels: [u32; 3],
    /// Transformer layers after each residual layer of a level.
    pub depths: [u32; 3],
    /// Width of the text's tokens.
    pub text_width: u32,
}

/// Numbers that a transformer layer keeps for each token and channel: inputs of three norms, two inputs of
/// adapters, q, k, v and the q of the text's attention, two results of attention, and 12 of the gated unit.
const LAYER_KEPT: f64 = 23.0;
/// More with adapters in the feed-forward part: its two inputs.
const FEED_FORWARD_KEPT: f64 = 5.0;

/// A residual layer: where it is and what it joins.
struct Residual {
    level: usize,
    n_in: f64,
}

impl SdxlSizes {
    /// Stable Diffusion XL base 1.0.
    pub const fn base() -> Self {
        Self {
            channels: [320, 640, 1280],
            depths: [0, 2, 10],
            text_width: 2048,
        }
    }

    fn channels(&self, level: usize) -> f64 {
        f64::from(self.channels[level])
    }

    /// Down, middle, up.
    fn residuals(&self) -> Vec<Residual> {
        let [low, middle, high] = [0, 1, 2].map(|level| self.channels(level));
        let of = |level, widths: &[f64]| -> Vec<Residual> {
            widths.iter().map(|&n_in| Residual { level, n_in }).collect()
        };
        [
            of(0, &[low, low]),
            of(1, &[low, middle]),
            of(2, &[middle, high]),
            of(2, &[high, high]),
            of(2, &[high + high, high + high, high + middle]),
            of(1, &[high + middle, middle + middle, middle + low]),
            of(0, &[middle + low, low + low, low + low]),
        ]
        .into_iter()
        .flatten()
        .collect()
    }

    /// Transformers of a level: five, and one in the middle.
    fn n_transformers(&self, level: usize) -> f64 {
        match (self.depths[level], level) {
            (0, _) => 0.0,
            (_, 2) => 6.0,
            _ => 5.0,
        }
    }

    fn n_layers(&self, level: usize) -> f64 {
        self.n_transformers(level) * f64::from(self.depths[level])
    }

    fn n_tokens(settings: &Settings, level: usize) -> f64 {
        let side = f64::from((settings.model.resolution_px / 8) >> level);
        side * side
    }

    /// Weights of the convolutions of a residual layer.
    fn convolution_weights(&self, residual: &Residual) -> f64 {
        let n_out = self.channels(residual.level);
        let shortcut = if residual.n_in == n_out {
            0.0
        } else {
            residual.n_in * n_out
        };
        9.0 * (residual.n_in * n_out + n_out * n_out) + shortcut
    }

    /// Level of the result and weights of the convolutions between levels.
    fn steps(&self) -> [(usize, f64); 4] {
        let square = |level| 9.0 * self.channels(level) * self.channels(level);
        [(1, square(0)), (2, square(1)), (1, square(2)), (0, square(1))]
    }

    pub(super) fn forward_flop(&self, settings: &Settings) -> (f64, f64) {
        let n_text = f64::from(settings.model.text_tokens);
        let text_width = f64::from(self.text_width);
        let tokens = |level| Self::n_tokens(settings, level);
        let (mut layers, mut attention) = (0.0, 0.0);
        for residual in self.residuals() {
            layers += self.convolution_weights(&residual) * tokens(residual.level);
        }
        for (level, weights) in self.steps() {
            layers += weights * tokens(level);
        }
        layers += 2.0 * 9.0 * 4.0 * self.channels(0) * tokens(0);
        for level in 0..3 {
            let (n, width) = (tokens(level), self.channels(level));
            let one = 18.0 * width * width * n + 2.0 * width * text_width * n_text;
            layers += self.n_layers(level) * one + self.n_transformers(level) * 2.0 * width * width * n;
            attention += self.n_layers(level) * 2.0 * width * n * (n + n_text);
        }
        (2.0 * layers, 2.0 * attention)
    }

    pub(super) fn kept_numbers(&self, settings: &Settings) -> f64 {
        let suffixes = settings.lora.targets.suffixes(settings.model.backbone);
        let has_feed_forward = suffixes.iter().any(|suffix| suffix.contains("net."));
        let one = LAYER_KEPT + if has_feed_forward { FEED_FORWARD_KEPT } else { 0.0 };
        let again = settings.run.checkpointing.share();
        let mut kept = 0.0;
        for residual in self.residuals() {
            // Inputs of two norms and of two SiLU: frozen convolutions keep nothing.
            let each = 2.0 * (residual.n_in + self.channels(residual.level));
            let input = residual.n_in;
            kept += ((1.0 - again) * each + again * input) * Self::n_tokens(settings, residual.level);
        }
        let mut largest: f64 = 0.0;
        for level in 0..3 {
            let numbers = self.channels(level) * Self::n_tokens(settings, level);
            kept += self.n_layers(level) * numbers * ((1.0 - again) * one + again);
            if self.n_layers(level) > 0.0 {
                largest = largest.max(one * numbers);
            }
        }
        kept + if again > 0.0 { largest } else { 0.0 }
    }

    pub(super) fn layers(&self) -> Vec<Layer> {
        let mut layers = Vec::new();
        for level in 1..3 {
            let (width, count) = (self.channels(level), self.n_layers(level));
            for attention in ["attn1", "attn2"] {
                let n_in = if attention == "attn1" {
                    width
                } else {
                    f64::from(self.text_width)
                };
                for (name, n_in) in [
                    ("to_q", width),
                    ("to_k", n_in),
                    ("to_v", n_in),
                    ("to_out.0", width),
                ] {
                    layers.push(Layer::new(
                        &format!("transformer_blocks.{attention}.{name}"),
                        n_in,
                        width,
                        count,
                    ));
                }
            }
            layers.push(Layer::new(
                "transformer_blocks.ff.net.0.proj",
                width,
                8.0 * width,
                count,
            ));
            layers.push(Layer::new(
                "transformer_blocks.ff.net.2",
                4.0 * width,
                width,
                count,
            ));
            for name in ["attentions.proj_in", "attentions.proj_out"] {
                layers.push(Layer::new(name, width, width, self.n_transformers(level)));
            }
        }
        layers
    }

    /// Without biases and norms, which are below 0.1 %.
    pub(super) fn n_weights(&self) -> f64 {
        let time_width = 4.0 * self.channels(0);
        let residuals = self.residuals();
        let convolutions: f64 = residuals
            .iter()
            .map(|residual| self.convolution_weights(residual))
            .sum();
        let times: f64 = residuals
            .iter()
            .map(|residual| time_width * self.channels(residual.level))
            .sum();
        let steps: f64 = self.steps().iter().map(|(_, weights)| weights).sum();
        let layers: f64 = self
            .layers()
            .iter()
            .map(|layer| layer.count * layer.n_in * layer.n_out)
            .sum();
        let embeddings = (self.channels(0) + 2816.0 + 2.0 * time_width) * time_width;
        convolutions + times + steps + layers + embeddings + 2.0 * 9.0 * 4.0 * self.channels(0)
    }

    /// Transformers with the residual layer before them.
    pub(super) fn n_blocks(&self) -> f64 {
        self.residuals().len() as f64
    }

    pub(super) fn block_weights(&self) -> f64 {
        self.n_weights() / self.n_blocks()
    }
}
