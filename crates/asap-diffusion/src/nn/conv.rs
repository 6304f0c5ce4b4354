//! Convolutions over images.

use tch::Tensor;

use crate::weights::Path;

/// The geometry of a convolution.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ConvShape {
    pub(crate) n_in: i64,
    pub(crate) n_out: i64,
    /// Rows and columns of the kernel.
    pub(crate) side: i64,
    pub(crate) stride: i64,
    pub(crate) padding: i64,
}

impl ConvShape {
    /// A square kernel that keeps height and width; `side` is odd.
    pub(crate) const fn same(n_in: i64, n_out: i64, side: i64) -> Self {
        Self {
            n_in,
            n_out,
            side,
            stride: 1,
            padding: side / 2,
        }
    }
}

/// A convolution with bias, in the numbers of its weights. Shapes: `[B, n_in, H, W]` to `[B, n_out, H', W']`.
pub(crate) struct Conv2d {
    weight: Tensor,
    bias: Tensor,
    stride: i64,
    padding: i64,
}

impl Conv2d {
    pub(crate) fn load(path: &Path<'_>, shape: ConvShape) -> Self {
        let ConvShape {
            n_in,
            n_out,
            side,
            stride,
            padding,
        } = shape;
        Self {
            weight: path.tensor("weight", &[n_out, n_in, side, side]),
            bias: path.tensor("bias", &[n_out]),
            stride,
            padding,
        }
    }

    pub(crate) fn forward(&self, x: &Tensor) -> Tensor {
        let (stride, padding) = (self.stride, self.padding);
        x.to_kind(self.weight.kind()).conv2d(
            &self.weight,
            Some(&self.bias),
            [stride, stride],
            [padding, padding],
            [1, 1],
            1,
        )
    }
}
