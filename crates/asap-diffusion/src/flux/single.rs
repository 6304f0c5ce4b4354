//! A block that treats text and image as one sequence.

use tch::Tensor;

use crate::flux::FluxConfig;
use crate::flux::layers::{HeadNames, Heads, Modulation, attend, modulated};
use crate::flux::rope::Rope;
use crate::nn::Linear;
use crate::run::Adapter;
use crate::weights::Path;

const HEADS: HeadNames = HeadNames {
    projections: ["attn.to_q", "attn.to_k", "attn.to_v"],
    norms: ["attn.norm_q", "attn.norm_k"],
};

/// A single block: `single_transformer_blocks.N`. Attention and feed-forward stand side by side.
///
/// # Source
/// "Scaling Vision Transformers to 22 Billion Parameters", arXiv:2302.05442, §2 (parallel layers), with modulation.
pub(crate) struct SingleBlock {
    modulation: Modulation,
    heads: Heads,
    up: Linear,
    out: Linear,
}

impl SingleBlock {
    pub(crate) fn load(path: &Path<'_>, config: &FluxConfig) -> Self {
        let dim = config.inner_dim();
        Self {
            modulation: Modulation::load(&path.at("norm"), dim, 3),
            heads: Heads::load(path, &HEADS, config),
            up: Linear::load(&path.at("proj_mlp"), dim, 4 * dim),
            out: Linear::load(&path.at("proj_out"), 5 * dim, dim),
        }
    }

    /// Shapes: `x` `[B, T + L, dim]`, text first; `embedding` `[B, dim]`; the result is like `x`.
    pub(crate) fn forward(&self, x: &Tensor, embedding: &Tensor, rope: &Rope, adapter: Adapter) -> Tensor {
        let parts = self.modulation.forward(embedding, adapter);
        let hidden = modulated(x, &parts[0], &parts[1]);
        let wide = self.up.forward(&hidden, adapter).gelu("tanh");
        let attended = attend(&self.heads.forward(&hidden, adapter), rope);
        let both = Tensor::cat(&[attended, wide], -1);
        x + &parts[2] * self.out.forward(&both, adapter)
    }
}
