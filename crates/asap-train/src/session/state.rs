//! What a checkpoint holds, and how a run goes on from one.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use asap_diffusion::Array;
use asap_diffusion::lora::Format;
use asap_diffusion::optim::{AdamWState, EmaState};
use asap_diffusion::training::Trainee;
use asap_diffusion::weights::{SafeFile, write_safetensors};
use serde_json::json;

use super::Progress;
use super::steps::Steps;
use crate::folder::RunFolder;

const ADAPTER: &str = "adapter.safetensors";
const WEIGHTS: &str = "weights.safetensors";
const OPTIMISER: &str = "optimiser.safetensors";

/// Saves the run after `step` and returns where the adapter is; only the first process saves.
pub(super) fn save(folder: &RunFolder, step: u64, steps: &mut Steps) -> anyhow::Result<Option<PathBuf>> {
    if !steps.is_first() {
        return Ok(None);
    }
    steps.sync()?;
    let notes = notes(folder, step);
    // The adapter to use is the average, where one is kept; the run itself goes on from the weights.
    let weights = steps.trainee.weights();
    steps.trainee.swap_average()?;
    let adapter = steps.trainee.adapter(notes);
    steps.trainee.swap_average()?;
    let adapter = adapter.context("no adapter is trained")?;
    let trainee = &steps.trainee;
    let names = trainee.names();
    let state = trainee.optimiser_state();
    let average = trainee.average_state();
    let mut writer = folder.begin_checkpoint(step)?;
    writer.file(ADAPTER, |path: &Path| adapter.write(path, Format::Diffusers))?;
    writer.file(WEIGHTS, |path: &Path| {
        write_safetensors(path, &weights, &BTreeMap::new())
    })?;
    writer.file(OPTIMISER, |path: &Path| {
        let moments = [("exp_avg", &state.exp_avg), ("exp_avg_sq", &state.exp_avg_sq)];
        let average = average.iter().map(|average| ("average", &average.shadow));
        write_safetensors(
            path,
            &named(&names, moments.into_iter().chain(average)),
            &BTreeMap::new(),
        )
    })?;
    let n_averaged = average.as_ref().map(|average| average.n_updates);
    let place = writer.finish(json!({ "optimiser_step": state.step, "n_averaged": n_averaged }))?;
    folder.prune_checkpoints(steps.settings.run.keep_checkpoints as usize)?;
    Ok(Some(place.join(ADAPTER)))
}

/// The step after which the run goes on, with the state of that moment put back; 0 for a new run.
pub(super) fn restore(
    folder: &RunFolder,
    trainee: &mut Trainee,
    resume: bool,
    progress: &dyn Progress,
) -> anyhow::Result<u64> {
    if !resume {
        return Ok(0);
    }
    let found = folder.newest_checkpoint()?;
    for torn in &found.torn {
        progress.say(&format!("passed over `{}`: {}", torn.path.display(), torn.reason));
    }
    let Some(checkpoint) = found.checkpoint else {
        progress.say("the run has no checkpoint yet: it begins again");
        return Ok(0);
    };
    let names = trainee.names();
    let weights = SafeFile::open(&checkpoint.path.join(WEIGHTS))?;
    let weights = arrays(&names, &weights, "")?;
    trainee.set_weights(&names.iter().cloned().zip(weights).collect())?;
    let number = |key: &str| {
        checkpoint.trainer[key]
            .as_u64()
            .and_then(|n| u32::try_from(n).ok())
    };
    let Some(step) = number("optimiser_step") else {
        bail!(
            "`{}`: expected `optimiser_step` in its state",
            checkpoint.path.display()
        );
    };
    let file = SafeFile::open(&checkpoint.path.join(OPTIMISER))?;
    trainee.set_optimiser_state(&AdamWState {
        step,
        exp_avg: arrays(&names, &file, "exp_avg.")?,
        exp_avg_sq: arrays(&names, &file, "exp_avg_sq.")?,
    })?;
    if let Some(n_updates) = number("n_averaged") {
        trainee.set_average_state(&EmaState {
            n_updates,
            shadow: arrays(&names, &file, "average.")?,
        })?;
    }
    Ok(checkpoint.step)
}

/// Arrays under `PART.NAME`.
fn named<'a>(
    names: &[String],
    parts: impl Iterator<Item = (&'a str, &'a Vec<Array>)>,
) -> BTreeMap<String, Array> {
    let mut all = BTreeMap::new();
    for (part, arrays) in parts {
        all.extend(
            names
                .iter()
                .zip(arrays)
                .map(|(name, array)| (format!("{part}.{name}"), array.clone())),
        );
    }
    all
}

/// The arrays of these names, in their order.
fn arrays(names: &[String], file: &SafeFile, prefix: &str) -> anyhow::Result<Vec<Array>> {
    let array = |name: &String| {
        let (shape, values) = file.values(&format!("{prefix}{name}"))?;
        let shape: Vec<usize> = shape
            .iter()
            .map(|&n| usize::try_from(n).unwrap_or_default())
            .collect();
        Ok(Array::new(&shape, values)?)
    };
    names.iter().map(array).collect()
}

/// Where an adapter comes from, for its header.
fn notes(folder: &RunFolder, step: u64) -> BTreeMap<String, String> {
    let record = folder.record();
    let pairs = [
        ("asap_toolkit_version", record.toolkit_version.clone()),
        ("asap_objective", record.objective.clone()),
        ("asap_base_hash", record.base_hash.clone()),
        (
            "asap_data",
            format!("{} version {}", record.data, record.data_version),
        ),
        ("asap_data_sha256", record.data_sha256.clone()),
        ("asap_seed", record.seed.to_string()),
        ("asap_step", step.to_string()),
    ];
    pairs.map(|(name, value)| (name.to_owned(), value)).into()
}
