//! The two kinds of network behind one face: noise an image, predict, compare.

use std::path::{Path, PathBuf};

use tch::{Device, Kind, Tensor};

use crate::device::{Place, Placement, Precision};
use crate::flux::{Flux, FluxConditions, FluxConfig, FluxText};
use crate::guard::guard;
use crate::lora::{Attachment, Backbone};
use crate::run::Run;
use crate::sample::{FluxRequest, SdxlPrompt, sample_flux, sample_sdxl};
use crate::schedule::{NoiseSchedule, ScheduleConfig, SchedulerConfig, add_noise, euler};
use crate::sdxl::{SdxlText, Unet, UnetConfig, original_unet};
use crate::training::prompt::{Prompt, flux_prompt, sdxl_prompt};
use crate::training::{Conditioning, Sampling};
use crate::weights::{Checkpoint, Loaded, Loader};
use crate::{Array, Error, Result};

/// Where the configuration and the weights of a network are.
#[derive(Clone, Debug, PartialEq)]
pub struct NetworkFiles {
    /// Which kind.
    pub backbone: Backbone,
    /// `config.json` of the network.
    pub config: PathBuf,
    /// A folder of diffusers, or one file under diffusers' or under the original names.
    pub weights: PathBuf,
    /// `scheduler_config.json`, where the folder has one.
    pub scheduler: Option<PathBuf>,
}

impl NetworkFiles {
    /// The network in a folder of a diffusers pipeline: `transformer` of FLUX or `unet` of SDXL.
    ///
    /// # Errors
    /// [`Error::File`] where it holds neither, or both.
    pub fn in_folder(base: &Path) -> Result<Self> {
        let part = |backbone: Backbone, name: &str| {
            let folder = base.join(name);
            let config = folder.join("config.json");
            config.is_file().then(|| Self {
                backbone,
                config,
                weights: folder,
                scheduler: Some(base.join("scheduler/scheduler_config.json")).filter(|file| file.is_file()),
            })
        };
        let expected = "`transformer/config.json` of FLUX or `unet/config.json` of SDXL";
        match (part(Backbone::Flux, "transformer"), part(Backbone::Sdxl, "unet")) {
            (Some(found), None) | (None, Some(found)) => Ok(found),
            (Some(_), Some(_)) => Err(Error::file(base, expected, "both")),
            (None, None) => Err(Error::file(base, expected, "neither")),
        }
    }
}

pub(super) enum Network {
    Flux {
        flux: Box<Flux>,
        scheduler: SchedulerConfig,
    },
    Sdxl {
        unet: Box<Unet>,
        schedule: NoiseSchedule,
        precision: Precision,
    },
}

impl Network {
    pub(super) fn load(
        files: &NetworkFiles,
        attachment: &Attachment<'_>,
        placement: Placement,
    ) -> Result<(Self, Loaded)> {
        let checkpoint = Checkpoint::open(&files.weights)?;
        match files.backbone {
            Backbone::Flux => {
                let config = FluxConfig::read(&files.config)?;
                let (flux, loaded) = Flux::load(checkpoint, &config, placement, Some(attachment))?;
                let scheduler = match &files.scheduler {
                    Some(file) => SchedulerConfig::read(file)?,
                    None => SchedulerConfig::flux_dev(),
                };
                let flux = Box::new(flux);
                Ok((Self::Flux { flux, scheduler }, loaded))
            }
            Backbone::Sdxl => {
                let config = UnetConfig::read(&files.config)?;
                let is_original = checkpoint
                    .names()
                    .any(|name| name.starts_with("model.diffusion_model."));
                let checkpoint = if is_original {
                    checkpoint.renamed(original_unet(&config))
                } else {
                    checkpoint
                };
                let schedule = match &files.scheduler {
                    Some(file) => ScheduleConfig::read(file)?,
                    None => ScheduleConfig::sdxl(),
                };
                let precision = placement.precision;
                let loader = Loader::new(&checkpoint, placement.place.checked()?, precision)
                    .with_adapters(attachment)
                    .with_swapped(placement.swap_blocks);
                let unet = guard("loading SDXL", || Unet::load(&loader.root(), &config))?;
                let (unet, loaded) = loader.finish(unet)?;
                let network = Self::Sdxl {
                    unet: Box::new(unet),
                    schedule: NoiseSchedule::new(schedule)?,
                    precision,
                };
                Ok((network, loaded))
            }
        }
    }

    /// A FLUX network with random weights.
    pub(super) fn begin(config: &FluxConfig, seed: u64, place: Place) -> Result<(Self, Loaded)> {
        let (flux, loaded) = Flux::begin(config, seed, place)?;
        let scheduler = SchedulerConfig::flux_schnell();
        let flux = Box::new(flux);
        Ok((Self::Flux { flux, scheduler }, loaded))
    }

    pub(super) fn backbone(&self) -> Backbone {
        match self {
            Self::Flux { .. } => Backbone::Flux,
            Self::Sdxl { .. } => Backbone::Sdxl,
        }
    }

    /// The conditionings of a batch, on the device; `predict` repeats them until each image has one.
    pub(super) fn prompt(&self, conditionings: &[&Conditioning], device: Device) -> Result<Prompt> {
        guard("the prompts of a batch", || match self {
            Self::Flux { flux, .. } => flux_prompt(conditionings, flux.config(), device)
                .map(|(text, guidance)| Prompt::Flux { text, guidance }),
            Self::Sdxl { unet, .. } => sdxl_prompt(conditionings, unet.config(), device)
                .map(|(text, time_ids)| Prompt::Sdxl { text, time_ids }),
        })?
    }

