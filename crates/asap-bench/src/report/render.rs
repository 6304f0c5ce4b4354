//! Every text of a report, as a pure function of logs, settings and pictures.

use std::collections::BTreeMap;

use asap_core::Sha256;
use serde::{Deserialize, Serialize};

use super::analysis::Analysis;
use super::config::{Config, REPORT_SCHEMA};
use super::figure::{Figure, figures};
use super::gallery::gallery;
use super::images::PictureFile;
use super::log::Log;
use super::page::Page;
use super::plots::{NamedPlot, plots};
use super::table::Table;
use super::tables::tables;
use crate::Result;
use crate::run::sha256;

/// `report.json`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReportFile {
    /// [`REPORT_SCHEMA`].
    pub schema: u32,
    /// Version of the toolkit.
    pub toolkit: String,
    /// SHA-256 of `config.json`.
    pub config_sha256: Sha256,
    /// The models, in the order of the tables.
    pub models: Vec<String>,
    /// What the others are compared with.
    pub baseline: Option<String>,
    /// Every figure.
    pub figures: Vec<Figure>,
}

/// What [`render`] made.
#[derive(Clone, Debug)]
pub struct Rendered {
    /// Texts by file name, relative to the report.
    pub texts: BTreeMap<String, String>,
    /// The tables.
    pub tables: Vec<Table>,
    /// The plots.
    pub plots: Vec<NamedPlot>,
    /// `report.json` as it was before it became text.
    pub report: ReportFile,
    /// The statistics.
    pub analysis: Analysis,
}

/// Makes `report.json`, `config.json`, `images.json`, the tables, the plots as SVG and the page.
///
/// # Errors
/// Those of [`crate::stats`], for logs that contradict themselves.
pub fn render(log: &Log, config: &Config, pictures: &[PictureFile]) -> Result<Rendered> {
    let models: Vec<String> = config.runs.iter().map(|run| run.model.clone()).collect();
    let options = &config.options;
    let analysis = Analysis::of(log, &models, options)?;
    let figures = figures(&analysis, options);
    let tables = tables(&analysis, &figures, config);
    let plots = plots(&analysis, options);
    let gallery = gallery(log, &models, options)?;
    let page = Page {
        analysis: &analysis,
        config,
        tables: &tables,
        plots: &plots,
        gallery: &gallery,
        pictures,
    };
    let mut texts = BTreeMap::from([
        ("index.html".to_owned(), page.html()),
        ("images.json".to_owned(), pretty(&pictures)),
    ]);
    for table in tables.iter().filter(|table| !table.rows.is_empty()) {
        texts.insert(format!("tables/{}.csv", table.name), table.to_csv());
    }
    for plot in &plots {
        texts.insert(format!("plots/{}.svg", plot.name), plot.plot.file());
    }
    let config_text = pretty(config);
    let report = ReportFile {
        schema: REPORT_SCHEMA,
        toolkit: config.toolkit.clone(),
        config_sha256: sha256(config_text.as_bytes()),
        models,
        baseline: options.baseline.clone(),
        figures,
    };
    texts.insert("config.json".to_owned(), config_text);
    texts.insert("report.json".to_owned(), pretty(&report));
    Ok(Rendered {
        texts,
        tables,
        plots,
        report,
        analysis,
    })
}

fn pretty<T: Serialize>(value: &T) -> String {
    let mut text =
        serde_json::to_string_pretty(value).expect("names, finite numbers and hashes are always JSON");
    text.push('\n');
    text
}
