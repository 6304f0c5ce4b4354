//! Hands tensors to the constructors of a network and says at the end what did not fit.

use std::cell::RefCell;
use std::collections::BTreeSet;

use tch::{Kind, Tensor};

use crate::Result;
use crate::device::{Place, Precision};
use crate::lora::{Attachment, LowRank};
use crate::weights::Checkpoint;
use crate::weights::misfit::{Misfit, nearest};

/// Which weights a training changes.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Trainable {
    /// Only adapters, where there are any.
    Adapters,
    /// All weights of the network, kept in `f32`.
    All,
}

/// A tensor that a training changes: its name and a leaf of the graph.
pub(crate) struct Parameter {
    pub(crate) name: String,
    pub(crate) tensor: Tensor,
}

#[derive(Default)]
struct Seen {
    used: BTreeSet<String>,
    missing: Vec<String>,
    misshapen: Vec<(String, Vec<i64>, Vec<i64>)>,
    parameters: Vec<Parameter>,
    adapted: Vec<String>,
}

/// Loads one network from one checkpoint.
pub struct Loader<'a> {
    checkpoint: &'a Checkpoint,
    place: Place,
    precision: Precision,
    trainable: Trainable,
    attachment: Option<&'a Attachment<'a>>,
    /// Beginnings of names that the network does not use and that may be there.
    expendable: Vec<&'static str>,
    seen: RefCell<Seen>,
}

/// What loading left beside the network.
pub struct Loaded {
    pub(crate) parameters: Vec<Parameter>,
    /// Paths of the layers that got an adapter.
    pub adapted: Vec<String>,
}

impl Loaded {
    /// How many numbers a training changes.
    pub fn n_trainable(&self) -> usize {
        self.parameters
            .iter()
            .map(|parameter| parameter.tensor.numel())
            .sum()
    }
}

impl<'a> Loader<'a> {
    /// A loader whose tensors go to `place` as `precision`.
    pub fn new(checkpoint: &'a Checkpoint, place: Place, precision: Precision) -> Self {
        Self {
            checkpoint,
            place,
            precision,
            trainable: Trainable::Adapters,
            attachment: None,
            expendable: Vec::new(),
            seen: RefCell::default(),
        }
    }

    /// Attaches adapters to the layers that it names.
    #[must_use]
    pub fn with_adapters(mut self, attachment: &'a Attachment<'a>) -> Self {
        self.attachment = Some(attachment);
        self
    }

    /// Makes every weight trainable and keeps all in `f32`.
    #[must_use]
    pub fn with_all_trainable(mut self) -> Self {
        self.trainable = Trainable::All;
        self.precision = Precision::F32;
        self
    }

    /// Names that begin so may be left over.
    #[must_use]
    pub fn with_expendable(mut self, beginnings: &[&'static str]) -> Self {
        self.expendable.extend_from_slice(beginnings);
        self
    }

    /// The path of the whole network.
    pub fn root(&self) -> Path<'_> {
        Path {
            loader: self,
            name: String::new(),
        }
    }

    /// Ends the loading of `network`.
    ///
    /// # Errors
    /// [`Misfit`] with every name that was missing, of another size, or left over.
    pub fn finish<T>(self, network: T) -> Result<(T, Loaded)> {
        let seen = self.seen.into_inner();
        let is_left = |name: &&str| {
            !seen.used.contains(*name) && !self.expendable.iter().any(|start| name.starts_with(start))
        };
        let left_over: Vec<String> = self
            .checkpoint
            .names()
            .filter(is_left)
            .map(str::to_owned)
            .collect();
        if seen.missing.is_empty() && seen.misshapen.is_empty() && left_over.is_empty() {
            return Ok((
                network,
                Loaded {
                    parameters: seen.parameters,
                    adapted: seen.adapted,
                },
            ));
        }
        let near = |name: &String| nearest(name, left_over.iter().map(String::as_str));
        Err(Misfit {
            root: self.checkpoint.root().to_owned(),
            missing: seen
                .missing
                .iter()
                .map(|name| (name.clone(), near(name)))
                .collect(),
            misshapen: seen.misshapen,
            left_over,
        }
        .into())
    }

    fn tensor(&self, name: String, shape: &[i64]) -> Tensor {
        let mut seen = self.seen.borrow_mut();
        let options = (self.precision.kind(), self.place.device());
        let tensor = match self.checkpoint.shape(&name) {
            Some(got) if got == shape => self.checkpoint.tensor(&name),
            Some(got) => {
                seen.misshapen.push((name.clone(), shape.to_vec(), got));
                None
            }
            None => {
                seen.missing.push(name.clone());
                None
            }
        };
        seen.used.insert(name.clone());
        // What stands in for a tensor that is not there is never computed with: `finish` fails. It takes no memory.
        let Some(tensor) = tensor else {
            return Tensor::zeros([1], options).expand(shape, false);
        };
        let tensor = tensor.to_device(options.1).to_kind(options.0);
        if self.trainable == Trainable::Adapters {
            return tensor;
        }
        let tensor = tensor.set_requires_grad(true);
        seen.parameters.push(Parameter {
            name,
            tensor: tensor.shallow_clone(),
        });
        tensor
    }

    fn low_rank(&self, name: &str, n_in: i64, n_out: i64) -> Option<LowRank> {
        let low_rank = self
            .attachment?
            .low_rank(name, n_in, n_out, self.place.device())?;
        let mut seen = self.seen.borrow_mut();
        seen.adapted.push(name.to_owned());
        for (role, tensor) in low_rank.parameters() {
            debug_assert_eq!(tensor.kind(), Kind::Float);
            seen.parameters.push(Parameter {
                name: format!("{name}.{role}"),
                tensor: tensor.shallow_clone(),
            });
        }
        Some(low_rank)
    }
}

/// Where in the network a layer is; the name of its weights without their last word.
#[derive(Clone)]
pub struct Path<'a> {
    loader: &'a Loader<'a>,
    name: String,
}

impl Path<'_> {
    /// The path one or more words further down, such as `attn.to_q`.
    #[must_use]
    pub(crate) fn at(&self, word: &str) -> Self {
        let name = if self.name.is_empty() {
            word.to_owned()
        } else {
            format!("{}.{word}", self.name)
        };
        Self {
            loader: self.loader,
            name,
        }
    }

    /// The path of the n-th of equal layers.
    #[must_use]
    pub(crate) fn nth(&self, word: &str, n: usize) -> Self {
        self.at(&format!("{word}.{n}"))
    }

    /// The tensor of this name and shape; where it is not there or of another size, [`Loader::finish`] says so.
    pub(crate) fn tensor(&self, word: &str, shape: &[i64]) -> Tensor {
        self.loader.tensor(self.at(word).name, shape)
    }

    /// Whether the checkpoint has a tensor of this name.
    pub(crate) fn has(&self, word: &str) -> bool {
        self.loader.checkpoint.shape(&self.at(word).name).is_some()
    }

    pub(crate) fn low_rank(&self, n_in: i64, n_out: i64) -> Option<LowRank> {
        self.loader.low_rank(&self.name, n_in, n_out)
    }
}
