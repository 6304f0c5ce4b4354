//! Where a question stands, by its records: answered, to be asked again with more room or more clearly, or given up.

use asap_core::UnscoredReason;

use super::{AnswerRecord, said};
use crate::protocol::Ladder;

/// What is to be done about a question.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Standing {
    /// Its answer is there: it is served from the log, and asking again would pay twice.
    Answered,
    /// It is to be asked.
    Ask(Next),
    /// It ended without an answer, this time.
    GivenUp,
}

/// The next call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Next {
    /// Its place in the attempt.
    pub(super) ask: u32,
    /// Its limit of tokens.
    pub(super) max_output_tokens: u32,
    /// How clearly it asks.
    pub(super) wording: Wording,
}

/// How a question is put.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wording {
    /// As the protocol has it.
    Plain,
    /// With a word about the form of the answer.
    WithReminder,
}

/// Where a question stands after `records` of its key, in the order of the log.
///
/// `first_limit` is the protocol's limit of tokens. The attempt that counts is the last one; an attempt begins with
/// `ask` 0. But an answer of an earlier attempt stays an answer.
pub(super) fn standing(records: &[&AnswerRecord], ladder: Ladder, first_limit: u32) -> Standing {
    let attempts = attempts(records);
    let first = restart(&[], first_limit);
    if attempts
        .iter()
        .any(|attempt| after(attempt, ladder) == Standing::Answered)
    {
        return Standing::Answered;
    }
    attempts
        .last()
        .map_or(Standing::Ask(first), |attempt| after(attempt, ladder))
}

/// The first call of a new attempt after an attempt that was given up: where answers were cut, with the room that was
/// reached.
pub(super) fn restart(records: &[&AnswerRecord], first_limit: u32) -> Next {
    let was_cut = |record: &&&AnswerRecord| {
        said(&record.asked.subject, &record.event).unscored() == Some(UnscoredReason::Truncated)
    };
    let reached = records
        .last()
        .filter(was_cut)
        .map(|record| record.sampling.max_output_tokens);
    Next {
        ask: 0,
        max_output_tokens: reached.unwrap_or(first_limit),
        wording: Wording::Plain,
    }
}

/// The records of each attempt.
fn attempts<'a, 'r>(records: &'a [&'r AnswerRecord]) -> Vec<&'a [&'r AnswerRecord]> {
    records.chunk_by(|_, next| next.ask > 0).collect()
}

/// Where an attempt stands after its calls.
fn after(attempt: &[&AnswerRecord], ladder: Ladder) -> Standing {
    let Some(last) = attempt.last() else {
        return Standing::GivenUp;
    };
    let reason = |record: &AnswerRecord| said(&record.asked.subject, &record.event).unscored();
    let is_unreadable = |record: &AnswerRecord| {
        matches!(
            reason(record),
            Some(UnscoredReason::Parse | UnscoredReason::InvalidEnum)
        )
    };
    let limit = last.sampling.max_output_tokens;
    let n_unreadable = attempt.iter().filter(|record| is_unreadable(record)).count();
    let next = |max_output_tokens| {
        let wording = if n_unreadable > 0 {
            Wording::WithReminder
        } else {
            Wording::Plain
        };
        Standing::Ask(Next {
            ask: last.ask + 1,
            max_output_tokens,
            wording,
        })
    };
    match reason(last) {
        // A refusal and "I cannot tell" are answers: the same question would only be paid for again.
        None | Some(UnscoredReason::Declined | UnscoredReason::Refused) => Standing::Answered,
        Some(UnscoredReason::Parse | UnscoredReason::InvalidEnum) => {
            if n_unreadable > ladder.max_reasks as usize {
                Standing::Answered
            } else {
                next(limit)
            }
        }
        Some(UnscoredReason::Truncated) if limit < ladder.most_output_tokens => {
            next(limit.saturating_mul(2).min(ladder.most_output_tokens))
        }
        Some(
            UnscoredReason::Truncated
            | UnscoredReason::Blocked
            | UnscoredReason::Http
            | UnscoredReason::NoImage,
        ) => Standing::GivenUp,
    }
}
