//! The errors of one prediction, weighted in three ways by the mask.

use tch::{Kind, Tensor};

/// Means over all elements of the squared difference between prediction and target, times 1, the mask, and the
/// mask squared.
///
/// From them follows the localized error of Eq. 4 for every alpha: `e0 + 2 alpha e1 + alpha^2 e2`.
#[derive(Clone, Copy, Debug, Default, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Errors {
    /// Mean of the squared difference.
    pub e0: f64,
    /// Mean of mask times squared difference.
    pub e1: f64,
    /// Mean of mask squared times squared difference.
    pub e2: f64,
}

/// The error that a training descends: `w0 e0 + w1 e1 + w2 e2`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ErrorWeights(pub [f64; 3]);

impl Errors {
    /// The weighted sum.
    pub fn weighted(&self, weights: ErrorWeights) -> f64 {
        let [w0, w1, w2] = weights.0;
        w0 * self.e0 + w1 * self.e1 + w2 * self.e2
    }

    /// Whether all three are numbers.
    pub fn is_finite(&self) -> bool {
        [self.e0, self.e1, self.e2].iter().all(|value| value.is_finite())
    }

    fn of(values: &[f64]) -> Self {
        Self {
            e0: values[0],
            e1: values[1],
            e2: values[2],
        }
    }
}

/// The three errors of each image of a batch, as part of the graph.
///
/// # Shapes
/// `predicted` and `target` `[B, C, h, w]`, `mask` `[B, 1, h, w]`, 0 to 1; the result is `[B, 3]`, `f32`.
/// # Source
/// arXiv:2605.25759v1 §4.2.1, Eq. 4, with the mean over C, h, w in `f32`.
pub(super) fn errors(predicted: &Tensor, target: &Tensor, mask: &Tensor) -> Tensor {
    let squared = (predicted.to_kind(Kind::Float) - target).square();
    let axes: &[i64] = &[1, 2, 3];
    let mean = |weighted: &Tensor| weighted.mean_dim(axes, false, Kind::Float);
    let once = &squared * mask;
    let twice = &once * mask;
    Tensor::stack(&[mean(&squared), mean(&once), mean(&twice)], 1)
}

/// The errors as numbers, one per image.
pub(super) fn numbers(errors: &Tensor) -> Vec<Errors> {
    let flat = crate::Array::of(errors);
    let values: Vec<f64> = flat.values().iter().copied().map(f64::from).collect();
    values.chunks_exact(3).map(Errors::of).collect()
}
