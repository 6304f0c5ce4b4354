//! The differentiable half of a training step: errors of images, their gradients, and the update of the weights.
//!
//! Everything that decides something, the objective above all, is plain numbers outside. A [`Trainee`] tells three
//! errors per image; what calls it answers with the factor by which the gradient of each image's error counts. So
//! one image after the other goes through the network and back, and only one is in memory at a time; the result
//! is the gradient of the joint loss, exactly. Pairs of equal sizes may go together, as a batch.

mod descent;
mod errors;
mod gradient;
mod input;
mod network;
mod painter;
mod prompt;
mod trainee;

#[cfg(test)]
mod memory;
#[cfg(test)]
mod parity;

pub use descent::{Applied, Backward, Descent, Optimiser, Rejected, Sampling};
pub use errors::{ErrorWeights, Errors};
pub use input::{Conditioning, ImageInput, PairInput};
pub use network::NetworkFiles;
pub use painter::Painter;
pub use trainee::Trainee;
