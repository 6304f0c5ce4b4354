//! `asap data versions` and `asap data compact`.

use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::Result;
use asap_store::{Dataset, VersionInfo};
use serde::Serialize;

use crate::args::DatasetArgs;
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

/// UTC to the second. Times before 1970 are no times of ours and show as its first second.
fn rfc3339(time: SystemTime) -> String {
    let secs = time.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
    let (days, second) = (secs / 86_400, secs % 86_400);
    // Years of 365.2425 days that begin in March, so that the leap day is the last one (Hinnant 2013,
    // "chrono-compatible low-level date algorithms", civil_from_days).
    let from_march_0000 = days + 719_468;
    let era = from_march_0000 / 146_097;
    let day_of_era = from_march_0000 % 146_097;
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 {
        month_from_march + 3
    } else {
        month_from_march - 9
    };
    let year = era * 400 + year_of_era + u64::from(month <= 2);
    let (hour, minute, second) = (second / 3600, second / 60 % 60, second % 60);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z")
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn times_are_utc() {
        for (secs, text) in [
            (0, "1970-01-01T00:00:00Z"),
            (951_782_399, "2000-02-28T23:59:59Z"),
            (951_782_400, "2000-02-29T00:00:00Z"),
            (1_709_251_200, "2024-03-01T00:00:00Z"),
            (4_107_542_399, "2100-02-28T23:59:59Z"),
            (4_107_542_400, "2100-03-01T00:00:00Z"),
        ] {
            assert_eq!(rfc3339(UNIX_EPOCH + Duration::from_secs(secs)), text);
        }
    }
}
