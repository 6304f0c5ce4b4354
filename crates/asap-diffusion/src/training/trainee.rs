//! A network with the weights that a training changes.

use std::collections::BTreeMap;
use std::path::Path;

use tch::{Device, Kind, Tensor};

use crate::device::{Place, Precision};
use crate::distributed::Group;
use crate::flux::FluxConfig;
use crate::guard::guard;
use crate::lora::{AdapterFile, Attachment, Backbone, LowRankArrays};
use crate::optim::{AdamW, AdamWSettings, AdamWState, Ema, EmaState, clip_grad_norm};
use crate::run::{Adapter, Checkpointing, Run};
use crate::training::errors::{errors, numbers};
use crate::training::input::{PairTensors, image_tensors};
use crate::training::network::{Network, NetworkFiles};
use crate::training::prompt::Prompt;
use crate::training::{Conditioning, ErrorWeights, Errors, ImageInput, PairInput};
use crate::weights::Parameter;
use crate::{Array, Error, Result};

/// How the gradients of the two images of a pair are computed; the sum is the same.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Backward {
    /// One image after the other: the activations of one image in memory.
    Split,
    /// Both images in one batch: the activations of two images in memory.
    Joint,
}

/// Whether the rejected image is trained on; where it is not, its errors are still measured.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Rejected {
    /// Its gradient counts.
    Trained,
    /// Without a gradient: its factor is 0.
    Measured,
}

/// What a training descends and how.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Descent {
    /// The error of an image.
    pub weights: ErrorWeights,
    /// In which layout.
    pub backward: Backward,
    /// On which images.
    pub rejected: Rejected,
}

/// The rule by which weights change.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Optimiser {
    /// AdamW's own options.
    pub adamw: AdamWSettings,
    /// The largest norm of a gradient; a larger one is scaled down to it.
    pub clip_norm: Option<f64>,
    /// How much of the running average of the weights is kept at an update; `None` keeps no average.
    pub ema_decay: Option<f64>,
}

/// What is drawn from noise.
#[derive(Clone, Copy, Debug)]
pub struct Sampling<'a> {
    /// Standard normal, `[C, h, w]`.
    pub noise: &'a Array,
    /// What is to be seen; for FLUX with the guidance that is embedded.
    pub conditioning: &'a Conditioning,
    /// SDXL: what is kept away from, where there is guidance.
    pub negative: Option<&'a Conditioning>,
    /// Passes through the network.
    pub n_steps: usize,
    /// SDXL: the scale of classifier-free guidance.
    pub guidance: f64,
}

/// What an update did.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Applied {
    /// Norm of the mean gradient over all pairs and processes, before clipping.
    pub grad_norm: f64,
}

/// A network with trainable weights, their optimiser, and the sum of gradients of the pairs since the last update.
pub struct Trainee {
    network: Network,
    parameters: Vec<Parameter>,
    optimiser: AdamW,
    clip_norm: Option<f64>,
    average: Option<Ema>,
    sum: Vec<Tensor>,
    device: Device,
    /// Rank and alpha of the adapter, where one is trained.
    adapter: Option<(usize, f64)>,
    /// Which blocks are computed again for the gradient.
    pub checkpointing: Checkpointing,
}

