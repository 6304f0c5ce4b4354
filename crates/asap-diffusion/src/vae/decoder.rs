//! From latents to pixels.

use tch::Tensor;

use crate::nn::{Conv2d, ConvShape, GroupNorm};
use crate::vae::VaeConfig;
use crate::vae::block::{EPS, MidBlock, Resnet};
use crate::weights::Path;

/// A level: residual layers, then twice the sides, but for the last level.
pub(super) struct UpBlock {
    resnets: Vec<Resnet>,
    upsampler: Option<Conv2d>,
}

impl UpBlock {
    pub(super) fn forward(&self, x: &Tensor) -> Tensor {
        let x = self
            .resnets
            .iter()
            .fold(x.shallow_clone(), |x, resnet| resnet.forward(&x));
        let Some(conv) = &self.upsampler else {
            return x;
        };
        let size = x.size();
        conv.forward(&x.upsample_nearest2d([size[2] * 2, size[3] * 2], None, None))
    }
}

pub(super) struct Decoder {
    conv_in: Conv2d,
    pub(super) mid_block: MidBlock,
    pub(super) up_blocks: Vec<UpBlock>,
    conv_norm_out: GroupNorm,
    conv_out: Conv2d,
}

impl Decoder {
    pub(super) fn load(path: &Path<'_>, config: &VaeConfig) -> Self {
        let channels = &config.block_out_channels;
        let (n_groups, deepest) = (config.norm_num_groups, channels[channels.len() - 1]);
        let up_blocks = (0..channels.len())
            .map(|at| up_block(&path.nth("up_blocks", at), config, at))
            .collect();
        Self {
            conv_in: Conv2d::load(
                &path.at("conv_in"),
                ConvShape::same(config.latent_channels, deepest, 3),
            ),
            mid_block: MidBlock::load(
                &path.at("mid_block"),
                n_groups,
                deepest,
                config.mid_block_add_attention,
            ),
            up_blocks,
            conv_norm_out: GroupNorm::load(&path.at("conv_norm_out"), n_groups, channels[0], EPS),
            conv_out: Conv2d::load(&path.at("conv_out"), ConvShape::same(channels[0], 3, 3)),
        }
    }

    /// Shapes: `[B, latent_channels, h, w]` to `[B, 3, h * factor, w * factor]`.
    pub(super) fn forward(&self, latents: &Tensor) -> Tensor {
        let x = self.conv_in.forward(latents);
        let mut x = self.mid_block.forward(&x);
        for block in &self.up_blocks {
            x = block.forward(&x);
        }
        self.conv_out.forward(&self.conv_norm_out.forward(&x).silu())
    }
}

/// The levels of the decoder are counted from the innermost, the channels from the pixels.
fn up_block(path: &Path<'_>, config: &VaeConfig, at: usize) -> UpBlock {
    let deepest = config.block_out_channels.len() - 1;
    let channels = |at: usize| config.block_out_channels[deepest - at];
    let (n_in, n_out) = (channels(at.saturating_sub(1)), channels(at));
    let resnets = (0..=config.layers_per_block)
        .map(|layer| {
            let n_in = if layer == 0 { n_in } else { n_out };
            Resnet::load(&path.nth("resnets", layer), config.norm_num_groups, n_in, n_out)
        })
        .collect();
    let upsampler = || Conv2d::load(&path.at("upsamplers.0.conv"), ConvShape::same(n_out, n_out, 3));
    UpBlock {
        resnets,
        upsampler: (at < deepest).then(upsampler),
    }
}
