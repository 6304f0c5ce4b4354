//! What a run will cost: memory, seconds and hours, each as a sum of terms that a reader can follow.
//!
//! The arithmetic is an estimate: matrix products and attention count, what is element by element does not, and a
//! device reaches the given rate all the time. The trainer prints what it measured beside it.

mod flux;
mod known;
mod measured;
mod sdxl;
mod sizes;
#[cfg(test)]
mod tests;

use std::fmt;

use crate::config::{Backward, Kind, Precision, ReferenceCache, Settings};
pub use flux::FluxSizes;
pub use known::{GivenFigures, n_pairs};
pub use measured::Comparison;
pub use sdxl::SdxlSizes;
pub use sizes::{Layer, Sizes};

/// Attention's backward pass computes its scores again: five products for the two of the forward pass.
const ATTENTION_BACKWARD: f64 = 2.5;
/// A weight in `f32`.
const F32_BYTES: f64 = 4.0;

/// The device of one process.
#[derive(Clone, Debug, PartialEq, serde::Serialize)]
pub struct DeviceFigures {
    /// For people.
    pub name: String,
    /// Matrix products that it reaches in the network's precision, floating-point operations per second.
    pub flop_per_s: f64,
    /// Memory.
    pub memory_bytes: f64,
    /// Processes, each with such a device.
    pub n_processes: u32,
}

/// Whether the errors of the frozen network are known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reference {
    /// They are computed, as in every first run.
    Computed,
    /// An earlier run left them in the cache.
    Cached,
}

/// What settings do not say about a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Job {
    /// Pairs of the data set.
    pub n_pairs: usize,
    /// Whether the errors of the frozen network are known.
    pub reference: Reference,
}

/// A part of a sum.
#[derive(Clone, Debug, PartialEq, serde::Serialize)]
pub struct Term {
    /// What it is.
    pub name: &'static str,
    /// How much.
    pub amount: f64,
}

/// What a run will cost.
#[derive(Clone, Debug, PartialEq, serde::Serialize)]
pub struct Plan {
    /// The device.
    pub device: DeviceFigures,
    /// Weights of the frozen network.
    pub n_base_weights: f64,
    /// Weights of the adapter.
    pub n_adapter_weights: f64,
    /// Pairs of the data set.
    pub n_pairs: usize,
    /// Floating-point operations of a pair, all draws.
    pub pair_flop: Vec<Term>,
    /// Bytes on the device.
    pub device_bytes: Vec<Term>,
    /// Bytes of the caches on disk, for the whole data set.
    pub cache_bytes: Vec<Term>,
    /// Seconds of an update.
    pub seconds_per_step: f64,
    /// Hours of all updates, without evaluations and samples.
    pub hours: f64,
}

impl Plan {
    /// Predicts a run on square images.
    ///
    /// # Units
    /// Operations count a multiplication and an addition as two.
    /// # Deviation
    /// Frozen layers need no gradient of their weights, so their backward pass costs one forward pass; the
    /// adapter's own products are below 2 % and left out.
    pub fn of(settings: &Settings, sizes: &Sizes, device: DeviceFigures, job: Job) -> Self {
        let pair_flop = pair_flop(settings, sizes, job.reference);
        let run = &settings.run;
        let seconds_per_pair = total(&pair_flop) / (device.flop_per_s * f64::from(device.n_processes.max(1)));
        let seconds_per_step = seconds_per_pair * f64::from(run.batch_pairs);
        Self {
            n_base_weights: sizes.n_weights(),
            n_adapter_weights: n_adapter_weights(settings, sizes),
            n_pairs: job.n_pairs,
            device_bytes: device_bytes(settings, sizes),
            cache_bytes: cache_bytes(settings, sizes, job.n_pairs),
            hours: seconds_per_step * f64::from(run.steps) / 3600.0,
            seconds_per_step,
            pair_flop,
            device,
        }
    }

    /// Whether the device has the memory.
    pub fn fits(&self) -> bool {
        total(&self.device_bytes) <= self.device.memory_bytes
    }
}

/// The sum of terms.
pub fn total(terms: &[Term]) -> f64 {
    terms.iter().map(|term| term.amount).sum()
}

/// Images of a pair whose gradients are needed.
fn n_images(settings: &Settings) -> f64 {
    if settings.objective.kind == Kind::Sft {
        1.0
    } else {
        2.0
    }
}

fn pair_flop(settings: &Settings, sizes: &Sizes, reference: Reference) -> Vec<Term> {
    let (linear, attention) = sizes.forward_flop(settings);
    let forward = linear + attention;
    let n = n_images(settings) * f64::from(settings.objective.draws);
    let is_cached = reference == Reference::Cached && settings.run.reference_cache == ReferenceCache::On;
    let needs_reference = settings.objective.kind != Kind::Sft && !is_cached;
    let reference = if needs_reference { n * forward } else { 0.0 };
    vec![
        term("forward", n * forward),
        term("backward", n * (linear + ATTENTION_BACKWARD * attention)),
        term(
            "computed again (checkpointing)",
            n * forward * settings.run.checkpointing.share(),
        ),
        term("frozen network (0 when cached)", reference),
    ]
}