    /// Channels of a latent.
    pub(super) fn n_channels(&self) -> usize {
        let channels = match self {
            Self::Flux { flux, .. } => flux.config().latent_channels(),
            Self::Sdxl { unet, .. } => unet.config().in_channels,
        };
        usize::try_from(channels).unwrap_or_default()
    }

    /// Whether latents of these sizes can be predicted.
    pub(super) fn check_latent(&self, shape: &[usize]) -> Result<()> {
        match self {
            Self::Flux { flux, .. } => flux.config().check_latents(shape, None),
            Self::Sdxl { unet, .. } => {
                let channels = unet.config().in_channels;
                let fits =
                    matches!(*shape, [c, h, w] if i64::try_from(c).ok() == Some(channels) && h > 0 && w > 0);
                if fits {
                    return Ok(());
                }
                let expected = format!("[{channels}, h, w]");
                Err(Error::argument("the latents", expected, format!("{shape:?}")))
            }
        }
    }

    /// Noisy latents and what a perfect prediction is there, in `f32`.
    ///
    /// # Source
    /// FLUX: [`noised`](crate::schedule::noised) and `noise - x`. SDXL: arXiv:2006.11239, Eq. 4, and the noise, or
    /// the velocity of arXiv:2202.00512 where the scheduler says so.
    ///
    /// `times`, `[B]`, are those of [`PairInput::time`](crate::training::PairInput).
    pub(super) fn noised(&self, latents: &Tensor, noise: &Tensor, times: &Tensor) -> (Tensor, Tensor) {
        let noise = &repeated(noise, latents.size()[0]);
        match self {
            Self::Flux { .. } => (add_noise(latents, noise, times), noise - latents),
            Self::Sdxl { schedule, .. } => {
                let times = times.to_kind(Kind::Int64);
                (
                    schedule.add_noise(latents, noise, &times),
                    schedule.target(latents, noise, &times),
                )
            }
        }
    }

    /// The prediction for a batch; a prompt of fewer images is that of each of several such groups.
    pub(super) fn predict(&self, noisy: &Tensor, times: &Tensor, prompt: &Prompt, run: Run) -> Tensor {
        let repeat = |tensor: &Tensor| repeated(tensor, noisy.size()[0]);
        match (self, prompt) {
            (Self::Flux { flux, .. }, Prompt::Flux { text, guidance }) => {
                let text = FluxText {
                    t5: repeat(&text.t5),
                    pooled: repeat(&text.pooled),
                };
                flux.transformer.velocity(noisy, times, &text, *guidance, run)
            }
            (Self::Sdxl { unet, precision, .. }, Prompt::Sdxl { text, time_ids }) => {
                let text = SdxlText {
                    tokens: repeat(&text.tokens),
                    pooled: repeat(&text.pooled),
                };
                unet.noise(
                    &noisy.to_kind(precision.kind()),
                    times,
                    &text,
                    &repeat(time_ids),
                    run,
                )
            }
            _ => panic!("a prompt is made by the network that takes it"),
        }
    }

    /// Latents from noise, `[C, h, w]`.
    ///
    /// FLUX: Euler's steps, the guidance embedded. SDXL: Euler's steps with classifier-free guidance away from
    /// the negative conditioning, where it is given.
    pub(super) fn sample(&self, request: &Sampling<'_>, device: Device, run: Run) -> Result<Array> {
        let latents = match self {
            Self::Flux { flux, scheduler } => {
                let Conditioning::Flux { t5, pooled, guidance } = request.conditioning else {
                    return Err(Error::argument(
                        "the conditioning",
                        "FLUX",
                        "that of the other backbone",
                    ));
                };
                let asked = FluxRequest {
                    noise: &request.noise.as_batch(),
                    conditions: FluxConditions {
                        t5: &t5.as_batch(),
                        pooled: &pooled.as_batch(),
                        guidance: *guidance,
                    },
                    n_steps: request.n_steps,
                    run,
                };
                sample_flux(flux, scheduler, &asked)?.tensor()
            }
            Self::Sdxl {
                unet,
                schedule,
                precision,
            } => {
                let prompt = |conditioning| sdxl_prompt(&[conditioning], unet.config(), device);
                let (text, time_ids) = prompt(request.conditioning)?;
                let negative = request.negative.map(prompt).transpose()?;
                let (negative, guidance) = match &negative {
                    Some((negative, _)) => (negative, request.guidance),
                    None => (&text, 1.0),
                };
                let asked = SdxlPrompt {
                    text: &text,
                    negative,
                    time_ids: &time_ids,
                    guidance,
                };
                let plan = euler::plan(schedule, request.n_steps)?;
                let noise = request.noise.as_batch().tensor().to_device(device);
                guard("a sampler", || {
                    sample_sdxl(unet, &plan, &noise, &asked, (run, *precision))
                })?
            }
        };
        Ok(Array::of(&latents.squeeze_dim(0)))
    }
}

/// As many of the first axis as there are images: what stands for one is that of all.
pub(super) fn repeated(tensor: &Tensor, n_images: i64) -> Tensor {
    let mut size = tensor.size();
    let n = size[0];
    if n == 1 {
        size[0] = n_images;
        return tensor.expand(size, false);
    }
    size.fill(1);
    size[0] = n_images / n;
    tensor.repeat(size)
}
