//! The logs inside a report: verdicts, scores and calls, by hash and without images. All figures come from them.

use std::path::Path;

use asap_core::chat::Usage;
use asap_core::{Comparison, Judgement};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::config::FileHash;
use crate::judge::CallTotals;
use crate::run::{ScoreRow, sha256};
use crate::{Result, jsonl};

/// A learned scorer's value of an image of a model.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ModelScore {
    /// The model.
    pub model: String,
    /// The value with all that names it.
    pub score: ScoreRow,
}

/// What one judge was asked about one run, and what it cost.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CallRow {
    /// The run's model.
    pub model: String,
    /// The protocol.
    pub protocol: String,
    /// The judge's name.
    pub judge: String,
    /// Calls with or without an answer.
    pub n_calls: u64,
    /// Calls without one.
    pub n_failures: u64,
    /// Tokens.
    pub usage: Usage,
    /// Sum of the costs that are known, in US dollars.
    pub usd: f64,
    /// Calls whose cost is not known.
    pub n_unpriced: u64,
}

impl CallRow {
    /// The totals of one judge under one protocol.
    pub fn new(model: &str, (protocol, judge): &(String, String), totals: &CallTotals) -> Self {
        Self {
            model: model.to_owned(),
            protocol: protocol.clone(),
            judge: judge.clone(),
            n_calls: totals.n_calls,
            n_failures: totals.n_failures,
            usage: totals.usage,
            usd: totals.usd,
            n_unpriced: totals.n_unpriced,
        }
    }
}

/// Everything that figures are computed from.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Log {
    /// Verdicts on single images, of the judge and of people.
    pub judgements: Vec<Judgement>,
    /// Choices between two images, of the judge and of people.
    pub comparisons: Vec<Comparison>,
    /// Values of learned scorers.
    pub scores: Vec<ModelScore>,
    /// Calls of the judge.
    pub calls: Vec<CallRow>,
}

/// Names of the logs, in the order of [`Log`].
const FILES: [&str; 4] = [
    "judgements.jsonl",
    "comparisons.jsonl",
    "scores.jsonl",
    "calls.jsonl",
];

impl Log {
    /// The files with their names.
    pub fn to_files(&self) -> [(&'static str, String); 4] {
        let [judgements, comparisons, scores, calls] = FILES;
        [
            (judgements, lines(&self.judgements)),
            (comparisons, lines(&self.comparisons)),
            (scores, lines(&self.scores)),
            (calls, lines(&self.calls)),
        ]
    }

    /// Puts the rows in one order, whatever they came in, and drops those that are there twice word for word.
    pub fn sort(&mut self) {
        let judgement = |row: &Judgement| {
            (
                row.protocol.clone(),
                row.judge.clone(),
                row.sample.clone(),
                row.repeat,
            )
        };
        self.judgements.sort_by_key(judgement);
        self.judgements.dedup();
        let comparison = |row: &Comparison| {
            let names = (row.model.clone(), row.baseline.clone(), row.prompt_id.clone());
            (
                row.protocol.clone(),
                row.judge.clone(),
                names,
                row.seed,
                row.repeat,
                row.order,
            )
        };
        self.comparisons.sort_by_key(comparison);
        self.comparisons.dedup();
    }

    /// Reads texts that [`Log::to_files`] gave.
    ///
    /// A decimal text and the number it is read as can differ in the last bit, so a report computes from what it
    /// has read back and never from what it wrote.
    ///
    /// # Errors
    /// [`crate::Error::Row`] for a line that is no row.
    pub fn from_texts(dir: &Path, texts: &[String; 4]) -> Result<Self> {
        let [judgements, comparisons, scores, calls] = texts;
        Ok(Self {
            judgements: rows(&dir.join(FILES[0]), judgements)?,
            comparisons: rows(&dir.join(FILES[1]), comparisons)?,
            scores: rows(&dir.join(FILES[2]), scores)?,
            calls: rows(&dir.join(FILES[3]), calls)?,
        })
    }

    /// Reads the logs of a report.
    ///
    /// # Errors
    /// [`crate::Error::Io`], [`crate::Error::Row`].
    pub fn read(dir: &Path) -> Result<(Self, Vec<FileHash>)> {
        let mut texts: [String; 4] = Default::default();
        for (text, file) in texts.iter_mut().zip(FILES) {
            *text = jsonl::read_text(&dir.join(file))?;
        }
        let hashes = FILES
            .iter()
            .zip(&texts)
            .map(|(file, text)| FileHash {
                file: (*file).to_owned(),
                sha256: sha256(text.as_bytes()),
            })
            .collect();
        Ok((Self::from_texts(dir, &texts)?, hashes))
    }
}

fn lines<T: Serialize>(rows: &[T]) -> String {
    let mut text = String::new();
    for row in rows {
        text.push_str(&serde_json::to_string(row).expect("rows are strings, numbers and hashes"));
        text.push('\n');
    }
    text
}

fn rows<T: DeserializeOwned>(path: &Path, text: &str) -> Result<Vec<T>> {
    let rows = jsonl::parse_rows(path, text)?;
    Ok(rows.into_iter().map(|(_, row)| row).collect())
}