fn n_adapter_weights(settings: &Settings, sizes: &Sizes) -> f64 {
    let suffixes = settings.lora.targets.suffixes(settings.model.backbone);
    let is_taken = |layer: &&Layer| {
        let ends = |suffix: &String| {
            layer
                .path
                .strip_suffix(suffix.as_str())
                .is_some_and(|rest| rest.ends_with('.'))
        };
        suffixes.iter().any(ends)
    };
    let weights = |layer: &Layer| layer.count * (layer.n_in + layer.n_out);
    let sum: f64 = sizes.layers().iter().filter(is_taken).map(weights).sum();
    sum * f64::from(settings.lora.rank)
}

fn device_bytes(settings: &Settings, sizes: &Sizes) -> Vec<Term> {
    let bytes = number_bytes(settings);
    let run = &settings.run;
    let images_at_once = match run.backward {
        Backward::Split => 1.0,
        Backward::Joint => n_images(settings),
    } * f64::from(run.micro_batch_pairs);
    let adapter = F32_BYTES * n_adapter_weights(settings, sizes);
    let swapped = f64::from(run.swap_blocks).min(sizes.n_blocks()) * sizes.block_weights();
    let is_averaged = f64::from(u8::from(settings.optimiser.ema_decay.is_some()));
    vec![
        term("frozen weights", bytes * (sizes.n_weights() - swapped)),
        term("adapter: weights and gradients", 2.0 * adapter),
        term("adapter: two moments of AdamW", 2.0 * adapter),
        term("adapter: gradient of one image", adapter),
        term("adapter: running mean", is_averaged * adapter),
        term(
            "kept for the backward pass",
            images_at_once * bytes * sizes.kept_numbers(settings),
        ),
    ]
}

fn cache_bytes(settings: &Settings, sizes: &Sizes, n_pairs: usize) -> Vec<Term> {
    let n = n_pairs as f64;
    let bytes = number_bytes(settings);
    vec![
        // Mean and standard deviation of both images.
        term("latents", n * 2.0 * 2.0 * bytes * sizes.latent_numbers(settings)),
        term("text", n * bytes * sizes.text_numbers(settings)),
    ]
}

fn number_bytes(settings: &Settings) -> f64 {
    match settings.model.precision {
        Precision::F32 => 4.0,
        Precision::Bf16 => 2.0,
    }
}

fn term(name: &'static str, amount: f64) -> Term {
    Term { name, amount }
}

const GIB: f64 = (1u64 << 30) as f64;

/// Units of a sum, the largest first.
type Units = [(f64, &'static str); 3];
const FLOP: Units = [(1e12, "TFLOP"), (1e9, "GFLOP"), (1e6, "MFLOP")];
const BYTES: Units = [
    (GIB, "GiB"),
    ((1u64 << 20) as f64, "MiB"),
    ((1u64 << 10) as f64, "KiB"),
];
const SECONDS: Units = [(3600.0, "h"), (60.0, "min"), (1.0, "s")];

impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{} x {}", self.device.n_processes, self.device.name)?;
        writeln!(f, "{} pairs", self.n_pairs)?;
        table(f, "operations of a pair", &FLOP, &self.pair_flop)?;
        table(f, "memory of the device", &BYTES, &self.device_bytes)?;
        let of = if self.fits() {
            "of, it fits"
        } else {
            "of, it does NOT fit"
        };
        row(f, of, self.device.memory_bytes / GIB, "GiB")?;
        table(f, "caches on disk", &BYTES, &self.cache_bytes)?;
        writeln!(f, "time")?;
        row(f, "a step", self.seconds_per_step, "s")?;
        let all = self.hours * 3600.0;
        let (scale, unit) = unit_of(&SECONDS, all);
        row(f, "all steps", all / scale, unit)?;
        writeln!(f, "weights")?;
        row(f, "frozen network", self.n_base_weights / 1e6, "M")?;
        row(f, "adapter", self.n_adapter_weights / 1e6, "M")
    }
}

/// The largest unit that the amount has at least one of, else the smallest.
fn unit_of(units: &Units, amount: f64) -> (f64, &'static str) {
    let fitting = units.iter().find(|(scale, _)| amount >= *scale);
    *fitting.unwrap_or(&units[2])
}

/// All rows in the unit of the sum.
fn table(f: &mut fmt::Formatter<'_>, title: &str, units: &Units, terms: &[Term]) -> fmt::Result {
    let sum = total(terms);
    let (scale, unit) = unit_of(units, sum);
    writeln!(f, "{title}")?;
    for term in terms {
        row(f, term.name, term.amount / scale, unit)?;
    }
    row(f, "sum", sum / scale, unit)
}

fn row(f: &mut fmt::Formatter<'_>, name: &str, amount: f64, unit: &str) -> fmt::Result {
    writeln!(f, "  {name:<34}{amount:>12.2} {unit}")
}
