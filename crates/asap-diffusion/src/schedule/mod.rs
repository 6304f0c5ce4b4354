//! Noise levels: how much noise an image gets in training, and the steps that take it out.

mod config;
pub mod ddim;
pub mod ddpm;
pub mod euler;
mod flow_match;
mod plan;

pub use config::{Prediction, ScheduleConfig, Spacing};
pub use ddpm::NoiseSchedule;
pub use flow_match::{
    SchedulerConfig, SigmaRounding, noised, sampler_sigmas, shift_exponent, shift_sigma, training_sigma,
};
pub(crate) use flow_match::{add_noise, euler_step};
pub use plan::{SamplingPlan, SamplingStep};
