//! `asap data versions` and `asap data compact`.

use anyhow::Result;
use asap_store::{Dataset, VersionInfo};
use serde::Serialize;

use crate::args::DatasetArgs;
use crate::clock::rfc3339;
use crate::printer::Printer;
use crate::table::{self, Align};

/// One version of a dataset.
#[derive(Debug, Serialize)]
struct Version {
    version: u64,
    /// UTC, as RFC 3339.
    time: String,
    written_by: String,
    n_positives: u64,
    n_pairs: u64,
    n_assessments: u64,
}

/// What compacting left.
#[derive(Debug, Serialize)]
struct Compacted {
    dataset: String,
    version: u64,
    n_pairs: u64,
}

pub(crate) async fn versions(args: &DatasetArgs, printer: Printer) -> Result<()> {
    let versions = Dataset::open(&args.dataset).await?.versions()?;
    let versions: Vec<Version> = versions.into_iter().map(Version::from).collect();
    let header = ["version", "time", "pairs", "positives", "assessed", "written by"].map(str::to_owned);
    let rows = versions.iter().map(|it| {
        [
            it.version.to_string(),
            it.time.clone(),
            it.n_pairs.to_string(),
            it.n_positives.to_string(),
            it.n_assessments.to_string(),
            it.written_by.clone(),
        ]
    });
    let align = [
        Align::Right,
        Align::Left,
        Align::Right,
        Align::Right,
        Align::Right,
        Align::Left,
    ];
    printer.data(
        &table::render(align, std::iter::once(header).chain(rows)),
        &versions,
    )
}

pub(crate) async fn compact(args: &DatasetArgs, printer: Printer) -> Result<()> {
    let mut dataset = Dataset::open(&args.dataset).await?;
    dataset.compact().await?;
    let compacted = Compacted {
        dataset: args.dataset.display().to_string(),
        version: dataset.version(),
        n_pairs: dataset.count_rows(),
    };
    let text = format!(
        "`{}` is compact: version {}, {} pairs\n",
        compacted.dataset, compacted.version, compacted.n_pairs
    );
    printer.summary(&text, &compacted)
}

impl From<VersionInfo> for Version {
    fn from(info: VersionInfo) -> Self {
        Self {
            version: info.version,
            time: rfc3339(info.time),
            written_by: info.written_by,
            n_positives: info.rows.positives,
            n_pairs: info.rows.pairs,
            n_assessments: info.rows.assessments,
        }
    }
}
