//! Reading weights by name from a safetensors file, with every difference to what is expected told at once.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{Read as _, Seek as _, SeekFrom};
use std::path::{Path, PathBuf};

use candle_core::{DType, Shape, Tensor};
use candle_nn::{LayerNorm, Linear};
use fs_err::File;
use safetensors::Dtype;
use safetensors::tensor::{Metadata, TensorInfo};

use super::differences::Differences;
use super::placement::Placement;
use crate::{Error, Result};

/// The longest header that is read: that of the largest model here has about 200 kB.
const MAX_HEADER_BYTES: u64 = 64 << 20;

/// An open weights file.
///
/// A tensor that is missing or has another shape is noted, and zeros stand in for it, until [`Self::finish`]
/// refuses the file with all that was noted. So no network is ever made of stand-ins.
pub(crate) struct Checkpoint {
    path: PathBuf,
    file: File,
    data_start: u64,
    tensors: BTreeMap<String, TensorInfo>,
    used: BTreeSet<String>,
    differences: Differences,
    placement: Placement,
}

impl Checkpoint {
    /// Opens a file; its tensors will be put to `placement`.
    ///
    /// # Errors
    /// [`Error::Weights`] when there is no such file or it is no safetensors file.
    pub(crate) fn open(path: &Path, placement: &Placement) -> Result<Self> {
        let refuse = |reason: String| Error::Weights {
            path: path.to_owned(),
            reason,
        };
        let mut file = File::open(path).map_err(|error| refuse(error.to_string()))?;
        let (data_start, tensors) = read_header(&mut file).map_err(refuse)?;
        Ok(Self {
            path: path.to_owned(),
            file,
            data_start,
            tensors,
            used: BTreeSet::new(),
            differences: Differences::default(),
            placement: placement.clone(),
        })
    }

    /// The file.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// The shape of a tensor that the configuration is read from.
    ///
    /// # Errors
    /// [`Error::Weights`] with the nearest names when there is none, or it has another number of dimensions.
    pub(crate) fn shape<const N: usize>(&self, name: &str) -> Result<[usize; N]> {
        let Some(info) = self.tensors.get(name) else {
            let nearest = Differences::nearest(name, self.names());
            return Err(self.refusal(format!("no tensor `{name}`{nearest}")));
        };
        <[usize; N]>::try_from(info.shape.as_slice()).map_err(|_not_n| {
            self.refusal(format!(
                "tensor `{name}`: expected {N} dimensions, got the shape {:?}",
                info.shape
            ))
        })
    }

    /// Whether there is such a tensor.
    pub(crate) fn contains(&self, name: &str) -> bool {
        self.tensors.contains_key(name)
    }

    /// How many of `block(0)`, `block(1)`, ... have a tensor `{block}.{member}`.
    pub(crate) fn count_blocks(&self, block: impl Fn(usize) -> String, member: &str) -> usize {
        (0..)
            .take_while(|idx| self.contains(&format!("{}.{member}", block(*idx))))
            .count()
    }

    /// A tensor of the given shape, in the precision of the network.
    pub(crate) fn tensor(&mut self, name: &str, shape: impl Into<Shape>) -> Result<Tensor> {
        Ok(self.stored(name, shape)?.to_dtype(self.placement.dtype())?)
    }

    /// A tensor of the given shape, in the precision of the file.
    pub(crate) fn stored(&mut self, name: &str, shape: impl Into<Shape>) -> Result<Tensor> {
        let shape: Shape = shape.into();
        let Some(info) = self.tensors.get(name).cloned() else {
            self.differences.missing(name);
            return self.stand_in(&shape);
        };
        self.used.insert(name.to_owned());
        if info.shape != shape.dims() {
            self.differences.shape(name, shape.dims(), &info.shape);
            return self.stand_in(&shape);
        }
        let Some(dtype) = float_type(info.dtype) else {
            return Err(self.refusal(format!("tensor `{name}`: expected floats, got {:?}", info.dtype)));
        };
        let mut bytes = vec![0; info.data_offsets.1 - info.data_offsets.0];
        self.file
            .seek(SeekFrom::Start(self.data_start + info.data_offsets.0 as u64))
            .and_then(|_position| self.file.read_exact(&mut bytes))
            .map_err(|error| self.refusal(format!("tensor `{name}`: {error}")))?;
        Ok(Tensor::from_raw_buffer(
            &bytes,
            dtype,
            shape.dims(),
            self.placement.device(),
        )?)
    }

