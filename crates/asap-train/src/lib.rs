//! Preference training of LoRA adapters on FLUX and SDXL (§4.2 of the paper), with SFT and DPO as baselines.
//!
//! A step is made of plain numbers here and of tensors in `asap-diffusion`: a network tells three errors per image
//! (unweighted, and weighted once and twice by the mask), the objective turns those of a pair into a loss and
//! two factors, and the network adds the gradients of the two images, scaled by these factors, to its sum.

pub mod args;
pub mod config;
pub mod data;
pub mod doctor;
pub mod draw;
pub mod folder;
pub mod generate;
pub mod latent_mask;
pub mod lr;
pub mod objective;
pub mod order;
pub mod plan;
pub mod reference_key;
pub mod report;
pub mod session;
pub mod sweep;
pub mod telemetry;
