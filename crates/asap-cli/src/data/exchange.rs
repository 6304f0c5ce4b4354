//! `asap data export` and `asap data import`: Parquet, as other programs read it.

use std::collections::BTreeMap;

use anyhow::Result;
use asap_store::{
    Dataset, ExportOptions, ExportPairs, ImportReport, export as write_parquet, import as read_parquet,
};
use serde::Serialize;

use crate::args::{ExportArgs, ImportArgs};
use crate::failure::hinted;
use crate::printer::Printer;
use crate::progress::Progress;

/// What an export wrote.
#[derive(Debug, Serialize)]
struct Exported {
    path: String,
    n_pairs: u64,
    /// Pairs that curation did not keep.
    n_left_out: u64,
    files: Vec<ExportedFile>,
}

#[derive(Debug, Serialize)]
struct ExportedFile {
    path: String,
    split: &'static str,
    n_pairs: u64,
    size_bytes: u64,
    sha256: String,
}

/// What an import read.
#[derive(Debug, Default, Serialize)]
struct Imported {
    dataset: String,
    n_files: usize,
    n_rows: u64,
    n_made: u64,
    n_present: u64,
    /// Rows that were left out, by reason.
    refused: BTreeMap<String, Left>,
}

#[derive(Debug, Default, Serialize)]
struct Left {
    n_rows: u64,
    /// The first of them.
    first: String,
}

pub(crate) async fn export(args: &ExportArgs, printer: Printer) -> Result<()> {
    let dataset = Dataset::open(&args.dataset).await?;
    let name = args.dataset.file_stem().unwrap_or_default().to_string_lossy();
    let mut options = ExportOptions::new(name);
    if args.all {
        options.pairs = ExportPairs::All;
    }
    let n_kept = dataset
        .summaries()
        .await?
        .iter()
        .filter(|pair| pair.decision == asap_core::Decision::Kept)
        .count();
    if n_kept == 0 && !args.all {
        return Err(hinted(
            format!("`{}` has no kept pairs to export", args.dataset.display()),
            "decide with `asap curate` first, or export every pair with `--all`",
        ));
    }
    let report = write_parquet(&dataset, &args.out, &options, &Progress::new(printer)).await?;
    let exported = Exported {
        path: args.out.display().to_string(),
        n_pairs: report.rows(),
        n_left_out: report.left_out,
        files: report
            .files
            .into_iter()
            .map(|file| ExportedFile {
                path: file.path,
                split: file.split.name(),
                n_pairs: file.rows,
                size_bytes: file.size_bytes,
                sha256: file.sha256.to_string(),
            })
            .collect(),
    };
    let text = format!(
        "`{}`: {} pairs in {} files, {} left out\n",
        exported.path,
        exported.n_pairs,
        exported.files.len(),
        exported.n_left_out
    );
    printer.summary(&text, &exported)
}

pub(crate) async fn import(args: &ImportArgs, printer: Printer) -> Result<()> {
    if let Some(absent) = args.sources.iter().find(|source| !source.exists()) {
        return Err(hinted(
            format!("no file or folder `{}`", absent.display()),
            "name Parquet files, or a folder that `asap data export` wrote",
        ));
    }
    let mut dataset = Dataset::open_or_create(&args.out).await?;
    let progress = Progress::new(printer);
    let mut imported = Imported {
        dataset: args.out.display().to_string(),
        ..Imported::default()
    };
    for source in &args.sources {
        imported.add(read_parquet(&mut dataset, source, &progress).await?);
    }
    for (reason, left) in &imported.refused {
        printer.note(&format!(
            "left out {} rows (first `{}`): {reason}",
            left.n_rows, left.first
        ));
    }
    printer.summary(&imported.text(), &imported)
}

impl Imported {
    fn add(&mut self, report: ImportReport) {
        self.n_files += report.files.len();
        self.n_rows += report.rows;
        self.n_made += report.appended.pairs;
        self.n_present += report.appended.skipped_pairs;
        for (reason, n_rows) in report.refused {
            let first = report.first_refused.get(&reason).cloned().unwrap_or_default();
            let left = self.refused.entry(reason).or_insert(Left { n_rows: 0, first });
            left.n_rows += n_rows;
        }
    }

    fn text(&self) -> String {
        let n_refused: u64 = self.refused.values().map(|left| left.n_rows).sum();
        format!(
            "`{}`: {} pairs imported, {} there already, {n_refused} left out; {} rows of {} files\n",
            self.dataset, self.n_made, self.n_present, self.n_rows, self.n_files
        )
    }
}
