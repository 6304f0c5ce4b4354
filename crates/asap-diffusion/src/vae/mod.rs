//! The autoencoder between pixels and latents.
//!
//! FLUX and SDXL share one network, [`VaeConfig`] tells them apart. [`Vae`] is what the rest of the toolkit uses:
//! 8-bit pixels in, normalised latents out, and back.

mod block;
mod config;
mod decoder;
mod encoder;
mod images;
mod model;
mod names;
#[cfg(test)]
mod parity;
mod tiles;

pub use config::VaeConfig;
pub use images::{Latents, Vae};
pub use tiles::Tiling;
