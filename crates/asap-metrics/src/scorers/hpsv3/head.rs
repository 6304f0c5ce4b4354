//! The reward head: three layers in f32, whatever the rest computes in.

use candle_core::{DType, Result as CandleResult, Tensor};
use candle_nn::{Linear, Module as _};

use crate::Result;
use crate::scorers::checkpoint::Checkpoint;
use crate::scorers::placement::Placement;

/// Where the layers stand in the reference's list; between them are ReLU and dropout.
const LAYERS: [usize; 3] = [0, 3, 5];
/// Mean and logarithm of the deviation.
const N_OUT: usize = 2;

/// `Linear, ReLU, Linear, ReLU, Linear`.
pub(super) struct RewardHead {
    layers: Vec<Linear>,
}

impl RewardHead {
    /// Reads the layers for vectors of `width`.
    ///
    /// # Source
    /// `hpsv3` 1.0.0 `Qwen2VLRewardModelBT`, head of the type `ranknet`: 3584, 1024, 16, 2 wide.
    pub(super) fn load(checkpoint: &mut Checkpoint, width: usize, placement: &Placement) -> Result<Self> {
        let mut n_in = width;
        let mut layers = Vec::new();
        for (idx, layer) in LAYERS.into_iter().enumerate() {
            let name = format!("rm_head.{layer}.weight");
            let [n_told, _] = checkpoint.shape::<2>(&name)?;
            let n_out = if idx + 1 == LAYERS.len() { N_OUT } else { n_told };
            let weight = checkpoint.stored(&name, (n_out, n_in))?;
            let bias = checkpoint.stored(&format!("rm_head.{layer}.bias"), n_out)?;
            let here = |tensor: Tensor| tensor.to_dtype(DType::F32)?.to_device(placement.device());
            layers.push(Linear::new(here(weight)?, Some(here(bias)?)));
            n_in = n_out;
        }
        Ok(Self { layers })
    }

    /// Mean and logarithm of the deviation for each row.
    pub(super) fn forward(&self, rows: &Tensor) -> CandleResult<Vec<[f64; N_OUT]>> {
        let mut x = rows.to_dtype(DType::F32)?;
        for (idx, layer) in self.layers.iter().enumerate() {
            x = layer.forward(&if idx == 0 { x } else { x.relu()? })?;
        }
        let outputs: Vec<Vec<f64>> = x.to_dtype(DType::F64)?.to_vec2()?;
        // The last layer was read with two rows.
        Ok(outputs.iter().map(|output| [output[0], output[1]]).collect())
    }
}
