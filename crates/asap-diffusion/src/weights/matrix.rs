//! The matrix of a linear layer: on the device, or waiting in the memory of the host.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tch::{Device, Kind, Tensor};

use crate::nn::swapped_linear;

/// A matrix that its layer and the list of its block share.
pub(crate) struct Matrix {
    tensor: Tensor,
    /// Whether it is in the host's memory and copied for each pass.
    waits: Arc<AtomicBool>,
}

impl Matrix {
    pub(crate) fn new(tensor: Tensor) -> Self {
        Self {
            tensor,
            waits: Arc::new(AtomicBool::new(false)),
        }
    }

    /// The same matrix once more.
    pub(crate) fn share(&self) -> Self {
        Self {
            tensor: self.tensor.shallow_clone(),
            waits: Arc::clone(&self.waits),
        }
    }

    pub(crate) fn kind(&self) -> Kind {
        self.tensor.kind()
    }

    /// `x W^T + b`.
    pub(crate) fn linear(&self, x: &Tensor, bias: Option<&Tensor>) -> Tensor {
        if self.waits.load(Ordering::Relaxed) {
            swapped_linear(x, &self.tensor, bias)
        } else {
            x.linear(&self.tensor, bias)
        }
    }

    /// From now on it waits in the host's memory, pinned for a network on a CUDA device. No pass may be on its way.
    pub(crate) fn wait(&mut self, device: Device) {
        if self.waits.swap(true, Ordering::Relaxed) {
            return;
        }
        let host = self.tensor.to_device(Device::Cpu);
        let host = match device {
            Device::Cuda(_) => host.pin_memory(device),
            _ => host,
        };
        // The data of the tensor itself, so that its layer has it too.
        self.tensor.set_data(&host);
    }
}
