//! What a check found, in words and as a row of the rejection log.

use asap_core::PromptId;
use serde::Serialize;

/// Whether a finding bars a prompt from the set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// The set must not be published so.
    Error,
    /// A person has to look.
    Warning,
}

impl Severity {
    /// The name used in files and tables.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
        }
    }
}

/// A row of the rejection log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// The id of the check.
    pub check: &'static str,
    /// How bad it is.
    pub severity: Severity,
    /// The prompt; none where the set as a whole is meant.
    pub prompt: Option<PromptId>,
    /// The line of the prompt in its file.
    pub line: Option<u32>,
    /// Other prompts that take part.
    pub others: Vec<PromptId>,
    /// The words or numbers that the check stopped at.
    pub evidence: String,
    /// What is wrong and the way out, for people.
    pub message: String,
}

/// What the function of a check gives: where it stopped and at what.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Hit {
    pub(super) prompt: Option<PromptId>,
    pub(super) others: Vec<PromptId>,
    pub(super) evidence: String,
}

impl Hit {
    /// A hit in one prompt.
    pub(super) fn in_prompt(id: &PromptId, evidence: impl Into<String>) -> Self {
        Self {
            prompt: Some(id.clone()),
            others: Vec::new(),
            evidence: evidence.into(),
        }
    }

    /// A hit in the set as a whole.
    pub(super) fn in_set(evidence: impl Into<String>) -> Self {
        Self {
            prompt: None,
            others: Vec::new(),
            evidence: evidence.into(),
        }
    }

    /// The same with other prompts beside it.
    pub(super) fn with(mut self, others: impl IntoIterator<Item = PromptId>) -> Self {
        self.others.extend(others);
        self
    }
}
