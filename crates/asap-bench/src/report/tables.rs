//! The tables of a report.

use super::analysis::Analysis;
use super::config::{Config, Options};
use super::figure::Figure;
use super::paper::paper_table;
use super::plot::Unit;
use super::status::Status;
use super::table::{Cell, Table};
use super::view::{
    Scope, aer_status, cells, ends, n_votes, p_above_1, paired_estimate, paired_is_withheld, paired_status,
    rsi_interval_text, rsi_status, rsi_text, shown_rate,
};
use super::{human, quality};
use crate::stats::Rate;
use crate::stats::aer::{AerCell, AerReport, Headline, HeadlinePolicy};
use crate::stats::paired_aer::PairedAer;
use crate::stats::rsi_report::{RsiCell, RsiReport};

/// Which scopes a table goes through.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Depth {
    Overall,
    Categories,
    Subcategories,
}

impl Depth {
    /// The heading of the column of scopes. A table of overall figures alone needs none.
    const fn title(self) -> &'static str {
        match self {
            Self::Overall => "",
            Self::Categories => "category",
            Self::Subcategories => "subcategory",
        }
    }

    pub(super) fn takes(self, scope: &Scope) -> bool {
        match self {
            Self::Overall => *scope == Scope::Overall,
            Self::Categories => matches!(scope, Scope::Category(_)),
            Self::Subcategories => matches!(scope, Scope::Subcategory(_)),
        }
    }
}

/// Every table, in the order of the page.
pub(super) fn tables(analysis: &Analysis, figures: &[Figure], config: &Config) -> Vec<Table> {
    let options = &config.options;
    let mut tables = vec![
        aer_table(
            "aer",
            "Anatomical error rate",
            &analysis.models,
            &analysis.aer,
            Depth::Overall,
        ),
        rsi_table(
            "rsi",
            &over("Relative superiority index", analysis),
            &analysis.rsi,
            Depth::Overall,
            options,
        ),
        aer_table(
            "aer_by_category",
            "Error rate by category",
            &analysis.models,
            &analysis.aer,
            Depth::Categories,
        ),
        aer_table(
            "aer_by_subcategory",
            "Error rate by subcategory",
            &analysis.models,
            &analysis.aer,
            Depth::Subcategories,
        ),
        paired_table(
            analysis,
            "paired",
            "Difference in error rate",
            Depth::Overall,
            options,
        ),
        paired_table(
            analysis,
            "paired_by_category",
            "Difference in error rate by category",
            Depth::Categories,
            options,
        ),
        rsi_table(
            "rsi_by_category",
            &over("Index by category", analysis),
            &analysis.rsi,
            Depth::Categories,
            options,
        ),
    ];
    tables.extend(quality::tables(&analysis.quality));
    tables.extend(human::tables(&analysis.human, &analysis.models, options));
    tables.extend([
        position_table(analysis),
        unscored_table(analysis),
        paper_rows(analysis, options),
        call_table(analysis),
        identity_table(config),
        run_table(config),
        figure_table(figures),
    ]);
    tables
}

/// A caption that names the baseline.
fn over(caption: &str, analysis: &Analysis) -> String {
    match &analysis.baseline {
        Some(baseline) => format!("{caption} over {baseline}"),
        None => caption.to_owned(),
    }
}

pub(super) fn aer_table(
    name: &'static str,
    caption: &str,
    models: &[String],
    reports: &[AerReport],
    depth: Depth,
) -> Table {
    let mut table = Table::new(
        name,
        caption,
        &[
            ("model", "model"),
            (depth.title(), "scope"),
            ("#AER", "aer"),
            ("#interval", "interval"),
            ("#failures", "failures"),
            ("#scored", "scored"),
            ("#unscored", "unscored"),
            ("#coverage", "coverage"),
            ("#if unscored passed to failed", "bounds"),
            ("status", "status"),
        ],
    );
    for scope in scopes(reports.iter().map(|report| &report.table), depth) {
        for model in models {
            let report = reports.iter().find(|report| report.model == *model);
            let cell = report.and_then(|report| super::view::cell_of(&report.table, &scope));
            table.rows.push(aer_row(model, &scope, cell));
        }
    }
    table
}

