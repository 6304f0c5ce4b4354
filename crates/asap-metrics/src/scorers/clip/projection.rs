//! Into the space that images and texts share.

use candle_core::{D, DType, Result as CandleResult, Tensor};
use candle_nn::Linear;

use super::names::ProjectionName;
use crate::Result;
use crate::scorers::checkpoint::Checkpoint;

/// Reads a projection from `width` on; its other side is that of the tensor.
pub(super) fn load(checkpoint: &mut Checkpoint, name: ProjectionName, width: usize) -> Result<Linear> {
    let weight = match name {
        ProjectionName::Weight(name) => {
            let [n_out, _] = checkpoint.shape::<2>(name)?;
            checkpoint.tensor(name, (n_out, width))?
        }
        ProjectionName::Matrix(name) => {
            let [_, n_out] = checkpoint.shape::<2>(name)?;
            checkpoint.tensor(name, (width, n_out))?.t()?.contiguous()?
        }
    };
    Ok(Linear::new(weight, None))
}

/// Rows divided by their lengths, in f32.
pub(super) fn to_unit_length(rows: &Tensor) -> CandleResult<Tensor> {
    let rows = rows.to_dtype(DType::F32)?;
    rows.broadcast_div(&rows.sqr()?.sum_keepdim(D::Minus1)?.sqrt()?)
}
