//! What calls cost, and what they may have cost where a server does not say.

use asap_core::chat::ChatFailureKind;

use super::{AnswerLog, AnswerRecord, Event, Question};
use crate::cost::{Price, Tariff, most_usage};
use crate::protocol::Protocol;

/// The most that a call with this limit of tokens can cost.
pub(super) fn most_usd(protocol: &Protocol, price: &Price, max_output_tokens: u32) -> f64 {
    price.usd(&most_usage(protocol, price, max_output_tokens), Tariff::Live)
}

/// What a record counts against the limit: what it cost, or the most that it can have cost where the server did the
/// work and did not say.
pub(super) fn charged_usd(record: &AnswerRecord, protocol: &Protocol, price: &Price) -> f64 {
    let is_unknown = match &record.event {
        Event::Reply(_) => record.attempts > 0,
        Event::Failure(failure) => matches!(
            failure.kind,
            ChatFailureKind::Timeout | ChatFailureKind::Malformed
        ),
        Event::NoImage => false,
    };
    match record.usd {
        Some(usd) => usd,
        None if is_unknown => most_usd(protocol, price, record.sampling.max_output_tokens),
        None => 0.0,
    }
}

/// What the answers of a log cost so far under a protocol, and against the baseline that `questions` are about. In USD.
///
/// Where a server did the work and did not say how many tokens it took, the most that it can have cost is counted.
pub fn spent_usd(log: &AnswerLog, questions: &[Question], protocol: &Protocol, price: &Price) -> f64 {
    let baseline = questions
        .first()
        .and_then(|question| question.asked.subject.baseline());
    let records = log.records().iter();
    records
        .filter(|record| record.asked.protocol == protocol.id)
        .filter(|record| record.asked.subject.baseline() == baseline)
        .map(|record| charged_usd(record, protocol, price))
        // Not `sum`, whose sum of nothing is -0.
        .fold(0.0, |sum, usd| sum + usd)
}
