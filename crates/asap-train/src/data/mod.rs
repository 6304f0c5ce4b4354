//! From the pairs of a dataset to what a network is trained on.
//!
//! A pair becomes two latents, a mask on their grid and an embedded prompt. Both images go through the same resizing,
//! so outside the error they stay equal.

mod bucket;
mod encoder;
mod hap;

use asap_core::{Mechanism, PairId, Part};
use asap_diffusion::Array;
use asap_diffusion::training::Conditioning;

use crate::objective::MaskMeans;

pub use bucket::bucket;
pub use encoder::{Encoder, TINY_TEXT_DIM};
pub(crate) use hap::filter;
pub(crate) use hap::sized;
pub use hap::{Chosen, read};

/// A prompt as the network takes it.
#[derive(Clone, Debug)]
pub struct Prompted {
    /// The embedded prompt.
    pub conditioning: Conditioning,
    /// Tokens at its end that the text encoder does not take.
    pub n_cut: usize,
}

impl Prompted {
    /// A prompt that was taken whole.
    pub const fn whole(conditioning: Conditioning) -> Self {
        Self {
            conditioning,
            n_cut: 0,
        }
    }
}

/// An image as its encoder gives it: a normal distribution over latents, or one latent.
#[derive(Clone, Debug, PartialEq)]
pub struct Latent {
    /// `[C, h, w]`, scaled as the network takes it.
    pub mean: Array,
    /// Of the same sizes; `None` where the encoder is exact.
    pub std: Option<Array>,
}

impl Latent {
    /// The latent drawn with standard normal numbers; the mean without them.
    pub fn drawn(&self, normals: Option<&[f32]>) -> Array {
        let (Some(std), Some(normals)) = (&self.std, normals) else {
            return self.mean.clone();
        };
        let values = self.mean.values().iter().zip(std.values()).zip(normals);
        let drawn = values.map(|((mean, std), normal)| mean + std * normal).collect();
        Array::new(self.mean.shape(), drawn).expect("as many values as the mean has")
    }
}

/// A pair ready for the network.
#[derive(Clone, Debug)]
pub struct Example {
    /// The pair.
    pub id: PairId,
    /// What both images show.
    pub prompt: String,
    /// The part of the body that the error is in.
    pub part: Option<Part>,
    /// Where the error was made.
    pub mechanism: Mechanism,
    /// x_w.
    pub preferred: Latent,
    /// x_l.
    pub rejected: Latent,
    /// `[h, w]`, 0 to 1.
    pub mask: Array,
    /// Means of the mask and its square.
    pub mask_means: MaskMeans,
    /// The embedded prompt.
    pub conditioning: Conditioning,
    /// Tokens at the prompt's end that the text encoder does not take.
    pub n_cut_tokens: usize,
}
