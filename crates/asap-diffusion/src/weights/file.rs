//! One safetensors file, mapped into memory and read tensor by tensor.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use memmap2::Mmap;
use safetensors::{Dtype, SafeTensors};
use tch::{Kind, Tensor};

use crate::{Error, Result};

/// What a file says about one tensor.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct TensorInfo {
    /// Its sizes.
    pub shape: Vec<i64>,
    kind: Kind,
    start: usize,
    end: usize,
}

/// A mapped safetensors file. Pages come into memory when a tensor is read and leave it again under pressure.
pub struct SafeFile {
    path: PathBuf,
    map: Mmap,
    tensors: BTreeMap<String, TensorInfo>,
    metadata: BTreeMap<String, String>,
}

impl SafeFile {
    /// Maps the file and reads its header.
    ///
    /// # Errors
    /// [`Error::Io`] where it does not open, [`Error::File`] where it is torn or of another format.
    pub fn open(path: &Path) -> Result<Self> {
        let file = std::fs::File::open(path).map_err(|source| Error::io(path, "open", source))?;
        #[expect(unsafe_code, reason = "a mapping is only as constant as its file")]
        // SAFETY: weights are never written in place here: writers use a new name and rename.
        let map = unsafe { Mmap::map(&file) }.map_err(|source| Error::io(path, "map", source))?;
        let (tensors, metadata) = parse(path, &map)?;
        Ok(Self {
            path: path.to_owned(),
            map,
            tensors,
            metadata,
        })
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Its tensors, by name.
    pub fn tensors(&self) -> &BTreeMap<String, TensorInfo> {
        &self.tensors
    }

    /// The notes in its header.
    pub fn metadata(&self) -> &BTreeMap<String, String> {
        &self.metadata
    }

    /// All bytes, for hashing.
    pub(crate) fn bytes(&self) -> &[u8] {
        &self.map
    }

    /// A copy of one tensor on the processor, in the numbers of the file.
    pub(crate) fn tensor(&self, info: &TensorInfo) -> Tensor {
        Tensor::from_data_size(&self.map[info.start..info.end], &info.shape, info.kind)
    }

    /// One tensor as `f32` values with its sizes.
    ///
    /// # Errors
    /// [`Error::File`] where there is no tensor of this name.
    pub fn values(&self, name: &str) -> Result<(Vec<i64>, Vec<f32>)> {
        let info = self.tensors.get(name).ok_or_else(|| {
            Error::file(
                &self.path,
                format!("a tensor `{name}`"),
                format!("{} others", self.tensors.len()),
            )
        })?;
        let tensor = self.tensor(info).to_kind(Kind::Float);
        let mut values = vec![0.0; tensor.numel()];
        tensor.copy_data(&mut values, tensor.numel());
        Ok((info.shape.clone(), values))
    }
}

type Parsed = (BTreeMap<String, TensorInfo>, BTreeMap<String, String>);

fn parse(path: &Path, bytes: &[u8]) -> Result<Parsed> {
    let broken = |got: String| Error::file(path, "a whole safetensors file", got);
    // Checks that the header covers the file to its last byte, so a torn file is told here.
    let parsed = SafeTensors::deserialize(bytes).map_err(|error| broken(error.to_string()))?;
    let (_, header) = SafeTensors::read_metadata(bytes).map_err(|error| broken(error.to_string()))?;
    let base = bytes.as_ptr() as usize;
    let mut tensors = BTreeMap::new();
    for (name, view) in parsed.iter() {
        let kind = kind_of(view.dtype()).ok_or_else(|| {
            Error::file(
                path,
                "tensors of f32, f16, bf16, f64, f8 or i64",
                format!("`{name}` of {:?}", view.dtype()),
            )
        })?;
        let shape = view
            .shape()
            .iter()
            .map(|&n| i64::try_from(n).unwrap_or(i64::MAX))
            .collect();
        let start = view.data().as_ptr() as usize - base;
        let end = start + view.data().len();
        tensors.insert(
            name.to_owned(),
            TensorInfo {
                shape,
                kind,
                start,
                end,
            },
        );
    }
    let metadata = header
        .metadata()
        .clone()
        .unwrap_or_default()
        .into_iter()
        .collect();
    Ok((tensors, metadata))
}

fn kind_of(dtype: Dtype) -> Option<Kind> {
    Some(match dtype {
        Dtype::F32 => Kind::Float,
        Dtype::F16 => Kind::Half,
        Dtype::BF16 => Kind::BFloat16,
        Dtype::F64 => Kind::Double,
        Dtype::F8_E4M3 => Kind::Float8e4m3fn,
        Dtype::I64 => Kind::Int64,
        _ => return None,
    })
}
