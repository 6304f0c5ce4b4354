//! Named persons and brands.

use super::super::words::{Gap, Text, Word};
use super::wording::quoted;
use super::{Hit, Subject};

/// The rule: two or more capitalised words in a row, or one inside a sentence, of which none is in the list of
/// allowed words. A single capitalised word at the start of a sentence says nothing.
pub(super) fn persons(subject: &Subject<'_>) -> Vec<Hit> {
    let allowed = &subject.rules.names.allowed;
    let is_allowed = |word: &Word| allowed.iter().any(|it| it.to_lowercase() == word.lower);
    let mut hits = Vec::new();
    for (prompt, text) in subject.rows() {
        for run in capitalised_runs(text, is_allowed) {
            let words: Vec<&str> = run.iter().map(|word| word.lower.as_str()).collect();
            hits.push(Hit::in_prompt(&prompt.id, format!("\"{}\"", words.join(" "))));
        }
    }
    hits
}

/// Brands, whatever their case.
pub(super) fn brands(subject: &Subject<'_>) -> Vec<Hit> {
    quoted(subject, &subject.rules.names.brands)
}

fn capitalised_runs(text: &Text, is_allowed: impl Fn(&Word) -> bool) -> Vec<&[Word]> {
    // A single letter is a sign or a shape.
    let is_name = |word: &Word| word.is_capitalised && word.lower.chars().count() > 1 && !is_allowed(word);
    let runs = text
        .words
        .chunk_by(|a, b| is_name(a) && is_name(b) && b.gap.is_close());
    runs.filter(|run| is_name(&run[0]) && (run.len() > 1 || run[0].gap != Gap::Sentence))
        .collect()
}
