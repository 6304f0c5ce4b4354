//! What a run took, beside what was predicted of it.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::{Plan, total};
use crate::folder::{RunFolder, write_whole};
use crate::telemetry::{Record, Telemetry};

/// Beside the weights of a run.
const FILE: &str = "plan.json";

/// A prediction and, once there are steps, what they took.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Comparison {
    /// Seconds of a step, by the plan.
    pub predicted_seconds_per_step: f64,
    /// The median over the steps.
    pub measured_seconds_per_step: f64,
    /// Bytes on the device, by the plan.
    pub predicted_peak_bytes: f64,
    /// The most that was taken, where it is known: on a processor that of the whole process, libtorch and pairs
    /// included.
    pub measured_peak_bytes: Option<u64>,
    /// Steps that were measured.
    pub n_steps: usize,
}

impl Comparison {
    /// Reads the telemetry of a run; `None` where it has no step.
    ///
    /// # Errors
    /// Those of [`Telemetry::read`].
    pub fn of(plan: &Plan, folder: &RunFolder) -> anyhow::Result<Option<Self>> {
        let telemetry = Telemetry::read(&folder.telemetry())?;
        let steps = || {
            telemetry.records.iter().filter_map(|record| match record {
                Record::Step(step) => Some(step),
                _ => None,
            })
        };
        let mut seconds: Vec<f64> = steps().map(|step| step.seconds).collect();
        seconds.sort_by(f64::total_cmp);
        // A mean would have the pauses of a machine that does something else too.
        let Some(&median) = seconds.get(seconds.len() / 2) else {
            return Ok(None);
        };
        Ok(Some(Self {
            predicted_seconds_per_step: plan.seconds_per_step,
            measured_seconds_per_step: median,
            predicted_peak_bytes: total(&plan.device_bytes),
            measured_peak_bytes: steps().filter_map(|step| step.memory_peak_bytes).max(),
            n_steps: seconds.len(),
        }))
    }

    /// Stores it in the folder of the run.
    ///
    /// # Errors
    /// [`crate::folder::Error::Io`].
    pub fn write(&self, root: &Path) -> anyhow::Result<PathBuf> {
        let path = root.join(FILE);
        let mut text = serde_json::to_string_pretty(self)?;
        text.push('\n');
        write_whole(&path, text.as_bytes())?;
        Ok(path)
    }
}

impl std::fmt::Display for Comparison {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (predicted, measured) = (self.predicted_seconds_per_step, self.measured_seconds_per_step);
        write!(
            f,
            "a step: {predicted:.3} s predicted, {measured:.3} s measured, {:.2} times",
            measured / predicted
        )?;
        if let Some(peak) = self.measured_peak_bytes {
            let (predicted, measured) = (self.predicted_peak_bytes, peak as f64);
            let gib = (1u64 << 30) as f64;
            write!(
                f,
                "\nmemory: {:.2} GiB predicted, {:.2} GiB measured, {:.2} times",
                predicted / gib,
                measured / gib,
                measured / predicted
            )?;
        }
        Ok(())
    }
}
