//! Activations, which no tensor's shape tells apart.

use candle_core::{Result, Tensor};

/// The activation between the two layers of a perceptron.
///
/// A wrong one gives plausible and wrong scores: the aesthetic score of a photograph fell from 5.05 to 4.44.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Activation {
    /// `x * sigmoid(1.702 x)`: OpenAI's own CLIP networks.
    QuickGelu,
    /// `x * Phi(x)` by the error function: LAION's networks, BLIP, BERT.
    Gelu,
}

impl Activation {
    /// The name that `config.json` has for it.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::QuickGelu => "quick_gelu",
            Self::Gelu => "gelu",
        }
    }

    pub(crate) fn apply(self, x: &Tensor) -> Result<Tensor> {
        match self {
            Self::QuickGelu => x * candle_nn::ops::sigmoid(&(x * 1.702)?)?,
            Self::Gelu => x.gelu_erf(),
        }
    }
}

#[cfg(test)]
mod tests {
    use candle_core::Device;

    use super::*;

    /// Values of `torch.nn.functional.gelu(x)` and `x * torch.sigmoid(1.702 * x)`.
    #[test]
    fn both_equal_torch_and_differ() {
        let x = Tensor::new(&[-2.0_f32, -0.5, 0.0, 0.5, 2.0], &Device::Cpu).unwrap();
        for (activation, expected) in [
            (
                Activation::Gelu,
                [-0.045_500_1, -0.154_268_79, 0.0, 0.345_731_2, 1.954_5],
            ),
            (
                Activation::QuickGelu,
                [-0.064_341_37, -0.149_611_56, 0.0, 0.350_388_44, 1.935_658_6],
            ),
        ] {
            let got: Vec<f32> = activation.apply(&x).unwrap().to_vec1().unwrap();
            for (got, expected) in got.iter().zip(expected) {
                assert!(
                    (got - expected).abs() < 1e-5,
                    "{activation:?}: {got} != {expected}"
                );
            }
        }
    }
}
