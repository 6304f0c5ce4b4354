//! Samplers: from noise to latents, step by step.

mod flux;

pub use flux::{FluxRequest, sample_flux};
