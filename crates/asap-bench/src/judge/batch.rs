//! Batches: questions that are answered within a day, at a lower price, under the same keys.
//!
//! What was submitted stands in `batches/JUDGE.jsonl` before anything else is done, so a command that ends, however it
//! ends, is followed by one that fetches the answers and pays for nothing twice.

use std::collections::BTreeSet;
use std::path::PathBuf;

use asap_core::Sha256;
use asap_core::chat::{ChatFailure, ChatReply, ChatRequest, Sampling};
use serde::{Deserialize, Serialize};

use super::ladder::{Next, Standing, Wording};
use super::question::request_of;
use super::runner::images;
use super::step::{Step, first_step, stands};
use super::{AnswerLog, AnswerRecord, Asked, Event, Question, Runs, judge_slug};
use crate::Result;
use crate::cost::{Price, Tariff, most_usage};
use crate::jsonl::{Journal, TornLine};
use crate::protocol::Protocol;
use crate::run::Run;

/// A question as it stands in a batch.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BatchCall {
    /// Its name in the batch.
    pub id: String,
    /// Its cache key.
    pub key: Sha256,
    /// The question by its names.
    pub asked: Asked,
    /// Its place in the attempt.
    pub ask: u32,
    /// The settings of this call.
    pub sampling: Sampling,
    /// Whether the form of the answer is asked for once more.
    pub has_reminder: bool,
}

/// A batch that has not ended.
#[derive(Clone, Debug, PartialEq)]
pub struct PendingBatch {
    /// What was asked.
    pub calls: Vec<BatchCall>,
    /// The server's handle, as the client gave it.
    pub job: serde_json::Value,
    /// When it was submitted.
    pub time: String,
}

/// A line of the log of batches.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
enum BatchRow {
    Submitted {
        time: String,
        job: serde_json::Value,
        calls: Vec<BatchCall>,
    },
    /// All answers of a job are in the answers log.
    Ended { time: String, job: serde_json::Value },
}

/// The log of batches of one judge in one run.
#[derive(Debug)]
pub struct BatchLog {
    journal: Journal,
    pending: Vec<PendingBatch>,
    torn: Option<TornLine>,
}

impl BatchLog {
    fn path_of(run: &Run, judge: &str) -> PathBuf {
        run.dir()
            .join("batches")
            .join(format!("{}.jsonl", judge_slug(judge)))
    }

    /// Whether a judge ever had a batch in a run.
    pub fn exists(run: &Run, judge: &str) -> bool {
        Self::path_of(run, judge).is_file()
    }

    /// Opens or makes the log.
    ///
    /// # Errors
    /// [`crate::Error::Row`] for a line that is no row, [`crate::Error::Locked`] while another process writes it.
    pub fn open(run: &Run, judge: &str) -> Result<Self> {
        let path = Self::path_of(run, judge);
        fs_err::create_dir_all(run.dir().join("batches"))?;
        let (journal, rows, torn) = Journal::open::<BatchRow>(&path)?;
        let mut pending: Vec<PendingBatch> = Vec::new();
        for (_, row) in rows {
            match row {
                BatchRow::Submitted { time, job, calls } => pending.push(PendingBatch { calls, job, time }),
                BatchRow::Ended { job, .. } => pending.retain(|batch| batch.job != job),
            }
        }
        Ok(Self {
            journal,
            pending,
            torn,
        })
    }

    /// The last line, where it was torn and cut off. The batch that it was about is lost if it was submitted.
    pub fn torn(&self) -> Option<&TornLine> {
        self.torn.as_ref()
    }

    /// Batches that have not ended.
    pub fn pending(&self) -> &[PendingBatch] {
        &self.pending
    }

    /// Keeps a batch as soon as it is submitted.
    ///
    /// # Errors
    /// [`crate::Error::Io`].
    pub fn submitted(&mut self, calls: Vec<BatchCall>, job: serde_json::Value, time: String) -> Result<()> {
        let batch = PendingBatch { calls, job, time };
        self.journal.append(&BatchRow::Submitted {
            time: batch.time.clone(),
            job: batch.job.clone(),
            calls: batch.calls.clone(),
        })?;
        self.pending.push(batch);
        Ok(())
    }

