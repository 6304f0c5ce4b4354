//! The border of the transformer: plain numbers in, plain numbers out.

use std::path::Path;

use tch::{Kind, Tensor};

use crate::device::{Place, Placement, Precision};
use crate::flux::{FluxConfig, FluxText, FluxTransformer, of_original};
use crate::guard::guard;
use crate::lora::Attachment;
use crate::weights::{Checkpoint, Loaded, Loader};
use crate::{Array, Error, Result, Run};

/// An opened FLUX.1 transformer.
pub struct Flux {
    pub(crate) transformer: FluxTransformer,
    place: Place,
}

/// What a velocity depends on beside latents and noise level.
#[derive(Clone, Copy, Debug)]
pub struct FluxConditions<'a> {
    /// T5's last hidden states, `[B, T, joint_attention_dim]`.
    pub t5: &'a Array,
    /// CLIP's pooled text, `[B, pooled_projection_dim]`.
    pub pooled: &'a Array,
    /// The guidance, where the network embeds one.
    pub guidance: Option<f64>,
}

/// Where a velocity is asked for.
#[derive(Clone, Copy, Debug)]
pub struct FluxPoint<'a> {
    /// `[B, C, h, w]`; `h` and `w` are even.
    pub latents: &'a Array,
    /// One noise level in 0..1 per latents.
    pub sigmas: &'a [f64],
    /// Text and guidance.
    pub conditions: FluxConditions<'a>,
}

impl Flux {
    /// Opens a folder of diffusers, with `config.json` and weights beside it.
    ///
    /// # Errors
    /// Those of [`FluxConfig::read`] and [`Flux::open_weights`].
    pub fn open(
        folder: &Path,
        place: Place,
        precision: Precision,
        adapters: Option<&Attachment<'_>>,
    ) -> Result<Self> {
        let config = FluxConfig::read(&folder.join("config.json"))?;
        Self::open_weights(folder, &config, place, precision, adapters)
    }

    /// Opens weights under diffusers' names or under those of the original single file.
    ///
    /// # Errors
    /// [`Error::Io`], [`Error::File`] where the weights do not read; [`Error::Weights`] where they do not fit, with
    /// every name that is missing, of another size or left over.
    pub fn open_weights(
        weights: &Path,
        config: &FluxConfig,
        place: Place,
        precision: Precision,
        adapters: Option<&Attachment<'_>>,
    ) -> Result<Self> {
        let checkpoint = Checkpoint::open(weights)?;
        Ok(Self::load(checkpoint, config, Placement::whole(place, precision), adapters)?.0)
    }

    /// As [`Flux::open_weights`], with what a training changes.
    pub(crate) fn load(
        checkpoint: Checkpoint,
        config: &FluxConfig,
        placement: Placement,
        adapters: Option<&Attachment<'_>>,
    ) -> Result<(Self, Loaded)> {
        let checkpoint = of_original(checkpoint, config);
        let place = placement.place.checked()?;
        let loader = Loader::new(&checkpoint, place, placement.precision).with_swapped(placement.swap_blocks);
        let loader = match adapters {
            Some(adapters) => loader.with_adapters(adapters),
            None => loader,
        };
        Self::finish(loader, config, place)
    }

    /// A network with random weights, all of which a training changes.
    pub(crate) fn begin(config: &FluxConfig, seed: u64, place: Place) -> Result<(Self, Loaded)> {
        let place = place.checked()?;
        Self::finish(Loader::from_nothing(seed, place), config, place)
    }

    fn finish(loader: Loader<'_>, config: &FluxConfig, place: Place) -> Result<(Self, Loaded)> {
        let transformer = guard("loading FLUX", || FluxTransformer::load(&loader.root(), config))?;
        let (transformer, loaded) = loader.finish(transformer)?;
        Ok((Self { transformer, place }, loaded))
    }

    /// The sizes of the network.
    pub fn config(&self) -> &FluxConfig {
        self.transformer.config()
    }

    /// The velocity `noise - image` at a point.
    ///
    /// # Shapes
    /// Those of [`FluxPoint`]; the result is like its latents.
    /// # Errors
    /// [`Error::Argument`] where sizes do not fit each other or the network, where a noise level is not in 0..1,
    /// and where a guidance is given to a network without one or the reverse; [`Error::OutOfMemory`].
    /// # Source
    /// "Flow Straight and Fast", arXiv:2209.03003, §2.1, with sigma for 1 - t.
    pub fn velocity(&self, point: &FluxPoint<'_>, run: Run) -> Result<Array> {
        self.check(point.latents, &point.conditions)?;
        let n = point.latents.shape()[0];
        if point.sigmas.len() != n {
            return Err(Error::argument("the noise levels", n, point.sigmas.len()));
        }
        if let Some(sigma) = point.sigmas.iter().find(|sigma| !(0.0..=1.0).contains(*sigma)) {
            return Err(Error::argument("a noise level", "0 to 1", sigma));
        }
        guard("a FLUX velocity", || {
            let _off = tch::no_grad_guard();
            let device = self.place.device();
            let sigmas = Tensor::from_slice(point.sigmas)
                .to_kind(Kind::Float)
                .to_device(device);
            let latents = point.latents.tensor().to_device(device);
            let guidance = point.conditions.guidance.unwrap_or_default();
            let text = self.text(&point.conditions);
            Array::of(&self.transformer.velocity(&latents, &sigmas, &text, guidance, run))
        })
    }

    /// The text as tensors where the network is.
    pub(crate) fn text(&self, conditions: &FluxConditions<'_>) -> FluxText {
        let there = |array: &Array| array.tensor().to_device(self.place.device());
        FluxText {
            t5: there(conditions.t5),
            pooled: there(conditions.pooled),
        }
    }

    /// Where the network is.
    pub(crate) fn place(&self) -> Place {
        self.place
    }

    /// Whether latents and conditions fit each other and the network.
    pub(crate) fn check(&self, latents: &Array, conditions: &FluxConditions<'_>) -> Result<()> {
        let batch = latents.shape().first().copied().unwrap_or_default();
        let config = self.config();
        config.check_latents(latents.shape(), Some(batch))?;
        config.check_text(conditions.t5, conditions.pooled, Some(batch))?;
        config.check_guidance(conditions.guidance)
    }
}
