//! Asks a judge about many images side by side, with every answer on the disk before it counts.

use std::future::Future;
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use asap_core::Reporter;
use asap_core::chat::{ChatFailure, ChatFailureKind, ChatReply, ChatRequest, ImageBytes};
use asap_core::judgement::Order;
use futures::StreamExt as _;

use super::ladder::{Next, Standing};
use super::question::request_of;
use super::spending::{charged_usd, most_usd, spent_usd};
use super::step::{Step, first_step, is_answered, stands};
use super::summary::{ModelChange, Stop, Summary, summary};
use super::{AnswerLog, AnswerRecord, Event, Question, Subject};
use crate::cost::{Budget, Price, Reserved, Tariff};
use crate::protocol::Protocol;
use crate::run::{ImageEntry, Run};
use crate::{Error, Result};

/// So many failures in a row, with no answer between them, end the run: the server is not well.
const MOST_FAILURES_IN_A_ROW: u32 = 8;

/// Carries questions to a judge.
pub trait Backend: Sync {
    /// Asks, with all retries that make sense.
    fn ask(
        &self,
        request: &ChatRequest,
    ) -> impl Future<Output = std::result::Result<ChatReply, ChatFailure>> + Send;
}

/// Where answers come from, and where they go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Every question is asked, and nothing is read from the log or written to it: the log is
    /// [`AnswerLog::in_memory`]. For trying a judge out.
    Live,
    /// Answers of the log are used, the other questions are asked, and their answers are kept.
    Record,
    /// Answers of the log are used, and a question without one is an error before anything is done.
    ReplayOnly,
    /// Every question is asked again; the new answers are kept and count from then on.
    Refresh,
}

/// The run that is judged, and the one that it is compared with.
#[derive(Clone, Copy, Debug)]
pub struct Runs<'a> {
    /// The run that is judged.
    pub run: &'a Run,
    /// What it is compared with, for pairs.
    pub baseline: Option<&'a Run>,
}

/// How a run is judged.
pub struct JudgeOptions<'a> {
    /// What is asked.
    pub protocol: &'a Protocol,
    /// Where answers come from.
    pub mode: Mode,
    /// Questions under way at one time.
    pub concurrency: usize,
    /// The judge's price; `None` leaves the cost out.
    pub price: Option<&'a Price>,
    /// No call is made that could make the answers of this judge under this protocol cost more, those of earlier
    /// runs included. Needs a price.
    pub most_usd: Option<f64>,
    /// The time for records, RFC 3339 in UTC.
    pub now: &'a (dyn Fn() -> String + Sync),
    /// Whether to end after the calls that are under way.
    pub is_stopping: &'a (dyn Fn() -> bool + Sync),
    /// Is told of every question that is done.
    pub reporter: &'a dyn Reporter,
}

/// Judges: asks what is not answered in the log, keeps every answer, and sums up.
///
/// A question is asked until it has an answer that can be read or the protocol's ladder ends. A block, a cut answer
/// and a failure are kept as events and asked again by the next run.
///
/// # Errors
/// [`Error::NotRecorded`] under [`Mode::ReplayOnly`]; [`Error::File`] where an image changed since the run was checked;
/// [`Error::Io`]. What was answered before is in the log.
pub async fn run_judge<B: Backend>(
    backend: &B,
    runs: Runs<'_>,
    questions: &[Question],
    log: &mut AnswerLog,
    options: &JudgeOptions<'_>,
) -> Result<Summary> {
    let since = match options.mode {
        Mode::Refresh => log.records().len(),
        Mode::Live | Mode::Record | Mode::ReplayOnly => 0,
    };
    if options.mode == Mode::ReplayOnly {
        check_recorded(log, questions, options.protocol)?;
    }
    let n_before = log.records().len();
    let spent_usd = options
        .price
        .map_or(0.0, |price| spent_usd(log, questions, options.protocol, price));
    let desk = Desk {
        backend,
        runs,
        options,
        since,
        budget: Budget::new(options.most_usd, spent_usd),
        state: Mutex::new(State {
            model_version: last_version(log, options.protocol),
            log,
            n_failures_in_a_row: 0,
            model_changes: Vec::new(),
            stop: None,
            error: None,
        }),
    };
    options.reporter.start("judging", questions.len() as u64);
    futures::stream::iter(questions)
        .for_each_concurrent(options.concurrency.max(1), async |question| {
            if let Err(error) = desk.answer(question).await {
                desk.with(|state| _ = state.error.get_or_insert(error));
            }
            options.reporter.advance(1);
        })
        .await;
    options.reporter.finish();
    let spent_usd = desk.budget.spent_usd();
    let state = desk.state.into_inner().unwrap_or_else(PoisonError::into_inner);
    if let Some(error) = state.error {
        return Err(error);
    }
    let mut summary = summary(state.log, questions, options.protocol, since, n_before);
    summary.spent_usd = options.price.map(|_| spent_usd);
    summary.model_changes = state.model_changes;
    summary.stop = state.stop;
    Ok(summary)
}

