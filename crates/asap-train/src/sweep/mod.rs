//! One setting, several values: a run each, one after the other, on one reference cache.
//!
//! ```text
//! OUT/tau-0.003/   the run of that value, like any other run
//!     comparison/  index.html, data.json, plots: the runs side by side
//! ```
//!
//! All runs see the same pairs at the same draws of time and noise, so the frozen network is asked once for all of
//! them. Runs that are complete are left as they are, so the same command goes on where it was stopped.

mod base;

use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};

use crate::config::{self, Device, Layer, Settings};
use crate::doctor::OnError;
use crate::folder::RunFolder;
use crate::report::{Compared, Comparison, write_comparison};
use crate::session::{self, Job, Progress};

/// The setting that is changed. All of these leave the reference as it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Axis {
    /// The margin (Fig. 6 of the paper).
    Tau,
    /// The weight of the mask.
    Alpha,
    /// The strength of DPO and IPO.
    Beta,
    /// The learning rate.
    LearningRate,
}

impl Axis {
    /// The key of the setting.
    pub const fn key(self) -> &'static str {
        match self {
            Self::Tau => "objective.tau",
            Self::Alpha => "objective.alpha",
            Self::Beta => "objective.beta",
            Self::LearningRate => "optimiser.learning_rate",
        }
    }

    /// A word for names of folders.
    const fn word(self) -> &'static str {
        match self {
            Self::Tau => "tau",
            Self::Alpha => "alpha",
            Self::Beta => "beta",
            Self::LearningRate => "learning-rate",
        }
    }
}

/// The runs of a sweep.
pub struct Sweep {
    axis: Axis,
    out: PathBuf,
    /// The value as it was written, and its run.
    runs: Vec<(String, Job)>,
}

impl Sweep {
    /// Lays each value over the other settings, and turns the reference cache on. All values are checked before
    /// the first run begins.
    ///
    /// # Errors
    /// Settings that are refused, a value that is given twice, no dataset.
    pub fn plan(
        layers: &[Layer],
        (axis, values): (Axis, &[String]),
        out: &Path,
        on_bad_pairs: OnError,
    ) -> anyhow::Result<Self> {
        let mut runs: Vec<(String, Job)> = Vec::new();
        let mut seen: Vec<f64> = Vec::new();
        for value in values.iter().map(|value| value.trim()) {
            let mut layers = layers.to_vec();
            layers.push(Layer::flag("run.reference_cache", "on")?);
            layers.push(Layer::flag(axis.key(), value)?);
            let settings = Settings::resolve(&layers)?;
            if settings.data.path.is_none() {
                bail!("no dataset: name one by `--data`");
            }
            let number: f64 = value
                .parse()
                .with_context(|| format!("`{}`: expected a number, got `{value}`", axis.key()))?;
            if seen.contains(&number) {
                bail!("`{}`: the value {value} is given twice", axis.key());
            }
            seen.push(number);
            let job = Job {
                settings,
                out: out.join(format!("{}-{value}", axis.word())),
                resume: false,
                on_bad_pairs,
            };
            runs.push((value.to_owned(), job));
        }
        Ok(Self {
            axis,
            out: out.to_owned(),
            runs,
        })
    }

    /// The settings of the first run; the others differ in the swept value alone.
    pub fn settings_toml(&self) -> String {
        self.runs
            .first()
            .map_or_else(String::new, |(_, job)| job.settings.to_toml())
    }

    /// Where all runs compute.
    pub fn device(&self) -> Device {
        self.runs
            .first()
            .map_or(Device::Cpu, |(_, job)| job.settings.run.device)
    }
}

