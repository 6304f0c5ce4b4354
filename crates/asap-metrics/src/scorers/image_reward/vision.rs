//! BLIP's image tower: a vision transformer of which all positions are used.

use candle_core::{D, Result as CandleResult, Tensor};
use candle_nn::{LayerNorm, Linear, Module as _};

use super::config::Config;
use crate::Result;
use crate::scorers::checkpoint::Checkpoint;
use crate::scorers::network::{Activation, BlockNames, BlockShape, Blocks, QkvNames, patches};

const PREFIX: &str = "blip.visual_encoder";
/// The reference has it in code.
const NORM_EPSILON: f64 = 1e-6;

const BLOCK: BlockNames = BlockNames {
    norm1: "norm1",
    qkv: QkvNames::Fused {
        weight: "attn.qkv.weight",
        bias: "attn.qkv.bias",
    },
    out: "attn.proj",
    norm2: "norm2",
    fc1: "mlp.fc1",
    fc2: "mlp.fc2",
};

/// The image tower.
pub(super) struct VisionTower {
    patch: Linear,
    class: Tensor,
    position: Tensor,
    blocks: Blocks,
    norm: LayerNorm,
    patch_px: usize,
    side_px: usize,
}

impl VisionTower {
    /// Reads the tower; its sizes are those of the tensors.
    ///
    /// # Source
    /// `image-reward` 1.5 `models/BLIP/vit.py`, `VisionTransformer`.
    pub(super) fn load(checkpoint: &mut Checkpoint, config: &Config) -> Result<Self> {
        let at = |name: &str| format!("{PREFIX}.{name}");
        let [width, n_channels, patch_px, _] = checkpoint.shape::<4>(&at("patch_embed.proj.weight"))?;
        let [_, n_positions, _] = checkpoint.shape::<3>(&at("pos_embed"))?;
        let n_patches = n_positions.saturating_sub(1);
        let grid = n_patches.isqrt();
        if n_channels != 3 || grid == 0 || grid * grid != n_patches {
            return Err(checkpoint.refusal(format!(
                "expected 3 channels and a square of patches and one more position, got {n_channels} and \
                 {n_positions}"
            )));
        }
        let block = |idx: usize| format!("{PREFIX}.blocks.{idx}");
        let n_blocks = checkpoint.count_blocks(block, "mlp.fc1.weight");
        let [mlp_width, _] = checkpoint.shape::<2>(&format!("{}.mlp.fc1.weight", block(0)))?;
        let shape = BlockShape {
            width,
            mlp_width,
            n_heads: config.n_vision_heads(width, checkpoint.path())?,
            activation: Activation::Gelu,
            norm_epsilon: NORM_EPSILON,
        };
        let n_inputs = 3 * patch_px * patch_px;
        let patch = checkpoint.tensor(&at("patch_embed.proj.weight"), (width, 3, patch_px, patch_px))?;
        let patch_bias = checkpoint.tensor(&at("patch_embed.proj.bias"), width)?;
        Ok(Self {
            patch: Linear::new(patch.reshape((width, n_inputs))?, Some(patch_bias)),
            class: checkpoint.tensor(&at("cls_token"), (1, 1, width))?,
            position: checkpoint.tensor(&at("pos_embed"), (1, n_positions, width))?,
            blocks: Blocks::load(checkpoint, n_blocks, block, &BLOCK, &shape)?,
            norm: checkpoint.layer_norm(&at("norm"), width, NORM_EPSILON)?,
            patch_px,
            side_px: grid * patch_px,
        })
    }

    /// The side of the images that it reads, in pixels.
    pub(super) const fn side_px(&self) -> u32 {
        self.side_px as u32
    }

    /// The width of what it gives for each position.
    pub(super) fn width(&self) -> usize {
        self.patch.weight().dims()[0]
    }

    /// What the text tower looks at.
    ///
    /// # Shapes
    /// `batch x 3 x side x side` to `batch x (1 + patches) x width`.
    pub(super) fn forward(&self, images: &Tensor) -> CandleResult<Tensor> {
        let patches = self.patch.forward(&patches(images, self.patch_px)?)?;
        let (n_batch, _, width) = patches.dims3()?;
        let class = self.class.expand((n_batch, 1, width))?;
        let x = Tensor::cat(&[&class, &patches], D::Minus2)?;
        let x = self.blocks.forward(x.broadcast_add(&self.position)?, None)?;
        self.norm.forward(&x)
    }
}