impl Trainee {
    /// Loads the network with adapters that are trained; the base stays as it is.
    ///
    /// # Errors
    /// Those of loading; [`Error::Argument`] where no layer got an adapter.
    pub fn with_adapters(
        files: &NetworkFiles,
        attachment: &Attachment<'_>,
        (place, precision): (Place, Precision),
        optimiser: Optimiser,
    ) -> Result<Self> {
        let (network, loaded) = Network::load(files, attachment, place, precision)?;
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
            ..Self::new(network, loaded.parameters, place, optimiser)?
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
            adapter: None,
            checkpointing: Checkpointing::Off,
        })
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

    /// The errors of the preferred and the rejected image, without gradients.
    ///
    /// With [`Adapter::Off`] they are those of the reference. `backward` chooses the layout of the batch: kernels
    /// round by the size of a batch, so the reference is computed in the layout of the policy.
    ///
    /// # Errors
    /// [`Error::Argument`] for sizes that do not fit, [`Error::OutOfMemory`], [`Error::Torch`].
    pub fn errors(&self, pair: &PairInput<'_>, adapter: Adapter, backward: Backward) -> Result<[Errors; 2]> {
        let run = Run {
            adapter,
            checkpointing: Checkpointing::Off,
        };
        self.network.check_latent(pair.preferred.shape())?;
        let tensors = pair.tensors(self.device)?;
        let prompt = self.network.prompt(&[pair.conditioning], self.device)?;
        guard("the errors of a pair", || {
            let _off = tch::no_grad_guard();
            match backward {
                Backward::Split => [0, 1].map(|side| one(&self.image(&tensors, &prompt, side, run))),
                Backward::Joint => both(&self.pair(&tensors, &prompt, run)),
            }
        })
    }

    /// Adds the gradient of a pair's loss to the sum and returns the errors of the policy.
    ///
    /// `factors` are told the errors of the preferred and the rejected image and answer with the derivative of the
    /// loss by the weighted error of each.
    ///
    /// # Errors
    /// Those of [`Self::errors`]; the sum is as it was.
    pub fn accumulate(
        &mut self,
        pair: &PairInput<'_>,
        descent: Descent,
        factors: impl FnOnce([Errors; 2]) -> [f64; 2],
    ) -> Result<[Errors; 2]> {
        let run = Run {
            adapter: Adapter::On,
            checkpointing: self.checkpointing,
        };
        self.network.check_latent(pair.preferred.shape())?;
        let tensors = pair.tensors(self.device)?;
        let prompt = self.network.prompt(&[pair.conditioning], self.device)?;
        let result = guard("the gradient of a pair", || match descent.backward {
            Backward::Split => self.split(&tensors, &prompt, run, descent, factors),
            Backward::Joint => self.joint(&tensors, &prompt, run, descent.weights, factors),
        });
        let (found, gradients) = result.inspect_err(|_| self.forget_gradients())?;
        guard("the sum of gradients", || {
            let _off = tch::no_grad_guard();
            for (factor, gradients) in gradients {
                for (sum, gradient) in self.sum.iter_mut().zip(gradients) {
                    let _ = sum.g_add_(&(gradient * factor));
                }
            }
        })?;
        Ok(found)
    }

    /// Adds the gradient of the mean error over a batch of images to the sum and returns that mean: training on
    /// images alone, from which a base model comes.
    ///
    /// # Errors
    /// Those of [`Self::errors`]; the sum is as it was.
    pub fn accumulate_images(&mut self, images: &[ImageInput<'_>]) -> Result<f64> {
        for image in images {
            self.network.check_latent(image.latent.shape())?;
        }
        let (latents, noise) = image_tensors(images, self.device)?;
        let conditionings: Vec<&Conditioning> = images.iter().map(|image| image.conditioning).collect();
        let prompt = self.network.prompt(&conditionings, self.device)?;
        let run = Run {
            adapter: Adapter::On,
            checkpointing: self.checkpointing,
        };
        let times: Vec<f64> = images.iter().map(|image| image.time).collect();
        let result = guard("the gradient of a batch", || {
            let times = Tensor::from_slice(&times)
                .to_kind(Kind::Float)
                .to_device(self.device);
            let (noisy, target) = self.network.noised(&latents, &noise, &times);
            let predicted = self.network.predict(&noisy, &times, &prompt, run);
            let error = (predicted.to_kind(Kind::Float) - target)
                .square()
                .mean(Kind::Float);
            error.backward();
            let gradients = self.take_gradients();
            let _off = tch::no_grad_guard();
            for (sum, gradient) in self.sum.iter_mut().zip(gradients) {
                let _ = sum.g_add_(&gradient);
            }
            error.double_value(&[])
        });
        result.inspect_err(|_| self.forget_gradients())
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
        let run = Run {
            adapter,
            checkpointing: Checkpointing::Off,
        };
        let _off = tch::no_grad_guard();
        self.network.sample(request, self.device, run)
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

    /// How far the adapter moved the prediction for the preferred image outside the mask: the mean squared
    /// difference between adapted and base prediction, weighted by 1 - M.
    ///
    /// # Errors
    /// Those of [`Self::errors`].
    pub fn background_drift(&self, pair: &PairInput<'_>) -> Result<f64> {
        self.network.check_latent(pair.preferred.shape())?;
        let tensors = pair.tensors(self.device)?;
        let prompt = self.network.prompt(&[pair.conditioning], self.device)?;
        guard("the drift of a pair", || {
            let _off = tch::no_grad_guard();
            let times = Tensor::full([1], pair.time, (Kind::Float, self.device));
            let (noisy, _) = self.network.noised(&tensors.latents[0], &tensors.noise, &times);
            let predicted = |adapter| {
                let run = Run {
                    adapter,
                    checkpointing: Checkpointing::Off,
                };
                self.network
                    .predict(&noisy, &times, &prompt, run)
                    .to_kind(Kind::Float)
            };
            let squared = (predicted(Adapter::On) - predicted(Adapter::Off)).square();
            let outside: Tensor = 1.0 - tensors.mask.expand_as(&squared);
            let weight = outside.sum(Kind::Float).double_value(&[]).max(f64::MIN_POSITIVE);
            (squared * outside).sum(Kind::Float).double_value(&[]) / weight
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

    /// Errors of one image, `[1, 3]`.
    fn image(&self, pair: &PairTensors, prompt: &Prompt, side: usize, run: Run) -> Tensor {
        self.predicted(&pair.latents[side], pair, prompt, run)
    }

    /// Errors of both images in one batch, `[2, 3]`.
    fn pair(&self, pair: &PairTensors, prompt: &Prompt, run: Run) -> Tensor {
        self.predicted(&Tensor::cat(&pair.latents, 0), pair, prompt, run)
    }

    fn predicted(&self, latents: &Tensor, pair: &PairTensors, prompt: &Prompt, run: Run) -> Tensor {
        let times = Tensor::full([latents.size()[0]], pair.time, (Kind::Float, self.device));
        let (noisy, target) = self.network.noised(latents, &pair.noise, &times);
        let predicted = self.network.predict(&noisy, &times, prompt, run);
        errors(&predicted, &target, &pair.mask)
    }

    fn split(
        &self,
        pair: &PairTensors,
        prompt: &Prompt,
        run: Run,
        descent: Descent,
        factors: impl FnOnce([Errors; 2]) -> [f64; 2],
    ) -> ([Errors; 2], Vec<(f64, Vec<Tensor>)>) {
        let mut gradients = Vec::with_capacity(2);
        let found = [0, 1].map(|side| {
            if side == 1 && descent.rejected == Rejected::Measured {
                let _off = tch::no_grad_guard();
                return one(&self.image(pair, prompt, side, run));
            }
            let errors = self.image(pair, prompt, side, run);
            weighted(&errors, descent.weights).sum(Kind::Float).backward();
            gradients.push(self.take_gradients());
            one(&errors)
        });
        (found, factors(found).into_iter().zip(gradients).collect())
    }

    fn joint(
        &self,
        pair: &PairTensors,
        prompt: &Prompt,
        run: Run,
        weights: ErrorWeights,
        factors: impl FnOnce([Errors; 2]) -> [f64; 2],
    ) -> ([Errors; 2], Vec<(f64, Vec<Tensor>)>) {
        let errors = self.pair(pair, prompt, run);
        let found = both(&errors);
        let factors = Tensor::from_slice(&factors(found))
            .to_device(self.device)
            .to_kind(Kind::Float);
        (weighted(&errors, weights) * factors).sum(Kind::Float).backward();
        (found, vec![(1.0, self.take_gradients())])
    }

    /// The gradients that a backward pass left, one per parameter, out of the way of the next pass.
    fn take_gradients(&self) -> Vec<Tensor> {
        let _off = tch::no_grad_guard();
        self.parameters
            .iter()
            .map(|parameter| {
                let mut gradient = parameter.tensor.grad();
                if !gradient.defined() {
                    return parameter.tensor.zeros_like();
                }
                let taken = gradient.copy();
                let _ = gradient.zero_();
                taken
            })
            .collect()
    }

    fn forget_gradients(&self) {
        for parameter in &self.parameters {
            parameter.tensor.shallow_clone().zero_grad();
        }
    }
}

/// `[B, 3]` to `[B]`.
fn weighted(errors: &Tensor, weights: ErrorWeights) -> Tensor {
    let weights = Tensor::from_slice(&weights.0)
        .to_device(errors.device())
        .to_kind(Kind::Float);
    errors.matmul(&weights)
}

fn one(errors: &Tensor) -> Errors {
    numbers(errors).into_iter().next().unwrap_or_default()
}

fn both(errors: &Tensor) -> [Errors; 2] {
    let found = numbers(errors);
    [found[0], found[1]]
}
