//! The report of a run: one page that opens from the disk, without a script or anything from elsewhere.
//!
//! `report/index.html` is drawn from the telemetry, the settings and the samples alone: the same run gives the same
//! bytes. `report/data.json` holds every number that is drawn (those that are not finite as `null`), and
//! `report/plots/` each plot as a file of its own.

mod alarm;
mod analysis;
mod axis;
mod canvas;
mod comparison;
mod comparison_page;
mod curve;
mod figure;
mod forest;
mod group;
mod lines;
mod over_steps;
mod page;
mod samples;
mod table;
mod theme;

use std::path::PathBuf;

use analysis::Analysis;
pub use comparison::{Compared, Comparison, write_comparison};
use page::Page;
use samples::Samples;

use crate::folder::{Error, Result, RunFolder, write_whole};
use crate::telemetry::Telemetry;

/// A report that was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Written {
    /// The page.
    pub page: PathBuf,
    /// What its reader is warned of, in sentences.
    pub alarms: Vec<String>,
}

/// Writes the report of a run in `report/`, over an older one. A run that goes on can be reported too.
///
/// # Errors
/// [`Error::Io`], and [`Error::Line`] for telemetry that cannot be read.
pub fn write_report(run: &RunFolder) -> Result<Written> {
    let telemetry = Telemetry::read(&run.telemetry())?;
    let settings_toml = run.settings_toml()?;
    let analysis = Analysis::of(run.record(), &telemetry);
    let samples = Samples::of(run.root(), &telemetry);
    let page = Page {
        analysis: &analysis,
        samples: &samples,
        settings_toml: &settings_toml,
    };
    let folder = run.report();
    let plots = folder.join("plots");
    if plots.exists() {
        // An older report may have had plots that this one does not.
        std::fs::remove_dir_all(&plots).map_err(|error| Error::io("remove", &plots, error))?;
    }
    for (name, plot) in analysis.plots() {
        write_whole(&plots.join(format!("{name}.svg")), plot.file().as_bytes())?;
    }
    let mut json = serde_json::to_vec(&analysis).expect("an analysis is plain data");
    json.push(b'\n');
    write_whole(&folder.join("data.json"), &json)?;
    let path = folder.join("index.html");
    write_whole(&path, page.html().as_bytes())?;
    Ok(Written {
        page: path,
        alarms: analysis.alarms,
    })
}

#[cfg(test)]
mod tests;
