//! Samplers: from noise to latents, step by step.

mod flux;
mod sdxl;

pub use flux::{FluxRequest, sample_flux};
pub(crate) use sdxl::{SdxlPrompt, sample_sdxl};
