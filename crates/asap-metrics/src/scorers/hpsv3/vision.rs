//! Qwen2-VL's image tower: images of any shape, positions by rows and columns, four patches merged into one.

use candle_core::{D, DType, Result as CandleResult, Tensor};
use candle_nn::{LayerNorm, Linear, Module as _};

use super::attention::{Qkv, Rotations, frequencies};
use super::config::Config;
use super::picture::{PatchShape, Picture};
use crate::Result;
use crate::scorers::checkpoint::Checkpoint;
use crate::scorers::network::Activation;
use crate::scorers::placement::Placement;

const PREFIX: &str = "visual";
/// The reference has both in code.
const NORM_EPSILON: f64 = 1e-6;
const THETA: f64 = 1e4;

/// The image tower.
pub(super) struct VisionTower {
    patch: Linear,
    blocks: Vec<Block>,
    merger: Merger,
    head_width: usize,
    patch_shape: PatchShape,
}

struct Block {
    norm1: LayerNorm,
    qkv: Linear,
    out: Linear,
    norm2: LayerNorm,
    fc1: Linear,
    fc2: Linear,
}

/// From the patches of a square to one vector for the decoder.
struct Merger {
    norm: LayerNorm,
    fc1: Linear,
    fc2: Linear,
}

impl VisionTower {
    /// Reads the tower, which speaks to a decoder of `decoder_width`; its sizes are those of the tensors.
    ///
    /// # Source
    /// `transformers` 4.45.2 `Qwen2VisionTransformerPretrainedModel`.
    pub(super) fn load(checkpoint: &mut Checkpoint, config: &Config, decoder_width: usize) -> Result<Self> {
        let patch_name = format!("{PREFIX}.patch_embed.proj.weight");
        let [width, n_channels, n_frames, patch_px, _] = checkpoint.shape::<5>(&patch_name)?;
        let [_, n_merger_inputs] = checkpoint.shape::<2>(&format!("{PREFIX}.merger.mlp.0.weight"))?;
        let n_merged = (n_merger_inputs / width).isqrt();
        if n_channels != 3 || n_merged == 0 || n_merged * n_merged * width != n_merger_inputs {
            return Err(checkpoint.refusal(format!(
                "expected 3 channels and a square of vectors of {width} into the merger, got {n_channels} and \
                 {n_merger_inputs} numbers"
            )));
        }
        let head_width = width / config.n_vision_heads(width, checkpoint.path())?;
        let kernels = checkpoint.stored(&patch_name, (width, 3, n_frames, patch_px, patch_px))?;
        let kernel = kernels
            .to_dtype(DType::F32)?
            .sum(2)?
            .reshape((width, 3 * patch_px * patch_px))?;
        let prefix = |idx: usize| format!("{PREFIX}.blocks.{idx}");
        let n_blocks = checkpoint.count_blocks(prefix, "mlp.fc1.weight");
        let blocks = (0..n_blocks.max(1)).map(|idx| Block::load(checkpoint, &prefix(idx), width));
        Ok(Self {
            blocks: blocks.collect::<Result<_>>()?,
            patch: Linear::new(checkpoint.placed(&kernel)?, None),
            merger: Merger::load(checkpoint, width, n_merger_inputs, decoder_width)?,
            head_width,
            patch_shape: PatchShape { patch_px, n_merged },
        })
    }

    /// How it cuts images.
    pub(super) const fn patch_shape(&self) -> PatchShape {
        self.patch_shape
    }

    /// The vectors of one image.
    ///
    /// # Shapes
    /// To `(patches / merged^2) x decoder width`.
    pub(super) fn forward(&self, picture: &Picture, placement: &Placement) -> CandleResult<Tensor> {
        let frequencies = frequencies(THETA, self.head_width / 2);
        let angles = |(y, x): (usize, usize)| -> Vec<f64> {
            let axis = |place: usize| frequencies.iter().map(move |frequency| place as f64 * frequency);
            axis(y).chain(axis(x)).collect()
        };
        let rows: Vec<Vec<f64>> = picture.places().into_iter().map(angles).collect();
        let rotations = Rotations::new(&rows, placement.device())?;
        let x = self.patch.forward(&picture.patches(placement)?)?.unsqueeze(0)?;
        let x = self
            .blocks
            .iter()
            .try_fold(x, |x, block| block.forward(&x, &rotations, self.head_width))?;
        self.merger.forward(&x.squeeze(0)?)
    }
}

impl Block {
    fn load(checkpoint: &mut Checkpoint, prefix: &str, width: usize) -> Result<Self> {
        let at = |name: &str| format!("{prefix}.{name}");
        let [mlp_width, _] = checkpoint.shape::<2>(&at("mlp.fc1.weight"))?;
        Ok(Self {
            norm1: checkpoint.layer_norm(&at("norm1"), width, NORM_EPSILON)?,
            qkv: checkpoint.linear(&at("attn.qkv"), width, 3 * width)?,
            out: checkpoint.linear(&at("attn.proj"), width, width)?,
            norm2: checkpoint.layer_norm(&at("norm2"), width, NORM_EPSILON)?,
            fc1: checkpoint.linear(&at("mlp.fc1"), width, mlp_width)?,
            fc2: checkpoint.linear(&at("mlp.fc2"), mlp_width, width)?,
        })
    }

    fn forward(&self, x: &Tensor, rotations: &Rotations, head_width: usize) -> CandleResult<Tensor> {
        let qkv = self.qkv.forward(&self.norm1.forward(x)?)?;
        let width = x.dim(D::Minus1)?;
        let part = |idx: usize| qkv.narrow(D::Minus1, idx * width, width);
        let qkv = Qkv {
            query: part(0)?,
            key: part(1)?,
            value: part(2)?,
            head_width,
        };
        let x = (x + self.out.forward(&qkv.attend(rotations, None)?)?)?;
        let hidden = self.fc1.forward(&self.norm2.forward(&x)?)?;
        &x + self.fc2.forward(&Activation::QuickGelu.apply(&hidden)?)?
    }
}

impl Merger {
    fn load(checkpoint: &mut Checkpoint, width: usize, n_inputs: usize, n_out: usize) -> Result<Self> {
        let at = |name: &str| format!("{PREFIX}.merger.{name}");
        Ok(Self {
            norm: checkpoint.layer_norm(&at("ln_q"), width, NORM_EPSILON)?,
            fc1: checkpoint.linear(&at("mlp.0"), n_inputs, n_inputs)?,
            fc2: checkpoint.linear(&at("mlp.2"), n_inputs, n_out)?,
        })
    }

    fn forward(&self, patches: &Tensor) -> CandleResult<Tensor> {
        let n_inputs = self.fc1.weight().dim(1)?;
        let squares = self.norm.forward(patches)?.reshape(((), n_inputs))?;
        self.fc2
            .forward(&Activation::Gelu.apply(&self.fc1.forward(&squares)?)?)
    }
}
