//! The border of the transformer: plain numbers in, plain numbers out.

use std::path::Path;

use tch::{Kind, Tensor};

use crate::device::{Place, Precision};
use crate::flux::{FluxConfig, FluxText, FluxTransformer, of_original};
use crate::guard::guard;
use crate::lora::Attachment;
use crate::weights::{Checkpoint, Loader};
use crate::{Adapter, Array, Checkpointing, Error, Result, Run};

/// An opened FLUX.1 transformer, for computing without gradients.
pub struct Flux {
    pub(crate) transformer: FluxTransformer,
    place: Place,
    adapted: Vec<String>,
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
        let checkpoint = of_original(Checkpoint::open(weights)?, config);
        let place = place.checked()?;
        let loader = Loader::new(&checkpoint, place, precision);
        let loader = match adapters {
            Some(adapters) => loader.with_adapters(adapters),
            None => loader,
        };
        let transformer = guard("loading FLUX", || FluxTransformer::load(&loader.root(), config))?;
        let (transformer, loaded) = loader.finish(transformer)?;
        Ok(Self {
            transformer,
            place,
            adapted: loaded.adapted,
        })
    }

    /// The sizes of the network.
    pub fn config(&self) -> &FluxConfig {
        self.transformer.config()
    }

    /// Paths of the layers that have an adapter.
    pub fn adapted(&self) -> &[String] {
        &self.adapted
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
    pub fn velocity(&self, point: &FluxPoint<'_>, adapter: Adapter) -> Result<Array> {
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
            Array::of(
                &self
                    .transformer
                    .velocity(&latents, &sigmas, &text, guidance, inference(adapter)),
            )
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
        let config = self.config();
        let channels = config.latent_channels();
        let &[batch, got, height, width] = latents.shape() else {
            return Err(sizes("the latents", "[B, C, h, w]", latents));
        };
        if i64::try_from(got).ok() != Some(channels)
            || height % 2 != 0
            || width % 2 != 0
            || latents.values().is_empty()
        {
            let expected = format!("[B, {channels}, h, w] with even h and w");
            return Err(sizes("the latents", &expected, latents));
        }
        let dim = config.joint_attention_dim;
        let fits = |got: usize, wanted: i64| i64::try_from(got).ok() == Some(wanted);
        if !matches!(*conditions.t5.shape(), [b, n, d] if b == batch && n > 0 && fits(d, dim)) {
            return Err(sizes(
                "the T5 embeddings",
                &format!("[{batch}, T, {dim}]"),
                conditions.t5,
            ));
        }
        let dim = config.pooled_projection_dim;
        if !matches!(*conditions.pooled.shape(), [b, d] if b == batch && fits(d, dim)) {
            return Err(sizes(
                "the pooled text",
                &format!("[{batch}, {dim}]"),
                conditions.pooled,
            ));
        }
        match (config.guidance_embeds, conditions.guidance) {
            (true, None) => Err(Error::argument(
                "the guidance",
                "a number: the network embeds one",
                "none",
            )),
            (false, Some(guidance)) => Err(Error::argument(
                "the guidance",
                "none: the network embeds none",
                guidance,
            )),
            (true, Some(guidance)) if !guidance.is_finite() => {
                Err(Error::argument("the guidance", "a finite number", guidance))
            }
            _ => Ok(()),
        }
    }
}

/// A pass whose activations nobody needs.
pub(crate) fn inference(adapter: Adapter) -> Run {
    Run {
        adapter,
        checkpointing: Checkpointing::Off,
    }
}

fn sizes(what: &'static str, expected: &str, got: &Array) -> Error {
    Error::argument(what, expected, format!("{:?}", got.shape()))
}