    /// Marks a batch as ended, after its answers were kept.
    ///
    /// # Errors
    /// [`crate::Error::Io`].
    pub fn ended(&mut self, job: &serde_json::Value, time: String) -> Result<()> {
        self.journal.append(&BatchRow::Ended {
            time,
            job: job.clone(),
        })?;
        self.pending.retain(|batch| batch.job != *job);
        Ok(())
    }
}

/// The calls that are to be made: for each question that has no answer, is in no batch and did not end without an
/// answer just now (`given_up`). Of several samples with the same bytes one is asked about; what needs no call is
/// recorded.
///
/// # Errors
/// [`crate::Error::Io`].
pub fn batch_calls<'q>(
    questions: &'q [Question],
    log: &mut AnswerLog,
    batches: &BatchLog,
    protocol: &Protocol,
    given_up: &BTreeSet<Sha256>,
    now: &(dyn Fn() -> String + Sync),
) -> Result<Vec<(BatchCall, &'q Question)>> {
    let mut taken: BTreeSet<Sha256> = batches
        .pending()
        .iter()
        .flat_map(|batch| &batch.calls)
        .map(|call| call.key)
        .collect();
    let mut calls = Vec::new();
    for question in questions {
        let is_given_up =
            given_up.contains(&question.key) && stands(&log.of(question, 0), protocol) == Standing::GivenUp;
        if is_given_up {
            continue;
        }
        if let Step::Call(next) = first_step(log, question, protocol, now, 0)?
            && taken.insert(question.key)
        {
            calls.push((call(question, protocol, next), question));
        }
    }
    Ok(calls)
}

fn call(question: &Question, protocol: &Protocol, next: Next) -> BatchCall {
    let sampling = Sampling {
        max_output_tokens: next.max_output_tokens,
        ..protocol.file.sampling.clone()
    };
    BatchCall {
        id: format!("{}-{}", question.key, next.ask),
        key: question.key,
        asked: question.asked.clone(),
        ask: next.ask,
        sampling,
        has_reminder: next.wording == Wording::WithReminder,
    }
}

/// The request of a call.
///
/// # Errors
/// [`crate::Error::File`] where an image changed, [`crate::Error::Io`].
pub fn batch_request(
    runs: Runs<'_>,
    question: &Question,
    call: &BatchCall,
    protocol: &Protocol,
) -> Result<ChatRequest> {
    let next = Next {
        ask: call.ask,
        max_output_tokens: call.sampling.max_output_tokens,
        wording: if call.has_reminder {
            Wording::WithReminder
        } else {
            Wording::Plain
        },
    };
    Ok(request_of(
        question,
        protocol,
        images(runs, &question.asked.subject)?,
        next,
    ))
}

/// The most that a call of a batch can cost, in USD.
pub fn most_batch_usd(call: &BatchCall, protocol: &Protocol, price: &Price) -> f64 {
    price.usd(
        &most_usage(protocol, price, call.sampling.max_output_tokens),
        Tariff::Batch,
    )
}

/// Keeps an answer of a batch.
///
/// # Errors
/// [`crate::Error::Io`].
pub fn keep_batch_answer(
    log: &mut AnswerLog,
    call: &BatchCall,
    result: std::result::Result<ChatReply, ChatFailure>,
    price: Option<&Price>,
    time: String,
) -> Result<()> {
    let event = match result {
        Ok(reply) => Event::Reply(reply),
        Err(failure) => Event::Failure(failure),
    };
    let usd = |price: &Price| event.usage().map(|usage| price.usd(&usage, Tariff::Batch));
    log.append(AnswerRecord {
        key: call.key,
        asked: call.asked.clone(),
        ask: call.ask,
        sampling: call.sampling.clone(),
        time,
        // A batch does not say when it came to a question.
        latency_ms: 0,
        attempts: 1,
        usd: price.and_then(usd),
        is_batch: true,
        event,
    })
}