    /// A tensor of one number and no dimensions, with all the digits that the file has.
    pub(crate) fn scalar(&mut self, name: &str) -> Result<f64> {
        let value = self.stored(name, ())?.to_dtype(DType::F64)?;
        Ok(value.to_scalar()?)
    }

    /// `{prefix}.weight` of `n_out x n_in` and `{prefix}.bias`.
    pub(crate) fn linear(&mut self, prefix: &str, n_in: usize, n_out: usize) -> Result<Linear> {
        let weight = self.tensor(&format!("{prefix}.weight"), (n_out, n_in))?;
        let bias = self.tensor(&format!("{prefix}.bias"), n_out)?;
        Ok(Linear::new(weight, Some(bias)))
    }

    /// `{prefix}.weight` and `{prefix}.bias` of a layer norm.
    pub(crate) fn layer_norm(&mut self, prefix: &str, width: usize, epsilon: f64) -> Result<LayerNorm> {
        let weight = self.tensor(&format!("{prefix}.weight"), width)?;
        let bias = self.tensor(&format!("{prefix}.bias"), width)?;
        Ok(LayerNorm::new(weight, bias, epsilon))
    }

    /// Refuses the file if anything was missing or had another shape, or if it has tensors that nobody read
    /// and that `is_ignored` does not know.
    ///
    /// # Errors
    /// [`Error::Weights`] with the names.
    pub(crate) fn finish(mut self, is_ignored: impl Fn(&str) -> bool) -> Result<()> {
        for name in self.tensors.keys().filter(|name| !self.used.contains(*name)) {
            if !is_ignored(name) {
                self.differences.unknown(name);
            }
        }
        match self.differences.summary(self.names()) {
            None => Ok(()),
            Some(reason) => Err(self.refusal(reason)),
        }
    }

    pub(crate) fn refusal(&self, reason: String) -> Error {
        Error::Weights {
            path: self.path.clone(),
            reason,
        }
    }

    fn names(&self) -> impl Iterator<Item = &str> + Clone {
        self.tensors.keys().map(String::as_str)
    }

    fn stand_in(&self, shape: &Shape) -> Result<Tensor> {
        Ok(Tensor::zeros(
            shape,
            self.placement.dtype(),
            self.placement.device(),
        )?)
    }
}

/// Where the data begins, and what is there.
fn read_header(file: &mut File) -> std::result::Result<(u64, BTreeMap<String, TensorInfo>), String> {
    let n_bytes = file.metadata().map_err(|error| error.to_string())?.len();
    let mut length = [0; 8];
    file.read_exact(&mut length)
        .map_err(|_short| format!("expected a safetensors file, got {n_bytes} bytes"))?;
    let length = u64::from_le_bytes(length);
    if length > MAX_HEADER_BYTES || length + 8 > n_bytes {
        return Err(
            "expected a safetensors file, but it begins with no header of one; `asap weights convert` makes one \
             of torch's formats"
                .to_owned(),
        );
    }
    let mut header = vec![0; length as usize];
    file.read_exact(&mut header).map_err(|error| error.to_string())?;
    let metadata: Metadata =
        serde_json::from_slice(&header).map_err(|error| format!("the header is corrupt: {error}"))?;
    let expected = 8 + length + metadata.data_len() as u64;
    if n_bytes != expected {
        return Err(format!("expected {expected} bytes by its header, got {n_bytes}"));
    }
    let tensors = metadata.tensors().into_iter();
    let tensors = tensors.map(|(name, info)| (name, info.clone())).collect();
    Ok((8 + length, tensors))
}

fn float_type(dtype: Dtype) -> Option<DType> {
    match dtype {
        Dtype::F16 => Some(DType::F16),
        Dtype::BF16 => Some(DType::BF16),
        Dtype::F32 => Some(DType::F32),
        Dtype::F64 => Some(DType::F64),
        _ => None,
    }
}
