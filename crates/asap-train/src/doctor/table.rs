//! The examination as lines on a screen.

use std::fmt::Write as _;

use super::Examination;
use super::finding::{Finding, Severity};

/// One line a check, with its worst pair and the way out below it where a pair is bad.
pub fn table(examination: &Examination) -> String {
    let findings = &examination.findings;
    let width = |text: fn(&Finding) -> &str| findings.iter().map(|f| text(f).len()).max().unwrap_or(0);
    let (check_width, what_width) = (width(|f| f.check), width(|f| f.what));
    let count_width = format!("{0} of {0}", examination.facts.len()).len();
    let mut text = format!(
        "{} of {} chosen pairs were looked at, version {} of the dataset\n\n",
        examination.facts.len(),
        examination.n_chosen,
        examination.version
    );
    let indent = " ".repeat(2 + 7 + 2);
    for finding in findings {
        let state = match finding.hits.is_empty() {
            true => "ok",
            false => finding.severity.name(),
        };
        let count = format!("{} of {}", finding.hits.len(), finding.n);
        let (check, what) = (finding.check, finding.what);
        let line = format!("  {state:7}  {check:check_width$}  {count:>count_width$}  {what:what_width$}");
        _ = writeln!(text, "{}", line.trim_end());
        if let Some(worst) = finding.hits.first() {
            _ = writeln!(
                text,
                "{indent}worst: `{}`, {}",
                worst.pair.short(),
                worst.evidence
            );
            _ = writeln!(text, "{indent}to do: {}", finding.way_out);
        }
    }
    _ = writeln!(text, "\n{}", summary(examination));
    text
}

fn summary(examination: &Examination) -> String {
    let count = |severity| examination.bad(severity).count();
    format!(
        "checks with bad pairs: {} error, {} warning, {} note",
        count(Severity::Error),
        count(Severity::Warning),
        count(Severity::Note)
    )
}
