//! Samplers: from noise to latents.

mod sdxl;

pub(crate) use sdxl::{SdxlPrompt, sample_sdxl};
