//! The head of the aesthetic predictor and of ImageReward: five layers without activations, so one affine map.

use candle_core::{DType, Tensor};

use crate::Result;
use crate::scorers::checkpoint::Checkpoint;

/// Where the layers stand in the reference's list; between them is dropout, which does nothing in use.
const LAYERS: [usize; 5] = [0, 2, 4, 6, 7];

/// `w . x + b`.
pub(in crate::scorers) struct AffineHead {
    weight: Vec<f64>,
    bias: f64,
}

impl AffineHead {
    /// Reads the layers `{prefix}.N` for embeddings of `width` and multiplies them out in f64.
    ///
    /// # Source
    /// `MLP` of improved-aesthetic-predictor, which `image-reward` 1.5 took over: 768, 1024, 128, 64, 16, 1 wide.
    pub(in crate::scorers) fn load(checkpoint: &mut Checkpoint, prefix: &str, width: usize) -> Result<Self> {
        let mut n_in = width;
        let mut layers = Vec::new();
        for (idx, layer) in LAYERS.into_iter().enumerate() {
            let name = format!("{prefix}.{layer}.weight");
            let [n_told, _] = checkpoint.shape::<2>(&name)?;
            let n_out = if idx + 1 == LAYERS.len() { 1 } else { n_told };
            let weight = checkpoint.stored(&name, (n_out, n_in))?.to_dtype(DType::F64)?;
            let bias = checkpoint.stored(&format!("{prefix}.{layer}.bias"), n_out)?;
            layers.push((weight, bias.to_dtype(DType::F64)?));
            n_in = n_out;
        }
        Ok(Self::collapse(&layers)?)
    }

    /// The map of all layers one after the other; the last one has one row.
    fn collapse(layers: &[(Tensor, Tensor)]) -> candle_core::Result<Self> {
        // From the last layer back: w (W x + b) + c = (w W) x + (w b + c).
        let mut bias = 0.0;
        let mut row: Option<Tensor> = None;
        for (weight, layer_bias) in layers.iter().rev() {
            let column = layer_bias.unsqueeze(1)?;
            let (next, added) = match row {
                None => (weight.clone(), column),
                Some(row) => (row.matmul(weight)?, row.matmul(&column)?),
            };
            bias += added.sum_all()?.to_scalar::<f64>()?;
            row = Some(next);
        }
        let weight = match row {
            Some(row) => row.flatten_all()?.to_vec1()?,
            None => Vec::new(),
        };
        Ok(Self { weight, bias })
    }

    /// The score of one embedding.
    pub(in crate::scorers) fn score(&self, embedding: &[f64]) -> f64 {
        let products = self.weight.iter().zip(embedding).map(|(w, x)| w * x);
        products.sum::<f64>() + self.bias
    }
}

#[cfg(test)]
mod tests {
    use asap_core::Stream;
    use candle_core::Device;

    use super::*;

    fn random(stream: &mut Stream, shape: &[usize]) -> Tensor {
        let n: usize = shape.iter().product();
        let values: Vec<f64> = (0..n).map(|_| stream.normal()).collect();
        Tensor::from_vec(values, shape, &Device::Cpu).unwrap()
    }

    #[test]
    fn the_collapsed_map_equals_the_layers() {
        let mut stream = Stream::new(3, "aesthetic head");
        let widths = [24, 32, 12, 8, 4, 1];
        let layers: Vec<(Tensor, Tensor)> = widths
            .windows(2)
            .map(|pair| {
                (
                    random(&mut stream, &[pair[1], pair[0]]),
                    random(&mut stream, &[pair[1]]),
                )
            })
            .collect();
        let head = AffineHead::collapse(&layers).unwrap();
        for _ in 0..20 {
            let x = random(&mut stream, &[widths[0], 1]);
            let mut y = x.clone();
            for (weight, bias) in &layers {
                y = (weight.matmul(&y).unwrap() + bias.unsqueeze(1).unwrap()).unwrap();
            }
            let expected: f64 = y.sum_all().unwrap().to_scalar().unwrap();
            let got = head.score(&x.flatten_all().unwrap().to_vec1::<f64>().unwrap());
            assert!(
                (got - expected).abs() < 1e-9 * expected.abs().max(1.0),
                "{got} != {expected}"
            );
        }
    }
}
