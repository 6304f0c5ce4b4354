//! What stands in for an autoencoder and for text encoders where there are no weights: fixed arithmetic.
//!
//! [`codec`] gives an image the shape of a FLUX latent, 16 channels on an eighth of the sides, and takes it back;
//! [`words`] gives a prompt the shape of its embeddings. With both, a small network of the FLUX kind can be trained
//! from nothing on a processor, through the same trainer, sampler and files as the large one.

pub mod codec;
pub mod words;
