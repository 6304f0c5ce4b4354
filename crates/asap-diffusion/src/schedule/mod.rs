//! Noise schedules: how much noise a latent has at a time, and the steps that take it out.

mod config;
pub mod ddim;
pub mod ddpm;
pub mod euler;
mod plan;

pub use config::{Prediction, ScheduleConfig, Spacing};
pub use ddpm::NoiseSchedule;
pub use plan::{SamplingPlan, SamplingStep};