/// Makes the runs that are not complete, and compares all. `None` where a person asked for an end before.
///
/// # Errors
/// Those of a run; a run folder of other settings, which is left as it is.
pub fn run(sweep: &Sweep, progress: &dyn Progress) -> anyhow::Result<Option<Comparison>> {
    if std::env::var("WORLD_SIZE").is_ok_and(|size| size != "1") {
        bail!("a sweep runs in one process; `asap-train cache` fills its cache by several");
    }
    // Before hours are spent: every folder that is there must be of this sweep.
    for (_, job) in &sweep.runs {
        check_folder(job)?;
    }
    let n_runs = sweep.runs.len();
    for (idx, (value, job)) in sweep.runs.iter().enumerate() {
        let name = format!("run {} of {n_runs}, `{}` = {value}", idx + 1, sweep.axis.key());
        if is_complete(job)? {
            progress.say(&format!("{name}: complete already"));
            continue;
        }
        progress.say(&name);
        base::share(sweep.runs.iter().map(|(_, job)| job.out.as_path()), &job.out)?;
        let ended = session::run(
            &Job {
                settings: job.settings.clone(),
                out: job.out.clone(),
                resume: RunFolder::open(&job.out).is_ok(),
                on_bad_pairs: job.on_bad_pairs,
            },
            progress,
        )?;
        if ended.step < u64::from(job.settings.run.steps) {
            return Ok(None);
        }
    }
    let compared = sweep.runs.iter().map(|(value, job)| {
        Ok(Compared {
            value: value.clone(),
            run: RunFolder::open(&job.out)?,
        })
    });
    let compared = compared.collect::<anyhow::Result<Vec<_>>>()?;
    Ok(Some(write_comparison(&sweep.out, sweep.axis.key(), &compared)?))
}

/// A folder that holds a run holds that of the job.
fn check_folder(job: &Job) -> anyhow::Result<()> {
    let Ok(folder) = RunFolder::open(&job.out) else {
        return Ok(());
    };
    let path = job.out.join("settings.toml");
    let then = Settings::resolve(&[Layer::text(&folder.settings_toml()?, &path)?])?;
    match config::diff(&then, &job.settings).first() {
        None => Ok(()),
        Some(difference) => bail!(
            "`{}` holds a run of other settings: {difference}; name another `--out`",
            job.out.display()
        ),
    }
}

/// Whether the last step and the report of a job are there.
fn is_complete(job: &Job) -> anyhow::Result<bool> {
    let Ok(folder) = RunFolder::open(&job.out) else {
        return Ok(false);
    };
    if !folder.report().join("index.html").is_file() {
        return Ok(false);
    }
    let newest = folder.newest_checkpoint()?.checkpoint;
    Ok(newest.is_some_and(|checkpoint| checkpoint.step == u64::from(job.settings.run.steps)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn planned(preset: &str, axis: Axis, values: &[&str]) -> anyhow::Result<Sweep> {
        let layers = [Layer::preset(preset)?, Layer::flag("data.path", "hap.lance")?];
        let values: Vec<String> = values.iter().map(|&value| value.to_owned()).collect();
        Sweep::plan(&layers, (axis, &values), Path::new("out"), OnError::Refuse)
    }

    #[test]
    fn runs_differ_in_the_swept_value_alone() {
        let sweep = planned("tiny", Axis::Tau, &["0.001", "0.003"]).unwrap();
        let [(_, first), (_, second)] = sweep.runs.as_slice() else {
            panic!("two runs");
        };
        let differences = config::diff(&first.settings, &second.settings);
        let keys: Vec<&str> = differences.iter().map(|difference| difference.key).collect();
        assert_eq!(keys, ["objective.tau"]);
        assert_eq!(first.settings.run.reference_cache, config::ReferenceCache::On);
        assert_eq!(second.out, Path::new("out/tau-0.003"));
    }

    #[test]
    fn values_are_refused_before_the_first_run() {
        let told = |preset, axis, values: &[&str]| match planned(preset, axis, values) {
            Ok(_) => panic!("{values:?} were taken"),
            Err(error) => format!("{error:#}"),
        };
        assert!(told("tiny", Axis::Tau, &["0.001", "-1"]).contains("a number above 0"));
        assert!(told("tiny", Axis::Tau, &["0.01", "1e-2"]).contains("given twice"));
        assert!(told("tiny", Axis::Tau, &["none"]).contains("objective.tau"));
        assert!(told("flux-dpo", Axis::Tau, &["0.01"]).contains("set it to `none`"));
    }
}
