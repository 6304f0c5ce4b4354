//! The SDXL UNet: a noisy latent, a time, text and sizes in; the noise out.
//!
//! A layer's path is the path of its weights in diffusers' checkpoints; [`original_unet`] renames those of the
//! original file.
//!
//! # Source
//! "SDXL: Improving Latent Diffusion Models for High-Resolution Image Synthesis", arXiv:2307.01952, §2;
//! arithmetic as in diffusers' `UNet2DConditionModel`.

mod attention;
mod blocks;
mod config;
mod original;
mod read;
mod resnet;
mod segment;
mod transformer;
mod unet;

#[cfg(test)]
pub(crate) mod parity;

pub use config::{BlockKind, UnetConfig};
pub use original::original_unet;
pub(crate) use unet::{SdxlText, Unet};
