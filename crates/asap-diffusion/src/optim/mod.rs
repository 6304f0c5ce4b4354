//! What turns gradients into new weights: AdamW, clipping, and an average of the weights over time.

mod adamw;
mod clip;
mod ema;

pub(crate) use adamw::AdamW;
pub use adamw::{AdamWSettings, AdamWState};
pub(crate) use clip::clip_grad_norm;
pub(crate) use ema::Ema;
pub use ema::EmaState;

#[cfg(test)]
mod parity;