/// The scopes that occur in any of the tables, in order, each once.
pub(super) fn scopes<'a, T: 'a>(
    reports: impl Iterator<Item = &'a crate::stats::Table<T>>,
    depth: Depth,
) -> Vec<Scope> {
    let mut scopes: Vec<Scope> = reports
        .flat_map(|table| {
            cells(table)
                .into_iter()
                .map(|(scope, _)| scope)
                .collect::<Vec<_>>()
        })
        .filter(|scope| depth.takes(scope))
        .collect();
    scopes.sort();
    scopes.dedup();
    if scopes.is_empty() && depth == Depth::Overall {
        scopes.push(Scope::Overall);
    }
    scopes
}

fn aer_row(model: &str, scope: &Scope, cell: Option<&AerCell>) -> Vec<Cell> {
    let mut row = vec![Cell::text(model), scope_cell(scope)];
    let Some(cell) = cell else {
        row.extend(vec![Cell::none(); 7]);
        row.push(status_cell(Status::NotComputed));
        return row;
    };
    let rate = shown_rate(cell);
    let value = match rate {
        Some(rate) => Cell::number(Some(rate.value), Unit::Percent).with_class("key"),
        None => aer_missing(cell),
    };
    row.extend([
        value,
        Cell::interval(rate.map(|rate| ends(rate.interval)), Unit::Percent),
        Cell::count(cell.counts.failures),
        Cell::count(cell.counts.failures + cell.counts.passes),
        Cell::count(cell.counts.unscored),
        Cell::number(cell.coverage, Unit::Percent),
        Cell::interval(cell.worst_case.map(ends), Unit::Percent),
        status_cell(aer_status(cell)),
    ]);
    row
}

fn scope_cell(scope: &Scope) -> Cell {
    let mut cell = Cell::text(scope.title());
    cell.data = scope.key();
    cell
}

/// What stands in place of a rate that is not shown.
fn aer_missing(cell: &AerCell) -> Cell {
    if cell.headline == Headline::Refused {
        withheld()
    } else {
        Cell::none()
    }
}

fn withheld() -> Cell {
    Cell {
        text: "withheld".to_owned(),
        data: String::new(),
        class: "none",
    }
}

pub(super) fn status_cell(status: Status) -> Cell {
    let class = match status {
        Status::NotComputed => "none",
        Status::Preliminary => "status preliminary",
        Status::Usable => "status usable",
        Status::Established => "status established",
    };
    Cell::text(status.name()).with_class(class)
}

pub(super) fn rsi_table(
    name: &'static str,
    caption: &str,
    reports: &[RsiReport],
    depth: Depth,
    options: &Options,
) -> Table {
    let mut table = Table::new(
        name,
        caption,
        &[
            ("model", "model"),
            ("", "baseline"),
            (depth.title(), "scope"),
            ("#RSI", "rsi"),
            ("#interval", "interval"),
            ("#W", "wins"),
            ("#T", "ties"),
            ("#L", "losses"),
            ("#unscored", "unscored"),
            ("#tie share", "tie_share"),
            ("#RSI at most", "ceiling"),
            ("#W − L", "net_win_rate"),
            ("#wins without ties", "win_rate"),
            ("#its interval", "win_rate_interval"),
            ("#P(RSI > 1)", "p_above_1"),
            ("#p", "p"),
            ("status", "status"),
        ],
    );
    for report in reports {
        for (scope, cell) in cells(&report.table) {
            if depth.takes(&scope) {
                let mut row = vec![
                    Cell::text(&report.model),
                    Cell::text(&report.baseline),
                    scope_cell(&scope),
                ];
                row.extend(rsi_cells(cell, options));
                table.rows.push(row);
            }
        }
    }
    table
}

