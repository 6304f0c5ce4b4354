//! The quick look before every training.

use anyhow::bail;

use super::checks::{self, Subject};
use super::facts::{Depth, Instruments};
use super::finding::{Finding, Severity};
use crate::config::Settings;

/// Pairs that a message names.
const N_NAMED: usize = 3;

/// What happens where pairs are wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnError {
    /// Training does not start.
    Refuse,
    /// It is told, and training goes on.
    Tell,
}

/// Looks at masks and pixels of all pairs, without latents. Gives what is to be told where training goes on all the
/// same.
///
/// # Errors
/// Pairs with a finding of [`Severity::Error`], unless they are only to be told; a dataset that does not open.
pub async fn gate(settings: &Settings, on_error: OnError) -> anyhow::Result<Vec<String>> {
    let instruments = Instruments {
        settings,
        codecs: Vec::new(),
        counters: Vec::new(),
        depth: Depth::Quick,
    };
    let dataset = super::open(settings).await?;
    let rows = super::rows(&dataset, settings).await?;
    let facts = super::measure(&dataset, &rows, &instruments).await?;
    let findings = checks::run(&Subject {
        facts: &facts,
        mask: settings.data.mask,
    });
    let is_bad = |finding: &Finding| finding.severity == Severity::Error && !finding.hits.is_empty();
    let lines: Vec<String> = findings
        .iter()
        .filter(|finding| is_bad(finding))
        .map(line)
        .collect();
    if lines.is_empty() || on_error == OnError::Tell {
        return Ok(lines);
    }
    bail!(
        "the pairs are not fit for training: {}; `--doctor` shows them, `--force` trains all the same",
        lines.join("; ")
    )
}

/// A finding in one line: what, how many, which, and the way out.
fn line(finding: &Finding) -> String {
    let named: Vec<String> = finding
        .hits
        .iter()
        .take(N_NAMED)
        .map(|hit| format!("`{}` ({})", hit.pair.short(), hit.evidence))
        .collect();
    let more = match finding.hits.len().saturating_sub(N_NAMED) {
        0 => String::new(),
        n => format!(" and {n} more"),
    };
    format!(
        "{} of {} pairs have {}, {}: {}{more}; {}",
        finding.hits.len(),
        finding.n,
        finding.check,
        finding.what,
        named.join(", "),
        finding.way_out
    )
}
