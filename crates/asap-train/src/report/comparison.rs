//! Runs that differ in one setting, side by side.

use std::path::{Path, PathBuf};

use serde::Serialize;

use super::analysis::Analysis;
use super::axis::Unit;
use super::figure::{Group, Groups, Reference};
use super::{comparison_page, forest};
use crate::folder::{Error, Result, RunFolder, write_whole};
use crate::telemetry::{Eval, PairRecord, Record, Step, Telemetry, mean_interval};

/// A run of a comparison.
#[derive(Clone, Debug)]
pub struct Compared {
    /// The value of the setting, as it was written.
    pub value: String,
    /// The run.
    pub run: RunFolder,
}

/// A comparison that was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Comparison {
    /// The page.
    pub page: PathBuf,
    /// The same numbers as lines of text.
    pub table: String,
}

/// A mean with its interval.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(super) struct Measured {
    pub(super) n: usize,
    pub(super) mean: f64,
    pub(super) interval: Option<[f64; 2]>,
}

/// What is compared of one run.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(super) struct Row {
    pub(super) value: String,
    /// The name of its folder.
    pub(super) run: String,
    pub(super) n_steps_done: u64,
    pub(super) seconds: f64,
    /// The last measurement on held-out pairs.
    pub(super) held_out: Option<Eval>,
    /// Over the pairs of the second half of the steps.
    pub(super) winner_advantage: Option<Measured>,
    pub(super) loser_advantage: Option<Measured>,
    /// Over the pairs of that half at which it was measured.
    pub(super) background_drift: Option<Measured>,
    pub(super) alarms: Vec<String>,
}

/// All that a comparison says.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(super) struct Table {
    /// The key of the setting.
    pub(super) key: String,
    pub(super) toolkit_version: String,
    pub(super) rows: Vec<Row>,
    pub(super) figures: Vec<Groups>,
}

/// Writes `comparison/` in `out`: a page that opens from the disk, its numbers as JSON, and its plots. `key` is the
/// setting that differs. The run folders lie in `out`, so the page finds their reports.
///
/// # Errors
/// [`Error::Io`], and [`Error::Line`] for telemetry that cannot be read.
pub fn write_comparison(out: &Path, key: &str, runs: &[Compared]) -> Result<Comparison> {
    let rows = runs.iter().map(Row::of).collect::<Result<Vec<_>>>()?;
    let table = Table {
        key: key.to_owned(),
        toolkit_version: env!("CARGO_PKG_VERSION").to_owned(),
        figures: figures(&rows),
        rows,
    };
    let folder = out.join("comparison");
    let plots = folder.join("plots");
    if plots.exists() {
        std::fs::remove_dir_all(&plots).map_err(|error| Error::io("remove", &plots, error))?;
    }
    for figure in &table.figures {
        let plot = forest::draw(figure).file();
        write_whole(&plots.join(format!("{}.svg", figure.name)), plot.as_bytes())?;
    }
    let mut json = serde_json::to_vec(&table).expect("a comparison is plain data");
    json.push(b'\n');
    write_whole(&folder.join("data.json"), &json)?;
    let page = folder.join("index.html");
    write_whole(&page, comparison_page::html(&table).as_bytes())?;
    Ok(Comparison {
        page,
        table: table.text(),
    })
}

impl Row {
    fn of(compared: &Compared) -> Result<Self> {
        let telemetry = Telemetry::read(&compared.run.telemetry())?;
        let analysis = Analysis::of(compared.run.record(), &telemetry);
        let steps: Vec<&Step> = telemetry
            .records
            .iter()
            .filter_map(|record| match record {
                Record::Step(step) => Some(step),
                _ => None,
            })
            .collect();
        let late: Vec<&PairRecord> = steps[steps.len() / 2..]
            .iter()
            .flat_map(|step| &step.pairs)
            .collect();
        let root = compared.run.root();
        Ok(Self {
            value: compared.value.clone(),
            run: root
                .file_name()
                .map_or_else(String::new, |name| name.to_string_lossy().into_owned()),
            n_steps_done: analysis.headline.n_steps_done,
            seconds: analysis.headline.seconds,
            held_out: analysis.headline.held_out,
            winner_advantage: measured(&late, |pair| Some(pair.winner_advantage)),
            loser_advantage: measured(&late, |pair| Some(pair.loser_advantage)),
            background_drift: measured(&late, |pair| pair.background_drift),
            alarms: analysis.alarms,
        })
    }
}

fn measured(pairs: &[&PairRecord], value: impl Fn(&PairRecord) -> Option<f64>) -> Option<Measured> {
    let values: Vec<f64> = pairs.iter().filter_map(|pair| value(pair)).collect();
    let (mean, interval) = mean_interval(&values)?;
    Some(Measured {
        n: values.len(),
        mean,
        interval,
    })
}

