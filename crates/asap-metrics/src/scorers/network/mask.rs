//! What a sequence may look at.

use candle_core::{Device, Result, Tensor};

/// `n x n`: 0 up to the token itself, -inf after it.
pub(crate) fn causal_mask(n: usize, device: &Device) -> Result<Tensor> {
    let values: Vec<f32> = (0..n * n)
        .map(|idx| if idx % n > idx / n { f32::NEG_INFINITY } else { 0.0 })
        .collect();
    Tensor::from_vec(values, (n, n), device)
}
