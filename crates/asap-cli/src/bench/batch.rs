//! `asap bench judge --batch`: submits what is not answered, and waits for it.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::time::Duration;

use anyhow::{Context as _, Result};
use asap_bench::judge::{
    AnswerLog, BatchCall, BatchLog, Question, Stop, Summary, batch_calls, batch_request, keep_batch_answer,
    most_batch_usd, spent_usd, summary,
};
use asap_core::Sha256;
use asap_core::chat::{ChatFailure, ChatRequest};
use asap_remote::{BatchClient, BatchJob, BatchLimits, BatchProgress, ChatClient, Shard, SubmitFailure};

use super::session::Session;
use crate::args::ModeArg;
use crate::clock;
use crate::failure::hinted;
use crate::interrupt::Interrupt;

/// How often it is looked whether Ctrl-C was pressed while waiting.
const TICK: Duration = Duration::from_millis(200);

pub(super) async fn run(session: &Session<'_>, log: &mut AnswerLog) -> Result<Summary> {
    if session.args.mode != ModeArg::Record {
        return Err(hinted("a batch is recorded", "leave out `--mode`, or `--batch`"));
    }
    let interrupt = Interrupt::listen();
    let client = session.client()?;
    let mut batches = BatchLog::open(session.runs.run, &session.judge)?;
    if let Some(torn) = batches.torn() {
        session.printer.note(&format!(
            "repaired: {torn}; if it was about a batch that was submitted, look for it in the vendor's list of batches"
        ));
    }
    if session.args.forget_batch && batches.unknown().is_some() {
        batches.not_submitted(clock::now())?;
    }
    check_unknown(&batches)?;
    let n_before = log.records().len();
    let mut given_up = BTreeSet::new();
    let stop = loop {
        fetch(session, &client, log, &mut batches, &mut given_up).await?;
        let calls = batch_calls(
            &session.questions,
            log,
            &batches,
            session.protocol,
            &given_up,
            &clock::now,
        )?;
        if interrupt.is_requested() {
            break Some(Stop::Interrupted);
        }
        let stop = submit(session, &client, log, &mut batches, &calls).await?;
        // Batches under way are reckoned at the most that they can cost: what they leave is known when they end.
        if batches.pending().is_empty() {
            break stop;
        }
        wait(session, &interrupt).await;
    };
    let mut summary = summary(log, &session.questions, session.protocol, 0, n_before);
    let spent = |price| spent_usd(log, &session.questions, session.protocol, price);
    summary.spent_usd = session.price.as_ref().map(spent);
    summary.stop = stop;
    Ok(summary)
}

/// Refuses to pay for what a batch may be paying for that nobody knows of.
pub(super) fn check_unknown(batches: &BatchLog) -> Result<()> {
    batches.unknown().map_or(Ok(()), |unknown| {
        Err(hinted(
            format!(
                "a command ended while it submitted a batch of {} questions at {}: the server may have it",
                unknown.n_calls, unknown.time
            ),
            "look at the vendor's list of batches, cancel it there if it is in it, and go on with \
             `--batch --forget-batch`",
        ))
    })
}

/// Looks at every batch once, and keeps the answers of those that have ended.
async fn fetch(
    session: &Session<'_>,
    client: &ChatClient,
    log: &mut AnswerLog,
    batches: &mut BatchLog,
    given_up: &mut BTreeSet<Sha256>,
) -> Result<()> {
    for batch in batches.pending().to_vec() {
        let job: BatchJob =
            serde_json::from_value(batch.job.clone()).context("the stored handle of a batch is not one")?;
        let answers = match BatchClient::new(client).poll(&job).await.map_err(failed)? {
            BatchProgress::Running { n_done } => {
                let done = n_done.map_or(String::new(), |n| format!(", {n} answered"));
                session
                    .printer
                    .note(&format!("batch `{}`: {} questions{done}", job.id, job.keys.len()));
                continue;
            }
            BatchProgress::Ended(answers) => answers,
            // A batch that is gone would be in the way for ever; its questions are asked again.
            BatchProgress::Gone(failure) => {
                session.printer.note(&format!(
                    "batch `{}` is no longer on the server: {failure}",
                    job.id
                ));
                batches.ended(&batch.job, clock::now())?;
                continue;
            }
        };
        // A command that was killed here has kept some of the answers already.
        let kept: BTreeSet<(Sha256, u32, String)> = log
            .records()
            .iter()
            .filter(|record| record.is_batch)
            .map(|record| (record.key, record.ask, record.time.clone()))
            .collect();
        for (id, answer) in answers {
            let Some(call) = batch.calls.iter().find(|call| call.id == id) else {
                continue;
            };
            let is_kept = kept
                .iter()
                .any(|(key, ask, time)| (*key, *ask) == (call.key, call.ask) && *time >= batch.time);
            given_up.insert(call.key);
            if !is_kept {
                keep_batch_answer(log, call, answer, session.price.as_ref(), clock::now())?;
            }
        }
        batches.ended(&batch.job, clock::now())?;
    }
    Ok(())
}

