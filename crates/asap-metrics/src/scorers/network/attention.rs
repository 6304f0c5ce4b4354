//! Multi-head attention, of a sequence to itself or to another one.

use candle_core::{DType, Result as CandleResult, Tensor};
use candle_nn::{Linear, Module as _};

use crate::Result;
use crate::scorers::checkpoint::Checkpoint;

/// What a file calls the projections to queries, keys and values.
#[derive(Clone, Copy, Debug)]
pub(crate) enum QkvNames {
    /// Three layers, each with `.weight` and `.bias`.
    Split {
        /// Queries.
        query: &'static str,
        /// Keys.
        key: &'static str,
        /// Values.
        value: &'static str,
    },
    /// One weight and one bias that hold queries, keys and values one below the other.
    Fused {
        /// The whole name of the weight.
        weight: &'static str,
        /// The whole name of the bias.
        bias: &'static str,
    },
}

/// The sizes of an attention layer.
#[derive(Clone, Copy, Debug)]
pub(crate) struct AttentionShape {
    /// Width of the sequence that asks.
    pub(crate) width: usize,
    /// Width of the sequence that is asked; the same in self-attention. Fused projections have one width.
    pub(crate) context_width: usize,
    /// Heads; they divide the width.
    pub(crate) n_heads: usize,
}

/// `softmax(q k^T / sqrt(d) + mask) v`, projected.
pub(crate) struct Attention {
    query: Linear,
    key: Linear,
    value: Linear,
    out: Linear,
    n_heads: usize,
}

impl Attention {
    /// Reads the layer; `out` is the whole prefix of the output projection, and `qkv` goes below `prefix`.
    pub(crate) fn load(
        checkpoint: &mut Checkpoint,
        prefix: &str,
        qkv: QkvNames,
        out: &str,
        shape: AttentionShape,
    ) -> Result<Self> {
        let AttentionShape {
            width,
            context_width,
            n_heads,
        } = shape;
        let [query, key, value] = match qkv {
            QkvNames::Split { query, key, value } => {
                let mut part = |name: &str, n_in| checkpoint.linear(&format!("{prefix}.{name}"), n_in, width);
                [
                    part(query, width)?,
                    part(key, context_width)?,
                    part(value, context_width)?,
                ]
            }
            QkvNames::Fused { weight, bias } => {
                let weight = checkpoint.tensor(&format!("{prefix}.{weight}"), (3 * width, width))?;
                let bias = checkpoint.tensor(&format!("{prefix}.{bias}"), 3 * width)?;
                let part = |idx: usize| -> CandleResult<Linear> {
                    let weight = weight.narrow(0, idx * width, width)?;
                    Ok(Linear::new(weight, Some(bias.narrow(0, idx * width, width)?)))
                };
                [part(0)?, part(1)?, part(2)?]
            }
        };
        Ok(Self {
            query,
            key,
            value,
            out: checkpoint.linear(out, width, width)?,
            n_heads,
        })
    }

    /// Attention of `x` to `context`; `mask` is added to the logits.
    ///
    /// # Shapes
    /// `x` is `batch x n x width`, `context` is `batch x m x context_width`, `mask` broadcasts to
    /// `batch x heads x n x m` and has -inf where nothing may be seen.
    pub(crate) fn forward(
        &self,
        x: &Tensor,
        context: &Tensor,
        mask: Option<&Tensor>,
    ) -> CandleResult<Tensor> {
        let (n_batch, n, width) = x.dims3()?;
        let head_width = width / self.n_heads;
        let heads = |layer: &Linear, x: &Tensor| {
            layer
                .forward(x)?
                .reshape((n_batch, x.dim(1)?, self.n_heads, head_width))?
                .transpose(1, 2)?
                .contiguous()
        };
        let query = (heads(&self.query, x)? * (head_width as f64).powf(-0.5))?;
        let key = heads(&self.key, context)?;
        let value = heads(&self.value, context)?;
        // Sums of exponentials lose too much in 16 bits.
        let logits = query.matmul(&key.transpose(2, 3)?)?.to_dtype(DType::F32)?;
        let logits = match mask {
            Some(mask) => logits.broadcast_add(mask)?,
            None => logits,
        };
        let weights = candle_nn::ops::softmax_last_dim(&logits)?.to_dtype(value.dtype())?;
        let seen = weights
            .matmul(&value)?
            .transpose(1, 2)?
            .reshape((n_batch, n, width))?;
        self.out.forward(&seen)
    }
}
