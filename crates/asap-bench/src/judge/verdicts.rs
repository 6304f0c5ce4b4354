//! All verdicts of a run: read out of the answers of models, and taken over from people and known answers.

use std::collections::BTreeMap;

use asap_core::chat::Usage;
use asap_core::{Comparison, Judge, Judgement, PromptId, Sha256, UnscoredReason};

use super::export::VerdictRow;
use super::{AnswerLog, AnswerRecord, Asked, Event, Evidence, Said, Subject, evidence, read_rows, said};
use crate::jsonl::TornLine;
use crate::run::{Run, logs};
use crate::{Error, Result};

/// A verdict with what stands behind it.
#[derive(Clone, Debug, PartialEq)]
pub struct Judged<R> {
    /// The verdict.
    pub row: R,
    /// What a model gave as evidence.
    pub evidence: Option<Evidence>,
    /// The protocol's file; `None` for people and known answers.
    pub protocol_sha256: Option<Sha256>,
    /// The model that answered, as its server names it.
    pub model_version: Option<String>,
}

/// All verdicts of a run, sorted by protocol, judge and sample.
#[derive(Clone, Debug, Default)]
pub struct Verdicts {
    /// Of single images.
    pub images: Vec<Judged<Judgement>>,
    /// Of pairs.
    pub pairs: Vec<Judged<Comparison>>,
    /// Calls of each model, by protocol and judge.
    pub calls: BTreeMap<(String, String), CallTotals>,
    /// Logs whose last line is torn; it is left out.
    pub torn: Vec<TornLine>,
}

/// What a model was asked, and what it cost.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct CallTotals {
    /// Calls with or without an answer.
    pub n_calls: u64,
    /// Calls without one.
    pub n_failures: u64,
    /// Tokens of all answers whose server said.
    pub usage: Usage,
    /// Sum of what is known.
    pub usd: f64,
    /// Calls whose cost is not known.
    pub n_unpriced: u64,
    /// Answers by the model that gave them, as the server names it. More than one name is a change of models inside
    /// the run.
    pub model_versions: BTreeMap<String, u64>,
}

impl Verdicts {
    /// The verdicts of single images alone.
    pub fn judgements(&self) -> Vec<Judgement> {
        self.images.iter().map(|judged| judged.row.clone()).collect()
    }

    /// The verdicts of pairs alone.
    pub fn comparisons(&self) -> Vec<Comparison> {
        self.pairs.iter().map(|judged| judged.row.clone()).collect()
    }
}

impl CallTotals {
    /// Adds a record.
    pub(super) fn add(&mut self, record: &AnswerRecord) {
        // A record without a call: no image, or an answer taken over from the same bytes elsewhere.
        if record.attempts == 0 {
            return;
        }
        self.n_calls += 1;
        if matches!(record.event, Event::Failure(_)) {
            self.n_failures += 1;
        }
        if let Some(usage) = record.event.usage() {
            let sum = &mut self.usage;
            sum.prompt = sum.prompt.saturating_add(usage.prompt);
            sum.cached = sum.cached.saturating_add(usage.cached);
            sum.output = sum.output.saturating_add(usage.output);
            sum.thoughts = sum.thoughts.saturating_add(usage.thoughts);
        }
        match record.usd {
            Some(usd) => self.usd += usd,
            None => self.n_unpriced += 1,
        }
        if let Some(version) = record.event.model_version() {
            *self.model_versions.entry(version.to_owned()).or_default() += 1;
        }
    }
}

/// Reads all verdicts of a run.
///
/// A verdict counts while the run lists the bytes that were judged, and under the model's present name. Of several
/// answers to one question the last one counts; a block, a cut or a failure never replaces an answer, nor does a time
/// at which the image was missing.
///
/// # Errors
/// [`Error::Row`] for a line of a log that is no record; [`Error::File`] where two files have a verdict of one person
/// on one sample.
pub fn verdicts(run: &Run) -> Result<Verdicts> {
    let mut verdicts = Verdicts::default();
    let mut groups: BTreeMap<(Asked, Subject), Vec<AnswerRecord>> = BTreeMap::new();
    for path in logs(&run.dir().join("answers"))? {
        let (records, torn) = AnswerLog::read(&path)?;
        verdicts.torn.extend(torn);
        for record in records {
            let totals = (record.asked.protocol.clone(), record.asked.judge.clone());
            verdicts.calls.entry(totals).or_default().add(&record);
            if is_about(run, &record.asked.subject) {
                groups.entry(group_of(&record)).or_default().push(record);
            }
        }
    }
    for records in groups.values() {
        if let Some(record) = counting(&records.iter().collect::<Vec<_>>()) {
            verdicts.add_answer(run, record);
        }
    }
    verdicts.add_imported(run)?;
    verdicts.sort();
    Ok(verdicts)
}

/// Whether a subject is one of this run as it is now: under its name, with the bytes that it lists.
fn is_about(run: &Run, subject: &Subject) -> bool {
    let (prompt_id, seed) = subject.prompt_and_seed();
    let (model, sha256) = match subject {
        Subject::Image { model, sha256, .. } => (model, sha256),
        Subject::Pair { model, sha256, .. } => (model, &sha256[0]),
    };
    model == run.model() && is_listed(run, prompt_id, seed, *sha256)
}