fn figures(rows: &[Row]) -> Vec<Groups> {
    let late = "Pairs of the second half of the steps, with Student's 95 % interval of the mean.";
    let of_means = |name, title, quantity, caption: &str, of: fn(&Row) -> &Option<Measured>| {
        let groups = rows.iter().filter_map(|row| {
            let measured = of(row).as_ref()?;
            Some(group(row, measured.n, measured.mean, measured.interval))
        });
        figure(
            (name, title, quantity),
            caption,
            (Unit::Plain, 0.0, ""),
            groups.collect(),
        )
    };
    let evals = || rows.iter().filter_map(|row| Some((row, row.held_out.as_ref()?)));
    let accuracy = evals().filter_map(|(row, eval)| {
        Some(group(
            row,
            eval.n as usize,
            eval.accuracy()?,
            eval.accuracy_interval,
        ))
    });
    let delta =
        evals().filter_map(|(row, eval)| Some(group(row, eval.n as usize, eval.delta?, eval.delta_interval)));
    let mut figures = vec![
        figure(
            (
                "held_out_accuracy",
                "Held-out preference accuracy",
                "share of pairs with δ > 0",
            ),
            "The last measurement of each run, on the same pairs at the same draws. Wilson's 95 % interval.",
            (Unit::Percent, 0.5, "chance"),
            accuracy.collect(),
        ),
        figure(
            ("held_out_delta", "Held-out preference gap", "mean δ"),
            "The same pairs, with Student's 95 % interval. Where α differs, δ is measured in other units.",
            (Unit::Plain, 0.0, ""),
            delta.collect(),
        ),
        of_means(
            "winner_advantage",
            "Preferred: better than the base",
            "advantage over the base model",
            late,
            |row| &row.winner_advantage,
        ),
        of_means(
            "loser_advantage",
            "Rejected: worse than the base",
            "advantage over the base model",
            late,
            |row| &row.loser_advantage,
        ),
        of_means(
            "background_drift",
            "Background drift",
            "mean square of policy − base outside",
            "How far the prediction moved where it should not, at the evaluations of the second half of the steps.",
            |row| &row.background_drift,
        ),
    ];
    figures.retain(|figure| !figure.rows.is_empty());
    figures
}

fn figure(
    (name, title, quantity): (&'static str, &'static str, &'static str),
    caption: &str,
    (unit, reference, label): (Unit, f64, &str),
    rows: Vec<Group>,
) -> Groups {
    Groups {
        name,
        title,
        quantity,
        caption: caption.to_owned(),
        unit,
        rows,
        references: vec![Reference {
            value: reference,
            label: label.to_owned(),
        }],
    }
}

fn group(row: &Row, n: usize, value: f64, interval: Option<[f64; 2]>) -> Group {
    Group {
        label: row.value.clone(),
        n,
        value,
        interval,
    }
}

impl Table {
    /// The heads of the columns.
    pub(super) fn head(&self) -> Vec<String> {
        [
            self.key.as_str(),
            "held-out accuracy",
            "95 % interval",
            "mean δ",
            "winner advantage",
            "loser advantage",
            "drift",
            "steps",
        ]
        .map(str::to_owned)
        .to_vec()
    }

    /// The cells of a row, in the order of [`Self::head`].
    pub(super) fn cells(row: &Row) -> Vec<String> {
        let unknown = || "–".to_owned();
        let mean = |measured: &Option<Measured>| {
            measured
                .as_ref()
                .map_or_else(unknown, |measured| Unit::Plain.write(measured.mean))
        };
        let eval = row.held_out.as_ref();
        let accuracy = eval.and_then(|eval| {
            let share = Unit::Percent.write(eval.accuracy()?);
            Some(format!("{share} ({} of {})", eval.n_correct, eval.n))
        });
        let interval = eval.and_then(|eval| eval.accuracy_interval);
        vec![
            row.value.clone(),
            accuracy.unwrap_or_else(unknown),
            interval.map_or_else(unknown, |ends| Unit::Percent.write_interval(ends)),
            eval.and_then(|eval| eval.delta)
                .map_or_else(unknown, |delta| Unit::Plain.write(delta)),
            mean(&row.winner_advantage),
            mean(&row.loser_advantage),
            mean(&row.background_drift),
            row.n_steps_done.to_string(),
        ]
    }

    /// Columns of text, for a terminal.
    fn text(&self) -> String {
        let mut lines = vec![self.head()];
        lines.extend(self.rows.iter().map(Self::cells));
        let width = |column: usize| {
            let cells = lines.iter().filter_map(|line| line.get(column));
            cells.map(|cell| cell.chars().count()).max().unwrap_or_default()
        };
        let widths: Vec<usize> = (0..lines[0].len()).map(width).collect();
        let line = |cells: &Vec<String>| {
            let padded = cells
                .iter()
                .zip(&widths)
                .map(|(cell, &width)| format!("{cell:<width$}"));
            format!("{}\n", padded.collect::<Vec<_>>().join("  ").trim_end())
        };
        lines.iter().map(line).collect()
    }
}
