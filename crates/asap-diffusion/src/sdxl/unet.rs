//! The whole network.

use std::sync::Arc;

use tch::{Kind, Tensor};

use crate::nn::{Conv2d, ConvShape, GroupNorm, TimestepEmbedding, sinusoid};
use crate::run::{Adapter, Checkpointing, Run};
use crate::sdxl::UnetConfig;
use crate::sdxl::blocks::{DownBlock, UpBlock};
use crate::sdxl::segment::{Segment, Walk};
use crate::weights::Path;

/// What the text encoders say of a prompt.
pub(crate) struct SdxlText {
    /// Tokens of both encoders side by side, `[B, 77, 2048]`; a long prompt has a multiple of 77.
    pub(crate) tokens: Tensor,
    /// The pooled vector of the larger encoder, `[B, 1280]`.
    pub(crate) pooled: Tensor,
}

/// The network that predicts the noise in a latent.
pub(crate) struct Unet {
    time_embedding: TimestepEmbedding,
    add_embedding: TimestepEmbedding,
    conv_in: Conv2d,
    down_blocks: Vec<DownBlock>,
    mid_block: Arc<Segment>,
    up_blocks: Vec<UpBlock>,
    conv_norm_out: GroupNorm,
    conv_out: Conv2d,
    config: UnetConfig,
}

impl Unet {
    pub(crate) fn load(path: &Path<'_>, config: &UnetConfig) -> Self {
        let first = config.block_channels[0];
        let embedding = |word, n_in| TimestepEmbedding::load(&path.at(word), n_in, config.embedding_dim());
        let n_levels = config.block_channels.len();
        Self {
            time_embedding: embedding("time_embedding", first),
            add_embedding: embedding("add_embedding", config.pooled_dim + 6 * config.size_dim),
            conv_in: Conv2d::load(&path.at("conv_in"), ConvShape::same(config.in_channels, first, 3)),
            down_blocks: (0..n_levels)
                .map(|n| DownBlock::load(&path.nth("down_blocks", n), n, config))
                .collect(),
            mid_block: Segment::load_middle(&path.at("mid_block"), config),
            up_blocks: (0..n_levels)
                .map(|n| UpBlock::load(&path.nth("up_blocks", n), n, config))
                .collect(),
            conv_norm_out: GroupNorm::load(
                &path.at("conv_norm_out"),
                config.norm_groups,
                first,
                config.norm_eps,
            ),
            conv_out: Conv2d::load(
                &path.at("conv_out"),
                ConvShape::same(first, config.out_channels, 3),
            ),
            config: config.clone(),
        }
    }

    /// The sizes of the network.
    pub(crate) fn config(&self) -> &UnetConfig {
        &self.config
    }

    /// The noise in `latents`, or the velocity, as the network was trained.
    ///
    /// # Shapes
    /// `latents` `[B, 4, h, w]` in the numbers of the network; any height and width. `timestep` `[B]`, 0 to 999.
    /// `time_ids` `[B, 6]`, `f32`, in pixels: original height and width, crop top and left, target height and
    /// width. The text may be in other numbers. The result is like `latents`.
    /// # Source
    /// arXiv:2307.01952, §2.2 for the sizes; diffusers, `unet_2d_condition.py`.
    /// # Deviation
    /// The six sizes stay `f32` until after their sinusoid: in `bf16` 1023 would be 1024. An odd height or width
    /// is as in diffusers. Blocks that are computed again are those of the run's numbers, see `Walk`; diffusers
    /// checkpoints resnets and transformers apart, with the same gradients.
    pub(crate) fn noise(
        &self,
        latents: &Tensor,
        timestep: &Tensor,
        text: &SdxlText,
        time_ids: &Tensor,
        run: Run,
    ) -> Tensor {
        let kind = latents.kind();
        let embedding = self.embedding(timestep, &text.pooled, time_ids, (kind, run.adapter));
        let mut walk = Walk::new(embedding.silu(), text.tokens.to_kind(kind), run);
        let mut x = self.conv_in.forward(latents).to_kind(run.residual.kind(kind));
        if run.checkpointing != Checkpointing::Off && !x.requires_grad() {
            // A checkpointed segment gives gradients to its adapter only where an input asks for one.
            x = x.set_requires_grad(true);
        }
        let mut skips = vec![x.shallow_clone()];
        for block in &self.down_blocks {
            x = block.forward(x, &mut skips, &mut walk);
        }
        x = walk.through(&self.mid_block, &x, None);
        for block in &self.up_blocks {
            x = block.forward(x, &mut skips, &mut walk);
        }
        self.conv_out.forward(&self.conv_norm_out.forward(&x).silu())
    }

    /// Time, pooled text and sizes as one vector, `[B, 4 * channels]`.
    pub(super) fn embedding(
        &self,
        timestep: &Tensor,
        pooled: &Tensor,
        time_ids: &Tensor,
        (kind, adapter): (Kind, Adapter),
    ) -> Tensor {
        let n_images = pooled.size()[0];
        let time = sinusoid(timestep, self.config.block_channels[0]).to_kind(kind);
        let sizes = sinusoid(&time_ids.flatten(0, -1), self.config.size_dim).reshape([n_images, -1]);
        let added = Tensor::cat(&[pooled.to_kind(kind), sizes.to_kind(kind)], -1);
        self.time_embedding.forward(&time, adapter) + self.add_embedding.forward(&added, adapter)
    }
}
