//! FLUX and SDXL in libtorch: the networks, LoRA, noise schedules and samplers.
//!
//! Each network reads beside its paper and its checkpoint: a layer's path is the path of its weights. A network
//! is built by a [`Loader`](weights::Loader), which takes weights from a [`Checkpoint`](weights::Checkpoint),
//! attaches adapters where they are asked for, and lists at the end what was missing or left over; so a
//! constructor has no error of its own, and nothing gets a silent default.
//!
//! Operations on tensors panic inside; [`guard`](guard::guard) turns that into an [`Error`] at the border.

pub mod array;
mod config_file;
pub mod device;
pub mod distributed;
pub mod error;
pub mod flux;
pub mod guard;
pub mod lora;
mod native;
mod nn;
pub mod optim;
pub mod run;
pub mod runtime;
pub mod sample;
pub mod schedule;
pub mod sdxl;
pub mod text;
pub mod tiny;
pub mod training;
pub mod vae;
pub mod weights;

#[cfg(test)]
mod testing;

pub use array::Array;
pub use error::{Error, Result};
pub use run::{Adapter, Checkpointing, Residual, Run};
