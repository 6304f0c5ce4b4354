//! The next thing to do about a question.

use super::ladder::{Next, Standing, restart, standing};
use super::{AnswerLog, AnswerRecord, Event, Question};
use crate::Result;
use crate::protocol::Protocol;

/// What to do next about a question.
#[derive(Clone, Copy, Debug)]
pub(super) enum Step {
    Nothing,
    Call(Next),
}

/// Where a question stands under a protocol.
pub(super) fn stands(records: &[&AnswerRecord], protocol: &Protocol) -> Standing {
    standing(
        records,
        protocol.file.ladder,
        protocol.file.sampling.max_output_tokens,
    )
}

/// Whether a question needs no call.
pub(super) fn is_answered(log: &AnswerLog, question: &Question, protocol: &Protocol) -> bool {
    !question.asked.subject.has_images()
        || stands(&log.of(question, 0), protocol) == Standing::Answered
        || stands(&log.of_twin(question, 0), protocol) == Standing::Answered
}

/// The first call about a question; none where it is answered, by itself or by the same request about another sample
/// with the very same bytes, or where there is no image.
pub(super) fn first_step(
    log: &mut AnswerLog,
    question: &Question,
    protocol: &Protocol,
    now: &(dyn Fn() -> String + Sync),
    since: usize,
) -> Result<Step> {
    let records = log.of(question, since);
    if !question.asked.subject.has_images() {
        if !matches!(records.last().map(|record| &record.event), Some(Event::NoImage)) {
            log.append(no_image(question, protocol, now()))?;
        }
        return Ok(Step::Nothing);
    }
    match stands(&records, protocol) {
        Standing::Answered => return Ok(Step::Nothing),
        Standing::Ask(next) if !records.is_empty() => return Ok(Step::Call(next)),
        Standing::Ask(_) | Standing::GivenUp => {}
    }
    let restart = restart(&records, protocol.file.sampling.max_output_tokens);
    let twin = log.of_twin(question, since);
    if stands(&twin, protocol) != Standing::Answered {
        return Ok(Step::Call(restart));
    }
    let copies: Vec<AnswerRecord> = twin
        .into_iter()
        .map(|record| copy_for(record, question))
        .collect();
    for copy in copies {
        log.append(copy)?;
    }
    Ok(Step::Nothing)
}

/// An answer that is taken over without a call.
fn copy_for(record: &AnswerRecord, question: &Question) -> AnswerRecord {
    AnswerRecord {
        asked: question.asked.clone(),
        attempts: 0,
        usd: None,
        ..record.clone()
    }
}

fn no_image(question: &Question, protocol: &Protocol, time: String) -> AnswerRecord {
    AnswerRecord {
        key: question.key,
        asked: question.asked.clone(),
        ask: 0,
        sampling: protocol.file.sampling.clone(),
        time,
        latency_ms: 0,
        attempts: 0,
        usd: None,
        is_batch: false,
        event: Event::NoImage,
    }
}
