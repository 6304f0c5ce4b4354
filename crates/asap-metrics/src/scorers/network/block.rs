//! The transformer block of ViT and CLIP: norms come first.

use candle_core::{Result as CandleResult, Tensor};
use candle_nn::{LayerNorm, Linear, Module as _};

use super::{Activation, Attention, AttentionShape, QkvNames};
use crate::Result;
use crate::scorers::checkpoint::Checkpoint;

/// What a file calls the parts of a block, below the block's own prefix.
#[derive(Clone, Copy, Debug)]
pub(crate) struct BlockNames {
    /// The norm before attention.
    pub(crate) norm1: &'static str,
    /// Queries, keys and values.
    pub(crate) qkv: QkvNames,
    /// The output projection of attention.
    pub(crate) out: &'static str,
    /// The norm before the perceptron.
    pub(crate) norm2: &'static str,
    /// The widening layer.
    pub(crate) fc1: &'static str,
    /// The narrowing layer.
    pub(crate) fc2: &'static str,
}

/// The sizes of a block, and what no tensor tells.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct BlockShape {
    /// Width of the sequence.
    pub(crate) width: usize,
    /// Width between the two layers of the perceptron.
    pub(crate) mlp_width: usize,
    /// Heads.
    pub(crate) n_heads: usize,
    /// Activation of the perceptron.
    pub(crate) activation: Activation,
    /// Epsilon of the norms.
    pub(crate) norm_epsilon: f64,
}

/// `x += attention(norm1(x)); x += mlp(norm2(x))`.
pub(crate) struct Block {
    norm1: LayerNorm,
    attention: Attention,
    norm2: LayerNorm,
    fc1: Linear,
    fc2: Linear,
    activation: Activation,
}

impl Block {
    /// Reads the block at `prefix`.
    pub(crate) fn load(
        checkpoint: &mut Checkpoint,
        prefix: &str,
        names: &BlockNames,
        shape: &BlockShape,
    ) -> Result<Self> {
        let BlockShape { width, mlp_width, .. } = *shape;
        let at = |name: &str| format!("{prefix}.{name}");
        let attention = AttentionShape {
            width,
            context_width: width,
            n_heads: shape.n_heads,
        };
        Ok(Self {
            norm1: checkpoint.layer_norm(&at(names.norm1), width, shape.norm_epsilon)?,
            attention: Attention::load(checkpoint, prefix, names.qkv, &at(names.out), attention)?,
            norm2: checkpoint.layer_norm(&at(names.norm2), width, shape.norm_epsilon)?,
            fc1: checkpoint.linear(&at(names.fc1), width, mlp_width)?,
            fc2: checkpoint.linear(&at(names.fc2), mlp_width, width)?,
            activation: shape.activation,
        })
    }

    /// `x` and the mask as in [`Attention::forward`].
    pub(crate) fn forward(&self, x: &Tensor, mask: Option<&Tensor>) -> CandleResult<Tensor> {
        let normed = self.norm1.forward(x)?;
        let x = (x + self.attention.forward(&normed, &normed, mask)?)?;
        let hidden = self.fc1.forward(&self.norm2.forward(&x)?)?;
        &x + self.fc2.forward(&self.activation.apply(&hidden)?)?
    }
}

/// Blocks one after the other.
pub(crate) struct Blocks(Vec<Block>);

impl Blocks {
    /// Reads `n_blocks` blocks; `prefix` gives the place of each.
    pub(crate) fn load(
        checkpoint: &mut Checkpoint,
        n_blocks: usize,
        prefix: impl Fn(usize) -> String,
        names: &BlockNames,
        shape: &BlockShape,
    ) -> Result<Self> {
        let blocks = (0..n_blocks).map(|idx| Block::load(checkpoint, &prefix(idx), names, shape));
        Ok(Self(blocks.collect::<Result<_>>()?))
    }

    /// `x` and the mask as in [`Attention::forward`].
    pub(crate) fn forward(&self, x: Tensor, mask: Option<&Tensor>) -> CandleResult<Tensor> {
        self.0.iter().try_fold(x, |x, block| block.forward(&x, mask))
    }
}
