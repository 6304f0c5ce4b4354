//! CLIP's image tower: a vision transformer whose class token is projected.

use candle_core::{IndexOp as _, Result as CandleResult, Tensor};
use candle_nn::{LayerNorm, Linear, Module as _};

use super::config::{Config, Tower};
use super::names::VisionNames;
use super::projection;
use crate::Result;
use crate::scorers::checkpoint::Checkpoint;
use crate::scorers::network::{Activation, BlockShape, Blocks, patches};

/// The image tower.
pub(crate) struct VisionTower {
    patch: Linear,
    class: Tensor,
    position: Tensor,
    pre_norm: LayerNorm,
    blocks: Blocks,
    post_norm: LayerNorm,
    projection: Linear,
    patch_px: usize,
    side_px: usize,
}

impl VisionTower {
    /// Reads the tower; its sizes are those of the tensors.
    pub(crate) fn load(
        checkpoint: &mut Checkpoint,
        names: &VisionNames,
        config: &Config,
        activation: Activation,
    ) -> Result<Self> {
        config.check_activation(Tower::Vision, activation)?;
        let [width, n_channels, patch_px, _] = checkpoint.shape::<4>(names.patch)?;
        let [n_positions, _] = checkpoint.shape::<2>(names.position)?;
        let n_patches = n_positions.saturating_sub(1);
        let grid = n_patches.isqrt();
        if n_channels != 3 || grid == 0 || grid * grid != n_patches {
            return Err(checkpoint.refusal(format!(
                "expected 3 channels and a square of patches and one more position, got {n_channels} and \
                 {n_positions}"
            )));
        }
        let blocks = |idx: usize| format!("{}.{idx}", names.blocks);
        let n_blocks = checkpoint.count_blocks(blocks, &format!("{}.weight", names.block.fc1));
        let [mlp_width, _] = checkpoint.shape::<2>(&format!("{}.{}.weight", blocks(0), names.block.fc1))?;
        let shape = BlockShape {
            width,
            mlp_width,
            n_heads: config.n_heads(Tower::Vision, width, checkpoint.path())?,
            activation,
            norm_epsilon: config.norm_epsilon(Tower::Vision),
        };
        let patch = checkpoint.tensor(names.patch, (width, 3, patch_px, patch_px))?;
        Ok(Self {
            patch: Linear::new(patch.reshape((width, 3 * patch_px * patch_px))?, None),
            class: checkpoint.tensor(names.class, width)?.reshape((1, 1, width))?,
            position: checkpoint.tensor(names.position, (n_positions, width))?,
            pre_norm: checkpoint.layer_norm(names.pre_norm, width, shape.norm_epsilon)?,
            blocks: Blocks::load(checkpoint, n_blocks, blocks, &names.block, &shape)?,
            post_norm: checkpoint.layer_norm(names.post_norm, width, shape.norm_epsilon)?,
            projection: projection::load(checkpoint, names.projection, width)?,
            patch_px,
            side_px: grid * patch_px,
        })
    }

    /// The side of the images that it reads, in pixels.
    pub(crate) const fn side_px(&self) -> u32 {
        self.side_px as u32
    }

    /// The width of its embeddings.
    pub(crate) fn embedding_width(&self) -> usize {
        self.projection.weight().dims()[0]
    }

    /// Embeddings of length 1, in f32.
    ///
    /// # Shapes
    /// `batch x 3 x side x side` to `batch x embedding`.
    pub(crate) fn embed(&self, images: &Tensor) -> CandleResult<Tensor> {
        let patches = self.patch.forward(&patches(images, self.patch_px)?)?;
        let (n_batch, _, width) = patches.dims3()?;
        let class = self.class.expand((n_batch, 1, width))?;
        let x = Tensor::cat(&[&class, &patches], 1)?;
        let x = self.pre_norm.forward(&x.broadcast_add(&self.position)?)?;
        let x = self.blocks.forward(x, None)?;
        let class = self.post_norm.forward(&x.i((.., 0))?.contiguous()?)?;
        projection::to_unit_length(&self.projection.forward(&class)?)
    }
}
