//! Words that make a prompt vague, negated, styled, impossible or unsafe.

use super::super::words::{Phrases, Text, Word};
use super::{Hit, Subject};

/// Vague quantities and things.
pub(super) fn vague(subject: &Subject<'_>) -> Vec<Hit> {
    quoted(subject, &subject.rules.wording.vague)
}

/// Choices left to the reader.
pub(super) fn choice(subject: &Subject<'_>) -> Vec<Hit> {
    quoted(subject, &subject.rules.wording.choice)
}

/// Negations.
pub(super) fn negations(subject: &Subject<'_>) -> Vec<Hit> {
    quoted(subject, &subject.rules.wording.negation)
}

/// Words of style and praise.
pub(super) fn style(subject: &Subject<'_>) -> Vec<Hit> {
    quoted(subject, &subject.rules.wording.style)
}

/// What cannot be photographed.
pub(super) fn implausible(subject: &Subject<'_>) -> Vec<Hit> {
    quoted(subject, &subject.rules.wording.implausible)
}

/// What safety filters refuse.
pub(super) fn not_safe(subject: &Subject<'_>) -> Vec<Hit> {
    quoted(subject, &subject.rules.wording.not_safe)
}

/// One hit for each phrase of the lexicon in each prompt.
pub(super) fn quoted(subject: &Subject<'_>, lexicon: &Phrases) -> Vec<Hit> {
    let mut hits = Vec::new();
    for (prompt, text) in subject.rows() {
        for words in lexicon.quotes(&text.words) {
            hits.push(Hit::in_prompt(&prompt.id, format!("\"{words}\"")));
        }
    }
    hits
}

/// A word for a minor and one of a sensitive context in one prompt.
pub(super) fn sensitive_minors(subject: &Subject<'_>) -> Vec<Hit> {
    let wording = &subject.rules.wording;
    let mut hits = Vec::new();
    for (prompt, text) in subject.rows() {
        let minors = wording.minors.quotes(&text.words);
        let contexts = wording.sensitive.quotes(&text.words);
        if let (Some(minor), Some(context)) = (minors.first(), contexts.first()) {
            hits.push(Hit::in_prompt(
                &prompt.id,
                format!("\"{minor}\" with \"{context}\""),
            ));
        }
    }
    hits
}

/// The rule: a pronoun of a person (`he`, `her`, `they` ...) needs a noun of a person somewhere before it; in a
/// sentence that opens with the pronoun's own noun (`Her hand ...`) there is none. Where two persons of one
/// kind were named the rule does not see which is meant.
pub(super) fn pronouns(subject: &Subject<'_>) -> Vec<Hit> {
    let mut hits = Vec::new();
    for (prompt, text) in subject.rows() {
        if let Some(word) = first_loose_pronoun(subject, text) {
            hits.push(Hit::in_prompt(&prompt.id, format!("\"{}\"", word.lower)));
        }
    }
    hits
}

fn first_loose_pronoun<'a>(subject: &Subject<'_>, text: &'a Text) -> Option<&'a Word> {
    const PRONOUNS: [&str; 15] = [
        "he",
        "him",
        "his",
        "himself",
        "she",
        "her",
        "hers",
        "herself",
        "they",
        "them",
        "their",
        "theirs",
        "themselves",
        "himself",
        "themself",
    ];
    let persons = &subject.rules.persons;
    let names_person =
        |at| persons.one.len_at(&text.words, at) > 0 || persons.two.len_at(&text.words, at) > 0;
    let first_person = (0..text.words.len()).find(|&at| names_person(at));
    let before = &text.words[..first_person.unwrap_or(text.words.len())];
    before.iter().find(|word| PRONOUNS.contains(&word.lower.as_str()))
}
