//! The model that draws: which kind it is, where its files are, and what its authors recommend.

use std::path::{Path, PathBuf};

use anyhow::bail;
use asap_diffusion::flux::FluxConfig;
use asap_diffusion::lora;
use asap_diffusion::training::NetworkFiles;

use crate::config::{Backbone, Layer, Settings};

/// Beside the weights of a base that a run of the `tiny` preset made.
const MADE_BY_A_RUN: &str = "made.json";

/// A base model on disk.
#[derive(Clone, Debug)]
pub(super) struct Base {
    pub(super) folder: PathBuf,
    pub(super) backbone: Backbone,
    pub(super) files: NetworkFiles,
    /// Whether the network is told a guidance: FLUX.1-dev is, FLUX.1-schnell is not.
    pub(super) embeds_guidance: bool,
}

/// How a model is used where nothing else is asked for.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Recommended {
    pub(super) n_steps: u32,
    /// `None` where the model knows no guidance.
    pub(super) guidance: Option<f64>,
    pub(super) side_px: u32,
    pub(super) text_tokens: u32,
}

impl Base {
    pub(super) fn open(folder: &Path, asked: Option<Backbone>) -> anyhow::Result<Self> {
        let files = NetworkFiles::in_folder(folder)?;
        let found = match files.backbone {
            lora::Backbone::Flux if folder.join(MADE_BY_A_RUN).is_file() => Backbone::Tiny,
            lora::Backbone::Flux => Backbone::Flux,
            lora::Backbone::Sdxl => Backbone::Sdxl,
        };
        if let Some(asked) = asked.filter(|asked| *asked != found) {
            bail!(
                "`{}` holds a base of the backbone `{found}`: expected `{asked}`, as `--backbone` says",
                folder.display()
            );
        }
        let embeds_guidance =
            files.backbone == lora::Backbone::Flux && FluxConfig::read(&files.config)?.guidance_embeds;
        Ok(Self {
            folder: folder.to_owned(),
            backbone: found,
            files,
            embeds_guidance,
        })
    }

    /// The name of the model in tables, where none is given.
    pub(super) fn name(&self) -> String {
        if self.backbone == Backbone::Tiny {
            return "tiny".to_owned();
        }
        let full = self.folder.canonicalize();
        let full = full.as_deref().unwrap_or(&self.folder);
        full.file_name()
            .map_or_else(|| "base".to_owned(), |name| name.to_string_lossy().into_owned())
    }

    /// # Source
    /// The examples of the model cards of FLUX.1-dev and FLUX.1-schnell; for SDXL the defaults of diffusers'
    /// `StableDiffusionXLPipeline`; for the tiny base its preset, and the steps of the samples of a run.
    pub(super) fn recommended(&self) -> anyhow::Result<Recommended> {
        let large = |n_steps, guidance, text_tokens| Recommended {
            n_steps,
            guidance,
            side_px: 1024,
            text_tokens,
        };
        Ok(match self.backbone {
            Backbone::Flux if self.embeds_guidance => large(50, Some(3.5), 512),
            Backbone::Flux => large(4, None, 256),
            Backbone::Sdxl => large(50, Some(5.0), 77),
            Backbone::Tiny => {
                let model = Settings::resolve(&[Layer::preset("tiny")?])?.model;
                Recommended {
                    n_steps: 20,
                    guidance: None,
                    side_px: model.resolution_px,
                    text_tokens: model.text_tokens,
                }
            }
        })
    }

    /// Sides of an image are multiples of this: FLUX packs cells of 8 pixels two by two.
    pub(super) fn side_step_px(&self) -> u32 {
        match self.backbone {
            Backbone::Flux | Backbone::Tiny => 16,
            Backbone::Sdxl => 8,
        }
    }

    /// The sampler, as it is told.
    pub(super) fn sampler(&self) -> &'static str {
        match self.backbone {
            Backbone::Flux | Backbone::Tiny => "flow-match-euler",
            Backbone::Sdxl => "euler",
        }
    }

    /// The parts beside the network whose weights change the pixels.
    pub(super) fn other_parts(&self) -> &'static [&'static str] {
        match self.backbone {
            Backbone::Flux | Backbone::Sdxl => &["text_encoder", "text_encoder_2", "vae"],
            Backbone::Tiny => &[],
        }
    }
}
