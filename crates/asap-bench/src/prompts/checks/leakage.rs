//! Prompts that a model may have been trained on: compared with the captions of a training set.

use std::collections::{BTreeMap, BTreeSet};

use super::super::words::{Text, jaccard};
use super::{Hit, Subject};

/// A run of words that a caption has too.
pub(super) fn ngrams(subject: &Subject<'_>) -> Vec<Hit> {
    let n = subject.rules.leakage.ngram_words;
    let mut caption_of: BTreeMap<String, &str> = BTreeMap::new();
    for caption in subject.captions {
        for run in Text::new(caption).ngrams(n) {
            caption_of.entry(run).or_insert(caption);
        }
    }
    let mut hits = Vec::new();
    for (prompt, text) in subject.rows() {
        let shared = text.ngrams(n).find_map(|run| Some((caption_of.get(&run)?, run)));
        if let Some((caption, run)) = shared {
            hits.push(Hit::in_prompt(&prompt.id, format!("\"{run}\" of \"{caption}\"")));
        }
    }
    hits
}

/// Token-set Jaccard with a caption above the threshold; the nearest caption is told.
pub(super) fn near(subject: &Subject<'_>) -> Vec<Hit> {
    let stop_words = &subject.rules.stop.words;
    let captions: Vec<(&str, Text)> = subject
        .captions
        .iter()
        .map(|it| (it.as_str(), Text::new(it)))
        .collect();
    let captions: Vec<(&str, BTreeSet<&str>)> = captions
        .iter()
        .map(|(caption, text)| (*caption, text.content(stop_words)))
        .collect();
    let mut hits = Vec::new();
    for (prompt, text) in subject.rows() {
        let words = text.content(stop_words);
        let shares = captions
            .iter()
            .map(|(caption, other)| (jaccard(&words, other), *caption));
        let nearest = shares.max_by(|a, b| a.0.total_cmp(&b.0));
        if let Some((share, caption)) = nearest
            && share > subject.rules.leakage.near_jaccard_max
        {
            hits.push(Hit::in_prompt(
                &prompt.id,
                format!("{share:.2} of the words in common with \"{caption}\""),
            ));
        }
    }
    hits
}
