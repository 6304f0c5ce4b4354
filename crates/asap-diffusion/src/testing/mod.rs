//! What the parity tests share: formula weights, golden numbers, and programs in Python.

mod formula;
mod golden;
pub(crate) mod python;

pub(crate) use formula::{values, weight, write_weights};
pub(crate) use golden::Golden;

/// The largest difference allowed, relative to the largest value of the reference.
pub(crate) const TOLERANCE: f64 = 1e-5;
