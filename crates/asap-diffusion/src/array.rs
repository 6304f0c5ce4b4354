//! Numbers with sizes, as they cross the border of this crate.

use tch::{Device, Kind, Tensor};

use crate::{Error, Result};

/// `f32` values with their sizes; the last axis is fastest.
#[derive(Clone, Debug, PartialEq)]
pub struct Array {
    shape: Vec<usize>,
    values: Vec<f32>,
}

impl Array {
    /// The values under these sizes.
    ///
    /// # Errors
    /// [`Error::Argument`] where there are more or fewer values than the sizes say.
    pub fn new(shape: &[usize], values: Vec<f32>) -> Result<Self> {
        let n: usize = shape.iter().product();
        if n != values.len() {
            return Err(Error::argument(
                "the values of an array",
                format!("{n} for {shape:?}"),
                values.len(),
            ));
        }
        Ok(Self {
            shape: shape.to_vec(),
            values,
        })
    }

    /// Its sizes.
    pub fn shape(&self) -> &[usize] {
        &self.shape
    }

    /// Its values.
    pub fn values(&self) -> &[f32] {
        &self.values
    }

    /// Its values alone.
    pub fn into_values(self) -> Vec<f32> {
        self.values
    }

    /// The same as the one element of a batch.
    pub(crate) fn as_batch(&self) -> Self {
        Self {
            shape: [&[1], self.shape()].concat(),
            values: self.values.clone(),
        }
    }

    /// A copy of a tensor.
    pub(crate) fn of(tensor: &Tensor) -> Self {
        let tensor = tensor
            .detach()
            .to_device(Device::Cpu)
            .to_kind(Kind::Float)
            .contiguous();
        let mut values = vec![0.0; tensor.numel()];
        tensor.copy_data(&mut values, tensor.numel());
        let shape = tensor
            .size()
            .iter()
            .map(|&n| usize::try_from(n).unwrap_or_default())
            .collect();
        Self { shape, values }
    }

    /// A copy as `f32` tensor on the processor.
    pub(crate) fn tensor(&self) -> Tensor {
        let shape: Vec<i64> = self
            .shape
            .iter()
            .map(|&n| i64::try_from(n).unwrap_or(i64::MAX))
            .collect();
        Tensor::from_slice(&self.values).reshape(shape)
    }
}