fn rsi_cells(cell: &RsiCell, options: &Options) -> Vec<Cell> {
    let [value, interval] = index_cells(cell, options);
    let win_rate = cell.win_rate.as_ref();
    vec![
        value.with_class("key"),
        interval,
        Cell::count(cell.counts.wins),
        Cell::count(cell.counts.ties),
        Cell::count(cell.counts.losses),
        Cell::count(cell.unscored.values().sum()),
        Cell::number(cell.tie_share, Unit::Percent),
        Cell::number(cell.ceiling, Unit::Ratio),
        Cell::number(cell.net_win_rate, Unit::Points),
        Cell::number(win_rate.map(|rate| rate.value), Unit::Percent),
        Cell::interval(win_rate.map(|rate| ends(rate.interval)), Unit::Percent),
        Cell::number(p_above_1(cell), Unit::Plain),
        Cell::p((n_votes(&cell.counts) > 0).then(|| cell.p())),
        status_cell(rsi_status(cell)),
    ]
}

/// An index and its interval. For programs an infinite index is `inf`, and an interval without upper end has one
/// number.
fn index_cells(cell: &RsiCell, options: &Options) -> [Cell; 2] {
    let texts = rsi_text(cell, options.headline).zip(rsi_interval_text(cell, options.headline));
    let (Some((value, interval)), Some(index)) = (texts, cell.index) else {
        let missing = if cell.index.is_some() {
            withheld()
        } else {
            Cell::none()
        };
        return [missing, Cell::none()];
    };
    let high = index
        .interval
        .high
        .map_or_else(String::new, |high| format!(" {high}"));
    [
        Cell {
            text: value,
            data: index
                .value
                .finite()
                .map_or_else(|| "inf".to_owned(), |value| value.to_string()),
            class: "",
        },
        Cell {
            text: interval,
            data: format!("{}{high}", index.interval.low),
            class: "",
        },
    ]
}

fn paired_table(
    analysis: &Analysis,
    name: &'static str,
    caption: &str,
    depth: Depth,
    options: &Options,
) -> Table {
    let mut table = Table::new(
        name,
        over(caption, analysis),
        &[
            ("model", "model"),
            ("", "baseline"),
            (depth.title(), "scope"),
            ("#difference in points", "difference"),
            ("#interval", "interval"),
            ("#pairs", "pairs"),
            ("#only model fails", "only_model_fails"),
            ("#only baseline fails", "only_baseline_fails"),
            ("#without verdict", "unscored"),
            ("#p", "p"),
            ("#p (Holm)", "p_holm"),
            ("status", "status"),
        ],
    );
    for paired in &analysis.paired {
        let report = &paired.report;
        for (scope, cell) in cells(&report.table) {
            if depth.takes(&scope) {
                let holm = cell.holm_p.unwrap_or(paired.holm_over_models);
                let mut row = vec![
                    Cell::text(&report.model),
                    Cell::text(&report.baseline),
                    scope_cell(&scope),
                ];
                row.extend(paired_cells(cell, holm, options.headline));
                table.rows.push(row);
            }
        }
    }
    table
}

fn paired_cells(cell: &PairedAer, holm: f64, policy: HeadlinePolicy) -> [Cell; 9] {
    let shown = paired_estimate(cell, policy);
    let has_pairs = shown.is_some();
    let value = match shown {
        None if paired_is_withheld(cell, policy) => withheld(),
        shown => Cell::number(shown.map(|shown| shown.value), Unit::Points).with_class("key"),
    };
    [
        value,
        Cell::interval(shown.and_then(|shown| shown.interval), Unit::Points),
        Cell::count(cell.counts.n()),
        Cell::count(cell.counts.model_only),
        Cell::count(cell.counts.baseline_only),
        Cell::count(cell.n_unscored),
        Cell::p(has_pairs.then(|| cell.p())),
        Cell::p(has_pairs.then_some(holm)),
        status_cell(paired_status(cell)),
    ]
}

