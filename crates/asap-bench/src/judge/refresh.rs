//! The place in a log where asking everything again began, so that a command that was stopped goes on from there.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::{AnswerLog, JudgeOptions, Question};
use crate::{Error, Result, jsonl};

/// A note beside the log: which questions are asked again, and from which record on answers count.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Note {
    protocol: String,
    baseline: Option<String>,
    since: usize,
    /// When it began, RFC 3339.
    time: String,
}

/// An asking again that is under way.
#[derive(Debug)]
pub(super) struct Refresh {
    path: PathBuf,
    note: Note,
}

impl Refresh {
    /// Begins, or goes on with what an earlier command began under the same protocol, against the same baseline.
    pub(super) fn begin(log: &AnswerLog, questions: &[Question], options: &JudgeOptions<'_>) -> Result<Self> {
        let path = log.path().with_extension("refresh.json");
        let first = questions.first().map(|question| &question.asked);
        let note = Note {
            protocol: options.protocol.id.clone(),
            baseline: first.and_then(|asked| asked.subject.baseline().map(str::to_owned)),
            since: log.records().len(),
            time: (options.now)(),
        };
        if path.is_file() {
            let text = jsonl::read_text(&path)?;
            let begun: Note = serde_json::from_str(&text).map_err(|error| Error::File {
                path: path.clone(),
                message: format!(
                    "{}; remove the file to ask everything again",
                    jsonl::plain(&error)
                ),
            })?;
            if (&begun.protocol, &begun.baseline) == (&note.protocol, &note.baseline) {
                return Ok(Self { path, note: begun });
            }
        }
        let text = serde_json::to_string(&note).expect("strings and numbers are always JSON");
        jsonl::write_whole(&path, text.as_bytes())?;
        Ok(Self { path, note })
    }

    /// The first record that counts.
    pub(super) const fn since(&self) -> usize {
        self.note.since
    }

    /// Everything was asked.
    pub(super) fn end(self) -> Result<()> {
        Ok(fs_err::remove_file(&self.path)?)
    }
}
