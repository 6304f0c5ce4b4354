//! What a check found.

use asap_core::PairId;
use serde::Serialize;

/// How bad a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// Good to know.
    Note,
    /// Training learns less, or something else, from such pairs.
    Warning,
    /// Training on such pairs is wrong; it refuses to start.
    Error,
}

impl Severity {
    /// The name used in tables.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Note => "note",
            Self::Warning => "warning",
            Self::Error => "error",
        }
    }
}

/// What one check found.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Finding {
    /// The id of the check.
    pub check: &'static str,
    /// How bad it is.
    pub severity: Severity,
    /// What is wrong.
    pub what: &'static str,
    /// What to do about it.
    pub way_out: &'static str,
    /// Pairs that were looked at.
    pub n: usize,
    /// The pairs that are bad, the worst first; none where all is well.
    pub hits: Vec<Hit>,
}

/// A pair at which a check stopped.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Hit {
    /// The pair.
    pub pair: PairId,
    /// The numbers or words that it stopped at.
    pub evidence: String,
    /// The larger, the worse; compares within one check.
    #[serde(skip)]
    pub(super) badness: f64,
}

impl Hit {
    pub(super) fn new(pair: PairId, badness: f64, evidence: impl Into<String>) -> Self {
        Self {
            pair,
            evidence: evidence.into(),
            badness,
        }
    }
}
