//! The answers log of one judge in one run: append-only, and the cache of its questions.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use asap_core::Sha256;

use super::{AnswerRecord, Asked, Question, judge_slug};
use crate::jsonl::{self, Journal, TornLine};
use crate::protocol::Protocol;
use crate::run::Run;
use crate::{Error, Result};

/// A log that is open for appending, by one process at a time.
#[derive(Debug)]
pub struct AnswerLog {
    path: PathBuf,
    /// `None` for a log that is kept nowhere.
    journal: Option<Journal>,
    records: Vec<AnswerRecord>,
    by_key: BTreeMap<Sha256, Vec<usize>>,
    torn: Option<TornLine>,
}

impl AnswerLog {
    /// The log of a judge in a run.
    pub fn path_of(run: &Run, judge: &str) -> PathBuf {
        run.dir()
            .join("answers")
            .join(format!("{}.jsonl", judge_slug(judge)))
    }

    /// Opens or makes the log of a judge. A torn last line is cut off and told by [`AnswerLog::torn`].
    ///
    /// # Errors
    /// [`Error::Row`] for any other line that is no record, [`Error::Locked`] while another process writes it.
    pub fn open(run: &Run, judge: &str) -> Result<Self> {
        let path = Self::path_of(run, judge);
        fs_err::create_dir_all(run.dir().join("answers"))?;
        let (journal, rows, torn) = Journal::open(&path)?;
        let mut log = Self {
            path,
            journal: Some(journal),
            torn,
            ..Self::in_memory()
        };
        for (_, record) in rows {
            log.push(record);
        }
        Ok(log)
    }

    /// An empty log that is kept nowhere, for [`super::Mode::Live`].
    pub const fn in_memory() -> Self {
        Self {
            path: PathBuf::new(),
            journal: None,
            records: Vec::new(),
            by_key: BTreeMap::new(),
            torn: None,
        }
    }

    /// The log of a judge as it is now, which nothing is written to. Without a file it is empty.
    ///
    /// # Errors
    /// [`Error::Row`] for a line that is no record.
    pub fn replay(run: &Run, judge: &str) -> Result<Self> {
        let path = Self::path_of(run, judge);
        let (records, torn) = match path.is_file() {
            true => Self::read(&path)?,
            false => (Vec::new(), None),
        };
        let mut log = Self {
            path,
            torn,
            ..Self::in_memory()
        };
        for record in records {
            log.push(record);
        }
        Ok(log)
    }

    /// Reads the records of a log without touching it.
    ///
    /// # Errors
    /// [`Error::Row`] for a line that is no record; a torn last line is given beside the records.
    pub fn read(path: &Path) -> Result<(Vec<AnswerRecord>, Option<TornLine>)> {
        let (rows, torn) = jsonl::read_log(path)?;
        Ok((rows.into_iter().map(|(_, record)| record).collect(), torn))
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The last line, where it was torn and cut off.
    pub fn torn(&self) -> Option<&TornLine> {
        self.torn.as_ref()
    }

    /// All records, in the order of the file.
    pub fn records(&self) -> &[AnswerRecord] {
        &self.records
    }

    /// Appends a record; when this returns, it is on the disk.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub fn append(&mut self, record: AnswerRecord) -> Result<()> {
        if let Some(journal) = &mut self.journal {
            journal.append(&record)?;
        }
        self.push(record);
        Ok(())
    }

    /// Refuses a protocol whose text is another one than that of earlier answers under its id.
    ///
    /// # Errors
    /// [`Error::File`].
    pub fn check_protocol(&self, protocol: &Protocol) -> Result<()> {
        let is_other = |record: &&AnswerRecord| {
            record.asked.protocol == protocol.id && record.asked.protocol_sha256 != protocol.sha256
        };
        self.records.iter().find(is_other).map_or(Ok(()), |record| {
            Err(Error::File {
                path: self.path.clone(),
                message: format!(
                    "has answers under another text of `{}` (SHA-256 {}, now {}): give the changed protocol another id",
                    protocol.id,
                    record.asked.protocol_sha256.short(),
                    protocol.sha256.short()
                ),
            })
        })
    }

    /// The records of a question from the `since`-th of the log on.
    pub(super) fn of(&self, question: &Question, since: usize) -> Vec<&AnswerRecord> {
        self.with_key(question, since)
            .filter(|record| record.asked == question.asked)
            .collect()
    }

    /// The records of the same request about other samples with the very same bytes, sample by sample.
    pub(super) fn twins(&self, question: &Question, since: usize) -> Vec<Vec<&AnswerRecord>> {
        let mut twins: BTreeMap<&Asked, Vec<&AnswerRecord>> = BTreeMap::new();
        for record in self.with_key(question, since) {
            if record.asked != question.asked {
                twins.entry(&record.asked).or_default().push(record);
            }
        }
        twins.into_values().collect()
    }

    fn with_key(&self, question: &Question, since: usize) -> impl Iterator<Item = &AnswerRecord> {
        let places = self.by_key.get(&question.key).map_or(&[][..], Vec::as_slice);
        places
            .iter()
            .filter(move |place| **place >= since)
            .map(|place| &self.records[*place])
    }

    fn push(&mut self, record: AnswerRecord) {
        self.by_key
            .entry(record.key)
            .or_default()
            .push(self.records.len());
        self.records.push(record);
    }
}
