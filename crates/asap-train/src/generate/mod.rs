//! Images of a base model, with an adapter or without, for the prompts of a benchmark.
//!
//! The folder is a run of `asap bench`: it is judged and scored as it is. The noise of an image depends on its seed
//! and its prompt's id only, so neither the order nor shards nor restarts change a pixel.

mod base;
mod easel;
mod how;
mod prompts;
mod shard;
mod texts;

use std::collections::BTreeMap;
use std::io::Cursor;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use asap_core::manifest::{Generator, ProtocolRef, RUN_SCHEMA, RunManifest};
use asap_core::{Prompt, PromptId, Reporter, Stream};
use asap_diffusion::Array;
use asap_diffusion::device::{Place, Precision};
use asap_diffusion::lora::{self, AdapterFile};
use asap_diffusion::tiny::codec;
use asap_diffusion::training::{Painter, Sampling};
use asap_diffusion::vae::Vae;
use asap_diffusion::weights::Checkpoint;
use serde_json::Value;

use crate::config::{self, Backbone, Device};
use crate::draw::normals;
use base::Base;
use easel::Easel;
use how::How;
use prompts::{Prompts, sha256};
pub use shard::Shard;
use texts::Texts;

/// The rules of drawing, as `asap bench` has them.
const PROTOCOL: &str = include_str!("../../../../prompts/haf-bench/protocol/generation.v1.toml");
const PROTOCOL_ID: &str = "generation.v1";

/// What is to be drawn, and how; `None` is what the model's authors recommend.
#[derive(Clone, Debug)]
pub struct Asked {
    /// Folder of the base.
    pub base: PathBuf,
    /// Which kind it must be.
    pub backbone: Option<Backbone>,
    /// The adapter and what its effect is multiplied by.
    pub lora: Option<(PathBuf, f64)>,
    /// A file of prompts, or the folder of a benchmark.
    pub prompts: PathBuf,
    /// Seeds; every prompt is drawn with each.
    pub seeds: Vec<u64>,
    /// Where the images go.
    pub out: PathBuf,
    /// The model's name in tables.
    pub name: Option<String>,
    /// Passes through the network.
    pub n_steps: Option<u32>,
    /// Guidance.
    pub guidance: Option<f64>,
    /// SDXL: what is kept away from.
    pub negative: Option<String>,
    /// Columns.
    pub width_px: Option<u32>,
    /// Rows.
    pub height_px: Option<u32>,
    /// The network's numbers; `None` is bf16 on a GPU and f32 on the processor.
    pub precision: Option<config::Precision>,
    /// Where it computes.
    pub device: Device,
    /// Which of the images.
    pub shard: Shard,
}

/// What became of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Drawn {
    /// Images drawn by this call.
    pub n_drawn: usize,
    /// Images in the folder.
    pub n_images: usize,
    /// Images that the folder lacks: of other shards, or as the work was stopped.
    pub n_missing: usize,
    /// Prompts that were longer than the text encoder reads.
    pub n_truncated: usize,
}

/// Draws what the folder lacks; `is_stopped` is asked before each image.
///
/// # Errors
/// What went wrong; images that are drawn stay, and the same call goes on after them.
pub fn generate(
    asked: &Asked,
    reporter: &dyn Reporter,
    is_stopped: &dyn Fn() -> bool,
) -> anyhow::Result<Drawn> {
    let base = Base::open(&asked.base, asked.backbone)?;
    let how = How::of(asked, &base)?;
    if asked.seeds.is_empty() {
        bail!("`--seeds`: expected one or more numbers");
    }
    let prompts = Prompts::read(&asked.prompts)?;
    let adapter = asked.lora.as_ref().map(|lora| adapter(lora, &base)).transpose()?;
    let place = place_of(asked.device)?;
    let precision = precision_of(asked.precision, place);
    let settings = settings(asked, &base, &how, (place, precision))?;
    let manifest = manifest(asked, &base, settings, &prompts);
    let easel = Easel::open(&asked.out, manifest, &prompts)?;

    let todo: Vec<(Prompt, u64)> = (0..)
        .zip(easel.samples())
        .filter(|(place, (prompt, seed))| asked.shard.takes(*place) && !easel.has(&prompt.id, *seed))
        .map(|(_, (prompt, seed))| (prompt.clone(), seed))
        .collect();
    let (n_drawn, n_truncated) = if todo.is_empty() {
        (0, 0)
    } else {
        let texts = Texts::embed(&base, &how, &distinct(&todo), (place, precision), reporter)?;
        let studio = Studio::open(&base, adapter.as_ref(), (place, precision))?;
        let n_drawn = draw(&easel, &todo, (&studio, &texts, &how), reporter, is_stopped)?;
        (n_drawn, texts.n_truncated)
    };
    let (n_images, n_missing) = easel.finish()?;
    Ok(Drawn {
        n_drawn,
        n_images,
        n_missing,
        n_truncated,
    })
}

