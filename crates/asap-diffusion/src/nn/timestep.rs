//! Times and sizes as vectors.

use tch::{Kind, Tensor};

use crate::nn::Linear;
use crate::run::Adapter;
use crate::weights::Path;

/// Cosines, then sines, of `x` times frequencies from 1 down to nearly `1 / 10000`.
///
/// # Shapes
/// `x` `[N]`, `f32`; the result `[N, dim]`, `f32`; `dim` is even.
/// # Source
/// "Attention is all you need", §3.5; with cosines first and the frequency step `ln(10000) / (dim / 2)`
/// (`flip_sin_to_cos`, `downscale_freq_shift = 0`), as FLUX and SDXL both have it.
pub(crate) fn sinusoid(x: &Tensor, dim: i64) -> Tensor {
    let half = dim / 2;
    let steps = Tensor::arange(half, (Kind::Float, x.device()));
    let frequencies = (steps * (-10_000f64.ln() / half as f64)).exp();
    let angles = x.to_kind(Kind::Float).unsqueeze(-1) * frequencies.unsqueeze(0);
    Tensor::cat(&[angles.cos(), angles.sin()], -1)
}

/// A sinusoid through two layers: `linear_1`, SiLU, `linear_2`.
pub(crate) struct TimestepEmbedding {
    linear_1: Linear,
    linear_2: Linear,
}

impl TimestepEmbedding {
    pub(crate) fn load(path: &Path<'_>, n_in: i64, dim: i64) -> Self {
        Self {
            linear_1: Linear::load(&path.at("linear_1"), n_in, dim),
            linear_2: Linear::load(&path.at("linear_2"), dim, dim),
        }
    }

    pub(crate) fn forward(&self, x: &Tensor, adapter: Adapter) -> Tensor {
        let hidden = self.linear_1.forward(x, adapter).silu();
        self.linear_2.forward(&hidden, adapter)
    }
}
