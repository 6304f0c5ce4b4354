//! Normalisations.

use tch::Tensor;

use crate::weights::Path;

/// Root mean square over the last axis, with a weight.
pub(crate) struct RmsNorm {
    weight: Tensor,
    eps: f64,
}

impl RmsNorm {
    pub(crate) fn load(path: &Path<'_>, dim: i64, eps: f64) -> Self {
        Self {
            weight: path.tensor("weight", &[dim]),
            eps,
        }
    }

    pub(crate) fn forward(&self, x: &Tensor) -> Tensor {
        x.rms_norm(self.weight.size(), Some(&self.weight), self.eps)
    }
}

/// Mean 0 and variance 1 over the last axis, with weight and bias.
pub(crate) struct LayerNorm {
    weight: Tensor,
    bias: Tensor,
    eps: f64,
}

impl LayerNorm {
    pub(crate) fn load(path: &Path<'_>, dim: i64, eps: f64) -> Self {
        Self {
            weight: path.tensor("weight", &[dim]),
            bias: path.tensor("bias", &[dim]),
            eps,
        }
    }

    /// In the numbers of `x`; the result is in those of the weights.
    pub(crate) fn forward(&self, x: &Tensor) -> Tensor {
        let (weight, bias) = (self.weight.to_kind(x.kind()), self.bias.to_kind(x.kind()));
        x.layer_norm(weight.size(), Some(&weight), Some(&bias), self.eps, true)
            .to_kind(self.weight.kind())
    }
}

/// Mean 0 and variance 1 over the last axis, without weights: the modulation follows.
pub(crate) fn layer_norm_plain(x: &Tensor, eps: f64) -> Tensor {
    let dim = x.size().last().copied().unwrap_or_default();
    x.layer_norm([dim], None::<&Tensor>, None::<&Tensor>, eps, true)
}

/// Mean 0 and variance 1 over groups of channels, with weight and bias. Shapes: `[B, C, H, W]`.
pub(crate) struct GroupNorm {
    weight: Tensor,
    bias: Tensor,
    n_groups: i64,
    eps: f64,
}

impl GroupNorm {
    pub(crate) fn load(path: &Path<'_>, n_groups: i64, n_channels: i64, eps: f64) -> Self {
        Self {
            weight: path.tensor("weight", &[n_channels]),
            bias: path.tensor("bias", &[n_channels]),
            n_groups,
            eps,
        }
    }

    /// In the numbers of `x`; the result is in those of the weights.
    pub(crate) fn forward(&self, x: &Tensor) -> Tensor {
        let (weight, bias) = (self.weight.to_kind(x.kind()), self.bias.to_kind(x.kind()));
        x.group_norm(self.n_groups, Some(&weight), Some(&bias), self.eps, true)
            .to_kind(self.weight.kind())
    }
}
