//! Tables of learned vectors.

use tch::Tensor;

use crate::weights::Path;

/// One vector per number. Shapes: ids `[…]` (`i64`) to `[…, dim]`.
pub(crate) struct Embedding {
    weight: Tensor,
}

impl Embedding {
    pub(crate) fn load(path: &Path<'_>, n: i64, dim: i64) -> Self {
        Self {
            weight: path.tensor("weight", &[n, dim]),
        }
    }

    pub(crate) fn forward(&self, ids: &Tensor) -> Tensor {
        Tensor::embedding(&self.weight, ids, -1, false, false)
    }
}
