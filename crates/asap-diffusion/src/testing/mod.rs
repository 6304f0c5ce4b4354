//! What the parity tests share: formula weights, golden numbers, and programs in Python.

mod formula;
mod golden;
pub(crate) mod python;

pub(crate) use formula::{values, weight, write_weights};
pub(crate) use golden::Golden;

use crate::weights::{Checkpoint, Loaded};

/// The largest difference allowed, relative to the largest value of the reference.
pub(crate) const TOLERANCE: f64 = 1e-5;

/// Gives trainable weights, which begin at random, the values of a checkpoint.
pub(crate) fn fill(loaded: &Loaded, checkpoint: &Checkpoint) {
    let _off = tch::no_grad_guard();
    for parameter in &loaded.parameters {
        parameter.tensor.shallow_clone().copy_(&checkpoint.tensor(&parameter.name).unwrap());
    }
}
