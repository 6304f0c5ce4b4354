//! `asap bench prompts validate`: every finding on stderr and in the log, the table of checks on stdout.

use std::collections::BTreeSet;
use std::path::Path;

use anyhow::{Context as _, Result};
use asap_bench::prompts::{EMBEDDED_RULES, Finding, Options, Report, Rules, read, validate};
use asap_store::Dataset;

use super::counters::with_tokenizers;
use crate::args::ValidateArgs;
use crate::failure::hinted;
use crate::printer::Printer;
use crate::table::{self, Align};

pub(super) async fn run(args: &ValidateArgs, printer: Printer) -> Result<()> {
    let rules = rules(args.rules.as_deref())?;
    if let Some(path) = &args.write_rules {
        write_rules(path, args.rules.as_deref())?;
    }
    let reading = read(&args.prompts)?;
    let captions = captions(args).await?;
    let report = with_tokenizers(args.tokenizers.as_deref(), |tokenizers| {
        let options = Options {
            rules: &rules,
            tokenizers,
            captions: captions.as_ref(),
        };
        validate(&reading, &options)
    })?;
    if let Some(path) = &args.log {
        write_log(path, &report.findings)?;
    }
    for finding in &report.findings {
        let severity = finding.severity.name();
        printer.note(&format!("{severity} [{}]: {}", finding.check, finding.message));
    }
    printer.data(&text(&report), &report)?;
    if report.n_errors == 0 {
        return Ok(());
    }
    Err(hinted(
        format!(
            "`{}` breaks the rules: {}",
            args.prompts.display(),
            summary(&report)
        ),
        "change the prompts that are named above; `--log FILE` writes them down",
    ))
}

fn rules(path: Option<&Path>) -> Result<Rules> {
    match path {
        Some(path) => Ok(Rules::read(path)?),
        None => Ok(Rules::embedded()),
    }
}

/// Writes the file that was used, comments and all.
fn write_rules(path: &Path, from: Option<&Path>) -> Result<()> {
    let text = match from {
        Some(from) => fs_err::read_to_string(from)?,
        None => EMBEDDED_RULES.to_owned(),
    };
    Ok(fs_err::write(path, text)?)
}

/// Captions of the dataset and lines of the text; none where neither was named.
async fn captions(args: &ValidateArgs) -> Result<Option<BTreeSet<String>>> {
    if args.against.is_none() && args.against_text.is_none() {
        return Ok(None);
    }
    let mut captions = BTreeSet::new();
    if let Some(path) = &args.against {
        let pairs = Dataset::open(path).await?.summaries().await?;
        captions.extend(pairs.into_iter().map(|pair| pair.prompt));
    }
    if let Some(path) = &args.against_text {
        captions.extend(fs_err::read_to_string(path)?.lines().map(str::to_owned));
    }
    captions.retain(|caption| !caption.trim().is_empty());
    Ok(Some(captions))
}

fn write_log(path: &Path, findings: &[Finding]) -> Result<()> {
    let mut text = String::new();
    for finding in findings {
        text.push_str(&serde_json::to_string(finding).context("cannot write a finding as JSON")?);
        text.push('\n');
    }
    Ok(fs_err::write(path, text)?)
}

fn text(report: &Report) -> String {
    let header = ["check", "severity", "findings"].map(str::to_owned);
    let rows = report.checks.iter().map(|check| {
        [
            check.check.to_owned(),
            check.severity.name().to_owned(),
            check
                .n_findings
                .map_or_else(|| "not run".to_owned(), |n| n.to_string()),
        ]
    });
    let align = [Align::Left, Align::Left, Align::Right];
    let mut text = table::render(align, std::iter::once(header).chain(rows));
    let against = match report.n_captions {
        Some(n) => format!("compared with {n} captions"),
        None => "not compared with training captions".to_owned(),
    };
    text.push_str(&format!(
        "\n`{}` version {}, {} prompts, SHA-256 {}: {}; {against}\n",
        report.name,
        report.version,
        report.n_prompts,
        report.sha256,
        summary(report)
    ));
    text
}

fn summary(report: &Report) -> String {
    format!(
        "errors: {} in {} prompts, warnings: {}",
        report.n_errors, report.n_prompts_with_errors, report.n_warnings
    )
}