fn draw(
    easel: &Easel,
    todo: &[(Prompt, u64)],
    (studio, texts, how): (&Studio, &Texts, &How),
    reporter: &dyn Reporter,
    is_stopped: &dyn Fn() -> bool,
) -> anyhow::Result<usize> {
    reporter.start("drawing", todo.len() as u64);
    let mut n_drawn = 0;
    for (prompt, seed) in todo {
        if is_stopped() {
            break;
        }
        let png = studio
            .image(&prompt.id, *seed, texts, how)
            .with_context(|| format!("prompt `{}`, seed {seed}", prompt.id))?;
        easel.add(&prompt.id, *seed, &png)?;
        n_drawn += 1;
        reporter.advance(1);
    }
    reporter.finish();
    Ok(n_drawn)
}

/// Each prompt once, in its first place.
fn distinct(todo: &[(Prompt, u64)]) -> Vec<&Prompt> {
    let mut seen = std::collections::BTreeSet::new();
    todo.iter()
        .map(|(prompt, _)| prompt)
        .filter(|prompt| seen.insert(&prompt.id))
        .collect()
}

/// The network, and what makes pictures of its latents.
struct Studio {
    painter: Painter,
    /// `None` for the tiny base, whose latents are plain arithmetic.
    vae: Option<Vae>,
    /// Pixels of a latent cell's side.
    factor: usize,
}

impl Studio {
    fn open(
        base: &Base,
        adapter: Option<&AdapterFile>,
        (place, precision): (Place, Precision),
    ) -> anyhow::Result<Self> {
        let vae = match base.backbone {
            Backbone::Tiny => None,
            // In `f32`: SDXL's overflows in 16 bits.
            Backbone::Flux | Backbone::Sdxl => Some(Vae::open(&base.folder, place, Precision::F32)?),
        };
        Ok(Self {
            painter: Painter::open(&base.files, adapter, (place, precision))?,
            factor: vae.as_ref().map_or(codec::SIDE, |vae| vae.config().factor()),
            vae,
        })
    }

    /// A PNG file.
    fn image(&self, id: &PromptId, seed: u64, texts: &Texts, how: &How) -> anyhow::Result<Vec<u8>> {
        let (rows, columns) = (how.height_px as usize, how.width_px as usize);
        let shape = [
            self.painter.n_channels(),
            rows / self.factor,
            columns / self.factor,
        ];
        let mut stream = Stream::new(seed, &format!("generate/{id}"));
        let noise = Array::new(&shape, normals(&mut stream, shape.iter().product()))?;
        let latent = self.painter.paint(&Sampling {
            noise: &noise,
            conditioning: texts.of(id)?,
            negative: texts.negative.as_ref(),
            n_steps: how.n_steps as usize,
            guidance: how.guidance.unwrap_or(1.0),
        })?;
        let (rgb, width, height) = match &self.vae {
            Some(vae) => vae.decode(&latent)?,
            None => codec::decode(&latent)?,
        };
        let image = image::RgbImage::from_raw(width as u32, height as u32, rgb);
        let mut bytes = Cursor::new(Vec::new());
        image
            .context("a picture of its size")?
            .write_to(&mut bytes, image::ImageFormat::Png)?;
        Ok(bytes.into_inner())
    }
}

/// The adapter, with its scale in its alpha.
fn adapter((path, scale): &(PathBuf, f64), base: &Base) -> anyhow::Result<AdapterFile> {
    if !scale.is_finite() {
        bail!("`--lora-scale {scale}`: expected a finite number");
    }
    let backbone = match base.backbone {
        Backbone::Sdxl => lora::Backbone::Sdxl,
        Backbone::Flux | Backbone::Tiny => lora::Backbone::Flux,
    };
    let mut adapter = AdapterFile::read_for(path, backbone)?;
    adapter.alpha *= scale;
    Ok(adapter)
}

