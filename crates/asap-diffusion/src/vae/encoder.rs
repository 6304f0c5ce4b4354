//! From pixels to the two halves of a distribution of latents.

use tch::Tensor;

use crate::nn::{Conv2d, ConvShape, GroupNorm};
use crate::vae::VaeConfig;
use crate::vae::block::{EPS, MidBlock, Resnet};
use crate::weights::Path;

/// A level: residual layers, then half the sides, but for the last level.
pub(super) struct DownBlock {
    resnets: Vec<Resnet>,
    downsampler: Option<Conv2d>,
}

impl DownBlock {
    pub(super) fn forward(&self, x: &Tensor) -> Tensor {
        let x = self
            .resnets
            .iter()
            .fold(x.shallow_clone(), |x, resnet| resnet.forward(&x));
        match &self.downsampler {
            // A row and a column of zeros at the far sides only: even sides are halved exactly.
            Some(conv) => conv.forward(&x.constant_pad_nd([0, 1, 0, 1])),
            None => x,
        }
    }
}

pub(super) struct Encoder {
    conv_in: Conv2d,
    pub(super) down_blocks: Vec<DownBlock>,
    pub(super) mid_block: MidBlock,
    conv_norm_out: GroupNorm,
    conv_out: Conv2d,
}

impl Encoder {
    pub(super) fn load(path: &Path<'_>, config: &VaeConfig) -> Self {
        let channels = &config.block_out_channels;
        let (n_groups, deepest) = (config.norm_num_groups, channels[channels.len() - 1]);
        let down_blocks = (0..channels.len())
            .map(|level| down_block(&path.nth("down_blocks", level), config, level))
            .collect();
        Self {
            conv_in: Conv2d::load(&path.at("conv_in"), ConvShape::same(3, channels[0], 3)),
            down_blocks,
            mid_block: MidBlock::load(
                &path.at("mid_block"),
                n_groups,
                deepest,
                config.mid_block_add_attention,
            ),
            conv_norm_out: GroupNorm::load(&path.at("conv_norm_out"), n_groups, deepest, EPS),
            conv_out: Conv2d::load(
                &path.at("conv_out"),
                ConvShape::same(deepest, 2 * config.latent_channels, 3),
            ),
        }
    }

    /// Shapes: `[B, 3, H, W]` to `[B, 2 * latent_channels, H / factor, W / factor]`.
    pub(super) fn forward(&self, image: &Tensor) -> Tensor {
        let mut x = self.conv_in.forward(image);
        for block in &self.down_blocks {
            x = block.forward(&x);
        }
        let x = self.mid_block.forward(&x);
        self.conv_out.forward(&self.conv_norm_out.forward(&x).silu())
    }
}

fn down_block(path: &Path<'_>, config: &VaeConfig, level: usize) -> DownBlock {
    let channels = &config.block_out_channels;
    let (n_in, n_out) = (channels[level.saturating_sub(1)], channels[level]);
    let resnets = (0..config.layers_per_block)
        .map(|at| {
            let n_in = if at == 0 { n_in } else { n_out };
            Resnet::load(&path.nth("resnets", at), config.norm_num_groups, n_in, n_out)
        })
        .collect();
    let halving = ConvShape {
        n_in: n_out,
        n_out,
        side: 3,
        stride: 2,
        padding: 0,
    };
    let downsampler = || Conv2d::load(&path.at("downsamplers.0.conv"), halving);
    DownBlock {
        resnets,
        downsampler: (level + 1 < channels.len()).then(downsampler),
    }
}