/// Whether bytes are those that the run lists for a sample; no bytes are about any.
fn is_listed(run: &Run, prompt_id: &PromptId, seed: u64, sha256: Option<Sha256>) -> bool {
    sha256.is_none() || sha256 == run.listed_sha256(prompt_id, seed)
}

/// Records about one sample by one judge under one protocol, whatever the bytes were.
fn group_of(record: &AnswerRecord) -> (Asked, Subject) {
    let subject = record.asked.subject.without_bytes();
    let asked = Asked {
        subject: subject.clone(),
        // Another text under the same id is refused when it is asked.
        protocol_sha256: Sha256::from_bytes([0; 32]),
        ..record.asked.clone()
    };
    (asked, subject)
}

/// The record that speaks for its group.
pub(super) fn counting<'r>(records: &[&'r AnswerRecord]) -> Option<&'r AnswerRecord> {
    let has_image = |record: &&&AnswerRecord| !matches!(record.event, Event::NoImage);
    let last = records.iter().rev().find(has_image).or(records.last())?;
    let is_answer = |record: &&AnswerRecord| {
        let reason = said(&record.asked.subject, &record.event).unscored();
        matches!(
            reason,
            None | Some(UnscoredReason::Declined | UnscoredReason::Refused)
        )
    };
    let current = || {
        records
            .iter()
            .copied()
            .rev()
            .filter(|record| record.key == last.key)
    };
    current().find(is_answer).or_else(|| current().next())
}

impl Verdicts {
    fn add_answer(&mut self, run: &Run, record: &AnswerRecord) {
        let (prompt_id, seed) = record.asked.subject.prompt_and_seed();
        let Some(topic) = run.topic(prompt_id) else {
            return;
        };
        let (asked, verdict) = (&record.asked, said(&record.asked.subject, &record.event));
        let judge = Judge::Model(asked.judge.clone());
        match (&asked.subject, verdict) {
            (Subject::Image { sha256, .. }, Said::Verdict(verdict)) => {
                let row = Judgement {
                    protocol: asked.protocol.clone(),
                    judge,
                    sample: run.sample(prompt_id, seed),
                    topic,
                    image_sha256: *sha256,
                    repeat: asked.repeat,
                    verdict,
                };
                self.images.push(judged(row, record));
            }
            (
                Subject::Pair {
                    baseline,
                    sha256,
                    order,
                    ..
                },
                Said::Choice(choice),
            ) => {
                let row = Comparison {
                    protocol: asked.protocol.clone(),
                    judge,
                    model: run.model().to_owned(),
                    baseline: baseline.clone(),
                    prompt_id: prompt_id.clone(),
                    seed,
                    topic,
                    images_sha256: *sha256,
                    order: *order,
                    repeat: asked.repeat,
                    choice,
                };
                self.pairs.push(judged(row, record));
            }
            _ => {}
        }
    }

    fn add_imported(&mut self, run: &Run) -> Result<()> {
        let mut seen: BTreeMap<String, String> = BTreeMap::new();
        for path in logs(&run.dir().join("verdicts"))? {
            for (line, row) in read_rows(&path)? {
                let place = format!("`{}` line {line}", path.display());
                if let Some(first) = seen.insert(row.identity(), place) {
                    let message =
                        format!("the same person's verdict on the same sample is in {first} already");
                    return Err(Error::Row { path, line, message });
                }
                match row {
                    VerdictRow::Image(row)
                        if is_listed(run, &row.sample.prompt_id, row.sample.seed, row.image_sha256) =>
                    {
                        self.images.push(imported(row));
                    }
                    VerdictRow::Pair(row)
                        if is_listed(run, &row.prompt_id, row.seed, row.images_sha256[0]) =>
                    {
                        self.pairs.push(imported(row));
                    }
                    // About bytes that were replaced since.
                    VerdictRow::Image(_) | VerdictRow::Pair(_) => {}
                }
            }
        }
        Ok(())
    }

    fn sort(&mut self) {
        self.images
            .sort_by(|a, b| image_place(&a.row).cmp(&image_place(&b.row)));
        self.pairs
            .sort_by(|a, b| pair_place(&a.row).cmp(&pair_place(&b.row)));
    }
}

fn image_place(row: &Judgement) -> impl Ord + '_ {
    (&row.protocol, &row.judge, &row.sample, row.repeat)
}

fn pair_place(row: &Comparison) -> impl Ord + '_ {
    (
        &row.protocol,
        &row.judge,
        &row.baseline,
        &row.prompt_id,
        row.seed,
        row.repeat,
        row.order,
    )
}

fn judged<R>(row: R, record: &AnswerRecord) -> Judged<R> {
    Judged {
        row,
        evidence: evidence(&record.event),
        protocol_sha256: Some(record.asked.protocol_sha256),
        model_version: record.event.model_version().map(str::to_owned),
    }
}

const fn imported<R>(row: R) -> Judged<R> {
    Judged {
        row,
        evidence: None,
        protocol_sha256: None,
        model_version: None,
    }
}
