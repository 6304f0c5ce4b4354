//! Rotary positions: a query and a key know how far apart they are in the image.

use tch::{Device, Kind, Tensor};

const THETA: f64 = 10_000.0;

/// How many tokens stand where: text tokens, then an image of `rows` by `cols` tokens.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Layout {
    pub(crate) n_text: i64,
    pub(crate) rows: i64,
    pub(crate) cols: i64,
}

/// Cosines and sines, `[N, head_dim / 2]`, `f32`.
///
/// # Source
/// "RoFormer: Enhanced Transformer with Rotary Position Embedding", arXiv:2104.09864, §3.2.2, over three axes:
/// text tokens stand at (0, 0, 0), image tokens at (0, row, col). Angles are `f64`, as in FLUX's own code.
pub(crate) struct Rope {
    cos: Tensor,
    sin: Tensor,
}

impl Rope {
    pub(crate) fn new(layout: Layout, axes_dims: [i64; 3], device: Device) -> Self {
        let options = (Kind::Double, Device::Cpu);
        let n_image = layout.rows * layout.cols;
        let token = Tensor::arange(n_image, options);
        let row = token.divide_scalar_mode(layout.cols, "floor");
        let col = &token - &row * layout.cols;
        let text = Tensor::zeros([layout.n_text], options);
        let positions = [Tensor::zeros([n_image], options), row, col];
        let angles: Vec<Tensor> = positions
            .iter()
            .zip(axes_dims)
            .map(|(position, dim)| {
                let exponents = Tensor::arange(dim / 2, options) * (2.0 / dim as f64);
                let frequencies = Tensor::full([dim / 2], THETA, options)
                    .pow(&exponents)
                    .reciprocal();
                Tensor::cat(&[&text, position], 0).outer(&frequencies)
            })
            .collect();
        let angles = Tensor::cat(&angles, 1);
        let table = |values: Tensor| values.to_kind(Kind::Float).to_device(device);
        Self {
            cos: table(angles.cos()),
            sin: table(angles.sin()),
        }
    }

    /// The same tables.
    pub(crate) fn share(&self) -> Self {
        Self {
            cos: self.cos.shallow_clone(),
            sin: self.sin.shallow_clone(),
        }
    }

    /// Turns each pair of neighbouring channels by the angle of its token. Computed in `f32`, whatever `x` is.
    ///
    /// Shapes: `x` `[B, heads, N, head_dim]`; the result is like it.
    pub(crate) fn forward(&self, x: &Tensor) -> Tensor {
        let pairs = x.to_kind(Kind::Float).unflatten(-1, [-1, 2]).unbind(-1);
        let (even, odd) = (&pairs[0], &pairs[1]);
        let turned = [
            even * &self.cos - odd * &self.sin,
            odd * &self.cos + even * &self.sin,
        ];
        Tensor::stack(&turned, -1).flatten(-2, -1).to_kind(x.kind())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Golden;

    /// An image that is 90 tokens wide shows angles that `f32` would miss.
    #[test]
    fn the_tables_are_those_of_diffusers() {
        let golden = Golden::read("flux");
        let layout = Layout {
            n_text: 3,
            rows: 2,
            cols: 90,
        };
        let rope = Rope::new(layout, [4, 6, 6], Device::Cpu);
        golden.check_within("rope.cos", &rope.cos, 1e-7);
        golden.check_within("rope.sin", &rope.sin, 1e-7);
    }
}
