//! What judging would do, without doing it.

use super::step::is_answered;
use super::{AnswerLog, Question, spent_usd};
use crate::cost::{DryRun, Price, Tariff, dry_run};
use crate::protocol::Protocol;

/// What judging would cost, given what the log has.
pub fn plan(
    questions: &[Question],
    log: &AnswerLog,
    protocol: &Protocol,
    price: Option<&Price>,
    tariff: Tariff,
) -> DryRun {
    let n_without_image = questions
        .iter()
        .filter(|question| !question.asked.subject.has_images())
        .count();
    let n_answered = questions
        .iter()
        .filter(|question| is_answered(log, question, protocol))
        .count()
        - n_without_image;
    let n_calls = questions.len() - n_without_image - n_answered;
    DryRun {
        n_questions: questions.len(),
        n_answered,
        n_without_image,
        spent_usd: price.map_or(0.0, |price| spent_usd(log, questions, protocol, price)),
        ..dry_run(protocol, n_calls, price, tariff)
    }
}
