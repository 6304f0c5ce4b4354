//! By which way the numbers of several processes meet.

use crate::device::Place;

/// Gloo or NCCL.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Transport {
    /// Through the processors' memory and TCP. Serves tensors of a GPU too: they are copied there and back, which
    /// is little for the gradients of an adapter.
    Gloo,
    /// From GPU to GPU, on the device of this number. Its part of this crate is built only where CUDA's headers
    /// are found.
    Nccl {
        /// The CUDA device of this process.
        device: usize,
    },
}

impl Transport {
    /// NCCL for a GPU where it was built, otherwise Gloo.
    pub fn for_place(place: Place) -> Self {
        match place {
            Place::Cuda(device) if crate::runtime::has_nccl() => Self::Nccl { device },
            _ => Self::Gloo,
        }
    }

    /// Where the tensors of a collective must be.
    pub(super) fn device(self) -> tch::Device {
        match self {
            Self::Gloo => tch::Device::Cpu,
            Self::Nccl { device } => tch::Device::Cuda(device),
        }
    }
}
