//! `asap curate`: measures what was not measured yet, decides on every pair, prints the funnel.

mod inputs;
mod letters;
mod report;
mod sheet;

use std::path::Path;

use anyhow::{Context as _, Result};
use asap_core::Assessment;
use asap_store::Dataset;
use asap_synth::curate::{EMBEDDED_TOML, Thresholds, curate};

use crate::args::CurateArgs;
use crate::failure::hinted;
use crate::printer::Printer;
use crate::progress::Progress;

pub(crate) use inputs::assess_missing;

pub(crate) async fn run(args: CurateArgs, printer: Printer) -> Result<()> {
    let thresholds = thresholds(args.thresholds.as_deref())?;
    let mut dataset = Dataset::open(&args.dataset).await?;
    if dataset.count_rows() == 0 {
        return Err(hinted(
            format!("`{}` holds no pairs", args.dataset.display()),
            "`asap synth` builds some",
        ));
    }
    dataset.lock().await?;
    let progress = Progress::new(printer);
    let mut assessments = inputs::assess_missing(&mut dataset, &progress).await?;
    let inputs = inputs::gather(&dataset, &assessments, &progress).await?;
    let result = curate(&inputs, &thresholds);
    let mut changed: Vec<Assessment> = Vec::new();
    for (input, curation) in inputs.iter().zip(&result.curations) {
        let Some(assessment) = assessments.get_mut(&input.pair_id) else {
            continue;
        };
        if assessment.curation != *curation {
            assessment.curation = curation.clone();
            changed.push(assessment.clone());
        }
    }
    // Deciding the same again leaves no new version behind.
    if !changed.is_empty() {
        dataset.put_assessments(changed).await?;
    }
    if let Some(path) = &args.write_thresholds {
        write_thresholds(path, args.thresholds.as_deref())?;
    }
    if let Some(dir) = &args.report {
        report::write(dir, &dataset, &result, &thresholds, &progress).await?;
    }
    printer.data(&result.funnel.to_text(), &result.funnel)
}

fn thresholds(path: Option<&Path>) -> Result<Thresholds> {
    match path {
        Some(path) => {
            Thresholds::read(path).with_context(|| format!("cannot use the thresholds `{}`", path.display()))
        }
        None => Ok(Thresholds::embedded()),
    }
}

/// Writes the file that was used, comments and all.
fn write_thresholds(path: &Path, from: Option<&Path>) -> Result<()> {
    let text = match from {
        Some(from) => fs_err::read_to_string(from)?,
        None => EMBEDDED_TOML.to_owned(),
    };
    Ok(fs_err::write(path, text)?)
}
