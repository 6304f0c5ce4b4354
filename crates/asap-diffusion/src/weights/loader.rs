//! Hands tensors to the constructors of a network and says at the end what did not fit.

use std::cell::RefCell;
use std::collections::BTreeSet;

use tch::{Kind, Tensor};

use crate::Result;
use crate::device::{Place, Precision};
use crate::lora::{Attachment, LowRank};
use crate::weights::misfit::{Misfit, nearest};
use crate::weights::{Checkpoint, Matrix};

/// Where the tensors of a network come from.
#[derive(Clone, Copy)]
enum Origin<'a> {
    /// What a training leaves as it is.
    Stored(&'a Checkpoint),
    /// Random numbers of this seed, which a training changes.
    Nothing(u64),
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
    blocks: Vec<Vec<Matrix>>,
}

/// Loads one network from one checkpoint.
pub struct Loader<'a> {
    origin: Origin<'a>,
    place: Place,
    precision: Precision,
    attachment: Option<&'a Attachment<'a>>,
    /// Beginnings of names that the network does not use and that may be there.
    expendable: Vec<&'static str>,
    /// How many blocks, from the first, keep their matrices in the host's memory.
    n_waiting: usize,
    seen: RefCell<Seen>,
}

/// What loading left beside the network.
pub struct Loaded {
    pub(crate) parameters: Vec<Parameter>,
    /// Paths of the layers that got an adapter.
    pub adapted: Vec<String>,
    /// The matrices of each block, where they are frozen.
    pub(crate) blocks: Vec<Vec<Matrix>>,
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
        Self::of(Origin::Stored(checkpoint), place, precision)
    }

    /// A loader that makes up weights, each a trainable leaf in `f32`; see [`begin`].
    pub(crate) fn from_nothing(seed: u64, place: Place) -> Self {
        Self::of(Origin::Nothing(seed), place, Precision::F32)
    }

    fn of(origin: Origin<'a>, place: Place, precision: Precision) -> Self {
        Self {
            origin,
            place,
            precision,
            attachment: None,
            expendable: Vec::new(),
            n_waiting: 0,
            seen: RefCell::default(),
        }
    }

    /// Attaches adapters to the layers that it names.
    #[must_use]
    pub fn with_adapters(mut self, attachment: &'a Attachment<'a>) -> Self {
        self.attachment = Some(attachment);
        self
    }

    /// Keeps the matrices of the first `n` blocks in the host's memory, from which each pass copies them: pinned
    /// where the network is on a CUDA device.
    #[must_use]
    pub(crate) fn with_swapped(mut self, n: usize) -> Self {
        self.n_waiting = n;
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
            block: None,
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
        let left_over: Vec<String> = match self.origin {
            Origin::Stored(checkpoint) => checkpoint.names().filter(is_left).map(str::to_owned).collect(),
            Origin::Nothing(_) => Vec::new(),
        };
        if seen.missing.is_empty() && seen.misshapen.is_empty() && left_over.is_empty() {
            return Ok((
                network,
                Loaded {
                    parameters: seen.parameters,
                    adapted: seen.adapted,
                    blocks: seen.blocks,
                },
            ));
        }
        let near = |name: &String| nearest(name, left_over.iter().map(String::as_str));
        let root = match self.origin {
            Origin::Stored(checkpoint) => checkpoint.root().to_owned(),
            Origin::Nothing(_) => std::path::PathBuf::new(),
        };
        Err(Misfit {
            root,
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

    fn tensor(&self, name: String, shape: &[i64], place: Place) -> Tensor {
        match self.origin {
            Origin::Stored(checkpoint) => self.stored(checkpoint, name, (shape, place)),
            Origin::Nothing(seed) => {
                let tensor = begin(seed, &name, shape).to_device(self.place.device());
                let tensor = tensor.set_requires_grad(true);
                self.seen.borrow_mut().parameters.push(Parameter {
                    name,
                    tensor: tensor.shallow_clone(),
                });
                tensor
            }
        }
    }

    fn stored(&self, checkpoint: &Checkpoint, name: String, (shape, place): (&[i64], Place)) -> Tensor {
        let mut seen = self.seen.borrow_mut();
        let options = (self.precision.kind(), place.device());
        let tensor = match checkpoint.shape(&name) {
            Some(got) if got == shape => checkpoint.tensor(&name),
            Some(got) => {
                seen.misshapen.push((name.clone(), shape.to_vec(), got));
                None
            }
            None => {
                seen.missing.push(name.clone());
                None
            }
        };
        seen.used.insert(name);
        // What stands in for a tensor that is not there is never computed with: `finish` fails. It takes no memory.
        match tensor {
            Some(tensor) => tensor.to_device(options.1).to_kind(options.0),
            None => Tensor::zeros([1], options).expand(shape, false),
        }
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

/// The weights that a network begins with when it is trained from nothing.
///
/// Matrices keep the variance of their input; those of modulations (`norm…linear`) and of the last projection are 0, so
/// each block begins as the identity; vectors called `weight` are 1, others 0.
///
/// # Source
/// "Scalable Diffusion Models with Transformers", arXiv:2212.09748, §3.2, adaLN-Zero.
fn begin(seed: u64, name: &str, shape: &[i64]) -> Tensor {
    let options = (Kind::Float, tch::Device::Cpu);
    if let [_] = shape {
        let value = if name.ends_with("weight") { 1.0 } else { 0.0 };
        return Tensor::full(shape, value, options);
    }
    let is_modulation = name.contains("norm") && name.contains("linear");
    if is_modulation || name.starts_with("proj_out") {
        return Tensor::zeros(shape, options);
    }
    let mut stream = asap_core::Stream::new(seed, &format!("begin/{name}"));
    let n = usize::try_from(shape.iter().product::<i64>()).unwrap_or_default();
    let fan_in: i64 = shape[1..].iter().product();
    let bound = (3.0 / fan_in as f64).sqrt();
    let values: Vec<f32> = (0..n).map(|_| stream.between(-bound, bound) as f32).collect();
    Tensor::from_slice(&values).reshape(shape)
}

/// Where in the network a layer is; the name of its weights without their last word.
#[derive(Clone)]
pub struct Path<'a> {
    loader: &'a Loader<'a>,
    name: String,
    /// The number of the block that it is in.
    block: Option<usize>,
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
            block: self.block,
        }
    }

    /// The path of the n-th of equal layers.
    #[must_use]
    pub(crate) fn nth(&self, word: &str, n: usize) -> Self {
        self.at(&format!("{word}.{n}"))
    }

    /// The same path as that of the next block: a part of the network whose matrices can wait in the host's memory.
    #[must_use]
    pub(crate) fn as_block(&self) -> Self {
        let blocks = &mut self.loader.seen.borrow_mut().blocks;
        blocks.push(Vec::new());
        Self {
            block: Some(blocks.len() - 1),
            ..self.clone()
        }
    }

    /// The matrix of a layer; see [`Self::tensor`].
    pub(crate) fn matrix(&self, word: &str, shape: &[i64]) -> Matrix {
        let loader = self.loader;
        // What is trained stays where it is.
        let block = self.block.filter(|_| matches!(loader.origin, Origin::Stored(_)));
        let Some(block) = block else {
            return Matrix::new(self.tensor(word, shape));
        };
        let waits = block < loader.n_waiting;
        let place = if waits { Place::Cpu } else { loader.place };
        let mut matrix = Matrix::new(loader.tensor(self.at(word).name, shape, place));
        if waits {
            matrix.wait(loader.place.device());
        }
        loader.seen.borrow_mut().blocks[block].push(matrix.share());
        matrix
    }

    /// The tensor of this name and shape; where it is not there or of another size, [`Loader::finish`] says so.
    pub(crate) fn tensor(&self, word: &str, shape: &[i64]) -> Tensor {
        self.loader.tensor(self.at(word).name, shape, self.loader.place)
    }

    /// Whether the checkpoint has a tensor of this name.
    pub(crate) fn has(&self, word: &str) -> bool {
        match self.loader.origin {
            Origin::Stored(checkpoint) => checkpoint.shape(&self.at(word).name).is_some(),
            Origin::Nothing(_) => false,
        }
    }

    pub(crate) fn low_rank(&self, n_in: i64, n_out: i64) -> Option<LowRank> {
        self.loader.low_rank(&self.name, n_in, n_out)
    }
}
