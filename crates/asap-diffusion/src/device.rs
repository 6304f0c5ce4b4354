//! Where a network computes, and in which numbers.

use tch::{Device, Kind};

use crate::{Error, Result};

/// The numbers of a network's weights and activations. Sums, norms and losses are `f32` in both.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Precision {
    /// 32 bits: for comparison with references, and for processors.
    F32,
    /// 16 bits with the range of `f32`: for GPUs.
    Bf16,
}

impl Precision {
    pub(crate) fn kind(self) -> Kind {
        match self {
            Self::F32 => Kind::Float,
            Self::Bf16 => Kind::BFloat16,
        }
    }
}

/// Where the weights of a network are, and in which numbers.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Placement {
    /// Where it computes.
    pub place: Place,
    /// In which numbers.
    pub precision: Precision,
    /// The matrices of so many blocks, from the first, wait in the host's memory and are copied for each pass.
    pub swap_blocks: usize,
}

impl Placement {
    /// All of it where it computes.
    pub fn whole(place: Place, precision: Precision) -> Self {
        Self {
            place,
            precision,
            swap_blocks: 0,
        }
    }
}

/// Where a network computes.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Place {
    /// The processor.
    Cpu,
    /// A CUDA device, by its number.
    Cuda(usize),
}

impl Place {
    pub(crate) fn device(self) -> Device {
        match self {
            Self::Cpu => Device::Cpu,
            Self::Cuda(index) => Device::Cuda(index),
        }
    }

    /// The place, where it can be used.
    ///
    /// # Errors
    /// [`Error::Argument`] where libtorch sees no such device.
    pub fn checked(self) -> Result<Self> {
        let Self::Cuda(index) = self else {
            return Ok(self);
        };
        let n_devices = tch::Cuda::device_count();
        if i64::try_from(index).is_ok_and(|index| index < n_devices) {
            return Ok(self);
        }
        Err(Error::argument(
            "the CUDA device",
            format!("a number below {n_devices}, the devices that libtorch sees"),
            index,
        ))
    }
}