fn position_table(analysis: &Analysis) -> Table {
    let mut table = Table::new(
        "position",
        "Bias for a position",
        &[
            ("model", "model"),
            ("#judged in both orders", "both_orders"),
            ("#answer changes with the order", "flips"),
            ("#interval", "flips_interval"),
            ("#win becomes loss", "reversals"),
            ("#first image preferred", "first_picks"),
            ("#interval", "first_picks_interval"),
            ("#RSI, model first", "rsi_model_first"),
            ("#RSI, baseline first", "rsi_baseline_first"),
        ],
    );
    for position in &analysis.position {
        let report = &position.report;
        let value = |rate: &Option<Rate>| Cell::number(rate.map(|rate| rate.value), Unit::Percent);
        let interval =
            |rate: &Option<Rate>| Cell::interval(rate.map(|rate| ends(rate.interval)), Unit::Percent);
        let index = |idx: usize| {
            let value = report.by_order[idx].and_then(|index| index.value.finite());
            Cell::number(value, Unit::Ratio)
        };
        table.rows.push(vec![
            Cell::text(&position.model),
            Cell::count(report.table.iter().flatten().sum()),
            value(&report.flips),
            interval(&report.flips),
            value(&report.reversals),
            value(&report.first_picks),
            interval(&report.first_picks),
            index(0),
            index(1),
        ]);
    }
    table
}

fn unscored_table(analysis: &Analysis) -> Table {
    let mut table = Table::new(
        "unscored",
        "Verdicts that are missing, by reason",
        &[
            ("model", "model"),
            ("asked for", "kind"),
            ("reason", "reason"),
            ("#count", "count"),
        ],
    );
    for report in &analysis.aer {
        for (reason, count) in &report.table.overall.unscored {
            table.rows.push(vec![
                Cell::text(&report.model),
                Cell::text("image"),
                Cell::text(reason.name().replace('_', " ")),
                Cell::count(*count),
            ]);
        }
    }
    for report in &analysis.rsi {
        for (reason, count) in &report.table.overall.unscored {
            table.rows.push(vec![
                Cell::text(&report.model),
                Cell::text("pair"),
                Cell::text(reason.name().replace('_', " ")),
                Cell::count(*count),
            ]);
        }
    }
    table
}

/// The paper's rows, marked as reported, and ours, marked as measured.
fn paper_rows(analysis: &Analysis, options: &Options) -> Table {
    let paper = paper_table();
    let mut table = Table::new(
        "paper",
        format!(
            "{} (judge {}) and this report (judge {})",
            paper.source,
            paper.judge,
            options.judge.title()
        ),
        &[
            ("model", "model"),
            ("origin", "origin"),
            ("#AER", "aer"),
            ("#interval", "aer_interval"),
            ("#images", "aer_n"),
            ("#RSI", "rsi"),
            ("#interval", "rsi_interval"),
            ("#votes", "rsi_n"),
        ],
    );
    for row in &paper.rows {
        let given = |value: Option<f64>, unit| match value {
            Some(_) => Cell::number(value, unit),
            None => not_given(),
        };
        let mut rsi = given(row.rsi, Unit::Ratio);
        if row.is_reference {
            rsi.text.push_str(" (reference)");
        }
        table.rows.push(vec![
            Cell::text(format!("{}, {}", row.backbone, row.method)),
            Cell::text(&paper.status),
            given(row.aer, Unit::Percent),
            not_given(),
            not_given(),
            rsi,
            not_given(),
            not_given(),
        ]);
    }
    for model in &analysis.models {
        table.rows.push(measured_row(analysis, options, model));
    }
    table
}

fn measured_row(analysis: &Analysis, options: &Options, model: &str) -> Vec<Cell> {
    let mut row = vec![Cell::text(model), Cell::text("measured here")];
    match analysis.aer_of(model).map(|report| &report.table.overall) {
        Some(cell) => {
            let rate = shown_rate(cell);
            row.extend([
                rate.map_or_else(
                    || aer_missing(cell),
                    |rate| Cell::number(Some(rate.value), Unit::Percent),
                ),
                Cell::interval(rate.map(|rate| ends(rate.interval)), Unit::Percent),
                Cell::count(cell.counts.failures + cell.counts.passes),
            ]);
        }
        None => row.extend(vec![Cell::none(); 3]),
    }
    match analysis.rsi_of(model).map(|report| &report.table.overall) {
        Some(cell) => {
            let [value, interval] = index_cells(cell, options);
            row.extend([value, interval, Cell::count(n_votes(&cell.counts))]);
        }
        None => row.extend(vec![Cell::none(); 3]),
    }
    row
}

fn not_given() -> Cell {
    Cell {
        text: "not given".to_owned(),
        data: String::new(),
        class: "none",
    }
}

