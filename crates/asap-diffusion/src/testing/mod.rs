//! What the parity tests share: formula weights, golden numbers, and programs in Python.

mod formula;
mod golden;
pub(crate) mod python;

pub(crate) use formula::{values, weight, write_rounded_weights, write_weights};
pub(crate) use golden::Golden;

use std::collections::BTreeMap;

use crate::Array;
use crate::lora::{AdapterFile, Backbone, LowRankArrays};
use crate::weights::{Checkpoint, Loaded};

/// Shapes with the second of several equal blocks `n` times more: `word` is how such a block is called.
pub(crate) fn deepened(
    shapes: BTreeMap<String, Vec<usize>>,
    word: &str,
    n: usize,
) -> BTreeMap<String, Vec<usize>> {
    let second = format!("{word}.1.");
    let more: Vec<(String, Vec<usize>)> = shapes
        .iter()
        .filter(|(name, _)| name.contains(&second))
        .flat_map(|(name, shape)| {
            let nth = |at: usize| name.replace(&second, &format!("{word}.{}.", at + 2));
            (0..n).map(move |at| (nth(at), shape.clone())).collect::<Vec<_>>()
        })
        .collect();
    shapes.into_iter().chain(more).collect()
}

/// The largest difference allowed, relative to the largest value of the reference.
pub(crate) const TOLERANCE: f64 = 1e-5;

/// Gives trainable weights, which begin at random, the values of a checkpoint.
pub(crate) fn fill(loaded: &Loaded, checkpoint: &Checkpoint) {
    let _off = tch::no_grad_guard();
    for parameter in &loaded.parameters {
        parameter
            .tensor
            .shallow_clone()
            .copy_(&checkpoint.tensor(&parameter.name).unwrap());
    }
}

/// An adapter of formula weights times a factor; the shapes are those of `PATH.lora_A.weight` and `PATH.lora_B.weight`.
/// It is scaled by `scale`.
pub(crate) fn adapter(
    backbone: Backbone,
    shapes: &BTreeMap<String, Vec<usize>>,
    (factor, scale): (f32, f64),
) -> AdapterFile {
    let array = |name: String| {
        let values = weight(&name, &shapes[&name])
            .iter()
            .map(|value| value * factor)
            .collect();
        Array::new(&shapes[&name], values).unwrap()
    };
    let paths = shapes
        .keys()
        .filter_map(|name| name.strip_suffix(".lora_A.weight"));
    let layer = |path: &str| {
        let down = array(format!("{path}.lora_A.weight"));
        let up = array(format!("{path}.lora_B.weight"));
        (path.to_owned(), LowRankArrays { down, up })
    };
    let layers: BTreeMap<_, _> = paths.map(layer).collect();
    let rank = layers.values().next().unwrap().down.shape()[0];
    AdapterFile {
        backbone,
        rank,
        alpha: scale * rank as f64,
        layers,
        notes: BTreeMap::new(),
    }
}
