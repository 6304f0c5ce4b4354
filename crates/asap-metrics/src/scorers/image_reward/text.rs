//! BLIP's text tower: BERT that looks both ways along the text and, in every layer, at the image.

use candle_core::{Device, IndexOp as _, Result as CandleResult, Tensor};
use candle_nn::{Embedding, LayerNorm, Linear, Module as _};

use super::config::Config;
use super::tokenizer::N_TOKENS_READ;
use crate::Result;
use crate::scorers::checkpoint::Checkpoint;
use crate::scorers::network::{Activation, Attention, AttentionShape, QkvNames};

const PREFIX: &str = "blip.text_encoder";

const QKV: QkvNames = QkvNames::Split {
    query: "self.query",
    key: "self.key",
    value: "self.value",
};

/// The text tower.
pub(super) struct TextTower {
    token: Embedding,
    position: Tensor,
    norm: LayerNorm,
    layers: Vec<Layer>,
    n_tokens: usize,
}

/// What all layers have in common.
#[derive(Clone, Copy)]
struct LayerShape {
    attention: AttentionShape,
    image_width: usize,
    norm_epsilon: f64,
}

/// Norms come after each part, as in BERT: `norm(x + part(x))`.
struct Layer {
    itself: Attended,
    image: Attended,
    widen: Linear,
    narrow: Linear,
    norm: LayerNorm,
}

struct Attended {
    attention: Attention,
    norm: LayerNorm,
}

impl TextTower {
    /// Reads the tower, which looks at images of `image_width`; its other sizes are those of the tensors.
    ///
    /// # Source
    /// `image-reward` 1.5 `models/BLIP/med.py`, `BertModel` in the mode `multimodal`: no token types, no pooler.
    pub(super) fn load(checkpoint: &mut Checkpoint, config: &Config, image_width: usize) -> Result<Self> {
        let at = |name: &str| format!("{PREFIX}.embeddings.{name}");
        let [n_tokens, width] = checkpoint.shape::<2>(&at("word_embeddings.weight"))?;
        let [n_positions, _] = checkpoint.shape::<2>(&at("position_embeddings.weight"))?;
        if n_positions < N_TOKENS_READ {
            return Err(checkpoint.refusal(format!(
                "expected at least {N_TOKENS_READ} positions of the text tower, got {n_positions}"
            )));
        }
        let shape = LayerShape {
            attention: AttentionShape {
                width,
                context_width: width,
                n_heads: config.n_text_heads(width, checkpoint.path())?,
            },
            image_width,
            norm_epsilon: config.text_norm_epsilon(),
        };
        let prefix = |idx: usize| format!("{PREFIX}.encoder.layer.{idx}");
        let n_layers = checkpoint.count_blocks(prefix, "intermediate.dense.weight");
        let token = checkpoint.tensor(&at("word_embeddings.weight"), (n_tokens, width))?;
        let position = checkpoint.tensor(&at("position_embeddings.weight"), (n_positions, width))?;
        let norm = checkpoint.layer_norm(&at("LayerNorm"), width, shape.norm_epsilon)?;
        let layers = (0..n_layers.max(1)).map(|idx| Layer::load(checkpoint, &prefix(idx), shape));
        Ok(Self {
            token: Embedding::new(token, width),
            position,
            norm,
            layers: layers.collect::<Result<_>>()?,
            n_tokens,
        })
    }

    /// How many tokens it knows.
    pub(super) const fn n_tokens(&self) -> usize {
        self.n_tokens
    }

    /// The width of what it gives for each token.
    pub(super) fn width(&self) -> usize {
        self.token.hidden_size()
    }

    /// The first token of each text after the last layer.
    ///
    /// # Shapes
    /// Texts of at most as many tokens as there are positions, none empty, as many as `images` of
    /// `batch x positions x image width`; to `batch x width`.
    pub(super) fn first_hidden(&self, texts: &[&[u32]], images: &Tensor) -> CandleResult<Tensor> {
        let device = self.position.device();
        let n = texts.iter().map(|text| text.len()).max().unwrap_or(0);
        let ids: Vec<u32> = texts
            .iter()
            .flat_map(|text| text.iter().copied().chain(std::iter::repeat(0)).take(n))
            .collect();
        let ids = Tensor::from_vec(ids, (texts.len(), n), device)?;
        let x = self
            .token
            .forward(&ids)?
            .broadcast_add(&self.position.narrow(0, 0, n)?)?;
        let mask = filling_mask(texts, n, device)?;
        let x = self.layers.iter().try_fold(self.norm.forward(&x)?, |x, layer| {
            layer.forward(&x, images, &mask)
        })?;
        x.i((.., 0))?.contiguous()
    }
}

impl Layer {
    fn load(checkpoint: &mut Checkpoint, prefix: &str, shape: LayerShape) -> Result<Self> {
        let width = shape.attention.width;
        let at = |name: &str| format!("{prefix}.{name}");
        let [mlp_width, _] = checkpoint.shape::<2>(&at("intermediate.dense.weight"))?;
        let image = AttentionShape {
            context_width: shape.image_width,
            ..shape.attention
        };
        Ok(Self {
            itself: Attended::load(checkpoint, &at("attention"), shape.attention, shape.norm_epsilon)?,
            image: Attended::load(checkpoint, &at("crossattention"), image, shape.norm_epsilon)?,
            widen: checkpoint.linear(&at("intermediate.dense"), width, mlp_width)?,
            narrow: checkpoint.linear(&at("output.dense"), mlp_width, width)?,
            norm: checkpoint.layer_norm(&at("output.LayerNorm"), width, shape.norm_epsilon)?,
        })
    }

    fn forward(&self, x: &Tensor, images: &Tensor, mask: &Tensor) -> CandleResult<Tensor> {
        let x = self.itself.forward(x, x, Some(mask))?;
        let x = self.image.forward(&x, images, None)?;
        let hidden = Activation::Gelu.apply(&self.widen.forward(&x)?)?;
        self.norm.forward(&(&x + self.narrow.forward(&hidden)?)?)
    }
}

impl Attended {
    fn load(checkpoint: &mut Checkpoint, prefix: &str, shape: AttentionShape, epsilon: f64) -> Result<Self> {
        let out = format!("{prefix}.output.dense");
        Ok(Self {
            attention: Attention::load(checkpoint, prefix, QKV, &out, shape)?,
            norm: checkpoint.layer_norm(&format!("{prefix}.output.LayerNorm"), shape.width, epsilon)?,
        })
    }

    fn forward(&self, x: &Tensor, context: &Tensor, mask: Option<&Tensor>) -> CandleResult<Tensor> {
        self.norm
            .forward(&(x + self.attention.forward(x, context, mask)?)?)
    }
}

/// `batch x 1 x 1 x n`: 0 on a text's tokens, -inf on what fills it up.
fn filling_mask(texts: &[&[u32]], n: usize, device: &Device) -> CandleResult<Tensor> {
    let values: Vec<f32> = texts
        .iter()
        .flat_map(|text| (0..n).map(|idx| if idx < text.len() { 0.0 } else { f32::NEG_INFINITY }))
        .collect();
    Tensor::from_vec(values, (texts.len(), 1, 1, n), device)
}
