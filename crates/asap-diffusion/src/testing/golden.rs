//! Golden numbers and how near to them is near enough.

use std::collections::BTreeMap;
use std::path::PathBuf;

use tch::{Kind, Tensor};

use crate::Array;
use crate::weights::SafeFile;

use super::TOLERANCE;

/// One pair of golden files.
pub(crate) struct Golden {
    facts: serde_json::Value,
    file: SafeFile,
}

impl Golden {
    pub(crate) fn read(stem: &str) -> Self {
        let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/golden");
        let facts = std::fs::read(folder.join(format!("{stem}.json"))).unwrap();
        Self {
            facts: serde_json::from_slice(&facts).unwrap(),
            file: SafeFile::open(&folder.join(format!("{stem}.safetensors"))).unwrap(),
        }
    }

    /// A fact by its JSON pointer, such as `/cases/0/config`.
    pub(crate) fn fact<T: serde::de::DeserializeOwned>(&self, pointer: &str) -> T {
        let found = self
            .facts
            .pointer(pointer)
            .unwrap_or_else(|| panic!("no fact at {pointer}"));
        serde_json::from_value(found.clone()).unwrap()
    }

    /// Shapes of weights by name.
    pub(crate) fn shapes(&self, pointer: &str) -> BTreeMap<String, Vec<usize>> {
        self.fact(pointer)
    }

    /// Compares with the golden tensor: the largest difference relative to the largest value.
    pub(crate) fn check(&self, name: &str, tensor: &Tensor) {
        self.check_within(name, tensor, TOLERANCE);
    }

    pub(crate) fn check_within(&self, name: &str, tensor: &Tensor, tolerance: f64) {
        let got = Array::of(tensor);
        let (expected_shape, expected) = self.file.values(name).unwrap();
        assert_eq!(tensor.size(), expected_shape, "the shape of {name}");
        let largest = expected
            .iter()
            .fold(0f64, |most, value| most.max(f64::from(value.abs())));
        let apart = expected
            .iter()
            .zip(got.values())
            .map(|(a, b)| f64::from((a - b).abs()))
            .fold(0f64, |most, value| {
                if value > most || value.is_nan() {
                    value
                } else {
                    most
                }
            });
        assert!(
            largest > 0.0,
            "{name} is all zeros in the reference, so it shows nothing"
        );
        let relative = apart / largest;
        assert!(
            relative <= tolerance,
            "{name}: {relative:e} apart, at most {tolerance:e}"
        );
    }

    /// An input made by the formula, as the reference made it.
    pub(crate) fn input(name: &str, shape: &[i64], scale: f32) -> Tensor {
        let n = usize::try_from(shape.iter().product::<i64>()).unwrap();
        Tensor::from_slice(&super::values(name, n, scale))
            .reshape(shape)
            .to_kind(Kind::Float)
    }
}
