//! What a plan must know of this base, this dataset and this device, found out without weights and without a step.

use std::path::Path;

use anyhow::{Context as _, bail};
use asap_core::Split;
use asap_diffusion::device::Place;
use asap_diffusion::flux::FluxConfig;
use asap_diffusion::runtime::{device_memory, matrix_flop_per_s};
use asap_diffusion::sdxl::{BlockKind, UnetConfig};
use asap_store::Dataset;

use super::{DeviceFigures, FluxSizes, SdxlSizes, Sizes};
use crate::config::{Backbone, Settings};
use crate::{data, session};

/// Figures of a device that a person gave; the others are measured here.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct GivenFigures {
    /// Matrix products in the network's precision, 1e12 floating-point operations per second.
    pub tflop_per_s: Option<f64>,
    /// Memory, in 2^30 bytes.
    pub memory_gib: Option<f64>,
    /// Processes, each with such a device.
    pub n_processes: u32,
}

impl Sizes {
    /// The sizes of the network that the settings name, from its `config.json` alone.
    ///
    /// # Errors
    /// A configuration that is not there, cannot be read, or is of another shape than FLUX's or SDXL's.
    pub fn of(settings: &Settings) -> anyhow::Result<Self> {
        let base = || {
            let base = settings.model.base.as_deref();
            base.context("`model.base` names no folder: `--base` does")
        };
        Ok(match settings.model.backbone {
            Backbone::Tiny => Self::Flux(FluxSizes::tiny()),
            Backbone::Flux => Self::Flux(flux(&base()?.join("transformer/config.json"))?),
            Backbone::Sdxl => Self::Sdxl(sdxl(&base()?.join("unet/config.json"))?),
        })
    }
}

fn flux(path: &Path) -> anyhow::Result<FluxSizes> {
    let config = FluxConfig::read(path)?;
    Ok(FluxSizes {
        width: size(config.attention_head_dim * config.num_attention_heads)?,
        n_double: u32::try_from(config.num_layers)?,
        n_single: u32::try_from(config.num_single_layers)?,
        packed_channels: size(config.in_channels)?,
        text_width: size(config.joint_attention_dim)?,
        pooled_width: size(config.pooled_projection_dim)?,
    })
}

fn sdxl(path: &Path) -> anyhow::Result<SdxlSizes> {
    let config = UnetConfig::read(path)?;
    let (&[low, middle, high], 2) = (config.block_channels.as_slice(), config.layers_per_block) else {
        bail!(
            "`{}`: expected the channels of three levels with 2 residual layers each, got {:?} with {}",
            path.display(),
            config.block_channels,
            config.layers_per_block
        );
    };
    let mut depths = [0; 3];
    let levels = config.down_blocks.iter().zip(&config.transformer_layers);
    for (depth, (kind, &n_layers)) in depths.iter_mut().zip(levels) {
        if *kind == BlockKind::Attending {
            *depth = size(n_layers)?;
        }
    }
    Ok(SdxlSizes {
        channels: [size(low)?, size(middle)?, size(high)?],
        depths,
        text_width: size(config.token_dim)?,
    })
}

fn size(n: i64) -> anyhow::Result<u32> {
    u32::try_from(n).with_context(|| format!("a size of the network: expected 0 or more, got {n}"))
}

/// The pairs that a run with these settings trains on.
///
/// # Errors
/// A dataset that does not open.
pub fn n_pairs(settings: &Settings) -> anyhow::Result<usize> {
    let path = settings.data.path.as_deref();
    let path = path.context("`data.path` names no dataset: `--data` does")?;
    let filter = data::filter(settings, vec![Split::Train]);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    runtime.block_on(async {
        let dataset = Dataset::open(path).await?;
        Ok(dataset.matching_rows(&filter).await?.len())
    })
}

impl DeviceFigures {
    /// The device of the settings: what is not given is measured on it, in the network's precision.
    ///
    /// # Errors
    /// A device that is not there, a given figure that is not above 0.
    pub fn of(settings: &Settings, given: GivenFigures) -> anyhow::Result<Self> {
        for (flag, figure) in [
            ("--device-tflops", given.tflop_per_s),
            ("--device-gib", given.memory_gib),
        ] {
            if let Some(figure) = figure.filter(|figure| !(figure.is_finite() && *figure > 0.0)) {
                bail!("`{flag} {figure}`: expected a number above 0");
            }
        }
        if given.n_processes == 0 {
            bail!("`--processes 0`: expected 1 or more");
        }
        let precision = settings.model.precision;
        let (name, rate, memory) = match (given.tflop_per_s, given.memory_gib) {
            (Some(rate), Some(gib)) => ("given device".to_owned(), rate * 1e12, gib * GIB),
            (rate, gib) => {
                let place = session::place(settings)?;
                let measured = || -> anyhow::Result<f64> {
                    Ok(matrix_flop_per_s(place, session::precision_of(settings))?)
                };
                let rate = rate.map_or_else(measured, |rate| Ok(rate * 1e12))?;
                let memory = match gib {
                    Some(gib) => gib * GIB,
                    None => memory_bytes(place)
                        .context("the memory of the device is not known: `--device-gib` gives it")?,
                };
                (name_of(place), rate, memory)
            }
        };
        Ok(Self {
            name: format!("{name}, {:.2} TFLOP/s in {precision}", rate / 1e12),
            flop_per_s: rate,
            memory_bytes: memory,
            n_processes: given.n_processes,
        })
    }
}

const GIB: f64 = (1u64 << 30) as f64;

fn name_of(place: Place) -> String {
    match place {
        Place::Cpu => "processor".to_owned(),
        Place::Cuda(number) => format!("cuda:{number}"),
    }
}

fn memory_bytes(place: Place) -> Option<f64> {
    match place {
        Place::Cuda(_) => device_memory(place).map(|memory| memory.total_bytes as f64),
        Place::Cpu => total_in(&fs_err::read_to_string("/proc/meminfo").ok()?),
    }
}

fn total_in(text: &str) -> Option<f64> {
    let line = text.lines().find_map(|line| line.strip_prefix("MemTotal:"))?;
    let kibibytes: f64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kibibytes * 1024.0)
}
