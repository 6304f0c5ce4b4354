//! Counts over the set against the targets of its taxonomy.

use std::collections::{BTreeMap, BTreeSet};

use super::super::axis::{Axis, AxisReader};
use super::{Hit, Subject};

/// Each subcategory has as many prompts as the taxonomy says.
pub(super) fn subcategories(subject: &Subject<'_>) -> Vec<Hit> {
    let Some(taxonomy) = subject.set.taxonomy() else {
        return Vec::new();
    };
    let mut hits = Vec::new();
    for entry in &taxonomy.subcategories {
        let prompts = subject.set.prompts().iter();
        let n_prompts = prompts.filter(|prompt| prompt.subcategory == entry.id).count();
        if n_prompts != entry.n_prompts as usize {
            let evidence = format!("`{}`: expected {}, got {n_prompts}", entry.id, entry.n_prompts);
            hits.push(Hit::in_set(evidence));
        }
    }
    hits
}

/// The share of each value is within the tolerance of its target.
pub(super) fn shares(subject: &Subject<'_>) -> Vec<Hit> {
    let tolerance = subject.rules.balance.share_tolerance;
    let n_prompts = subject.texts.len();
    let mut hits = Vec::new();
    for axis in axes(subject) {
        let counts = count(subject, axis);
        for value in &axis.values {
            let Some(target) = value.share else { continue };
            let n = counts.get(&value.id).copied().unwrap_or(0);
            let share = n as f64 / n_prompts as f64;
            // A share that was written in decimals misses its bound by rounding, not by intention.
            if (share - target).abs() > tolerance + 1e-9 {
                let evidence = format!(
                    "`{}` = `{}`: expected a share of {target:.3} within {tolerance:.3}, got {share:.3} ({n} of {n_prompts})",
                    axis.id, value.id
                );
                hits.push(Hit::in_set(evidence));
            }
        }
    }
    hits
}

/// Every value of a key is listed in its axis.
pub(super) fn values(subject: &Subject<'_>) -> Vec<Hit> {
    let mut hits = Vec::new();
    for axis in axes(subject) {
        let reader = AxisReader::new(axis);
        let listed: BTreeSet<&str> = axis.values.iter().map(|value| value.id.as_str()).collect();
        for (prompt, text) in subject.rows() {
            for value in reader.values_of(prompt, text) {
                if !listed.contains(value.as_str()) {
                    hits.push(Hit::in_prompt(&prompt.id, format!("`{}` = `{value}`", axis.id)));
                }
            }
        }
    }
    hits
}

/// Every factor of the taxonomy is had by a prompt.
pub(super) fn factors(subject: &Subject<'_>) -> Vec<Hit> {
    let prompts = subject.set.prompts();
    let used: BTreeSet<&String> = prompts.iter().flat_map(|prompt| &prompt.factors).collect();
    let factors = subject.set.taxonomy().map_or(&[][..], |it| &it.factors);
    let unused = factors.iter().filter(|factor| !used.contains(&factor.id));
    unused
        .map(|factor| Hit::in_set(format!("`{}`", factor.id)))
        .collect()
}

fn axes<'a>(subject: &Subject<'a>) -> &'a [Axis] {
    subject.set.taxonomy().map_or(&[], |it| &it.axes)
}

fn count(subject: &Subject<'_>, axis: &Axis) -> BTreeMap<String, usize> {
    let reader = AxisReader::new(axis);
    let mut counts = BTreeMap::new();
    for (prompt, text) in subject.rows() {
        for value in reader.values_of(prompt, text) {
            *counts.entry(value).or_default() += 1;
        }
    }
    counts
}
