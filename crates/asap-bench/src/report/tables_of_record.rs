//! The tables that say where the figures of a report come from: calls, protocols, runs, and every figure.

use super::analysis::Analysis;
use super::config::Config;
use super::figure::Figure;
use super::plot::Unit;
use super::table::{Cell, Table};
use super::tables::status_cell;

pub(super) fn call_table(analysis: &Analysis) -> Table {
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

pub(super) fn identity_table(config: &Config) -> Table {
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

pub(super) fn run_table(config: &Config) -> Table {
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

pub(super) fn figure_table(figures: &[Figure]) -> Table {
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
