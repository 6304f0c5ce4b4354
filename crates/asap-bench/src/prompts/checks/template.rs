//! Openings and sentence patterns that too many prompts share.

use std::collections::BTreeMap;

use asap_core::PromptId;

use super::super::words::{Text, Word, number};
use super::{Hit, Subject};

/// Equal first words, four by default.
pub(super) fn opening(subject: &Subject<'_>) -> Vec<Hit> {
    let rules = &subject.rules.template;
    let key = |text: &Text| {
        let words = text.words.get(..rules.opening_words)?;
        Some(super::super::words::quote(words))
    };
    shared(subject, key, rules.opening_share_max)
}

/// Equal first items of the skeleton, eight by default: words, with persons, parts of the body, numbers, and
/// words of age, look and side replaced by the name of their class, equal classes in a row joined, and articles
/// left out.
pub(super) fn skeleton(subject: &Subject<'_>) -> Vec<Hit> {
    let rules = &subject.rules.template;
    let key = |text: &Text| {
        let items = skeleton_of(subject, &text.words);
        (items.len() >= rules.skeleton_words).then(|| items[..rules.skeleton_words].join(" "))
    };
    shared(subject, key, rules.skeleton_share_max)
}

/// One hit for each key that more than the share of the prompts have, and at least `repeats_min`.
fn shared(subject: &Subject<'_>, key: impl Fn(&Text) -> Option<String>, share_max: f64) -> Vec<Hit> {
    let mut ids_by_key: BTreeMap<String, Vec<PromptId>> = BTreeMap::new();
    for (prompt, text) in subject.rows() {
        if let Some(key) = key(text) {
            ids_by_key.entry(key).or_default().push(prompt.id.clone());
        }
    }
    let n_prompts = subject.texts.len();
    let mut hits = Vec::new();
    for (key, ids) in ids_by_key {
        let share = ids.len() as f64 / n_prompts as f64;
        if share > share_max && ids.len() >= subject.rules.template.repeats_min {
            let evidence = format!("\"{key}\" in {} of {n_prompts} prompts", ids.len());
            hits.push(Hit::in_set(evidence).with(ids));
        }
    }
    hits
}

fn skeleton_of(subject: &Subject<'_>, words: &[Word]) -> Vec<String> {
    let mut items: Vec<String> = Vec::new();
    let mut at = 0;
    while at < words.len() {
        let (item, len) = class_at(subject, words, at);
        let is_article = matches!(item.as_str(), "a" | "an" | "the");
        let is_repeated = item.starts_with('<') && items.last() == Some(&item);
        if !is_article && !is_repeated {
            items.push(item);
        }
        at += len;
    }
    items
}

/// The class that stands at a place, or the word itself, and how many words that takes.
fn class_at(subject: &Subject<'_>, words: &[Word], at: usize) -> (String, usize) {
    let rules = subject.rules;
    let persons = [&rules.persons.one, &rules.persons.two].map(|it| it.len_at(words, at));
    let longest = persons.into_iter().max().unwrap_or(0);
    if longest > 0 {
        return ("<person>".to_owned(), longest);
    }
    for (name, lexicon) in &rules.classes {
        let len = lexicon.len_at(words, at);
        if len > 0 {
            return (format!("<{name}>"), len);
        }
    }
    if number(&words[at].lower).is_some() {
        return ("<number>".to_owned(), 1);
    }
    (words[at].lower.clone(), 1)
}
