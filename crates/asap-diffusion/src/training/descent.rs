//! What a training descends, by which rule, and what is asked of it.

use crate::Array;
use crate::optim::AdamWSettings;
use crate::training::{Conditioning, ErrorWeights};

/// How the gradients of the two images of a pair are computed; the sum is the same.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Backward {
    /// One image after the other: the activations of one image of each pair in memory.
    ///
    /// Where several pairs go together, the rejected images are measured once more without a gradient: the factor of
    /// each preferred image depends on them.
    Split,
    /// Both images in one batch: the activations of two images of each pair in memory.
    Joint,
}

/// Whether the rejected image is trained on; where it is not, its errors are still measured.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Rejected {
    /// Its gradient counts.
    Trained,
    /// Without a gradient: its factor is 0.
    Measured,
}

/// What a training descends and how.
#[derive(Clone, Debug, PartialEq)]
pub struct Descent {
    /// The error of an image, for each pair of a batch.
    pub weights: Vec<ErrorWeights>,
    /// In which layout.
    pub backward: Backward,
    /// On which images.
    pub rejected: Rejected,
}

/// The rule by which weights change.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Optimiser {
    /// AdamW's own options.
    pub adamw: AdamWSettings,
    /// The largest norm of a gradient; a larger one is scaled down to it.
    pub clip_norm: Option<f64>,
    /// How much of the running average of the weights is kept at an update; `None` keeps no average.
    pub ema_decay: Option<f64>,
}

/// What is drawn from noise.
#[derive(Clone, Copy, Debug)]
pub struct Sampling<'a> {
    /// Standard normal, `[C, h, w]`.
    pub noise: &'a Array,
    /// What is to be seen; for FLUX with the guidance that is embedded.
    pub conditioning: &'a Conditioning,
    /// SDXL: what is kept away from, where there is guidance.
    pub negative: Option<&'a Conditioning>,
    /// Passes through the network.
    pub n_steps: usize,
    /// SDXL: the scale of classifier-free guidance.
    pub guidance: f64,
}

/// What an update did.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Applied {
    /// Norm of the mean gradient over all pairs and processes, before clipping.
    pub grad_norm: f64,
}
