//! The two kinds of network behind one face: noise an image, predict, compare.

use std::path::{Path, PathBuf};

use tch::{Device, Kind, Tensor};

use crate::device::{Place, Precision};
use crate::flux::{FluxConfig, FluxText, FluxTransformer, of_original};
use crate::guard::guard;
use crate::lora::{Attachment, Backbone};
use crate::run::Run;
use crate::sample::{FluxAsked, SdxlPrompt, denoise_flux, sample_sdxl};
use crate::schedule::{NoiseSchedule, ScheduleConfig, SchedulerConfig, euler};
use crate::sdxl::{SdxlText, Unet, UnetConfig, original_unet};
use crate::training::Conditioning;
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

/// A text where the network is.
pub(super) enum Prompt {
    Flux { text: FluxText, guidance: f64 },
    Sdxl { text: SdxlText, time_ids: Tensor },
}

impl Prompt {
    /// Prompts of one backbone, one after the other.
    fn joined(prompts: &[Self]) -> Self {
        let joined =
            |part: &dyn Fn(&Self) -> Tensor| Tensor::cat(&prompts.iter().map(part).collect::<Vec<_>>(), 0);
        match &prompts[0] {
            Self::Flux { guidance, .. } => {
                let text = |prompt: &Self| match prompt {
                    Self::Flux { text, .. } => [text.t5.shallow_clone(), text.pooled.shallow_clone()],
                    Self::Sdxl { .. } => panic!("prompts of one backbone"),
                };
                Self::Flux {
                    text: FluxText {
                        t5: joined(&|prompt| text(prompt)[0].shallow_clone()),
                        pooled: joined(&|prompt| text(prompt)[1].shallow_clone()),
                    },
                    guidance: *guidance,
                }
            }
            Self::Sdxl { .. } => {
                let parts = |prompt: &Self| match prompt {
                    Self::Sdxl { text, time_ids } => [
                        text.tokens.shallow_clone(),
                        text.pooled.shallow_clone(),
                        time_ids.shallow_clone(),
                    ],
                    Self::Flux { .. } => panic!("prompts of one backbone"),
                };
                Self::Sdxl {
                    text: SdxlText {
                        tokens: joined(&|prompt| parts(prompt)[0].shallow_clone()),
                        pooled: joined(&|prompt| parts(prompt)[1].shallow_clone()),
                    },
                    time_ids: joined(&|prompt| parts(prompt)[2].shallow_clone()),
                }
            }
        }
    }
}

pub(super) enum Network {
    Flux {
        transformer: FluxTransformer,
        scheduler: SchedulerConfig,
    },
    Sdxl {
        unet: Unet,
        schedule: NoiseSchedule,
        kind: Kind,
    },
}

impl Network {
    pub(super) fn load(
        files: &NetworkFiles,
        attachment: &Attachment<'_>,
        place: Place,
        precision: Precision,
    ) -> Result<(Self, Loaded)> {
        let place = place.checked()?;
        let checkpoint = Checkpoint::open(&files.weights)?;
        match files.backbone {
            Backbone::Flux => {
                let config = FluxConfig::read(&files.config)?;
                let checkpoint = of_original(checkpoint, &config);
                let loader = Loader::new(&checkpoint, place, precision).with_adapters(attachment);
                let transformer = guard("loading FLUX", || FluxTransformer::load(&loader.root(), &config))?;
                let (transformer, loaded) = loader.finish(transformer)?;
                let scheduler = match &files.scheduler {
                    Some(file) => SchedulerConfig::read(file)?,
                    None => SchedulerConfig::flux_dev(),
                };
                Ok((
                    Self::Flux {
                        transformer,
                        scheduler,
                    },
                    loaded,
                ))
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
                let loader = Loader::new(&checkpoint, place, precision).with_adapters(attachment);
                let unet = guard("loading SDXL", || Unet::load(&loader.root(), &config))?;
                let (unet, loaded) = loader.finish(unet)?;
                let schedule = NoiseSchedule::new(schedule)?;
                let kind = precision.kind();
                Ok((Self::Sdxl { unet, schedule, kind }, loaded))
            }
        }
    }