fn call_table(analysis: &Analysis) -> Table {
    let mut table = Table::new(
        "cost",
        "Calls of the judge and what they cost",
        &[
            ("model", "model"),
            ("protocol", "protocol"),
            ("judge", "judge"),
            ("#calls", "calls"),
            ("#without answer", "failures"),
            ("#tokens asked", "prompt_tokens"),
            ("#of them cached", "cached_tokens"),
            ("#tokens answered", "output_tokens"),
            ("#tokens thought", "thought_tokens"),
            ("#US dollars", "usd"),
            ("#calls without price", "unpriced"),
        ],
    );
    for row in &analysis.calls {
        let usd = match row.n_unpriced {
            0 => Cell {
                text: format!("{:.2}", row.usd),
                data: row.usd.to_string(),
                class: "",
            },
            _ => Cell::none(),
        };
        table.rows.push(vec![
            Cell::text(&row.model),
            Cell::text(&row.protocol),
            Cell::text(&row.judge),
            Cell::count(row.n_calls),
            Cell::count(row.n_failures),
            Cell::count(row.usage.prompt),
            Cell::count(row.usage.cached),
            Cell::count(row.usage.output),
            Cell::count(row.usage.thoughts),
            usd,
            Cell::count(row.n_unpriced),
        ]);
    }
    table
}

fn identity_table(config: &Config) -> Table {
    let mut table = Table::new(
        "identity",
        "Protocols and models behind the verdicts",
        &[
            ("protocol", "protocol"),
            ("SHA-256 of its file", "protocol_sha256"),
            ("model that answered", "model_version"),
            ("#verdicts", "verdicts"),
        ],
    );
    for identity in &config.identities {
        let sha256 = identity.protocol_sha256.map(|hash| hash.to_string());
        table.rows.push(vec![
            Cell::text(&identity.protocol),
            sha256
                .map_or_else(|| Cell::text("no file"), Cell::text)
                .with_class("hash"),
            Cell::text(identity.model_version.as_deref().unwrap_or("not told")),
            Cell::count(identity.n),
        ]);
    }
    table
}

fn run_table(config: &Config) -> Table {
    let mut table = Table::new(
        "runs",
        "Runs",
        &[
            ("model", "model"),
            ("drawn by", "generator"),
            ("benchmark", "benchmark"),
            ("#prompts", "prompts"),
            ("#seeds", "seeds"),
            ("#images", "images"),
            ("#missing", "missing"),
            ("SHA-256 of run.json", "manifest_sha256"),
        ],
    );
    for run in &config.runs {
        table.rows.push(vec![
            Cell::text(&run.model),
            Cell::text(&run.generator.kind),
            Cell::text(format!("{} {}", run.benchmark.name, run.benchmark.version)),
            Cell::count(run.n_prompts),
            Cell::count(run.seeds.len() as u64),
            Cell::count(run.n_images),
            Cell::count(run.n_samples - run.n_images),
            Cell::text(run.manifest_sha256.to_string()).with_class("hash"),
        ]);
    }
    table
}

fn figure_table(figures: &[Figure]) -> Table {
    let mut table = Table::new(
        "figures",
        "Every figure",
        &[
            ("measure", "measure"),
            ("model", "model"),
            ("baseline", "baseline"),
            ("scope", "scope"),
            ("#value", "value"),
            ("#low", "low"),
            ("#high", "high"),
            ("#n", "n"),
            ("method", "method"),
            ("status", "status"),
            ("note", "note"),
        ],
    );
    for figure in figures {
        let number = |value: Option<f64>| Cell::number(value, Unit::Plain);
        table.rows.push(vec![
            Cell::text(&figure.measure),
            Cell::text(&figure.model),
            Cell::text(figure.baseline.as_deref().unwrap_or_default()),
            Cell::text(&figure.scope),
            number(figure.value),
            number(figure.interval.map(|ends| ends.low)),
            number(figure.interval.and_then(|ends| ends.high)),
            Cell::count(figure.n),
            Cell::text(&figure.method),
            status_cell(figure.status),
            Cell::text(figure.note.as_deref().unwrap_or_default()),
        ]);
    }
    table
}