/// What many questions under way share.
struct Desk<'a, B> {
    backend: &'a B,
    runs: Runs<'a>,
    options: &'a JudgeOptions<'a>,
    /// Records before this one do not count.
    since: usize,
    budget: Budget,
    state: Mutex<State<'a>>,
}

struct State<'a> {
    log: &'a mut AnswerLog,
    model_version: Option<String>,
    n_failures_in_a_row: u32,
    model_changes: Vec<ModelChange>,
    stop: Option<Stop>,
    error: Option<Error>,
}

impl<B: Backend> Desk<'_, B> {
    /// Takes one question to its end, or to the end of the run.
    async fn answer(&self, question: &Question) -> Result<()> {
        let (protocol, now) = (self.options.protocol, self.options.now);
        let mut step = self.with(|state| first_step(state.log, question, protocol, now, self.since))?;
        while let Step::Call(next) = step {
            if self.is_over() {
                break;
            }
            let Some(reserved) = self.reserve(next).await else {
                break;
            };
            if self.is_over() {
                self.budget.settle(reserved, 0.0);
                break;
            }
            let record = match self.call(question, next).await {
                Ok(record) => record,
                Err(error) => {
                    self.budget.settle(reserved, 0.0);
                    return Err(error);
                }
            };
            let charged = self
                .options
                .price
                .map_or(0.0, |price| charged_usd(&record, self.options.protocol, price));
            self.budget.settle(reserved, charged);
            step = self.with(|state| self.keep(state, record, question))?;
        }
        Ok(())
    }

    /// Puts a record on the disk; gives the next step.
    fn keep(&self, state: &mut State<'_>, record: AnswerRecord, question: &Question) -> Result<Step> {
        state.keep(record)?;
        let records = state.log.of(question, self.since);
        Ok(match stands(&records, self.options.protocol) {
            Standing::Ask(next) => Step::Call(next),
            Standing::Answered | Standing::GivenUp => Step::Nothing,
        })
    }

    /// Sets the most aside that the call can cost; ends the run where the limit would be passed.
    async fn reserve(&self, next: Next) -> Option<Reserved> {
        let price = self.options.price;
        let next_usd = price.map_or(0.0, |price| {
            most_usd(self.options.protocol, price, next.max_output_tokens)
        });
        match self.budget.reserve(next_usd).await {
            Ok(reserved) => Some(reserved),
            Err(exhausted) => {
                let stop = Stop::Budget {
                    spent_usd: exhausted.spent_usd,
                    next_usd: exhausted.next_usd,
                };
                self.with(|state| _ = state.stop.get_or_insert(stop));
                None
            }
        }
    }

    async fn call(&self, question: &Question, next: Next) -> Result<AnswerRecord> {
        let protocol = self.options.protocol;
        let images = images(self.runs, &question.asked.subject)?;
        let request = request_of(question, protocol, images, next);
        let start = Instant::now();
        let result = self.backend.ask(&request).await;
        let latency_ms = start.elapsed().as_millis().try_into().unwrap_or(u64::MAX);
        let (attempts, event) = match result {
            Ok(reply) => (reply.attempts, Event::Reply(reply)),
            Err(failure) => (failure.attempts, Event::Failure(failure)),
        };
        let usage = event.usage();
        let usd = |price: &Price| usage.map(|usage| price.usd(&usage, Tariff::Live));
        Ok(AnswerRecord {
            key: question.key,
            asked: question.asked.clone(),
            ask: next.ask,
            sampling: request.sampling,
            time: (self.options.now)(),
            latency_ms,
            attempts,
            usd: self.options.price.and_then(usd),
            is_batch: false,
            event,
        })
    }

    /// Whether no further call may be made.
    fn is_over(&self) -> bool {
        self.with(|state| {
            if state.stop.is_none() && (self.options.is_stopping)() {
                state.stop = Some(Stop::Interrupted);
            }
            state.stop.is_some() || state.error.is_some()
        })
    }

    fn with<T>(&self, act: impl FnOnce(&mut State<'_>) -> T) -> T {
        act(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl State<'_> {
    /// Puts a record on the disk and looks at what it means for the run.
    fn keep(&mut self, record: AnswerRecord) -> Result<()> {
        if let Some(version) = record.event.model_version() {
            match &self.model_version {
                Some(before) if before != version => {
                    let change = ModelChange::new(before, version, &record.time);
                    if !self.model_changes.iter().any(|known| known.is_same(&change)) {
                        self.model_changes.push(change);
                    }
                }
                _ => {}
            }
            self.model_version = Some(version.to_owned());
        }
        match &record.event {
            Event::Failure(failure) => {
                self.n_failures_in_a_row += 1;
                let stop = stop_after(failure, self.n_failures_in_a_row);
                self.stop = self.stop.take().or(stop);
            }
            Event::Reply(_) | Event::NoImage => self.n_failures_in_a_row = 0,
        }
        self.log.append(record)
    }
}

/// Whether a failure ends the run.
fn stop_after(failure: &ChatFailure, n_in_a_row: u32) -> Option<Stop> {
    let message = failure.to_string();
    match failure.kind {
        ChatFailureKind::DailyQuota => Some(Stop::DailyQuota { message }),
        ChatFailureKind::Denied => Some(Stop::Denied { message }),
        _ if n_in_a_row >= MOST_FAILURES_IN_A_ROW => Some(Stop::Failing {
            n_failures: n_in_a_row,
            message,
        }),
        _ => None,
    }
}

/// The images of a subject in the order shown, with their bytes checked.
pub(super) fn images(runs: Runs<'_>, subject: &Subject) -> Result<Vec<ImageBytes>> {
    let (prompt_id, seed) = subject.prompt_and_seed();
    let of = |run: &Run| -> Result<ImageBytes> {
        let missing = || Error::File {
            path: run.dir().to_owned(),
            message: format!("no image of {subject}"),
        };
        let image: &ImageEntry = run.image(prompt_id, seed).ok_or_else(missing)?;
        run.image_bytes(image)
    };
    let mut images = vec![of(runs.run)?];
    if let Subject::Pair { order, .. } = subject {
        images.extend(runs.baseline.map(of).transpose()?);
        if *order == Order::BaselineFirst {
            images.reverse();
        }
    }
    Ok(images)
}

fn check_recorded(log: &AnswerLog, questions: &[Question], protocol: &Protocol) -> Result<()> {
    let missing: Vec<&Question> = questions
        .iter()
        .filter(|question| !is_answered(log, question, protocol))
        .collect();
    missing.first().map_or(Ok(()), |first| {
        Err(Error::NotRecorded {
            subject: first.asked.subject.to_string(),
            path: log.path().to_owned(),
            n_missing: missing.len(),
            n_questions: questions.len(),
        })
    })
}

fn last_version(log: &AnswerLog, protocol: &Protocol) -> Option<String> {
    let mut records = log.records().iter().rev();
    records
        .find_map(|record| {
            record
                .event
                .model_version()
                .filter(|_| record.asked.protocol == protocol.id)
        })
        .map(str::to_owned)
}