    /// A FLUX network with random weights.
    pub(super) fn begin(config: &FluxConfig, seed: u64, place: Place) -> Result<(Self, Loaded)> {
        let loader = Loader::from_nothing(seed, place.checked()?);
        let transformer = guard("a new FLUX", || FluxTransformer::load(&loader.root(), config))?;
        let (transformer, loaded) = loader.finish(transformer)?;
        let scheduler = SchedulerConfig::flux_schnell();
        Ok((
            Self::Flux {
                transformer,
                scheduler,
            },
            loaded,
        ))
    }

    pub(super) fn backbone(&self) -> Backbone {
        match self {
            Self::Flux { .. } => Backbone::Flux,
            Self::Sdxl { .. } => Backbone::Sdxl,
        }
    }

    /// The conditionings of a batch, of one size each, as one.
    pub(super) fn prompts(&self, conditionings: &[&Conditioning], device: Device) -> Result<Prompt> {
        let prompts = conditionings
            .iter()
            .map(|conditioning| self.prompt(conditioning, device))
            .collect::<Result<Vec<_>>>()?;
        guard("the prompts of a batch", || Prompt::joined(&prompts))
    }

    /// The conditioning of one image, on the device; `predict` repeats it for each of a batch.
    pub(super) fn prompt(&self, conditioning: &Conditioning, device: Device) -> Result<Prompt> {
        let there = |array: &Array| array.tensor().to_device(device).unsqueeze(0);
        match (self, conditioning) {
            (Self::Flux { transformer, .. }, Conditioning::Flux { t5, pooled, guidance }) => {
                let config = transformer.config();
                check("the T5 embeddings", t5, &[None, Some(config.joint_attention_dim)])?;
                check("the pooled text", pooled, &[Some(config.pooled_projection_dim)])?;
                if config.guidance_embeds != guidance.is_some() {
                    let expected = if config.guidance_embeds {
                        "a number"
                    } else {
                        "none: the network embeds none"
                    };
                    return Err(Error::argument("the guidance", expected, format!("{guidance:?}")));
                }
                Ok(Prompt::Flux {
                    text: FluxText {
                        t5: there(t5),
                        pooled: there(pooled),
                    },
                    guidance: guidance.unwrap_or_default(),
                })
            }
            (
                Self::Sdxl { unet, .. },
                Conditioning::Sdxl {
                    tokens,
                    pooled,
                    time_ids,
                },
            ) => {
                let config = unet.config();
                check("the text embeddings", tokens, &[None, Some(config.token_dim)])?;
                check("the pooled text", pooled, &[Some(config.pooled_dim)])?;
                Ok(Prompt::Sdxl {
                    text: SdxlText {
                        tokens: there(tokens),
                        pooled: there(pooled),
                    },
                    time_ids: Tensor::from_slice(time_ids).to_device(device).unsqueeze(0),
                })
            }
            _ => Err(Error::argument(
                "the conditioning",
                self.backbone(),
                "that of the other backbone",
            )),
        }
    }

    /// Channels of a latent.
    pub(super) fn n_channels(&self) -> usize {
        let channels = match self {
            Self::Flux { transformer, .. } => transformer.config().latent_channels(),
            Self::Sdxl { unet, .. } => unet.config().in_channels,
        };
        usize::try_from(channels).unwrap_or_default()
    }

    /// Whether latents of these sizes can be predicted.
    pub(super) fn check_latent(&self, shape: &[usize]) -> Result<()> {
        let channels = self.n_channels();
        let step = match self {
            Self::Flux { .. } => 2,
            Self::Sdxl { .. } => 1,
        };
        let fits = matches!(*shape, [c, h, w] if c == channels
            && h > 0 && w > 0 && h.is_multiple_of(step) && w.is_multiple_of(step));
        if fits {
            return Ok(());
        }
        let expected = format!("[{channels}, h, w] with sides that are multiples of {step}");
        Err(Error::argument("the latent", expected, format!("{shape:?}")))
    }

