//! Bounds of length, tokens, characters and spacing.

use asap_core::Prompt;

use super::super::tokens::{Counting, TokenCounter};
use super::super::words::Gap;
use super::{Hit, Subject};

/// Within the bounds of words.
pub(super) fn words(subject: &Subject<'_>) -> Vec<Hit> {
    let bounds = &subject.rules.length;
    let (min, max) = (bounds.words_min, bounds.words_max);
    let rows = subject.rows();
    rows.filter(|(_, text)| !(min..=max).contains(&text.words.len()))
        .map(|(prompt, text)| {
            let n_words = text.words.len();
            Hit::in_prompt(
                &prompt.id,
                format!("expected {min} to {max} words, got {n_words}"),
            )
        })
        .collect()
}

/// Within the bound of characters.
pub(super) fn characters(subject: &Subject<'_>) -> Vec<Hit> {
    let max = subject.rules.length.characters_max;
    over(subject, max, |prompt| {
        let n_chars = prompt.prompt.chars().count();
        (
            n_chars,
            format!("expected at most {max} characters, got {n_chars}"),
        )
    })
}

/// Within the context of CLIP's text encoder.
pub(super) fn clip(subject: &Subject<'_>) -> Vec<Hit> {
    tokens(subject, &subject.tokenizers.clip, subject.rules.tokens.clip_max)
}

/// Within what ImageReward reads. The limit is near the length of a usual prompt, so that an estimate from above
/// says little of one prompt: it is told once for the set.
pub(super) fn bert(subject: &Subject<'_>) -> Vec<Hit> {
    let (counter, max) = (&subject.tokenizers.bert, subject.rules.tokens.bert_max);
    let hits = tokens(subject, counter, max);
    if counter.counting == Counting::Exact || hits.is_empty() {
        return hits;
    }
    let evidence = format!(
        "{} prompts may have more than {max} tokens, by an estimate from above",
        hits.len()
    );
    vec![Hit::in_set(evidence).with(hits.into_iter().filter_map(|hit| hit.prompt))]
}

fn tokens(subject: &Subject<'_>, counter: &TokenCounter<'_>, max: usize) -> Vec<Hit> {
    over(subject, max, |prompt| {
        let n_tokens = (counter.count)(&prompt.prompt);
        let evidence = match counter.counting {
            Counting::Exact => format!("{n_tokens} of {max} tokens"),
            Counting::Estimate => format!("up to {n_tokens} of {max} tokens by estimate"),
        };
        (n_tokens, evidence)
    })
}

fn over(subject: &Subject<'_>, max: usize, measure: impl Fn(&Prompt) -> (usize, String)) -> Vec<Hit> {
    let prompts = subject.set.prompts().iter();
    prompts
        .filter_map(|prompt| {
            let (n, evidence) = measure(prompt);
            (n > max).then(|| Hit::in_prompt(&prompt.id, evidence))
        })
        .collect()
}

/// Printable ASCII and the allowed characters only.
pub(super) fn odd_characters(subject: &Subject<'_>) -> Vec<Hit> {
    let allowed = &subject.rules.characters.allowed;
    let is_fine = |c: char| matches!(c, ' '..='~') || allowed.contains(c);
    let mut hits = Vec::new();
    for prompt in subject.set.prompts() {
        if let Some((at, odd)) = prompt.prompt.chars().enumerate().find(|&(_, c)| !is_fine(c)) {
            let evidence = format!("U+{:04X} at character {}", u32::from(odd), at + 1);
            hits.push(Hit::in_prompt(&prompt.id, evidence));
        }
    }
    hits
}

/// No stray spaces, no word twice in a row within a sentence.
pub(super) fn spacing(subject: &Subject<'_>) -> Vec<Hit> {
    let mut hits = Vec::new();
    for (prompt, text) in subject.rows() {
        if prompt.prompt.trim() != prompt.prompt || prompt.prompt.contains("  ") {
            hits.push(Hit::in_prompt(&prompt.id, format!("\"{}\"", prompt.prompt)));
        }
        let twice = text.words.windows(2).find(|pair| {
            pair[1].gap == Gap::Space && pair[0].lower == pair[1].lower && !pair[0].is_possessive
        });
        if let Some(pair) = twice {
            let word = &pair[0].lower;
            hits.push(Hit::in_prompt(&prompt.id, format!("\"{word} {word}\"")));
        }
    }
    hits
}