/// Submits calls in as many batches as the server needs; gives why it ended early.
async fn submit(
    session: &Session<'_>,
    client: &ChatClient,
    log: &AnswerLog,
    batches: &mut BatchLog,
    calls: &[(BatchCall, &Question)],
) -> Result<Option<Stop>> {
    let unreadable = RefCell::new(None);
    let requests = calls.iter().map_while(|(call, question)| {
        match batch_request(session.runs, question, call, session.protocol) {
            Ok(request) => Some((call.id.clone(), request)),
            Err(error) => {
                *unreadable.borrow_mut() = Some(error);
                None
            }
        }
    });
    let requests: Box<dyn Iterator<Item = (String, ChatRequest)>> = Box::new(requests);
    for shard in BatchClient::new(client).shards(requests, BatchLimits::default()) {
        let shard = shard?;
        let of_shard = calls_of(&shard, calls);
        if let Some(stop) = over_budget(session, log, batches, &of_shard) {
            return Ok(Some(stop));
        }
        let n_calls = of_shard.len();
        batches.submitting(n_calls, clock::now())?;
        let job = match BatchClient::new(client).submit(&shard).await {
            Ok(job) => job,
            Err(failure) => return Err(not_begun(batches, failure)?),
        };
        let handle = serde_json::to_value(&job).context("cannot store the handle of a batch")?;
        batches.submitted(of_shard, handle, clock::now())?;
        session
            .printer
            .note(&format!("submitted batch `{}`: {n_calls} questions", job.id));
    }
    match unreadable.into_inner() {
        Some(error) => Err(error.into()),
        None => Ok(None),
    }
}

fn calls_of(shard: &Shard, calls: &[(BatchCall, &Question)]) -> Vec<BatchCall> {
    let ids: BTreeSet<&str> = shard.keys().collect();
    let of_shard = calls.iter().filter(|(call, _)| ids.contains(call.id.as_str()));
    of_shard.map(|(call, _)| call.clone()).collect()
}

/// Whether a batch could pass the limit, with all that is under way.
fn over_budget(
    session: &Session<'_>,
    log: &AnswerLog,
    batches: &BatchLog,
    calls: &[BatchCall],
) -> Option<Stop> {
    let (price, max_usd) = (session.price.as_ref()?, session.args.max_usd?);
    let most = |call: &BatchCall| most_batch_usd(call, session.protocol, price);
    let under_way: f64 = batches
        .pending()
        .iter()
        .flat_map(|batch| &batch.calls)
        .map(most)
        .sum();
    let spent_usd = spent_usd(log, &session.questions, session.protocol, price) + under_way;
    let next_usd: f64 = calls.iter().map(most).sum();
    (spent_usd + next_usd > max_usd).then_some(Stop::Budget { spent_usd, next_usd })
}

async fn wait(session: &Session<'_>, interrupt: &Interrupt) {
    let end = tokio::time::Instant::now() + Duration::from_secs(session.args.poll_secs);
    while tokio::time::Instant::now() < end && !interrupt.is_requested() {
        tokio::time::sleep(TICK).await;
    }
}

/// What a failed submission means, kept in the log where it is sure that there is no batch.
fn not_begun(batches: &mut BatchLog, failure: SubmitFailure) -> Result<anyhow::Error> {
    let is_sure = failure.is_surely_not_begun;
    let (what, hint) = match is_sure {
        true => (
            "was not taken",
            "nothing was submitted; the same command tries again",
        ),
        false => (
            "may have been taken or not",
            "look at the vendor's list of batches before you go on",
        ),
    };
    if is_sure {
        batches.not_submitted(clock::now())?;
    }
    Ok(hinted(format!("the batch {what}: {failure}"), hint))
}

fn failed(failure: ChatFailure) -> anyhow::Error {
    hinted(
        format!("cannot look at the batch: {failure}"),
        "what was submitted is kept; the same command goes on with it",
    )
}
