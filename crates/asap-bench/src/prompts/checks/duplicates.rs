//! Prompts that ask for the same picture twice.

use std::collections::{BTreeMap, BTreeSet};

use asap_core::Prompt;

use super::super::words::{Text, jaccard};
use super::{Hit, Subject};

/// Equal byte for byte.
pub(super) fn exact(subject: &Subject<'_>) -> Vec<Hit> {
    repeated(subject, |prompt, _| prompt.prompt.clone())
}

/// Equal in their normal form; what is equal already is not told again.
pub(super) fn normalised(subject: &Subject<'_>) -> Vec<Hit> {
    let mut hits = repeated(subject, |_, text| text.normal.clone());
    let exact: BTreeSet<_> = exact(subject).into_iter().map(|hit| hit.prompt).collect();
    hits.retain(|hit| !exact.contains(&hit.prompt));
    hits
}

/// Every prompt whose key an earlier one has, with that one.
fn repeated(subject: &Subject<'_>, key: impl Fn(&Prompt, &Text) -> String) -> Vec<Hit> {
    let mut first = BTreeMap::new();
    let mut hits = Vec::new();
    for (prompt, text) in subject.rows() {
        let first = first.entry(key(prompt, text)).or_insert(prompt);
        if first.id != prompt.id {
            hits.push(
                Hit::in_prompt(&prompt.id, format!("as `{}`: \"{}\"", first.id, prompt.prompt))
                    .with([first.id.clone()]),
            );
        }
    }
    hits
}

/// Token-set Jaccard of the words that carry meaning above the threshold, for every pair that is not equal in
/// its normal form.
pub(super) fn near(subject: &Subject<'_>) -> Vec<Hit> {
    let stop_words = &subject.rules.stop.words;
    let rows: Vec<_> = subject
        .rows()
        .map(|(prompt, text)| (prompt, text, text.content(stop_words)))
        .collect();
    let mut hits = Vec::new();
    for (idx, (prompt, text, words)) in rows.iter().enumerate() {
        for (earlier, earlier_text, earlier_words) in &rows[..idx] {
            let share = jaccard(words, earlier_words);
            if share > subject.rules.duplicates.near_jaccard_max && text.normal != earlier_text.normal {
                let evidence = format!("{share:.2} of the words in common with `{}`", earlier.id);
                hits.push(Hit::in_prompt(&prompt.id, evidence).with([earlier.id.clone()]));
            }
        }
    }
    hits
}
