//! The encoder of T5 1.1.
//!
//! Source: "Exploring the limits of transfer learning with a unified text-to-text transformer", §2.1; "GLU variants
//! improve transformer" for its feed-forward part.

use tch::{Kind, Tensor};

use crate::Result;
use crate::device::{Place, Precision};
use crate::nn::{Embedding, Linear, RmsNorm, merge_heads, split_heads};
use crate::text::config::T5Config;
use crate::weights::{Checkpoint, Loader, Path};

/// Attention without a scale: the weights have it.
struct SelfAttention {
    q: Linear,
    k: Linear,
    v: Linear,
    o: Linear,
    n_heads: i64,
}

impl SelfAttention {
    fn load(path: &Path<'_>, config: &T5Config) -> Self {
        let (dim, inner) = (config.d_model, config.num_heads * config.d_kv);
        let inwards = |word| Linear::load_without_bias(&path.at(word), dim, inner);
        Self {
            q: inwards("q"),
            k: inwards("k"),
            v: inwards("v"),
            o: Linear::load_without_bias(&path.at("o"), inner, dim),
            n_heads: config.num_heads,
        }
    }

    fn forward(&self, x: &Tensor, bias: &Tensor) -> Tensor {
        let heads = |layer: &Linear| split_heads(&layer.base(x), self.n_heads);
        let (query, key, value) = (heads(&self.q), heads(&self.k), heads(&self.v));
        let mixed = Tensor::scaled_dot_product_attention(
            &query,
            &key,
            &value,
            Some(bias),
            0.0,
            false,
            Some(1.0),
            false,
        );
        self.o.base(&merge_heads(&mixed))
    }
}

/// A linear layer gated by another one.
pub(super) struct FeedForward {
    wi_0: Linear,
    wi_1: Linear,
    wo: Linear,
}

impl FeedForward {
    fn load(path: &Path<'_>, config: &T5Config) -> Self {
        let (dim, wide) = (config.d_model, config.d_ff);
        Self {
            wi_0: Linear::load_without_bias(&path.at("wi_0"), dim, wide),
            wi_1: Linear::load_without_bias(&path.at("wi_1"), dim, wide),
            wo: Linear::load_without_bias(&path.at("wo"), wide, dim),
        }
    }

    /// Shapes: `[B, N, d_model]`, as it comes.
    pub(super) fn forward(&self, x: &Tensor) -> Tensor {
        let gate = self.wi_0.base(x).gelu("tanh");
        self.wo.base(&(gate * self.wi_1.base(x)))
    }
}

pub(super) struct Block {
    attention_norm: RmsNorm,
    attention: SelfAttention,
    feed_forward_norm: RmsNorm,
    pub(super) feed_forward: FeedForward,
}

impl Block {
    fn load(path: &Path<'_>, config: &T5Config) -> Self {
        let norm = |path: &Path<'_>| {
            RmsNorm::load(&path.at("layer_norm"), config.d_model, config.layer_norm_epsilon)
        };
        let [first, second] = ["layer.0", "layer.1"].map(|word| path.at(word));
        Self {
            attention_norm: norm(&first),
            attention: SelfAttention::load(&first.at("SelfAttention"), config),
            feed_forward_norm: norm(&second),
            feed_forward: FeedForward::load(&second.at("DenseReluDense"), config),
        }
    }

    /// Shapes: `x` `[B, N, d_model]`, `bias` broadcast to `[B, heads, N, N]`.
    pub(super) fn forward(&self, x: &Tensor, bias: &Tensor) -> Tensor {
        let x = x + self.attention.forward(&self.attention_norm.forward(x), bias);
        &x + self.feed_forward.forward(&self.feed_forward_norm.forward(&x))
    }
}

pub(crate) struct T5Encoder {
    shared: Embedding,
    /// Of the first layer in the file; all layers use it.
    relative_attention_bias: Embedding,
    pub(super) blocks: Vec<Block>,
    final_layer_norm: RmsNorm,
    n_buckets: i64,
    max_distance: i64,
}

