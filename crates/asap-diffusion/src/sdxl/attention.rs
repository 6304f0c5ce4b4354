//! One block of a transformer: attention among the cells, attention to the text, and a gated feed-forward.

use tch::Tensor;

use crate::nn::{LayerNorm, Linear, attention, merge_heads, split_heads};
use crate::run::Adapter;
use crate::weights::Path;

/// Of the layer norms.
const NORM_EPS: f64 = 1e-5;

/// The widths of an attention.
#[derive(Clone, Copy)]
pub(super) struct Widths {
    /// Of the image's cells.
    pub(super) dim: i64,
    /// Of what is attended to.
    pub(super) context: i64,
    pub(super) n_heads: i64,
}

/// Queries from `x`, keys and values from a context.
pub(super) struct Attention {
    to_q: Linear,
    to_k: Linear,
    to_v: Linear,
    to_out: Linear,
    n_heads: i64,
}

impl Attention {
    pub(super) fn load(path: &Path<'_>, widths: Widths) -> Self {
        let Widths {
            dim,
            context,
            n_heads,
        } = widths;
        Self {
            to_q: Linear::load_without_bias(&path.at("to_q"), dim, dim),
            to_k: Linear::load_without_bias(&path.at("to_k"), context, dim),
            to_v: Linear::load_without_bias(&path.at("to_v"), context, dim),
            to_out: Linear::load(&path.at("to_out.0"), dim, dim),
            n_heads,
        }
    }

    /// Shapes: `x` `[B, N, dim]`, `context` `[B, M, context]`; the result like `x`.
    pub(super) fn forward(&self, x: &Tensor, context: &Tensor, adapter: Adapter) -> Tensor {
        let heads = |layer: &Linear, x| split_heads(&layer.forward(x, adapter), self.n_heads);
        let mixed = attention(
            &heads(&self.to_q, x),
            &heads(&self.to_k, context),
            &heads(&self.to_v, context),
            None,
        );
        self.to_out.forward(&merge_heads(&mixed), adapter)
    }
}

/// Four times as wide inside, one half gated by the GELU of the other.
///
/// # Source
/// "GLU Variants Improve Transformer", arXiv:2002.05202, §2 (GEGLU).
pub(super) struct FeedForward {
    proj: Linear,
    out: Linear,
}

impl FeedForward {
    pub(super) fn load(path: &Path<'_>, dim: i64) -> Self {
        Self {
            proj: Linear::load(&path.at("net.0.proj"), dim, 8 * dim),
            out: Linear::load(&path.at("net.2"), 4 * dim, dim),
        }
    }

    pub(super) fn forward(&self, x: &Tensor, adapter: Adapter) -> Tensor {
        let halves = self.proj.forward(x, adapter).chunk(2, -1);
        self.out.forward(&(&halves[0] * halves[1].gelu("none")), adapter)
    }
}

/// The block: each of its three parts normed before and added after.
pub(super) struct TransformerBlock {
    norm1: LayerNorm,
    attn1: Attention,
    norm2: LayerNorm,
    attn2: Attention,
    norm3: LayerNorm,
    ff: FeedForward,
}

impl TransformerBlock {
    pub(super) fn load(path: &Path<'_>, widths: Widths) -> Self {
        let norm = |word| LayerNorm::load(&path.at(word), widths.dim, NORM_EPS);
        let own = Widths {
            context: widths.dim,
            ..widths
        };
        Self {
            norm1: norm("norm1"),
            attn1: Attention::load(&path.at("attn1"), own),
            norm2: norm("norm2"),
            attn2: Attention::load(&path.at("attn2"), widths),
            norm3: norm("norm3"),
            ff: FeedForward::load(&path.at("ff"), widths.dim),
        }
    }

    /// Shapes: `x` `[B, N, dim]`, `tokens` `[B, T, context]`; the result like `x`.
    pub(super) fn forward(&self, x: &Tensor, tokens: &Tensor, adapter: Adapter) -> Tensor {
        let normed = self.norm1.forward(x);
        let x = x + self.attn1.forward(&normed, &normed, adapter);
        let x = &x + self.attn2.forward(&self.norm2.forward(&x), tokens, adapter);
        &x + self.ff.forward(&self.norm3.forward(&x), adapter)
    }
}
