//! A transformer over the cells of a latent.

use tch::Tensor;

use crate::nn::{Conv2d, ConvShape, GroupNorm, Linear};
use crate::run::Adapter;
use crate::sdxl::UnetConfig;
use crate::sdxl::attention::{TransformerBlock, Widths};
use crate::weights::Path;

/// Of the group norm before a transformer; the others have the eps of the configuration.
const NORM_EPS: f64 = 1e-6;

/// How a transformer is entered and left. A 1x1 convolution is the same map under weights of another shape, and
/// does not get an adapter.
enum Projection {
    Linear(Linear),
    Conv(Conv2d),
}

impl Projection {
    fn load(path: &Path<'_>, dim: i64, config: &UnetConfig) -> Self {
        if config.projects_linearly {
            Self::Linear(Linear::load(path, dim, dim))
        } else {
            Self::Conv(Conv2d::load(path, ConvShape::same(dim, dim, 1)))
        }
    }
}

/// A norm, a projection, blocks, a projection; around it a shortcut.
pub(super) struct Transformer {
    norm: GroupNorm,
    proj_in: Projection,
    blocks: Vec<TransformerBlock>,
    proj_out: Projection,
}

impl Transformer {
    /// The transformer at the resolution of index `level`.
    pub(super) fn load(path: &Path<'_>, level: usize, config: &UnetConfig) -> Self {
        let dim = config.block_channels[level];
        let widths = Widths {
            dim,
            context: config.token_dim,
            n_heads: config.n_heads[level],
        };
        let n_blocks = usize::try_from(config.transformer_layers[level]).unwrap_or_default();
        Self {
            norm: GroupNorm::load(&path.at("norm"), config.norm_groups, dim, NORM_EPS),
            proj_in: Projection::load(&path.at("proj_in"), dim, config),
            blocks: (0..n_blocks)
                .map(|n| TransformerBlock::load(&path.nth("transformer_blocks", n), widths))
                .collect(),
            proj_out: Projection::load(&path.at("proj_out"), dim, config),
        }
    }

    /// Shapes: `x` `[B, C, h, w]`, `tokens` `[B, T, token_dim]`; the result like `x`.
    pub(super) fn forward(&self, x: &Tensor, tokens: &Tensor, adapter: Adapter) -> Tensor {
        let size = x.size();
        let normed = self.norm.forward(x);
        let mut hidden = match &self.proj_in {
            Projection::Linear(linear) => linear.forward(&cells(&normed), adapter),
            Projection::Conv(conv) => cells(&conv.forward(&normed)),
        }
        .to_kind(x.kind());
        for block in &self.blocks {
            hidden = block.forward(&hidden, tokens, adapter);
        }
        let hidden = hidden.to_kind(normed.kind());
        let image = |hidden: &Tensor| hidden.transpose(1, 2).reshape(&size);
        let out = match &self.proj_out {
            Projection::Linear(linear) => image(&linear.forward(&hidden, adapter)),
            Projection::Conv(conv) => conv.forward(&image(&hidden)),
        };
        out + x
    }
}

/// `[B, C, h, w]` to `[B, h * w, C]`.
fn cells(x: &Tensor) -> Tensor {
    x.flatten(2, 3).transpose(1, 2)
}
