//! What a network is told of the images.

use std::collections::BTreeMap;

use super::super::finding::Hit;
use super::Subject;

/// There is none, or nothing but spaces.
pub(super) fn missing(subject: &Subject<'_>) -> Vec<Hit> {
    let without = subject
        .facts
        .iter()
        .filter(|facts| facts.caption.trim().is_empty());
    without
        .map(|facts| Hit::new(facts.pair, 0.0, format!("\"{}\"", facts.caption)))
        .collect()
}

/// An encoder reads less than all of it.
pub(super) fn cut(subject: &Subject<'_>) -> Vec<Hit> {
    let longest = |facts: &super::Facts| facts.cut.iter().max_by_key(|cut| cut.n_left_out).cloned();
    subject
        .facts
        .iter()
        .filter_map(|facts| Some((facts, longest(facts)?)))
        .map(|(facts, cut)| {
            let evidence = format!(
                "`{}` reads {}, {} are left out",
                cut.tokenizer, cut.limit, cut.n_left_out
            );
            Hit::new(facts.pair, cut.n_left_out as f64, evidence)
        })
        .collect()
}

/// A pair of an earlier picture has the same words.
pub(super) fn duplicate(subject: &Subject<'_>) -> Vec<Hit> {
    let mut first = BTreeMap::new();
    let mut hits = Vec::new();
    for facts in subject.facts {
        let caption = facts.caption.trim();
        if caption.is_empty() {
            continue;
        }
        let (pair, positive) = *first.entry(caption).or_insert((facts.pair, facts.positive));
        if positive != facts.positive {
            let evidence = format!("as `{}`: \"{caption}\"", pair.short());
            hits.push(Hit::new(facts.pair, 0.0, evidence));
        }
    }
    hits
}
