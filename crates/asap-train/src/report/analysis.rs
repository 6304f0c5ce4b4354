//! What the report says, as numbers.

use serde::Serialize;

use super::axis::Unit;
use super::canvas::Plot;
use super::figure::{Group, Groups, Lines, Reference};
use super::over_steps::{gap_lines, held_out_lines, last_step, machine_lines, zero_and_tau};
use super::{alarm, forest, group, lines};
use crate::folder::RunRecord;
use crate::telemetry::{Eval, PairRecord, Record, Step, Telemetry, wilson};

/// All that is said but for samples and settings.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(super) struct Analysis {
    pub(super) run: RunRecord,
    pub(super) headline: Headline,
    pub(super) alarms: Vec<String>,
    pub(super) lines: Vec<Lines>,
    pub(super) groups: Vec<Groups>,
    pub(super) notes: Vec<crate::telemetry::Note>,
}

/// The numbers at the top.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(super) struct Headline {
    pub(super) n_steps_done: u64,
    pub(super) n_pairs_seen: usize,
    /// The last measurement on held-out pairs.
    pub(super) held_out: Option<Eval>,
    /// The mean gap of the last tenth of the steps.
    pub(super) recent_delta: Option<f64>,
    pub(super) seconds: f64,
    pub(super) pairs_per_second: Option<f64>,
    pub(super) wait_share: Option<f64>,
    pub(super) memory_peak_bytes: Option<u64>,
}

impl Analysis {
    pub(super) fn of(run: &RunRecord, telemetry: &Telemetry) -> Self {
        let steps: Vec<&Step> = telemetry
            .records
            .iter()
            .filter_map(|record| match record {
                Record::Step(step) => Some(step),
                _ => None,
            })
            .collect();
        let evals: Vec<&Eval> = telemetry
            .records
            .iter()
            .filter_map(|record| match record {
                Record::Eval(eval) => Some(eval),
                _ => None,
            })
            .collect();
        let notes = telemetry.records.iter().filter_map(|record| match record {
            Record::Note(note) => Some(note.clone()),
            _ => None,
        });
        let mut all = held_out_lines(run, &evals, last_step(&steps));
        all.extend(gap_lines(run, &steps));
        all.extend(machine_lines(&steps));
        for lines in &mut all {
            lines.series.retain(|series| !series.points.is_empty());
        }
        all.retain(|lines| !lines.series.is_empty());
        let mut groups = gap_groups(run, &steps);
        groups.extend(
            evals
                .last()
                .filter(|eval| eval.step > 0)
                .map(|eval| held_out_groups(eval)),
        );
        groups.retain(|groups| !groups.rows.is_empty());
        Self {
            run: run.clone(),
            headline: Headline::of(&steps, &evals),
            alarms: alarm::alarms(run, &steps, &evals),
            lines: all,
            groups,
            notes: notes.collect(),
        }
    }

    /// All plots with their names.
    pub(super) fn plots(&self) -> Vec<(&'static str, Plot)> {
        let of_lines = self.lines.iter().map(|figure| (figure.name, lines::draw(figure)));
        let of_groups = self
            .groups
            .iter()
            .map(|figure| (figure.name, forest::draw(figure)));
        of_lines.chain(of_groups).collect()
    }
}

impl Headline {
    fn of(steps: &[&Step], evals: &[&Eval]) -> Self {
        let seconds: f64 = steps.iter().map(|step| step.seconds).sum();
        let n_pairs_seen: usize = steps.iter().map(|step| step.pairs.len()).sum();
        let recent = &steps[steps.len() - steps.len().div_ceil(10)..];
        let is_timed = seconds.is_finite() && seconds > 0.0;
        Self {
            n_steps_done: last_step(steps),
            n_pairs_seen,
            held_out: evals
                .last()
                .filter(|eval| eval.step > 0)
                .map(|eval| (*eval).clone()),
            recent_delta: (!recent.is_empty())
                .then(|| recent.iter().map(|step| step.delta).sum::<f64>() / recent.len() as f64),
            seconds,
            pairs_per_second: is_timed.then(|| n_pairs_seen as f64 / seconds),
            wait_share: is_timed
                .then(|| steps.iter().map(|step| step.data_wait_seconds).sum::<f64>() / seconds),
            memory_peak_bytes: steps.iter().filter_map(|step| step.memory_peak_bytes).max(),
        }
    }
}

fn gap_groups(run: &RunRecord, steps: &[&Step]) -> Vec<Groups> {
    // The first half is on its way from 0 and would only dilute the means.
    let late: Vec<&PairRecord> = steps[steps.len() / 2..]
        .iter()
        .flat_map(|step| &step.pairs)
        .collect();
    let since = steps.get(steps.len() / 2).map_or(0, |step| step.step);
    let groups = |name, title, quantity, rows| Groups {
        name,
        title,
        quantity,
        caption: format!("From step {since} on."),
        unit: Unit::Plain,
        rows,
        references: zero_and_tau(run),
    };
    vec![
        groups(
            "delta_by_time",
            "Gap by timestep",
            "mean δ; 0 is the image, 1 is noise",
            group::by_time(&late),
        ),
        groups(
            "delta_by_area",
            "Gap by mask area",
            "mean δ; share of the latent grid",
            group::by_area(&late),
        ),
        groups(
            "delta_by_part",
            "Gap by part of the body",
            "mean δ",
            group::by_part(&late),
        ),
        groups(
            "delta_by_mechanism",
            "Gap by mechanism",
            "mean δ; where the error was made",
            group::by_mechanism(&late),
        ),
    ]
}

fn held_out_groups(eval: &Eval) -> Groups {
    let rows = eval.by_part.iter().filter(|part| part.n > 0).map(|part| Group {
        label: part.part.name().replace('_', " "),
        n: part.n as usize,
        value: part.n_correct as f64 / part.n as f64,
        interval: wilson(part.n_correct, part.n),
    });
    Groups {
        name: "held_out_by_part",
        title: "Held-out accuracy by part",
        quantity: "share of pairs with δ > 0",
        caption: format!(
            "The measurement after step {}, with Wilson's 95 % intervals.",
            eval.step
        ),
        unit: Unit::Percent,
        rows: rows.collect(),
        references: vec![Reference {
            value: 0.5,
            label: "chance".to_owned(),
        }],
    }
}
