//! The weights of one network in memory.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use candle_core::{DType, Device, Tensor};

use super::dtype::Dtype;
use super::nearest::nearest;
use super::{Fault, SafeFile};
use crate::{Error, Result};

/// All tensors of a safetensors file, and its hash.
#[derive(Debug)]
pub struct Weights {
    network: String,
    path: PathBuf,
    sha256: String,
    tensors: BTreeMap<String, Tensor>,
}

impl Weights {
    /// Reads a file; `network` names it in messages.
    ///
    /// # Errors
    /// [`Error::Weights`], whatever is in the file.
    pub fn read(path: &Path, network: &str) -> Result<Self> {
        let mut tensors = BTreeMap::new();
        let sha256 = SafeFile::open(path)?.read_all(|info, bytes| {
            let tensor = tensor_of(info.dtype, &info.shape, &bytes);
            let tensor = tensor.map_err(|error| Fault::Tensor {
                name: info.name.clone(),
                what: error.to_string(),
            })?;
            tensors.insert(info.name.clone(), tensor);
            Ok(())
        })?;
        Ok(Self {
            network: network.to_owned(),
            path: path.to_owned(),
            sha256,
            tensors,
        })
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The SHA-256 of the file in hexadecimal digits.
    pub fn sha256(&self) -> &str {
        &self.sha256
    }

    /// The names of all tensors, in order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.tensors.keys().map(String::as_str)
    }

    /// Whether there is a tensor of that name.
    pub fn has(&self, name: &str) -> bool {
        self.tensors.contains_key(name)
    }

    /// The shape of a tensor.
    ///
    /// # Errors
    /// [`Fault::MissingTensor`].
    pub fn shape(&self, name: &str) -> Result<&[usize]> {
        Ok(self.stored(name)?.dims())
    }

    /// A tensor of an expected shape, in the type that it is stored in.
    ///
    /// # Errors
    /// [`Fault::MissingTensor`] with the nearest names, [`Fault::Shape`].
    pub(crate) fn tensor(&self, name: &str, shape: &[usize]) -> Result<Tensor> {
        let tensor = self.stored(name)?;
        if tensor.dims() == shape {
            return Ok(tensor.clone());
        }
        Err(self.error(Fault::Shape {
            network: self.network.clone(),
            name: name.to_owned(),
            expected: shape.to_vec(),
            got: tensor.dims().to_vec(),
        }))
    }

    /// The elements of a tensor of an expected shape, as `f32`.
    ///
    /// # Errors
    /// Those of [`Weights::tensor`]; [`Fault::Numbers`] where an element is not finite.
    pub(crate) fn floats(&self, name: &str, shape: &[usize]) -> Result<Vec<f32>> {
        let tensor = self.tensor(name, shape)?;
        let floats = tensor
            .to_dtype(DType::F32)
            .and_then(|tensor| tensor.flatten_all())
            .and_then(|tensor| tensor.to_vec1::<f32>())
            .map_err(|error| {
                self.error(Fault::Tensor {
                    name: name.to_owned(),
                    what: error.to_string(),
                })
            })?;
        if let Some(odd) = floats.iter().find(|value| !value.is_finite()) {
            return Err(self.numbers(name, "finite numbers", odd.to_string()));
        }
        Ok(floats)
    }

    /// An error about the numbers of a tensor.
    pub(crate) fn numbers(&self, name: &str, expected: &'static str, got: String) -> Error {
        self.error(Fault::Numbers {
            network: self.network.clone(),
            name: name.to_owned(),
            expected,
            got,
        })
    }

    /// An error about this file.
    pub(crate) fn error(&self, fault: Fault) -> Error {
        Error::weights(&self.path, fault)
    }

    fn stored(&self, name: &str) -> Result<&Tensor> {
        self.tensors.get(name).ok_or_else(|| {
            self.error(Fault::MissingTensor {
                network: self.network.clone(),
                name: name.to_owned(),
                nearest: nearest(name, self.names()),
            })
        })
    }
}

fn tensor_of(dtype: Dtype, shape: &[usize], bytes: &[u8]) -> candle_core::Result<Tensor> {
    let device = &Device::Cpu;
    let dtype = match dtype {
        Dtype::F64 => DType::F64,
        Dtype::F32 => DType::F32,
        Dtype::F16 => DType::F16,
        Dtype::Bf16 => DType::BF16,
        Dtype::I64 => DType::I64,
        Dtype::I32 => DType::I32,
        Dtype::I16 => DType::I16,
        Dtype::U8 | Dtype::Bool => DType::U8,
        // candle has no signed bytes.
        Dtype::I8 => {
            let wide: Vec<i64> = bytes.iter().map(|&byte| i64::from(byte as i8)).collect();
            return Tensor::from_vec(wide, shape, device);
        }
    };
    Tensor::from_raw_buffer(bytes, dtype, shape, device)
}
