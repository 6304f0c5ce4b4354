//! The device that networks run on: the processor, or with the feature `cuda` the first GPU.

#[cfg(not(feature = "cuda"))]
mod cpu;
#[cfg(feature = "cuda")]
mod cuda;

#[cfg(not(feature = "cuda"))]
pub(super) use cpu::open;
#[cfg(feature = "cuda")]
pub(super) use cuda::open;