impl T5Encoder {
    /// Loads the weights of transformers; the table of tokens may be there under its second name, or under both.
    pub(crate) fn load(
        checkpoint: &Checkpoint,
        config: &T5Config,
        place: Place,
        precision: Precision,
    ) -> Result<Self> {
        let loader =
            Loader::new(checkpoint, place, precision).with_expendable(&["encoder.embed_tokens.weight"]);
        let root = loader.root();
        let encoder = root.at("encoder");
        let shared = if !root.has("shared.weight") && root.has("encoder.embed_tokens.weight") {
            encoder.at("embed_tokens")
        } else {
            root.at("shared")
        };
        let distances = encoder.at("block.0.layer.0.SelfAttention.relative_attention_bias");
        let n_buckets = config.relative_attention_num_buckets;
        let network = Self {
            shared: Embedding::load(&shared, config.vocab_size, config.d_model),
            relative_attention_bias: Embedding::load(&distances, n_buckets, config.num_heads),
            blocks: (0..config.num_layers)
                .map(|at| Block::load(&encoder.nth("block", at), config))
                .collect(),
            final_layer_norm: RmsNorm::load(
                &encoder.at("final_layer_norm"),
                config.d_model,
                config.layer_norm_epsilon,
            ),
            n_buckets,
            max_distance: config.relative_attention_max_distance,
        };
        Ok(loader.finish(network)?.0)
    }

    /// Shapes: `ids` `[B, N]` (`i64`); `mask` `[B, N]`, 0 where a token is not to be seen; to `[B, N, d_model]`.
    pub(crate) fn forward(&self, ids: &Tensor, mask: Option<&Tensor>) -> Tensor {
        let (n_texts, n_tokens) = ids.size2().unwrap_or_default();
        let mut x = self.shared.forward(ids);
        let mut bias = self.bias(n_tokens, &x);
        if let Some(mask) = mask {
            let hidden = mask.eq(0).reshape([n_texts, 1, 1, n_tokens]);
            bias = bias.masked_fill(&hidden, f64::NEG_INFINITY);
        }
        for block in &self.blocks {
            x = block.forward(&x, &bias);
        }
        self.final_layer_norm.forward(&x)
    }

    /// What is added for the distance between two tokens, `[1, heads, N, N]`, in the numbers of `like`.
    pub(super) fn bias(&self, n_tokens: i64, like: &Tensor) -> Tensor {
        let at = Tensor::arange(n_tokens, (Kind::Int64, like.device()));
        let offsets = at.unsqueeze(0) - at.unsqueeze(1);
        let rows = buckets(&offsets, self.n_buckets, self.max_distance);
        self.relative_attention_bias
            .forward(&rows)
            .permute([2, 0, 1])
            .unsqueeze(0)
            .contiguous()
    }
}

/// The row of the table for each offset, seen minus seeing.
///
/// Half of the rows are for what comes after. In each half, the near distances have a row each, and the far ones
/// share rows that widen up to `max_distance`. The logarithm is taken in `f32` by libtorch, as in the reference: at
/// powers of two the last bit decides the row.
fn buckets(offsets: &Tensor, n_buckets: i64, max_distance: i64) -> Tensor {
    let n_each = n_buckets / 2;
    let n_near = n_each / 2;
    let after = offsets.gt(0).to_kind(Kind::Int64) * n_each;
    let distance = offsets.abs();
    let octaves = (max_distance as f64 / n_near as f64).ln();
    let far = (distance.to_kind(Kind::Float) / n_near as f64).log() / octaves * (n_each - n_near) as f64;
    // The distance 0 has no logarithm; its row is taken from the near ones.
    let far = (far.clamp(0.0, n_each as f64).to_kind(Kind::Int64) + n_near).clamp_max(n_each - 1);
    after + distance.where_self(&distance.lt(n_near), &far)
}
