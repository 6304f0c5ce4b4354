//! Taking the tensors of a network out of a weights file, with every difference to what is expected told at once.

use std::collections::BTreeSet;
use std::path::Path;

use candle_core::{DType, Shape, Tensor};
use candle_nn::{LayerNorm, Linear};

use super::differences::Differences;
use super::placement::Placement;
use crate::weights::{Fault, Weights};
use crate::{Error, Result};

/// The tensors of a weights file.
///
/// A tensor that is missing or has another shape is noted, and zeros stand in for it, until [`Self::finish`]
/// refuses the file with all that was noted. So no network is ever made of stand-ins.
pub(crate) struct Checkpoint {
    weights: Weights,
    used: BTreeSet<String>,
    differences: Differences,
    placement: Placement,
}

impl Checkpoint {
    /// Reads a file; its tensors will be put to `placement`.
    ///
    /// # Errors
    /// [`Error::Weights`] when there is no such file or it is no safetensors file.
    pub(crate) fn open(path: &Path, placement: &Placement) -> Result<Self> {
        let network = path.file_stem().unwrap_or_default().to_string_lossy();
        Ok(Self {
            weights: Weights::read(path, &network)?,
            used: BTreeSet::new(),
            differences: Differences::default(),
            placement: placement.clone(),
        })
    }

    /// The file.
    pub(crate) fn path(&self) -> &Path {
        self.weights.path()
    }

    /// The shape of a tensor that the configuration is read from.
    ///
    /// # Errors
    /// [`Error::Weights`] with the nearest names when there is none, or it has another number of dimensions.
    pub(crate) fn shape<const N: usize>(&self, name: &str) -> Result<[usize; N]> {
        let shape = self.weights.shape(name)?;
        <[usize; N]>::try_from(shape).map_err(|_not_n| {
            self.refusal(format!(
                "tensor `{name}`: expected {N} dimensions, got the shape {shape:?}"
            ))
        })
    }

    /// Whether there is such a tensor.
    pub(crate) fn contains(&self, name: &str) -> bool {
        self.weights.has(name)
    }

    /// How many of `block(0)`, `block(1)`, ... have a tensor `{block}.{member}`.
    pub(crate) fn count_blocks(&self, block: impl Fn(usize) -> String, member: &str) -> usize {
        (0..)
            .take_while(|idx| self.contains(&format!("{}.{member}", block(*idx))))
            .count()
    }

    /// A tensor of the given shape, in the precision of the network.
    pub(crate) fn tensor(&mut self, name: &str, shape: impl Into<Shape>) -> Result<Tensor> {
        let tensor = self.stored(name, shape)?;
        self.placed(&tensor)
    }

    /// A tensor where the network is, in its precision.
    pub(crate) fn placed(&self, tensor: &Tensor) -> Result<Tensor> {
        let tensor = tensor.to_device(self.placement.device())?;
        Ok(tensor.to_dtype(self.placement.dtype())?)
    }

    /// A tensor of the given shape, on the processor, in the precision of the file.
    pub(crate) fn stored(&mut self, name: &str, shape: impl Into<Shape>) -> Result<Tensor> {
        let shape: Shape = shape.into();
        if !self.contains(name) {
            self.differences.missing(name);
            return stand_in(&shape);
        }
        self.used.insert(name.to_owned());
        let got = self.weights.shape(name)?;
        if got != shape.dims() {
            self.differences.shape(name, shape.dims(), got);
            return stand_in(&shape);
        }
        let tensor = self.weights.tensor(name, shape.dims())?;
        if tensor.dtype().is_int() {
            return Err(self
                .weights
                .numbers(name, "floats", format!("{:?}", tensor.dtype())));
        }
        Ok(tensor)
    }

    /// A tensor of one number and no dimensions, with all the digits that the file has.
    pub(crate) fn scalar(&mut self, name: &str) -> Result<f64> {
        Ok(self.stored(name, ())?.to_dtype(DType::F64)?.to_scalar()?)
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

    /// The SHA-256 of the file, which is refused if anything was missing or had another shape, or if it has
    /// tensors that nobody took and that `is_ignored` does not know.
    ///
    /// # Errors
    /// [`Error::Weights`] with the names.
    pub(crate) fn finish(mut self, is_ignored: impl Fn(&str) -> bool) -> Result<String> {
        for name in self.weights.names().filter(|name| !self.used.contains(*name)) {
            if !is_ignored(name) {
                self.differences.unknown(name);
            }
        }
        let names: Vec<&str> = self.weights.names().collect();
        match self.differences.summary(&names) {
            None => Ok(self.weights.sha256().to_owned()),
            Some(what) => Err(self.refusal(what)),
        }
    }

    /// An error about this file.
    pub(crate) fn refusal(&self, what: String) -> Error {
        self.weights.error(Fault::Unfit { what })
    }
}

fn stand_in(shape: &Shape) -> Result<Tensor> {
    Ok(Tensor::zeros(shape, DType::F32, &candle_core::Device::Cpu)?)
}
