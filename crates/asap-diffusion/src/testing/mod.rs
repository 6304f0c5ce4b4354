//! What the parity tests share: formula weights and golden numbers.

mod formula;
mod golden;

pub(crate) use formula::{values, write_weights};
pub(crate) use golden::Golden;

/// The largest difference allowed, relative to the largest value of the reference.
pub(crate) const TOLERANCE: f64 = 1e-5;
