//! Weights on disk and how they get into networks.
//!
//! A [`Checkpoint`] is what a folder or a file holds, tensor by tensor, perhaps under other names than the
//! file's. A [`Loader`] hands its tensors to the constructors of a network, each at its [`Path`], and says at the
//! end what did not fit.

mod checkpoint;
mod file;
mod loader;
mod matrix;
mod misfit;
mod part;
mod write;

pub use checkpoint::Checkpoint;
pub use file::{SafeFile, TensorInfo};
pub(crate) use loader::Parameter;
pub use loader::{Loaded, Loader, Path};
pub(crate) use matrix::Matrix;
pub use misfit::Misfit;
pub use part::Part;
pub use write::write_safetensors;
