//! What a checkpoint holds, and how a run goes on from one.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use asap_diffusion::lora::{AdapterFile, Format};
use asap_diffusion::optim::AdamWState;
use asap_diffusion::training::Trainee;
use asap_diffusion::weights::{SafeFile, write_safetensors};
use asap_diffusion::Array;
use serde_json::json;

use super::Progress;
use super::steps::Steps;
use crate::folder::RunFolder;

const ADAPTER: &str = "adapter.safetensors";
const OPTIMISER: &str = "optimiser.safetensors";

/// Saves the run after `step` and returns where the adapter is.
pub(super) fn save(folder: &RunFolder, step: u64, steps: &Steps) -> anyhow::Result<PathBuf> {
    if !steps.is_first() {
        return Ok(folder.root().to_owned());
    }
    steps.sync()?;
    let trainee = &steps.trainee;
    let adapter = trainee.adapter(notes(folder, step)).context("no adapter is trained")?;
    let state = trainee.optimiser_state();
    let mut writer = folder.begin_checkpoint(step)?;
    writer.file(ADAPTER, |path: &Path| adapter.write(path, Format::Diffusers))?;
    writer.file(OPTIMISER, |path: &Path| {
        write_safetensors(path, &named(&trainee.names(), &state), &BTreeMap::new())
    })?;
    let place = writer.finish(json!({ "optimiser_step": state.step }))?;
    folder.prune_checkpoints(steps.settings.run.keep_checkpoints as usize)?;
    Ok(place.join(ADAPTER))
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
    let adapter = AdapterFile::read_for(&checkpoint.path.join(ADAPTER), trainee.backbone())?;
    let mut weights = BTreeMap::new();
    for (path, layer) in adapter.layers {
        weights.insert(format!("{path}.lora_A.weight"), layer.down);
        weights.insert(format!("{path}.lora_B.weight"), layer.up);
    }
    trainee.set_weights(&weights)?;
    let step = checkpoint.trainer["optimiser_step"].as_u64().and_then(|step| u32::try_from(step).ok());
    let Some(step) = step else {
        bail!("`{}`: expected `optimiser_step` in its state", checkpoint.path.display());
    };
    let file = SafeFile::open(&checkpoint.path.join(OPTIMISER))?;
    trainee.set_optimiser_state(&unnamed(&trainee.names(), &file, step)?)?;
    Ok(checkpoint.step)
}

fn named(names: &[String], state: &AdamWState) -> BTreeMap<String, Array> {
    let part = |part: &str, arrays: &[Array]| -> Vec<(String, Array)> {
        let pairs = names.iter().zip(arrays);
        pairs.map(|(name, array)| (format!("{part}.{name}"), array.clone())).collect()
    };
    let averages = part("exp_avg", &state.exp_avg);
    averages.into_iter().chain(part("exp_avg_sq", &state.exp_avg_sq)).collect()
}

fn unnamed(names: &[String], file: &SafeFile, step: u32) -> anyhow::Result<AdamWState> {
    let part = |part: &str| -> anyhow::Result<Vec<Array>> {
        names
            .iter()
            .map(|name| {
                let (shape, values) = file.values(&format!("{part}.{name}"))?;
                let shape: Vec<usize> = shape.iter().map(|&n| usize::try_from(n).unwrap_or_default()).collect();
                Ok(Array::new(&shape, values)?)
            })
            .collect()
    };
    Ok(AdamWState {
        step,
        exp_avg: part("exp_avg")?,
        exp_avg_sq: part("exp_avg_sq")?,
    })
}

/// Where an adapter comes from, for its header.
fn notes(folder: &RunFolder, step: u64) -> BTreeMap<String, String> {
    let record = folder.record();
    let pairs = [
        ("asap_toolkit_version", record.toolkit_version.clone()),
        ("asap_objective", record.objective.clone()),
        ("asap_base_hash", record.base_sha256.clone()),
        ("asap_data", format!("{} version {}", record.data, record.data_version)),
        ("asap_data_sha256", record.data_sha256.clone()),
        ("asap_seed", record.seed.to_string()),
        ("asap_step", step.to_string()),
    ];
    pairs.map(|(name, value)| (name.to_owned(), value)).into()
}
