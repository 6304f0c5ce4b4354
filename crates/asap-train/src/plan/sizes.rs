//! What the arithmetic needs to know of a network.

use super::{FluxSizes, SdxlSizes};
use crate::config::Settings;

/// Layers of one shape.
#[derive(Clone, Debug, PartialEq)]
pub struct Layer {
    /// Path without the numbers of blocks.
    pub path: String,
    /// Inputs.
    pub n_in: f64,
    /// Outputs.
    pub n_out: f64,
    /// How many.
    pub count: f64,
}

impl Layer {
    pub(super) fn new(path: &str, n_in: f64, n_out: f64, count: f64) -> Self {
        Self {
            path: path.to_owned(),
            n_in,
            n_out,
            count,
        }
    }
}

/// The sizes of a network.
#[derive(Clone, Debug, PartialEq)]
pub enum Sizes {
    /// FLUX's shape, the tiny network too.
    Flux(FluxSizes),
    /// SDXL's shape.
    Sdxl(SdxlSizes),
}

/// Calls the method of the network that there is.
macro_rules! either {
    ($self:ident.$method:ident($($argument:expr),*)) => {
        match $self {
            Self::Flux(sizes) => sizes.$method($($argument),*),
            Self::Sdxl(sizes) => sizes.$method($($argument),*),
        }
    };
}

impl Sizes {
    /// Operations of a forward pass of one image: of layers and of attention.
    pub(super) fn forward_flop(&self, settings: &Settings) -> (f64, f64) {
        either!(self.forward_flop(settings))
    }

    /// Numbers that one image leaves for the backward pass.
    pub(super) fn kept_numbers(&self, settings: &Settings) -> f64 {
        either!(self.kept_numbers(settings))
    }

    /// Numbers of a latent.
    pub(super) fn latent_numbers(&self, settings: &Settings) -> f64 {
        let side = f64::from(settings.model.resolution_px / 8);
        let n_channels = match self {
            Self::Flux(sizes) => f64::from(sizes.packed_channels) / 4.0,
            Self::Sdxl(_) => 4.0,
        };
        n_channels * side * side
    }

    /// Numbers of a text.
    pub(super) fn text_numbers(&self, settings: &Settings) -> f64 {
        let (width, pooled) = match self {
            Self::Flux(sizes) => (sizes.text_width, sizes.pooled_width),
            Self::Sdxl(sizes) => (sizes.text_width, 1280),
        };
        f64::from(settings.model.text_tokens) * f64::from(width) + f64::from(pooled)
    }

    /// Layers that can have an adapter.
    pub(super) fn layers(&self) -> Vec<Layer> {
        either!(self.layers())
    }

    /// Weights of the whole network.
    pub(super) fn n_weights(&self) -> f64 {
        either!(self.n_weights())
    }

    /// Blocks that can be swapped.
    pub(super) fn n_blocks(&self) -> f64 {
        either!(self.n_blocks())
    }

    /// Weights of a block, on average.
    pub(super) fn block_weights(&self) -> f64 {
        either!(self.block_weights())
    }
}
