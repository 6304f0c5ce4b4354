//! Noise levels: how much noise an image gets in training, and how a sampler takes it away again.

mod flow_match;

pub(crate) use flow_match::euler_step;
pub use flow_match::{
    SchedulerConfig, SigmaRounding, noised, sampler_sigmas, shift_exponent, shift_sigma, training_sigma,
};
