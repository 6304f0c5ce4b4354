//! Where a network lives and in which precision it computes.

use candle_core::{DType, Device, Shape, Tensor};

use super::device;
use crate::Result;

/// The floats that a network computes with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Precision {
    /// 32 bits: what the golden numbers are in.
    F32,
    /// 16 bits with the range of 32: half the memory, and other scores in the second or third digit.
    Bf16,
}

impl Precision {
    /// The name in files and on the command line.
    pub const fn name(self) -> &'static str {
        match self {
            Self::F32 => "f32",
            Self::Bf16 => "bf16",
        }
    }
}

/// A device and a precision.
#[derive(Clone, Debug)]
pub(crate) struct Placement {
    device: Device,
    precision: Precision,
}

impl Placement {
    /// The device that this build computes on, see [`device::open`].
    pub(crate) fn new(precision: Precision) -> Result<Self> {
        Ok(Self {
            device: device::open()?,
            precision,
        })
    }

    pub(crate) const fn device(&self) -> &Device {
        &self.device
    }

    pub(crate) const fn precision(&self) -> Precision {
        self.precision
    }

    pub(crate) const fn dtype(&self) -> DType {
        match self.precision {
            Precision::F32 => DType::F32,
            Precision::Bf16 => DType::BF16,
        }
    }

    /// Values as a tensor in this precision, here.
    pub(crate) fn tensor(&self, values: Vec<f32>, shape: impl Into<Shape>) -> candle_core::Result<Tensor> {
        let shape: Shape = shape.into();
        Tensor::from_vec(values, shape, &self.device)?.to_dtype(self.dtype())
    }
}
