//! The tiny base model: made and trained from nothing on the preferred images of the run.

use std::collections::BTreeMap;
use std::path::Path;

use asap_core::Stream;
use asap_diffusion::Array;
use asap_diffusion::device::Place;
use asap_diffusion::lora::Backbone;
use asap_diffusion::training::{ImageInput, NetworkFiles, Optimiser, Trainee};
use asap_diffusion::weights::write_safetensors;
use serde_json::json;

use super::{Progress, optimiser};
use crate::config::Settings;
use crate::data::{Chosen, Example, TINY_TEXT_DIM};
use crate::draw::normals;

/// Images of a step.
const BATCH: usize = 8;
/// Larger than that of an adapter: the network begins at random.
const LEARNING_RATE: f64 = 2e-3;
const WARMUP_STEPS: u32 = 20;

/// A base in `folder`, made where it is not there yet.
pub(super) fn ready(
    folder: &Path,
    settings: &Settings,
    chosen: &Chosen,
    progress: &dyn Progress,
) -> anyhow::Result<NetworkFiles> {
    let examples = &chosen.train;
    let part = folder.join("transformer");
    let files = NetworkFiles {
        backbone: Backbone::Flux,
        config: part.join("config.json"),
        weights: part.join("diffusion_pytorch_model.safetensors"),
        scheduler: Some(folder.join("scheduler/scheduler_config.json")),
    };
    // What the base was made from, so that one made from something else is made anew.
    let stamp = json!({
        "base_steps": settings.model.base_steps,
        "data_sha256": chosen.sha256,
        "seed": settings.run.seed,
    })
    .to_string();
    let stamped = folder.join("made.json");
    if files.weights.is_file() && std::fs::read_to_string(&stamped).is_ok_and(|found| found == stamp) {
        return Ok(files);
    }
    fs_err::create_dir_all(&part)?;
    fs_err::create_dir_all(folder.join("scheduler"))?;
    fs_err::write(&files.config, config().to_string())?;
    fs_err::write(
        folder.join("scheduler/scheduler_config.json"),
        scheduler().to_string(),
    )?;
    let n_steps = settings.model.base_steps;
    progress.say(&format!(
        "training a tiny base model from nothing: {n_steps} steps of {BATCH} images"
    ));
    let mut trainee = Trainee::from_nothing(
        &files.config,
        settings.run.seed,
        Place::Cpu,
        base_optimiser(settings),
    )?;
    for step in 0..n_steps {
        let error = train(&mut trainee, examples, settings, step)?;
        if (step + 1) % 50 == 0 {
            progress.say(&format!(
                "base model: step {} of {n_steps}, error {error:.3}",
                step + 1
            ));
        }
    }
    // Last and whole: a folder with weights is a base.
    write_safetensors(&files.weights, &trainee.weights(), &BTreeMap::new())?;
    fs_err::write(&stamped, stamp)?;
    Ok(files)
}

/// Without an average: the last steps are small.
fn base_optimiser(settings: &Settings) -> Optimiser {
    Optimiser {
        ema_decay: None,
        ..optimiser(settings)
    }
}

fn train(trainee: &mut Trainee, examples: &[Example], settings: &Settings, step: u32) -> anyhow::Result<f64> {
    let mut stream = Stream::new(settings.run.seed, &format!("base/step/{step}"));
    let chosen: Vec<&Example> = (0..BATCH).map(|_| stream.choose(examples)).collect();
    // Images of one shape are in one batch; the demo dataset has one shape.
    let shape = chosen[0].preferred.mean.shape().to_vec();
    let chosen: Vec<&Example> = chosen
        .into_iter()
        .filter(|example| example.preferred.mean.shape() == shape)
        .collect();
    let n: usize = shape.iter().product();
    let noises = chosen
        .iter()
        .map(|_| Array::new(&shape, normals(&mut stream, n)))
        .collect::<Result<Vec<_>, _>>()?;
    let times: Vec<f64> = chosen.iter().map(|_| stream.unit()).collect();
    let images: Vec<ImageInput<'_>> = chosen
        .iter()
        .zip(&noises)
        .zip(times)
        .map(|((example, noise), time)| ImageInput {
            latent: &example.preferred.mean,
            noise,
            time,
            conditioning: &example.conditioning,
        })
        .collect();
    let error = trainee.accumulate_images(&images)?;
    let warm = f64::from(step + 1) / f64::from(WARMUP_STEPS);
    let rest = 1.0 - f64::from(step) / f64::from(settings.model.base_steps);
    trainee.apply(LEARNING_RATE * warm.min(1.0) * rest, 1, None)?;
    Ok(error)
}

/// FLUX in small: about two million weights.
fn config() -> serde_json::Value {
    json!({
        "_class_name": "FluxTransformer2DModel",
        "attention_head_dim": 32,
        "axes_dims_rope": [8, 12, 12],
        "guidance_embeds": false,
        "in_channels": 64,
        "joint_attention_dim": TINY_TEXT_DIM,
        "num_attention_heads": 4,
        "num_layers": 2,
        "num_single_layers": 2,
        "patch_size": 1,
        "pooled_projection_dim": TINY_TEXT_DIM,
    })
}

fn scheduler() -> serde_json::Value {
    json!({
        "_class_name": "FlowMatchEulerDiscreteScheduler",
        "base_image_seq_len": 256,
        "base_shift": 0.5,
        "max_image_seq_len": 4096,
        "max_shift": 1.15,
        "num_train_timesteps": 1000,
        "shift": 1.0,
        "use_dynamic_shifting": false,
    })
}
