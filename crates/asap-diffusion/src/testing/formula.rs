//! Numbers that Python and Rust both make from a name alone; `tests/golden/formula.py` is the same in Python.

use std::collections::BTreeMap;
use std::path::Path;

use tch::Kind;

use crate::Array;
use crate::weights::write_safetensors;

/// Uniform in `[-scale, scale)`.
pub(crate) fn values(name: &str, n: usize, scale: f32) -> Vec<f32> {
    let key = name.bytes().fold(0x811C_9DC5_u32, |key, byte| {
        (key ^ u32::from(byte)).wrapping_mul(0x0100_0193)
    });
    let hash = |at: usize| {
        let mut x = (at as u32).wrapping_mul(0x9E37_79B1) ^ key;
        x ^= x >> 16;
        x = x.wrapping_mul(0x85EB_CA6B);
        x ^= x >> 13;
        x = x.wrapping_mul(0xC2B2_AE35);
        x ^ (x >> 16)
    };
    (0..n)
        .map(|at| ((hash(at) >> 8) as f32 * 2f32.powi(-23) - 1.0) * scale)
        .collect()
}

/// A weight: matrices and kernels keep the variance of their input, vectors called `weight` or `scale` are near 1.
pub(crate) fn weight(name: &str, shape: &[usize]) -> Vec<f32> {
    let n = shape.iter().product();
    if shape.len() >= 2 {
        let fan_in: usize = shape[1..].iter().product();
        return values(name, n, (3.0 / fan_in as f64).sqrt() as f32);
    }
    let near = values(name, n, 0.1);
    if name.ends_with("weight") || name.ends_with(".scale") {
        near.into_iter().map(|value| value + 1.0).collect()
    } else {
        near
    }
}

/// Writes a file with formula weights of these names and shapes.
pub(crate) fn write_weights(path: &Path, shapes: &BTreeMap<String, Vec<usize>>) {
    write_all(path, shapes, |array| array);
}

/// The same, each weight rounded to `bf16`: what a network of `bf16` computes with.
pub(crate) fn write_rounded_weights(path: &Path, shapes: &BTreeMap<String, Vec<usize>>) {
    write_all(path, shapes, |array| {
        Array::of(&array.tensor().to_kind(Kind::BFloat16))
    });
}

fn write_all(path: &Path, shapes: &BTreeMap<String, Vec<usize>>, rounded: impl Fn(Array) -> Array) {
    let tensors = shapes
        .iter()
        .map(|(name, shape)| {
            let array = Array::new(shape, weight(name, shape)).unwrap();
            (name.clone(), rounded(array))
        })
        .collect();
    write_safetensors(path, &tensors, &BTreeMap::new()).unwrap();
}
