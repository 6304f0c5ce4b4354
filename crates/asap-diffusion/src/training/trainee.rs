//! A network with the weights that a training changes.

use std::collections::BTreeMap;
use std::path::Path;

use tch::{Device, Tensor};

use crate::device::{Place, Placement};
use crate::distributed::Group;
use crate::flux::FluxConfig;
use crate::guard::guard;
use crate::lora::{AdapterFile, Attachment, Backbone, LowRankArrays};
use crate::optim::{AdamW, AdamWState, Ema, EmaState, clip_grad_norm};
use crate::run::{Adapter, Checkpointing, Residual, Run};
use crate::training::network::{Network, NetworkFiles};
use crate::training::{Applied, Optimiser, Sampling};
use crate::weights::{Matrix, Parameter};
use crate::{Array, Error, Result};

/// A network with trainable weights, their optimiser, and the sum of gradients of the pairs since the last update.
pub struct Trainee {
    pub(super) network: Network,
    pub(super) parameters: Vec<Parameter>,
    optimiser: AdamW,
    clip_norm: Option<f64>,
    average: Option<Ema>,
    pub(super) sum: Vec<Tensor>,
    pub(super) device: Device,
    /// The frozen matrices of each block.
    blocks: Vec<Vec<Matrix>>,
    /// Rank and alpha of the adapter, where one is trained.
    adapter: Option<(usize, f64)>,
    /// Which blocks are computed again for the gradient.
    pub checkpointing: Checkpointing,
    /// The numbers of the sum that runs through the blocks.
    pub residual: Residual,
}

impl Trainee {
    /// Loads the network with adapters that are trained; the base stays as it is.
    ///
    /// # Errors
    /// Those of loading; [`Error::Argument`] where no layer got an adapter.
    pub fn with_adapters(
        files: &NetworkFiles,
        attachment: &Attachment<'_>,
        placement: Placement,
        optimiser: Optimiser,
    ) -> Result<Self> {
        let (network, mut loaded) = Network::load(files, attachment, placement)?;
        let adapter = match attachment {
            Attachment::New(spec) => (spec.rank, spec.alpha),
            Attachment::File(file) => {
                file.check_placed(&loaded)?;
                (file.rank, file.alpha)
            }
        };
        if loaded.adapted.is_empty() {
            return Err(Error::argument(
                "the targets of the adapter",
                "the ends of paths of linear layers of the network",
                "none that it has",
            ));
        }
        Ok(Self {
            adapter: Some(adapter),
            blocks: std::mem::take(&mut loaded.blocks),
            ..Self::new(network, loaded.parameters, placement.place, optimiser)?
        })
    }

    /// A FLUX network that begins with random weights, all of them trainable, in `f32`.
    ///
    /// # Errors
    /// Those of [`FluxConfig::read`], and [`Error::OutOfMemory`].
    pub fn from_nothing(config: &Path, seed: u64, place: Place, optimiser: Optimiser) -> Result<Self> {
        let (network, loaded) = Network::begin(&FluxConfig::read(config)?, seed, place)?;
        Self::new(network, loaded.parameters, place, optimiser)
    }

    fn new(network: Network, parameters: Vec<Parameter>, place: Place, optimiser: Optimiser) -> Result<Self> {
        let leaves = || {
            parameters
                .iter()
                .map(|parameter| parameter.tensor.shallow_clone())
        };
        let sum = guard("the sum of gradients", || {
            leaves().map(|leaf| leaf.zeros_like().detach()).collect()
        })?;
        Ok(Self {
            network,
            optimiser: AdamW::new(&leaves().collect::<Vec<_>>(), optimiser.adamw)?,
            clip_norm: optimiser.clip_norm,
            average: optimiser
                .ema_decay
                .map(|decay| Ema::new(&leaves().collect::<Vec<_>>(), decay)),
            parameters,
            sum,
            device: place.device(),
            blocks: Vec::new(),
            adapter: None,
            checkpointing: Checkpointing::Off,
            residual: Residual::Model,
        })
    }

    /// How many blocks have frozen matrices that can wait in the host's memory.
    pub fn n_blocks(&self) -> usize {
        self.blocks.len()
    }

    /// Lets the frozen matrices of the first `n` blocks wait in the host's memory, beside those that do already.
    ///
    /// # Errors
    /// [`Error::OutOfMemory`] of the host, [`Error::Torch`].
    pub fn swap_blocks(&mut self, n: usize) -> Result<()> {
        let device = self.device;
        guard("the matrices that wait", || {
            for matrix in self.blocks.iter_mut().take(n).flatten() {
                matrix.wait(device);
            }
        })
    }

    /// A pass whose activations nobody needs.
    pub(super) fn measuring(&self, adapter: Adapter) -> Run {
        Run {
            adapter,
            checkpointing: Checkpointing::Off,
            residual: self.residual,
        }
    }

    /// A pass that a gradient goes back through.
    pub(super) fn training(&self) -> Run {
        Run {
            adapter: Adapter::On,
            checkpointing: self.checkpointing,
            residual: self.residual,
        }
    }

    /// Which kind of network it is.
    pub fn backbone(&self) -> Backbone {
        self.network.backbone()
    }

    /// How many numbers the training changes.
    pub fn n_trainable(&self) -> usize {
        self.parameters
            .iter()
            .map(|parameter| parameter.tensor.numel())
            .sum()
    }

    /// Latents from noise.
    ///
    /// # Shapes
    /// `noise` `[C, h, w]`, standard normal; the result is like it.
    /// # Errors
    /// [`Error::Argument`] for sizes that do not fit or no step; [`Error::OutOfMemory`].
    pub fn sample(&self, request: &Sampling<'_>, adapter: Adapter) -> Result<Array> {
        self.network.check_latent(request.noise.shape())?;
        if request.n_steps == 0 {
            return Err(Error::argument("the steps of the sampler", "1 or more", 0));
        }
        let _off = tch::no_grad_guard();
        self.network.sample(request, self.device, self.measuring(adapter))
    }

