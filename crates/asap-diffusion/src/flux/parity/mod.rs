//! The network against diffusers' on tiny random weights; the golden numbers are from `tests/golden/flux.py`.

mod border;
mod gradients;
mod network;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use tch::{Kind, Tensor};

use super::*;
use crate::device::{Place, Precision};
use crate::lora::Attachment;
use crate::testing::{Golden, write_rounded_weights, write_weights};
use crate::weights::{Checkpoint, Loaded, Loader};
use crate::{Adapter, Array, Checkpointing, Residual, Run};

#[derive(serde::Deserialize)]
struct Case {
    config: String,
    rows: i64,
    cols: i64,
    text: i64,
    sigmas: Vec<f64>,
    guidance: Option<f64>,
}

/// A case of the golden file with its configuration and its inputs.
struct Plain {
    config: FluxConfig,
    rows: i64,
    cols: i64,
    latents: Tensor,
    text: FluxText,
    sigmas: Tensor,
    guidance: Option<f64>,
}

impl Plain {
    fn read(golden: &Golden, name: &str) -> Self {
        let case: Case = golden.fact(&format!("/cases/{name}"));
        let config: FluxConfig = golden.fact(&format!("/configs/{}", case.config));
        let batch = i64::try_from(case.sigmas.len()).unwrap();
        let (height, width) = (case.rows * 2, case.cols * 2);
        let latents = [batch, config.latent_channels(), height, width];
        Self {
            rows: case.rows,
            cols: case.cols,
            latents: Golden::input(&format!("{name}.latents"), &latents, 1.5),
            text: text_of(name, &config, batch, case.text),
            sigmas: Tensor::from_slice(&case.sigmas).to_kind(Kind::Float),
            guidance: case.guidance,
            config,
        }
    }

    fn velocity(&self, transformer: &FluxTransformer, run: Run) -> Tensor {
        let guidance = self.guidance.unwrap_or_default();
        transformer.velocity(&self.latents, &self.sigmas, &self.text, guidance, run)
    }
}

fn text_of(name: &str, config: &FluxConfig, batch: i64, n_text: i64) -> FluxText {
    let t5 = [batch, n_text, config.joint_attention_dim];
    let pooled = [batch, config.pooled_projection_dim];
    FluxText {
        t5: Golden::input(&format!("{name}.t5"), &t5, 1.0),
        pooled: Golden::input(&format!("{name}.pooled"), &pooled, 1.0),
    }
}

/// A folder with formula weights of the configuration of this name.
struct Weights {
    folder: tempfile::TempDir,
}

impl Weights {
    fn of(shapes: &BTreeMap<String, Vec<usize>>) -> Self {
        let weights = Self {
            folder: tempfile::tempdir().unwrap(),
        };
        write_weights(&weights.path(), shapes);
        weights
    }

    /// The same, each weight rounded to `bf16`.
    fn rounded(shapes: &BTreeMap<String, Vec<usize>>) -> Self {
        let weights = Self {
            folder: tempfile::tempdir().unwrap(),
        };
        write_rounded_weights(&weights.path(), shapes);
        weights
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("diffusion_pytorch_model.safetensors")
    }
}

fn load(
    weights: &Path,
    config: &FluxConfig,
    precision: Precision,
    adapters: Option<&Attachment<'_>>,
) -> (FluxTransformer, Loaded) {
    let checkpoint = Checkpoint::open(weights).unwrap();
    let loader = Loader::new(&checkpoint, Place::Cpu, precision);
    let loader = match adapters {
        Some(adapters) => loader.with_adapters(adapters),
        None => loader,
    };
    let transformer = FluxTransformer::load(&loader.root(), config);
    loader.finish(transformer).unwrap()
}

fn network(golden: &Golden, name: &str, precision: Precision) -> FluxTransformer {
    let weights = Weights::of(&golden.shapes(&format!("/keys/{name}")));
    let config: FluxConfig = golden.fact(&format!("/configs/{name}"));
    load(&weights.path(), &config, precision, None).0
}
