//! `asap bench report`: computes all figures of some runs and writes them as a page with tables and plots.

use anyhow::Result;
use asap_bench::report::{Figure, Inputs, Options, RunInputs, Wishes, Written, write};
use asap_bench::stats::aer::HeadlinePolicy;
use asap_bench::stats::position::PositionPolicy;
use asap_bench::stats::{Bootstrap, Level};
use serde::Serialize;

use super::load_run;
use crate::args::{PositionArg, ReportArgs};
use crate::printer::Printer;
use crate::table::{self, Align};

/// Where the report is, and what is in it.
#[derive(Serialize)]
struct Reported<'a> {
    page: String,
    models: &'a [String],
    baseline: Option<&'a String>,
    judge: &'a str,
    notes: &'a [String],
    figures: &'a [Figure],
}

pub(crate) fn run(args: ReportArgs, printer: Printer) -> Result<()> {
    let mut runs = Vec::with_capacity(args.runs.len());
    for dir in &args.runs {
        let run = load_run(dir, printer)?;
        let inputs = RunInputs::read(run)?;
        for torn in &inputs.verdicts.torn {
            printer.note(&torn.to_string());
        }
        runs.push(inputs);
    }
    let inputs = Inputs::new(runs, args.human.as_deref())?;
    let out = args.out.clone();
    let options = inputs.settle(wishes(args))?;
    let written = write(&inputs, &options, &out)?;
    for note in &written.notes {
        printer.note(note);
    }
    let reported = Reported {
        page: written.page.display().to_string(),
        models: &written.rendered.report.models,
        baseline: options.baseline.as_ref(),
        judge: options.judge.title(),
        notes: &written.notes,
        figures: &written.rendered.report.figures,
    };
    printer.summary(&text(&written, &options), &reported)
}

fn wishes(args: ReportArgs) -> Wishes {
    Wishes {
        baseline: args.baseline,
        judge: args.judge,
        protocols: args.protocols,
        headline: if args.force {
            HeadlinePolicy::Forced
        } else {
            HeadlinePolicy::Guarded
        },
        position: match args.position {
            PositionArg::Strict => PositionPolicy::Strict,
            PositionArg::Pooled => PositionPolicy::Pooled,
            PositionArg::Single => PositionPolicy::Single,
        },
        bootstrap: Bootstrap {
            seed: args.seed,
            replicates: args.replicates,
            level: Level::P95,
        },
        date: args.date,
    }
}

/// The overall figures, one line for each model.
fn text(written: &Written, options: &Options) -> String {
    let figures = &written.rendered.report.figures;
    let heads = [
        "model", "AER %", "interval", "n", "status", "RSI", "interval", "n",
    ];
    let mut rows = vec![heads.map(str::to_owned)];
    for model in &written.rendered.report.models {
        let find = |measure: &str| {
            let is_it = |figure: &&Figure| {
                figure.measure == measure && figure.model == *model && figure.scope == "overall"
            };
            figures.iter().find(is_it)
        };
        let (aer, rsi) = (find("aer"), find("rsi"));
        let value = |figure: Option<&Figure>, factor: f64, n_decimals| {
            table::number(
                figure.and_then(|figure| figure.value).map(|value| value * factor),
                n_decimals,
            )
        };
        let n =
            |figure: Option<&Figure>| figure.map_or_else(|| "-".to_owned(), |figure| figure.n.to_string());
        rows.push([
            model.clone(),
            value(aer, 100.0, 1),
            interval(aer, 100.0, 1),
            n(aer),
            aer.map_or("not computed", |figure| figure.status.name())
                .to_owned(),
            value(rsi, 1.0, 2),
            interval(rsi, 1.0, 2),
            n(rsi),
        ]);
    }
    let align = [
        Align::Left,
        Align::Right,
        Align::Right,
        Align::Right,
        Align::Left,
        Align::Right,
        Align::Right,
        Align::Right,
    ];
    let baseline = options.baseline.as_deref().unwrap_or("none");
    format!(
        "judge `{}`, baseline `{baseline}`\n\n{}\n{} figures in `{}`\n",
        options.judge.title(),
        table::render(align, rows),
        figures.len(),
        written.page.display()
    )
}

fn interval(figure: Option<&Figure>, factor: f64, n_decimals: usize) -> String {
    let Some(ends) = figure.and_then(|figure| figure.interval) else {
        return "-".to_owned();
    };
    let high = ends.high.map_or_else(
        || "inf".to_owned(),
        |high| format!("{:.n_decimals$}", high * factor),
    );
    format!("{:.n_decimals$} to {high}", ends.low * factor)
}