    /// Noisy latents and what a perfect prediction is there, in `f32`.
    ///
    /// # Source
    /// FLUX: `(1 - sigma) x + sigma noise` and `noise - x`. SDXL: arXiv:2006.11239, Eq. 4, and the noise, or the
    /// velocity of arXiv:2202.00512 where the scheduler says so.
    ///
    /// `times`, `[B]`, are those of [`PairInput::time`](crate::training::PairInput).
    pub(super) fn noised(&self, latents: &Tensor, noise: &Tensor, times: &Tensor) -> (Tensor, Tensor) {
        let noise = noise.expand_as(latents);
        match self {
            Self::Flux { .. } => {
                let sigma = times.reshape([-1, 1, 1, 1]);
                (latents * (1.0 - &sigma) + &noise * sigma, noise - latents)
            }
            Self::Sdxl { schedule, .. } => {
                let times = times.to_kind(Kind::Int64);
                (
                    schedule.add_noise(latents, &noise, &times),
                    schedule.target(latents, &noise, &times),
                )
            }
        }
    }

    /// The prediction for a batch; a prompt of one is that of all.
    pub(super) fn predict(&self, noisy: &Tensor, times: &Tensor, prompt: &Prompt, run: Run) -> Tensor {
        let n = noisy.size()[0];
        let repeat = |tensor: &Tensor| {
            let mut size = tensor.size();
            size[0] = n;
            tensor.expand(size, false)
        };
        match (self, prompt) {
            (Self::Flux { transformer, .. }, Prompt::Flux { text, guidance }) => {
                let text = FluxText {
                    t5: repeat(&text.t5),
                    pooled: repeat(&text.pooled),
                };
                transformer.velocity(noisy, times, &text, *guidance, run)
            }
            (Self::Sdxl { unet, kind, .. }, Prompt::Sdxl { text, time_ids }) => {
                let text = SdxlText {
                    tokens: repeat(&text.tokens),
                    pooled: repeat(&text.pooled),
                };
                unet.noise(&noisy.to_kind(*kind), times, &text, &repeat(time_ids), run)
            }
            _ => panic!("a prompt is made by the network that takes it"),
        }
    }
}

impl Network {
    /// Latents from noise, `[1, C, h, w]`, in `f32`.
    ///
    /// FLUX: Euler's steps, the guidance embedded. SDXL: Euler's steps with classifier-free guidance away from
    /// `negative`, where it is given.
    pub(super) fn sample(
        &self,
        noise: &Tensor,
        (prompt, negative): (&Prompt, Option<&Prompt>),
        (n_steps, guidance): (usize, f64),
        run: Run,
    ) -> Result<Tensor> {
        match (self, prompt) {
            (
                Self::Flux {
                    transformer,
                    scheduler,
                },
                Prompt::Flux { text, guidance },
            ) => {
                let asked = FluxAsked {
                    text,
                    guidance: *guidance,
                    n_steps,
                };
                guard("a sampler", || {
                    denoise_flux(transformer, scheduler, noise, &asked, run)
                })
            }
            (Self::Sdxl { unet, schedule, kind }, Prompt::Sdxl { text, time_ids }) => {
                let plan = euler::plan(schedule, n_steps)?;
                let (negative, guidance) = match negative {
                    Some(Prompt::Sdxl { text, .. }) => (text, guidance),
                    _ => (text, 1.0),
                };
                let asked = SdxlPrompt {
                    text,
                    negative,
                    time_ids,
                    guidance,
                };
                let precision = if *kind == Kind::BFloat16 {
                    Precision::Bf16
                } else {
                    Precision::F32
                };
                guard("a sampler", || {
                    sample_sdxl(unet, &plan, noise, &asked, (run, precision))
                })
            }
            _ => panic!("a prompt is made by the network that takes it"),
        }
    }
}

/// Checks the sizes of an array; `None` stands for any size but 0.
fn check(what: &'static str, array: &Array, sizes: &[Option<i64>]) -> Result<()> {
    let fits = |(got, wanted): (&usize, &Option<i64>)| match wanted {
        Some(wanted) => i64::try_from(*got).ok() == Some(*wanted),
        None => *got > 0,
    };
    if array.shape().len() == sizes.len() && array.shape().iter().zip(sizes).all(fits) {
        return Ok(());
    }
    let shown: Vec<String> = sizes
        .iter()
        .map(|size| size.map_or("n".to_owned(), |size| size.to_string()))
        .collect();
    Err(Error::argument(
        what,
        format!("[{}]", shown.join(", ")),
        format!("{:?}", array.shape()),
    ))
}
