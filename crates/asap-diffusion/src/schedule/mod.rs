//! Noise schedules: how much noise a latent has at a time, and the steps that take it out.

pub mod ddim;
pub mod ddpm;
pub mod euler;
mod plan;

pub use ddpm::{NoiseSchedule, Prediction, ScheduleConfig, Spacing};
pub use plan::{SamplingPlan, SamplingStep};
