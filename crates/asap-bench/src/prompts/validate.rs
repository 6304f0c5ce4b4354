//! Runs all checks over a set and sums up what they found.

use std::collections::BTreeSet;

use asap_core::Sha256;
use serde::Serialize;

use super::checks::{CHECKS, Subject};
use super::finding::{Finding, Severity};
use super::tokens::Tokenizers;
use super::words::Text;
use super::{Fault, Reading, Rules};

/// The check that every fault of reading belongs to.
const FORMAT: &str = "format";
/// Checks that need captions to compare with.
const LEAK_PREFIX: &str = "leak.";
/// Checks that need a taxonomy.
const BALANCE_PREFIX: &str = "balance.";

/// What a validation is done with.
pub struct Options<'a> {
    /// Thresholds and lexicon.
    pub rules: &'a Rules,
    /// How tokens are counted.
    pub tokenizers: &'a Tokenizers<'a>,
    /// Captions that a model was trained on, each once; none where leakage is not to be checked.
    pub captions: Option<&'a BTreeSet<String>>,
}

/// What one check found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct CheckCount {
    /// The id of the check.
    pub check: &'static str,
    /// How bad a finding is.
    pub severity: Severity,
    /// Findings; none where the check was not run.
    pub n_findings: Option<usize>,
}

/// The result of a validation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Report {
    /// The set.
    pub name: String,
    /// Its version.
    pub version: String,
    /// SHA-256 of its rows file.
    pub sha256: Sha256,
    /// Rows that could be read.
    pub n_prompts: usize,
    /// Findings that bar the set.
    pub n_errors: usize,
    /// Findings that a person has to look at.
    pub n_warnings: usize,
    /// Prompts with at least one error.
    pub n_prompts_with_errors: usize,
    /// Captions that were compared with; none where leakage was not checked.
    pub n_captions: Option<usize>,
    /// Every check, in the order in which they are run.
    pub checks: Vec<CheckCount>,
    /// Every finding, by check and then by the order of the set.
    pub findings: Vec<Finding>,
}

/// Runs every check over what could be read; faults of reading are findings of the check `format`.
pub fn validate(reading: &Reading, options: &Options<'_>) -> Report {
    let set = &reading.set;
    let none = BTreeSet::new();
    let subject = Subject {
        set,
        texts: set.prompts().iter().map(|it| Text::new(&it.prompt)).collect(),
        rules: options.rules,
        tokenizers: options.tokenizers,
        captions: options.captions.unwrap_or(&none),
    };
    let mut findings: Vec<Finding> = reading.faults.iter().map(format_finding).collect();
    let mut checks = vec![CheckCount {
        check: FORMAT,
        severity: Severity::Error,
        n_findings: Some(findings.len()),
    }];
    for check in CHECKS {
        let is_run = if check.id.starts_with(LEAK_PREFIX) {
            options.captions.is_some()
        } else {
            set.taxonomy().is_some() || !check.id.starts_with(BALANCE_PREFIX)
        };
        let found = if is_run {
            check.findings(&subject)
        } else {
            Vec::new()
        };
        checks.push(CheckCount {
            check: check.id,
            severity: check.severity,
            n_findings: is_run.then_some(found.len()),
        });
        findings.extend(found);
    }
    let n_of = |severity| findings.iter().filter(|it| it.severity == severity).count();
    let is_error = |it: &&Finding| it.severity == Severity::Error;
    let barred: BTreeSet<_> = findings
        .iter()
        .filter(is_error)
        .filter_map(|it| it.prompt.as_ref())
        .collect();
    Report {
        name: set.name().to_owned(),
        version: set.version().to_owned(),
        sha256: set.sha256(),
        n_prompts: set.prompts().len(),
        n_errors: n_of(Severity::Error),
        n_warnings: n_of(Severity::Warning),
        n_prompts_with_errors: barred.len(),
        n_captions: options.captions.map(BTreeSet::len),
        checks,
        findings,
    }
}

fn format_finding(fault: &Fault) -> Finding {
    Finding {
        check: FORMAT,
        severity: Severity::Error,
        prompt: None,
        line: fault.line,
        others: Vec::new(),
        evidence: fault.message.clone(),
        message: fault.to_string(),
    }
}
