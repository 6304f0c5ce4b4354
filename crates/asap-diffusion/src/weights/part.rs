//! How a network's tensor comes out of a tensor of a file with another layout.

use tch::Tensor;

/// What is taken of a stored tensor.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Part {
    /// All of it.
    Whole,
    /// Rows `start..start + n` of the first axis: one of several layers that are stored as one.
    Rows {
        /// The first.
        start: i64,
        /// How many.
        n: i64,
    },
    /// The two halves of the first axis, the second first: stored (shift, scale), wanted (scale, shift).
    SwapHalves,
    /// The two axes in the other order.
    Transposed,
    /// A 1x1 convolution `[out, in, 1, 1]` as a linear layer `[out, in]`.
    ConvAsLinear,
}

impl Part {
    pub(crate) fn shape(self, stored: &[i64]) -> Vec<i64> {
        let mut shape = stored.to_vec();
        match self {
            Self::Whole | Self::SwapHalves => {}
            Self::Rows { n, .. } => {
                if let Some(first) = shape.first_mut() {
                    *first = n;
                }
            }
            Self::Transposed => shape.reverse(),
            Self::ConvAsLinear => shape.truncate(2),
        }
        shape
    }

    pub(crate) fn of(self, stored: Tensor) -> Tensor {
        match self {
            Self::Whole => stored,
            Self::Rows { start, n } => stored.narrow(0, start, n).contiguous(),
            Self::SwapHalves => {
                let halves = stored.chunk(2, 0);
                Tensor::cat(&[&halves[1], &halves[0]], 0)
            }
            Self::Transposed => stored.transpose(0, 1).contiguous(),
            Self::ConvAsLinear => stored.flatten(1, -1),
        }
    }

    /// Whether the part lies inside a stored tensor of these sizes.
    pub(crate) fn fits(self, stored: &[i64]) -> bool {
        match self {
            Self::Whole => true,
            Self::Rows { start, n } => stored.first().is_some_and(|&rows| start + n <= rows),
            Self::SwapHalves => stored.first().is_some_and(|rows| rows % 2 == 0),
            Self::Transposed => stored.len() == 2,
            Self::ConvAsLinear => stored.len() >= 2 && stored[2..].iter().all(|&n| n == 1),
        }
    }
}