    /// Changes the weights by the mean of the summed gradients over `n_pairs`, the pairs of all processes, and
    /// begins a new sum.
    ///
    /// # Errors
    /// [`Error::Torch`]; [`Error::Argument`] where a gradient is not a number: the weights are as they were.
    pub fn apply(&mut self, learning_rate: f64, n_pairs: usize, group: Option<&Group>) -> Result<Applied> {
        if let Some(group) = group {
            group.sum(&self.sum)?;
        }
        let norm = guard("the mean gradient", || {
            let _off = tch::no_grad_guard();
            for sum in &mut self.sum {
                let _ = sum.g_div_scalar_(n_pairs as f64);
            }
        })
        .and_then(|()| clip_grad_norm(&self.sum, self.clip_norm.unwrap_or(f64::INFINITY)))?;
        if !norm.is_finite() {
            self.forget_sum()?;
            return Err(Error::argument("the norm of the gradient", "a number", norm));
        }
        self.optimiser.step(&self.sum, learning_rate)?;
        if let Some(average) = &mut self.average {
            guard("the average of the weights", || average.update())?;
        }
        self.forget_sum()?;
        Ok(Applied { grad_norm: norm })
    }

    /// Begins a new sum of gradients.
    ///
    /// # Errors
    /// [`Error::Torch`].
    pub fn forget_sum(&mut self) -> Result<()> {
        guard("the sum of gradients", || {
            let _off = tch::no_grad_guard();
            for sum in &mut self.sum {
                let _ = sum.zero_();
            }
        })
    }

    /// The trained weights by name.
    pub fn weights(&self) -> BTreeMap<String, Array> {
        self.parameters
            .iter()
            .map(|parameter| (parameter.name.clone(), Array::of(&parameter.tensor)))
            .collect()
    }

    /// The adapter that is trained, ready to be written; `None` where all weights are.
    pub fn adapter(&self, notes: BTreeMap<String, String>) -> Option<AdapterFile> {
        let (rank, alpha) = self.adapter?;
        let mut weights = self.weights();
        let paths: Vec<String> = weights
            .keys()
            .filter_map(|name| name.strip_suffix(".lora_A.weight").map(str::to_owned))
            .collect();
        let mut layers = BTreeMap::new();
        for path in paths {
            let down = weights.remove(&format!("{path}.lora_A.weight"))?;
            let up = weights.remove(&format!("{path}.lora_B.weight"))?;
            layers.insert(path, LowRankArrays { down, up });
        }
        Some(AdapterFile {
            backbone: self.backbone(),
            rank,
            alpha,
            layers,
            notes,
        })
    }

    /// Puts weights back that [`Self::weights`] gave.
    ///
    /// # Errors
    /// [`Error::Argument`] where a name is missing, left over, or of another size; the weights are as they were.
    pub fn set_weights(&mut self, weights: &BTreeMap<String, Array>) -> Result<()> {
        if weights.len() != self.parameters.len() {
            return Err(Error::argument(
                "the stored weights",
                self.parameters.len(),
                weights.len(),
            ));
        }
        for parameter in &self.parameters {
            let size = parameter.tensor.size();
            let fits = weights
                .get(&parameter.name)
                .is_some_and(|array| array.tensor().size() == size);
            if !fits {
                return Err(Error::argument(
                    "the stored weights",
                    format!("`{}` {size:?}", parameter.name),
                    "none",
                ));
            }
        }
        guard("the stored weights", || {
            let _off = tch::no_grad_guard();
            for parameter in &mut self.parameters {
                parameter.tensor.copy_(&weights[&parameter.name].tensor());
            }
        })
    }

    /// Gives all processes the weights of the first.
    ///
    /// # Errors
    /// [`Error::Torch`] where a process is lost.
    pub fn share(&self, group: &Group) -> Result<()> {
        let leaves: Vec<Tensor> = self
            .parameters
            .iter()
            .map(|parameter| parameter.tensor.detach())
            .collect();
        group.broadcast(&leaves, 0)
    }

    /// The optimiser's state, in the order of [`Self::names`].
    pub fn optimiser_state(&self) -> AdamWState {
        self.optimiser.state()
    }

    /// Puts the optimiser's state back.
    ///
    /// # Errors
    /// [`Error::Argument`] where it is that of other weights.
    pub fn set_optimiser_state(&mut self, state: &AdamWState) -> Result<()> {
        self.optimiser.restore(state)
    }

    /// Exchanges the weights and their running average, where there is one; a second call takes it back.
    ///
    /// # Errors
    /// [`Error::Torch`].
    pub fn swap_average(&mut self) -> Result<()> {
        match &mut self.average {
            Some(average) => guard("the average of the weights", || average.swap()),
            None => Ok(()),
        }
    }

    /// The running average, where there is one, in the order of [`Self::names`].
    pub fn average_state(&self) -> Option<EmaState> {
        self.average.as_ref().map(Ema::state)
    }

    /// Puts the running average back.
    ///
    /// # Errors
    /// [`Error::Argument`] where it is that of other weights, or none is kept.
    pub fn set_average_state(&mut self, state: &EmaState) -> Result<()> {
        match &mut self.average {
            Some(average) => average.restore(state),
            None => Err(Error::argument(
                "the average of the weights",
                "a run that keeps one",
                "one without",
            )),
        }
    }

    /// The names of the trained weights, in the order in which they were loaded.
    pub fn names(&self) -> Vec<String> {
        self.parameters
            .iter()
            .map(|parameter| parameter.name.clone())
            .collect()
    }
}
