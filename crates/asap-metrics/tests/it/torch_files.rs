//! Files that torch itself wrote: `../golden/lpips/*.pth`, made by `torch_files.py`.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use asap_metrics::weights::{Dtype, SafeFile, TensorInfo, TorchFile, convert};
use serde::Deserialize;

#[derive(Deserialize)]
struct Golden {
    tensors: BTreeMap<String, Expected>,
    checkpoint: BTreeMap<String, Expected>,
}

#[derive(Deserialize)]
struct Expected {
    dtype: String,
    shape: Vec<usize>,
    values: Vec<f64>,
}

fn golden() -> Golden {
    serde_json::from_str(include_str!("../golden/lpips/torch_files.json")).expect("the file fits `Golden`")
}

fn path(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/golden/lpips")
        .join(name)
}

/// torch's name of a type.
fn name_of(dtype: Dtype) -> &'static str {
    match dtype {
        Dtype::F64 => "float64",
        Dtype::F32 => "float32",
        Dtype::F16 => "float16",
        Dtype::Bf16 => "bfloat16",
        Dtype::I64 => "int64",
        Dtype::I32 => "int32",
        Dtype::I16 => "int16",
        Dtype::I8 => "int8",
        Dtype::U8 => "uint8",
        Dtype::Bool => "bool",
    }
}

fn number(dtype: Dtype, bytes: &[u8]) -> f64 {
    let wide = |n: usize| {
        let mut wide = [0; 8];
        wide[..n].copy_from_slice(bytes);
        u64::from_le_bytes(wide)
    };
    match dtype {
        Dtype::F64 => f64::from_bits(wide(8)),
        Dtype::F32 => f32::from_bits(wide(4) as u32).into(),
        Dtype::Bf16 => f32::from_bits((wide(2) as u32) << 16).into(),
        Dtype::F16 => {
            let bits = wide(2);
            let sign = if bits >> 15 == 1 { -1.0 } else { 1.0 };
            let exponent = (bits >> 10 & 31) as i32;
            assert!((1..31).contains(&exponent), "the file has normal numbers only");
            sign * (1.0 + (bits & 1023) as f64 / 1024.0) * 2.0_f64.powi(exponent - 15)
        }
        Dtype::I64 => (wide(8) as i64) as f64,
        Dtype::I32 => f64::from(wide(4) as i32),
        Dtype::I16 => f64::from(wide(2) as i16),
        Dtype::I8 => f64::from(wide(1) as i8),
        Dtype::U8 | Dtype::Bool => wide(1) as f64,
    }
}

fn check(
    tensors: &[TensorInfo],
    read: impl Fn(&TensorInfo) -> Vec<u8>,
    expected: &BTreeMap<String, Expected>,
) {
    let mut names: Vec<&String> = tensors.iter().map(|tensor| &tensor.name).collect();
    names.sort();
    assert_eq!(names, expected.keys().collect::<Vec<_>>());
    for tensor in tensors {
        let expected = &expected[&tensor.name];
        assert_eq!(
            (name_of(tensor.dtype), &tensor.shape),
            (expected.dtype.as_str(), &expected.shape)
        );
        let bytes = read(tensor);
        assert_eq!(bytes.len(), tensor.n_bytes());
        let values: Vec<f64> = bytes
            .chunks_exact(tensor.dtype.size_bytes())
            .map(|bytes| number(tensor.dtype, bytes))
            .collect();
        assert_eq!(values, expected.values, "{}", tensor.name);
    }
}

#[test]
fn both_formats_of_torch_are_read() {
    let golden = golden();
    for (name, expected) in [
        ("zip.pth", &golden.tensors),
        ("legacy.pth", &golden.tensors),
        ("checkpoint.pth", &golden.checkpoint),
    ] {
        let file = TorchFile::open(&path(name)).unwrap();
        check(file.tensors(), |tensor| file.read(tensor).unwrap(), expected);
    }
}

#[test]
fn converted_files_have_the_same_tensors() {
    let golden = golden();
    let dir = tempfile::tempdir().unwrap();
    let mut bytes = Vec::new();
    for name in ["zip.pth", "legacy.pth"] {
        let to = dir.path().join(name).with_extension("safetensors");
        let converted = convert(&path(name), &to, &()).unwrap();
        assert_eq!(
            (converted.n_tensors, converted.network),
            (golden.tensors.len(), None)
        );
        let file = SafeFile::open(&to).unwrap();
        assert_eq!(file.notes()["source_sha256"], converted.source_sha256);
        let whole = std::fs::read(&to).unwrap();
        let header_end = 8 + u64::from_le_bytes(*whole.first_chunk().unwrap()) as usize;
        assert_eq!(header_end % 8, 0);
        let parsed = safetensors::SafeTensors::deserialize(&whole).unwrap();
        let read = |tensor: &TensorInfo| parsed.tensor(&tensor.name).unwrap().data().to_vec();
        check(file.tensors(), read, &golden.tensors);
        bytes.push(whole[header_end..].to_vec());
    }
    assert_eq!(bytes[0], bytes[1]);
    // No file is left behind under another name.
    assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 2);
}

#[test]
fn a_conversion_that_fails_leaves_nothing_behind() {
    let dir = tempfile::tempdir().unwrap();
    let broken = dir.path().join("broken.pth");
    let whole = std::fs::read(path("legacy.pth")).unwrap();
    std::fs::write(&broken, &whole[..whole.len() - 3]).unwrap();
    let error = convert(&broken, &dir.path().join("to.safetensors"), &()).unwrap_err();
    assert!(error.to_string().contains("storage: expected"), "{error}");
    assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 1);
    // A folder that does not exist is named.
    let error = convert(&path("zip.pth"), &dir.path().join("no/to.safetensors"), &()).unwrap_err();
    assert!(error.to_string().contains("no/to.safetensors"), "{error}");
}
