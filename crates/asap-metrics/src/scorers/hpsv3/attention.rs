//! Attention with rotated positions and shared heads, as both halves of Qwen2-VL have it.

use candle_core::{DType, Device, Result, Tensor};

/// Cosines and sines of the angles by which positions turn queries and keys.
pub(super) struct Rotations {
    cos: Tensor,
    sin: Tensor,
}

impl Rotations {
    /// One row of angles for each position.
    pub(super) fn new(rows: &[Vec<f64>], device: &Device) -> Result<Self> {
        let width = rows.first().map_or(0, Vec::len);
        let table = |function: fn(f64) -> f64| {
            let values: Vec<f32> = rows
                .iter()
                .flatten()
                .map(|angle| function(*angle) as f32)
                .collect();
            Tensor::from_vec(values, (rows.len(), width), device)
        };
        Ok(Self {
            cos: table(f64::cos)?,
            sin: table(f64::sin)?,
        })
    }

    /// `x` of `batch x heads x n x d`, the first half of `d` paired with the second.
    fn apply(&self, x: &Tensor) -> Result<Tensor> {
        let turned =
            candle_nn::rotary_emb::rope(&x.to_dtype(DType::F32)?.contiguous()?, &self.cos, &self.sin)?;
        turned.to_dtype(x.dtype())
    }
}

/// `theta^(-2 i / n)` for the `n / 2` pairs of an axis of `n` numbers.
pub(super) fn frequencies(theta: f64, n: usize) -> Vec<f64> {
    let frequency = |idx: usize| (1.0 / theta.powf((2 * idx) as f64 / n as f64)) as f32;
    (0..n / 2).map(|idx| f64::from(frequency(idx))).collect()
}

/// What attention compares.
pub(super) struct Qkv {
    /// `batch x n x (heads * d)`.
    pub(super) query: Tensor,
    /// `batch x n x (groups * d)`.
    pub(super) key: Tensor,
    /// `batch x n x (groups * d)`.
    pub(super) value: Tensor,
    /// Width of a head, `d`.
    pub(super) head_width: usize,
}

impl Qkv {
    /// `softmax(q k^T / sqrt(d) + mask) v` with rotated `q` and `k`; neighbouring heads share keys and values where
    /// there are fewer of those.
    ///
    /// # Shapes
    /// To `batch x n x (heads * d)`; `mask` is `n x n`.
    pub(super) fn attend(&self, rotations: &Rotations, mask: Option<&Tensor>) -> Result<Tensor> {
        let (n_batch, n, width) = self.query.dims3()?;
        let d = self.head_width;
        let heads = |x: &Tensor| x.reshape((n_batch, n, x.dim(2)? / d, d))?.transpose(1, 2);
        let query = (rotations.apply(&heads(&self.query)?)? * (d as f64).powf(-0.5))?;
        let n_heads = width / d;
        let key = repeated(&rotations.apply(&heads(&self.key)?)?, n_heads)?;
        let value = repeated(&heads(&self.value)?, n_heads)?;
        // Sums of exponentials lose too much in 16 bits.
        let logits = query.matmul(&key.transpose(2, 3)?)?.to_dtype(DType::F32)?;
        let logits = match mask {
            Some(mask) => logits.broadcast_add(mask)?,
            None => logits,
        };
        let weights = candle_nn::ops::softmax_last_dim(&logits)?.to_dtype(value.dtype())?;
        weights
            .matmul(&value)?
            .transpose(1, 2)?
            .reshape((n_batch, n, width))
    }
}

/// Each of the groups so often that there are `n_heads`.
fn repeated(x: &Tensor, n_heads: usize) -> Result<Tensor> {
    let (n_batch, n_groups, n, d) = x.dims4()?;
    x.unsqueeze(2)?
        .expand((n_batch, n_groups, n_heads / n_groups, n, d))?
        .reshape((n_batch, n_heads, n, d))
}
