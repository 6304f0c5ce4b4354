//! Names of reference errors: one digest of everything that decides the six numbers of a draw.
//!
//! A name covers the frozen network (weights, configuration, schedule), what a pair is to it (latents, mask, text),
//! how it computes (precision, layout, kind of device) and the draw (seed, pair, epoch, number, amount of noise).
//! What only weighs the numbers afterwards is not in it: alpha, tau, beta, the kind of the loss, the adapter and the
//! optimiser share one cache. A change of anything else is another name, so it is never found by mistake.

use std::path::Path;

use anyhow::Context as _;
use asap_core::Sha256;
use asap_diffusion::Array;
use asap_diffusion::device::Place;
use asap_diffusion::training::{Conditioning, NetworkFiles};
use sha2::Digest as _;

use crate::config::Settings;
use crate::data::{Example, Latent};
use crate::draw::{Key, Level};

/// Goes up when the same inputs give other numbers, so that those of an older program are not found.
const NUMBERS: &str = "asap reference errors 1";

/// Settings that decide the numbers besides the contents of a pair and its draw. Kernels round by the size of a
/// batch, so the layout counts.
const DECIDING: [&str; 7] = [
    "model.backbone",
    "model.precision",
    "model.residual",
    "noise.vae_noise",
    "run.seed",
    "run.backward",
    "run.micro_batch_pairs",
];

/// The part of a name that all draws of a run share.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stem(Sha256);

impl Stem {
    /// The stem of a frozen network under settings. `base_hash` is that of its weights.
    ///
    /// # Errors
    /// A file of the network that cannot be read.
    pub fn of(
        settings: &Settings,
        files: &NetworkFiles,
        base_hash: &str,
        place: Place,
    ) -> anyhow::Result<Self> {
        let read = |path: &Path| {
            fs_err::read(path).context("the configuration of the base model decides its errors")
        };
        let mut fields = Fields::new();
        fields.add(NUMBERS.as_bytes());
        fields.add(base_hash.as_bytes());
        fields.add(&read(&files.config)?);
        fields.add(
            &files
                .scheduler
                .as_deref()
                .map(read)
                .transpose()?
                .unwrap_or_default(),
        );
        fields.add(match place {
            Place::Cpu => b"cpu",
            Place::Cuda(_) => b"cuda",
        });
        for (key, value) in settings.entries() {
            if DECIDING.contains(&key) {
                fields.add(key.as_bytes());
                fields.add(value.as_bytes());
            }
        }
        Ok(Self(fields.digest()))
    }

    /// The name of a draw; `content` is the [`content`] of its pair.
    pub fn name(&self, content: &Sha256, draw: &Key, level: Level) -> Sha256 {
        let mut fields = Fields::new();
        fields.add(self.0.as_bytes());
        fields.add(content.as_bytes());
        fields.add(draw.pair_id.as_bytes());
        fields.add(&draw.epoch.to_le_bytes());
        fields.add(&draw.draw_idx.to_le_bytes());
        match level {
            Level::Sigma(sigma) => fields.add(&sigma.to_bits().to_le_bytes()),
            Level::Timestep(step) => fields.add(format!("step {step}").as_bytes()),
        }
        fields.digest()
    }
}

/// A digest of all that the network is told of a pair.
pub fn content(example: &Example) -> Sha256 {
    let mut fields = Fields::new();
    for Latent { mean, std } in [&example.preferred, &example.rejected] {
        fields.array(mean);
        match std {
            Some(std) => fields.array(std),
            None => fields.add(b"exact"),
        }
    }
    fields.array(&example.mask);
    match &example.conditioning {
        Conditioning::Flux { t5, pooled, guidance } => {
            fields.array(t5);
            fields.array(pooled);
            let guidance = guidance.map_or_else(Vec::new, |guidance| guidance.to_le_bytes().to_vec());
            fields.add(&guidance);
        }
        Conditioning::Sdxl {
            tokens,
            pooled,
            time_ids,
        } => {
            fields.array(tokens);
            fields.array(pooled);
            for id in time_ids {
                fields.add(&id.to_le_bytes());
            }
        }
    }
    fields.digest()
}

/// Length-prefixed, so that no two lists of fields run together into the same bytes.
struct Fields(sha2::Sha256);

impl Fields {
    fn new() -> Self {
        Self(sha2::Sha256::new())
    }

    fn add(&mut self, field: &[u8]) {
        self.0.update((field.len() as u64).to_le_bytes());
        self.0.update(field);
    }

    fn array(&mut self, array: &Array) {
        for size in array.shape() {
            self.0.update((*size as u64).to_le_bytes());
        }
        let bytes: Vec<u8> = array
            .values()
            .iter()
            .flat_map(|value| value.to_le_bytes())
            .collect();
        self.add(&bytes);
    }

    fn digest(self) -> Sha256 {
        Sha256::from_bytes(self.0.finalize().into())
    }
}

#[cfg(test)]
mod tests;