fn place_of(device: Device) -> anyhow::Result<Place> {
    Ok(match device {
        Device::Cpu => Place::Cpu,
        Device::Cuda(number) => Place::Cuda(number as usize).checked()?,
        Device::Auto => Place::Cuda(0).checked().unwrap_or(Place::Cpu),
    })
}

fn precision_of(asked: Option<config::Precision>, place: Place) -> Precision {
    match (asked, place) {
        (Some(config::Precision::F32), _) | (None, Place::Cpu) => Precision::F32,
        (Some(config::Precision::Bf16), _) | (None, Place::Cuda(_)) => Precision::Bf16,
    }
}

/// Every setting that changes the pixels.
fn settings(
    asked: &Asked,
    base: &Base,
    how: &How,
    (place, precision): (Place, Precision),
) -> anyhow::Result<BTreeMap<String, Value>> {
    let mut settings: BTreeMap<&str, Value> = BTreeMap::from([
        ("toolkit_version", env!("CARGO_PKG_VERSION").into()),
        ("backbone", base.backbone.name().into()),
        ("base_hash", Checkpoint::open(&base.files.weights)?.hash().into()),
        ("sampler", base.sampler().into()),
        ("n_steps", how.n_steps.into()),
        ("guidance", how.guidance.into()),
        ("width_px", how.width_px.into()),
        ("height_px", how.height_px.into()),
        ("text_tokens", how.text_tokens.into()),
        ("negative", how.negative.clone().into()),
        (
            "precision",
            match precision {
                Precision::F32 => "f32".into(),
                Precision::Bf16 => "bf16".into(),
            },
        ),
        (
            "device",
            match place {
                Place::Cpu => "cpu".into(),
                Place::Cuda(_) => "cuda".into(),
            },
        ),
    ]);
    if let Some((path, scale)) = &asked.lora {
        settings.insert("lora_sha256", sha256(&fs_err::read(path)?).to_string().into());
        settings.insert("lora_scale", (*scale).into());
    }
    let mut settings: BTreeMap<String, Value> = settings
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value))
        .collect();
    for part in base.other_parts() {
        let hash = Checkpoint::open(&base.folder.join(part))?.hash();
        settings.insert(format!("{part}_hash"), hash.into());
    }
    Ok(settings)
}

fn manifest(asked: &Asked, base: &Base, settings: BTreeMap<String, Value>, prompts: &Prompts) -> RunManifest {
    let name = || match &asked.lora {
        Some((path, _)) => format!("{}+{}", base.name(), name_of_adapter(path)),
        None => base.name(),
    };
    RunManifest {
        schema: RUN_SCHEMA,
        model: asked.name.clone().unwrap_or_else(name),
        generator: Generator {
            kind: "asap-train".to_owned(),
            settings,
        },
        protocol: ProtocolRef {
            id: PROTOCOL_ID.to_owned(),
            sha256: sha256(PROTOCOL.as_bytes()),
        },
        benchmark: prompts.benchmark.clone(),
        seeds: asked.seeds.clone(),
        images: Vec::new(),
    }
}

/// `RUN-step-000100` for an adapter in the checkpoint of a run, else the stem of its file.
fn name_of_adapter(path: &Path) -> String {
    let name = |path: Option<&Path>| {
        path.and_then(Path::file_name)
            .map(|name| name.to_string_lossy().into_owned())
    };
    let step = path.parent();
    let run = step
        .and_then(Path::parent)
        .filter(|folder| folder.ends_with("checkpoints"))
        .and_then(Path::parent);
    match (name(run), name(step)) {
        (Some(run), Some(step)) => format!("{run}-{step}"),
        _ => path
            .file_stem()
            .map_or_else(|| "lora".to_owned(), |stem| stem.to_string_lossy().into_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_protocol_is_the_one_that_it_is_named_by() {
        let file: toml::Table = PROTOCOL.parse().unwrap();
        assert_eq!(file["id"].as_str(), Some(PROTOCOL_ID));
    }

    #[test]
    fn an_adapter_is_named_by_its_run_or_its_file() {
        let name = |path: &str| name_of_adapter(Path::new(path));
        assert_eq!(
            name("runs/asap/checkpoints/step-003000/adapter.safetensors"),
            "asap-step-003000"
        );
        assert_eq!(name("loras/hands.safetensors"), "hands");
        assert_eq!(name("hands.safetensors"), "hands");
    }
}
