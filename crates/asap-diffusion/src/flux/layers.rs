//! Layers that both kinds of blocks have: modulation, heads, feed-forward.

use tch::Tensor;

use crate::flux::FluxConfig;
use crate::flux::rope::Rope;
use crate::nn::{Linear, RmsNorm, attention, layer_norm_plain, merge_heads, split_heads};
use crate::run::Adapter;
use crate::weights::Path;

const EPS: f64 = 1e-6;

/// Shifts, scales and gates from the embedding of time, guidance and pooled text.
///
/// # Source
/// "Scalable Diffusion Models with Transformers", arXiv:2212.09748, §3.2 (adaLN-Zero).
pub(crate) struct Modulation {
    linear: Linear,
    n_parts: i64,
}

impl Modulation {
    pub(crate) fn load(path: &Path<'_>, dim: i64, n_parts: i64) -> Self {
        Self {
            linear: Linear::load(&path.at("linear"), dim, n_parts * dim),
            n_parts,
        }
    }

    /// Shapes: `embedding` `[B, dim]` to `n_parts` of `[B, 1, dim]`.
    pub(crate) fn forward(&self, embedding: &Tensor, adapter: Adapter) -> Vec<Tensor> {
        self.linear
            .forward(&embedding.silu(), adapter)
            .unsqueeze(1)
            .chunk(self.n_parts, -1)
    }
}

/// The normalised `x`, scaled and shifted, in the numbers of the shift: from here on a block computes in its own.
pub(crate) fn modulated(x: &Tensor, shift: &Tensor, scale: &Tensor) -> Tensor {
    (layer_norm_plain(x, EPS) * (scale + 1.0) + shift).to_kind(shift.kind())
}

/// The names of three projections and two norms.
pub(crate) struct HeadNames {
    pub(crate) projections: [&'static str; 3],
    pub(crate) norms: [&'static str; 2],
}

/// Queries, keys and values, `[B, heads, N, head_dim]`; queries and keys are normalised.
pub(crate) struct Heads {
    projections: [Linear; 3],
    norms: [RmsNorm; 2],
    n_heads: i64,
}

impl Heads {
    pub(crate) fn load(path: &Path<'_>, names: &HeadNames, config: &FluxConfig) -> Self {
        let dim = config.inner_dim();
        Self {
            projections: names
                .projections
                .map(|name| Linear::load(&path.at(name), dim, dim)),
            norms: names
                .norms
                .map(|name| RmsNorm::load(&path.at(name), config.attention_head_dim, EPS)),
            n_heads: config.num_attention_heads,
        }
    }

    pub(crate) fn forward(&self, x: &Tensor, adapter: Adapter) -> [Tensor; 3] {
        let [query, key, value] = &self.projections;
        let split = |layer: &Linear| split_heads(&layer.forward(x, adapter), self.n_heads);
        [
            self.norms[0].forward(&split(query)),
            self.norms[1].forward(&split(key)),
            split(value),
        ]
    }
}

/// Attention among all tokens, text first, each turned to its position: `[B, heads, N, head_dim]` to
/// `[B, N, heads * head_dim]`.
pub(crate) fn attend([query, key, value]: &[Tensor; 3], rope: &Rope) -> Tensor {
    merge_heads(&attention(&rope.forward(query), &rope.forward(key), value, None))
}

/// Four times as wide, GELU (its tanh form), and back.
pub(crate) struct FeedForward {
    up: Linear,
    down: Linear,
}

impl FeedForward {
    pub(crate) fn load(path: &Path<'_>, dim: i64) -> Self {
        Self {
            up: Linear::load(&path.at("net.0.proj"), dim, 4 * dim),
            down: Linear::load(&path.at("net.2"), 4 * dim, dim),
        }
    }

    pub(crate) fn forward(&self, x: &Tensor, adapter: Adapter) -> Tensor {
        let hidden = self.up.forward(x, adapter).gelu("tanh");
        self.down.forward(&hidden, adapter)
    }
}
