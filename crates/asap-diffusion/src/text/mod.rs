//! Prompts as the numbers that steer a diffusion model.
//!
//! [`FluxTextEncoders`] and [`SdxlTextEncoders`] are what the rest of the toolkit uses: each holds two tokenizers
//! and two networks and gives plain arrays. Every prompt is computed alone, so that its numbers do not depend on
//! the prompts beside it.

mod clip;
mod config;
mod embeddings;
mod flux;
mod names;
#[cfg(test)]
mod parity;
mod sdxl;
mod t5;
mod tokenizer;
mod tokenizer_files;

pub use config::{ClipActivation, ClipConfig, T5Config, T5FeedForward};
pub use flux::{FluxEmbedding, FluxTextEncoders};
pub use sdxl::{SdxlEmbedding, SdxlFile, SdxlTextEncoders};
pub use tokenizer::{Tokenizer, Tokens};
