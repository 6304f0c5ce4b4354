//! Builds in parallel, appends in order.
//!
//! The work is cut into units of a few pairs of one positive, and units into chunks. A chunk is built by
//! all threads while the chunk before it is appended, so what lies in memory is two chunks and a draft for
//! each thread, however many pairs are asked for. Neither cut depends on the number of threads, and chunks
//! are appended whole and in the order of the plan: the dataset is the same for any number of threads,
//! and a run that ends early leaves a beginning of what the whole run would have left.

use std::collections::BTreeSet;
use std::sync::Arc;

use anyhow::{Context as _, Result};
use asap_core::{PositiveId, Reporter as _};
use asap_store::{Dataset, Group};
use asap_synth::Built;
use rayon::prelude::*;
use tokio::task::JoinHandle;

use super::job::Job;
use super::report::{Refused, Report};
use crate::interrupt::Interrupt;
use crate::progress::Progress;

/// Pairs that one thread holds as pixels at once: enough that reading the positive is a small part of the
/// work, few enough that a thread needs some tens of megabytes.
const N_SLOTS_PER_UNIT: usize = 4;
/// Units appended at once: each append is a version of the dataset and a few files.
const N_UNITS_PER_CHUNK: usize = 8;

/// Some slots of one job.
#[derive(Clone, Debug, PartialEq)]
struct Unit {
    job_idx: usize,
    slots: BTreeSet<u64>,
}

/// What became of a unit.
enum Outcome {
    Built(Box<Built>),
    Refused(Refused),
    /// Left for the next run.
    Interrupted,
}

/// Builds jobs.
pub(crate) struct Engine<J> {
    pub(crate) jobs: Arc<Vec<J>>,
    pub(crate) pool: Arc<rayon::ThreadPool>,
    pub(crate) progress: Arc<Progress>,
    pub(crate) interrupt: Interrupt,
}

impl<J> Clone for Engine<J> {
    fn clone(&self) -> Self {
        Self {
            jobs: Arc::clone(&self.jobs),
            pool: Arc::clone(&self.pool),
            progress: Arc::clone(&self.progress),
            interrupt: self.interrupt.clone(),
        }
    }
}

impl<J: Job> Engine<J> {
    /// Builds what the dataset lacks and appends it. `report` is right also when this fails half-way.
    pub(crate) async fn run(&self, dataset: &mut Dataset, report: &mut Report) -> Result<()> {
        let stored = dataset.built_slots().await?;
        let units = units(&self.jobs, &stored);
        let n_planned: usize = self.jobs.iter().map(|job| job.slots().len()).sum();
        let n_slots: usize = units.iter().map(|unit| unit.slots.len()).sum();
        report.n_present = n_planned - n_slots;
        self.progress.start("pairs", n_slots as u64);
        let result = self.build_and_append(dataset, &units, report).await;
        self.progress.finish();
        result?;
        if J::IS_SUPPLIED && !self.interrupt.is_requested() {
            self.name_fruitless(&dataset.built_slots().await?, report);
        }
        Ok(())
    }

    /// Names the sources of which nothing is stored, so that none is left out silently.
    fn name_fruitless(&self, stored: &BTreeSet<(PositiveId, u64)>, report: &mut Report) {
        for job in self.jobs.iter() {
            let id = job.positive_id();
            let is_named = report.refused.iter().any(|refused| refused.name == job.name());
            if !is_named && !job.slots().iter().any(|&slot| stored.contains(&(id, slot))) {
                report.refused.push(Refused {
                    name: job.name(),
                    reason: format!("none of {} tries gave a pair; `-v` says why", job.slots().len()),
                });
            }
        }
    }

    async fn build_and_append(
        &self,
        dataset: &mut Dataset,
        units: &[Unit],
        report: &mut Report,
    ) -> Result<()> {
        let mut chunks = units.chunks(N_UNITS_PER_CHUNK);
        let mut in_work = chunks.next().map(|chunk| self.start(chunk));
        while let Some(building) = in_work {
            let outcomes = building.await.context("a build thread died")?;
            in_work = chunks
                .next()
                .filter(|_| !self.interrupt.is_requested())
                .map(|chunk| self.start(chunk));
            let appended = append(dataset, outcomes, report).await;
            if appended.is_err() {
                // Lets the chunk in work end early: its result has nowhere to go.
                self.interrupt.request();
            }
            appended?;
        }
        Ok(())
    }

    /// Starts building a chunk on the pool; the result keeps the order of the units.
    fn start(&self, chunk: &[Unit]) -> JoinHandle<Vec<(usize, Outcome)>> {
        let engine = self.clone();
        let units = chunk.to_vec();
        tokio::task::spawn_blocking(move || {
            engine.pool.install(|| {
                units
                    .par_iter()
                    .map(|unit| (unit.slots.len(), engine.build_unit(unit)))
                    .collect()
            })
        })
    }

    fn build_unit(&self, unit: &Unit) -> Outcome {
        if self.interrupt.is_requested() {
            return Outcome::Interrupted;
        }
        let job = &self.jobs[unit.job_idx];
        let skip: BTreeSet<u64> = job
            .slots()
            .iter()
            .copied()
            .filter(|slot| !unit.slots.contains(slot))
            .collect();
        let built = job.build(&skip).and_then(asap_synth::finish);
        self.progress.advance(unit.slots.len() as u64);
        match built {
            Ok(built) => Outcome::Built(Box::new(built)),
            Err(error) => Outcome::Refused(Refused {
                name: job.name(),
                reason: crate::failure::message(&error.into()),
            }),
        }
    }
}

/// Appends what was built in one commit and counts it.
async fn append(dataset: &mut Dataset, outcomes: Vec<(usize, Outcome)>, report: &mut Report) -> Result<()> {
    let mut groups = Vec::new();
    for (n_slots, outcome) in outcomes {
        match outcome {
            Outcome::Built(built) => {
                report.n_dropped += n_slots.saturating_sub(built.pairs.len());
                if !built.pairs.is_empty() {
                    groups.push(Group {
                        positive: built.positive,
                        pairs: built.pairs,
                        assessments: built.assessments,
                    });
                }
            }
            Outcome::Refused(refused) => {
                // Every unit of a broken file says the same.
                if !report.refused.contains(&refused) {
                    report.refused.push(refused);
                }
            }
            Outcome::Interrupted => {}
        }
    }
    if !groups.is_empty() {
        let appended = dataset.append(groups).await?;
        report.n_made += appended.pairs as usize;
    }
    Ok(())
}

/// Cuts the slots that are not stored yet into units, in the order of the plan.
fn units<J: Job>(jobs: &[J], stored: &BTreeSet<(PositiveId, u64)>) -> Vec<Unit> {
    let mut units = Vec::new();
    for (job_idx, job) in jobs.iter().enumerate() {
        let positive_id = job.positive_id();
        // Cut first, then leave out what is stored: a continued run builds the units that a whole run would.
        for cut in job.slots().chunks(N_SLOTS_PER_UNIT) {
            let slots: BTreeSet<u64> = cut
                .iter()
                .copied()
                .filter(|&slot| !stored.contains(&(positive_id, slot)))
                .collect();
            if !slots.is_empty() {
                units.push(Unit { job_idx, slots });
            }
        }
    }
    units
}
