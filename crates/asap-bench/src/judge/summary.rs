//! What a run of judging came to.

use std::collections::BTreeMap;

use asap_core::chat::Usage;
use serde::Serialize;

use super::verdicts::{CallTotals, counting};
use super::{AnswerLog, AnswerRecord, Question, said};
use crate::protocol::Protocol;

/// What a run of judging came to.
#[derive(Clone, Debug, Serialize)]
pub struct Summary {
    /// Questions.
    pub n_questions: usize,
    /// Calls made now, with or without an answer.
    pub n_calls: u64,
    /// Calls made now that have no answer.
    pub n_failures: u64,
    /// Questions with a verdict, by verdict.
    pub verdicts: BTreeMap<&'static str, usize>,
    /// Questions without one, by reason.
    pub unscored: BTreeMap<&'static str, usize>,
    /// Questions that were never asked.
    pub n_left: usize,
    /// Tokens of the calls made now.
    pub usage: Usage,
    /// What the calls made now cost, as far as it is known.
    pub usd: f64,
    /// What all calls cost, those of earlier runs included; `None` without a price.
    pub spent_usd: Option<f64>,
    /// Answers of now by the model that gave them, as the server names it.
    pub model_versions: BTreeMap<String, u64>,
    /// Where the server began to answer with another model.
    pub model_changes: Vec<ModelChange>,
    /// Why it ended before all was asked.
    pub stop: Option<Stop>,
}

/// A change of the model behind a name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ModelChange {
    /// What it was.
    pub from: String,
    /// What it is.
    pub to: String,
    /// The time of the first answer.
    pub time: String,
}

impl ModelChange {
    pub(super) fn new(from: &str, to: &str, time: &str) -> Self {
        Self {
            from: from.to_owned(),
            to: to.to_owned(),
            time: time.to_owned(),
        }
    }

    /// Whether both are the same change, in either direction: calls under way end in any order.
    pub(super) fn is_same(&self, other: &Self) -> bool {
        let pair = (self.from.as_str(), self.to.as_str());
        pair == (&other.from, &other.to) || pair == (&other.to, &other.from)
    }
}

/// Why a run ended before all was asked. What was answered is in the log, and the same command goes on.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Stop {
    /// Somebody asked for it.
    Interrupted,
    /// The quota of the day is used up.
    DailyQuota {
        /// What the server says.
        message: String,
    },
    /// The next call could pass the limit.
    Budget {
        /// What is spent, in USD.
        spent_usd: f64,
        /// What the next call can cost at most, in USD.
        next_usd: f64,
    },
    /// The key is missing or wrong, or may not use the model.
    Denied {
        /// What the server says.
        message: String,
    },
    /// One failure after the other.
    Failing {
        /// How many.
        n_failures: u32,
        /// The last one.
        message: String,
    },
}

/// Sums up, by the records from the `since`-th on; calls of now are those from the `n_before`-th on.
pub fn summary(
    log: &AnswerLog,
    questions: &[Question],
    protocol: &Protocol,
    since: usize,
    n_before: usize,
) -> Summary {
    let mut now = CallTotals::default();
    for record in &log.records()[n_before..] {
        if record.asked.protocol == protocol.id {
            now.add(record);
        }
    }
    let mut summary = Summary {
        n_questions: questions.len(),
        n_calls: now.n_calls,
        n_failures: now.n_failures,
        verdicts: BTreeMap::new(),
        unscored: BTreeMap::new(),
        n_left: 0,
        usage: now.usage,
        usd: now.usd,
        spent_usd: None,
        model_versions: now.model_versions,
        model_changes: Vec::new(),
        stop: None,
    };
    for question in questions {
        let records: Vec<&AnswerRecord> = log.of(question, since);
        match counting(&records).map(|record| said(&record.asked.subject, &record.event)) {
            None => summary.n_left += 1,
            Some(said) => match said.unscored() {
                None => *summary.verdicts.entry(said.word()).or_default() += 1,
                Some(reason) => *summary.unscored.entry(reason.name()).or_default() += 1,
            },
        }
    }
    summary
}
