//! Files of weights: reading what torch wrote, converting it, knowing which network it is.
//!
//! At run time only safetensors files are read. Their content is plain data: a header that names tensors, and
//! numbers. What others publish is often a torch file instead, which is a program for Python's pickle machine;
//! [`TorchFile`] reads those without running anything, and [`convert`] writes the same tensors as safetensors.
//!
//! [`networks`] lists what this toolkit can use: the name of the file in a folder of weights, where it is to be
//! had, its licence, and tensors by which it is told from others. A folder is a [`WeightsDir`]; one network of
//! it is loaded with [`WeightsDir::load`].
//!
//! Hashes are checked where they are known: those of a pin file, which `asap weights check --pin` writes beside
//! the weights, and those that the manifest has.

mod convert;
mod digest;
mod dir;
mod dtype;
mod fault;
mod loaded;
mod manifest;
mod nearest;
mod pickle;
mod pins;
mod safe;
mod state;
mod torch;

pub use convert::{Converted, convert};
pub(crate) use digest::sha256_of;
pub use dir::{Present, WeightsDir};
pub use dtype::Dtype;
pub use fault::Fault;
pub use loaded::Weights;
pub use manifest::{Network, Source, identify, network, networks, published_at};
pub(crate) use nearest::nearest;
pub use pins::{PINS_FILE, Pins};
pub use safe::SafeFile;
pub use torch::TorchFile;

/// A named tensor in a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TensorInfo {
    /// Its name, with full stops between levels.
    pub name: String,
    /// What its elements are.
    pub dtype: Dtype,
    /// Its size along each axis.
    pub shape: Vec<usize>,
}

impl TensorInfo {
    /// Bytes of all elements.
    pub fn n_bytes(&self) -> usize {
        self.shape.iter().product::<usize>() * self.dtype.size_bytes()
    }
}
