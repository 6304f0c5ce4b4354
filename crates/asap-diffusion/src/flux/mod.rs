//! FLUX.1: the transformer that turns noise and text into a velocity.
//!
//! Files follow the network from the outside in: [`Flux`] is the border, `fits` what it refuses, `transformer` the whole, `double` and
//! `single` the blocks, `layers`, `embed` and `rope` what they are made of; `pack` turns latents into tokens,
//! `names` is what layers are called elsewhere, and `original` renames the file that Black Forest Labs publishes.

mod config;
mod double;
mod embed;
mod fits;
mod layers;
mod model;
pub(crate) mod names;
mod original;
mod pack;
#[cfg(test)]
mod parity;
mod rope;
mod single;
mod transformer;

pub use config::FluxConfig;
pub use model::{Flux, FluxConditions, FluxPoint};
pub use original::of_original;
pub(crate) use pack::{grid, pack, unpack};
pub(crate) use transformer::{FluxInput, FluxText, FluxTransformer};
