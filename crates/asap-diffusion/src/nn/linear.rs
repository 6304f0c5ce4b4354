//! A linear layer, with a low-rank adapter where one is asked for.

use tch::{Kind, Tensor};

use crate::lora::LowRank;
use crate::run::Adapter;
use crate::weights::{Matrix, Path};

/// `y = x W^T + b`, and with its adapter `y + (x A^T) B^T * alpha / rank`.
pub(crate) struct Linear {
    weight: Matrix,
    bias: Option<Tensor>,
    low_rank: Option<LowRank>,
}

impl Linear {
    /// A layer with bias.
    pub(crate) fn load(path: &Path<'_>, n_in: i64, n_out: i64) -> Self {
        let bias = path.tensor("bias", &[n_out]);
        Self {
            bias: Some(bias),
            ..Self::load_without_bias(path, n_in, n_out)
        }
    }

    pub(crate) fn load_without_bias(path: &Path<'_>, n_in: i64, n_out: i64) -> Self {
        Self {
            weight: path.matrix("weight", &[n_out, n_in]),
            bias: None,
            low_rank: path.low_rank(n_in, n_out),
        }
    }

    /// The numbers of its weights, which its input must have.
    pub(crate) fn kind(&self) -> Kind {
        self.weight.kind()
    }

    /// Shapes: `x` `[…, n_in]` to `[…, n_out]`.
    pub(crate) fn forward(&self, x: &Tensor, adapter: Adapter) -> Tensor {
        let y = self.weight.linear(x, self.bias.as_ref());
        match (&self.low_rank, adapter) {
            (Some(low_rank), Adapter::On) => y + low_rank.forward(x),
            _ => y,
        }
    }

    /// The layer alone, for networks that are never adapted.
    pub(crate) fn base(&self, x: &Tensor) -> Tensor {
        self.forward(x, Adapter::Off)
    }
}
