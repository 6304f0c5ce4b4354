//! What people say together, and how well one of them predicts the others.

use std::collections::BTreeMap;

use asap_core::{Judgement, PromptId, Verdict};
use serde::{Deserialize, Serialize};

use super::agreement::{Measured, check_class};
use super::position::Item;
use super::{Bootstrap, Error, Result};

/// What a majority is where two classes have the most votes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SplitRule {
    /// None: the item is left out.
    Drop,
    /// This class: a tie for comparisons, a failure or a pass for verdicts.
    Class(usize),
}

/// The class with the most votes; `None` without votes, or where several have the most under
/// [`SplitRule::Drop`].
pub fn majority(votes: &[usize], n_classes: usize, rule: SplitRule) -> Option<usize> {
    let mut counts = vec![0_u32; n_classes];
    for class in votes {
        counts[*class] += 1;
    }
    let most = counts.iter().copied().max().filter(|most| *most > 0)?;
    let mut leaders = (0..n_classes).filter(|class| counts[*class] == most);
    match (leaders.next(), leaders.next(), rule) {
        (leader, None, _) => leader,
        (_, Some(_), SplitRule::Class(class)) => Some(class),
        (_, Some(_), SplitRule::Drop) => None,
    }
}

/// One item as a judge and people saw it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct JudgedItem {
    /// The judge's class.
    pub judge: usize,
    /// The class of each person.
    pub humans: Vec<usize>,
}

impl JudgedItem {
    /// The judge's class beside that of the majority of people: an entry for
    /// [`super::agreement::agreement`].
    pub fn against_majority(&self, n_classes: usize, rule: SplitRule) -> Option<(usize, usize)> {
        Some((self.judge, majority(&self.humans, n_classes, rule)?))
    }
}

/// How well one person agrees with the majority of the others: the most that can be asked of a judge.
///
/// Each vote on an item with others is compared with the majority of these others; the value is the share that
/// agrees over all votes for which there is such a majority, its interval that over items drawn with replacement.
///
/// # Shapes
/// For each item the classes that people gave, each under `n_classes`.
///
/// # Errors
/// [`Error::TooMany`] for a class that is not under `n_classes`, [`Error::TooFew`] where no vote can be compared.
///
/// # Source
/// The agreement of single annotators with the rest as the ceiling of a judge: Zheng et al., "Judging
/// LLM-as-a-judge with MT-bench and Chatbot Arena" (arXiv 2306.05685).
pub fn leave_one_out(
    items: &[Vec<usize>],
    n_classes: usize,
    rule: SplitRule,
    bootstrap: &Bootstrap,
) -> Result<Measured> {
    for class in items.iter().flatten() {
        check_class(*class, n_classes)?;
    }
    let counted: Vec<(f64, f64)> = items
        .iter()
        .map(|votes| agreements(votes, n_classes, rule))
        .filter(|(_, n)| *n > 0.0)
        .collect();
    if counted.is_empty() {
        return Err(Error::TooFew {
            what: "items with two votes or more and a majority among the others",
            least: 1,
            got: 0,
        });
    }
    let share = |weight: &dyn Fn(usize) -> f64| {
        let sums = counted
            .iter()
            .enumerate()
            .fold((0.0, 0.0), |sums, (item, (hits, n))| {
                (sums.0 + weight(item) * hits, sums.1 + weight(item) * n)
            });
        Some(sums.0 / sums.1)
    };
    let replicates = bootstrap.items("leave_one_out", counted.len(), |drawn| {
        share(&|item| f64::from(drawn[item]))
    });
    Ok(Measured::new(share(&|_| 1.0), &replicates, bootstrap))
}

/// The votes of an item that agree with the majority of the others, and those that can be compared.
fn agreements(votes: &[usize], n_classes: usize, rule: SplitRule) -> (f64, f64) {
    let compared = (0..votes.len()).filter_map(|own| {
        let others = [&votes[..own], &votes[own + 1..]].concat();
        majority(&others, n_classes, rule).map(|class| class == votes[own])
    });
    compared.fold((0.0, 0.0), |(hits, n), agrees| {
        (hits + f64::from(u8::from(agrees)), n + 1.0)
    })
}

/// Verdicts of a judge beside those of people on the same images: class 0 is a pass, 1 a failure.
///
/// Images without a verdict of the judge, or without one of a person, are left out. Where the judge was asked several
/// times, its first answer counts.
pub fn verdict_items(judge: &[Judgement], humans: &[Judgement]) -> Vec<JudgedItem> {
    let mut people: BTreeMap<_, Vec<usize>> = BTreeMap::new();
    for (key, class) in humans.iter().filter_map(verdict_class) {
        people.entry(key).or_default().push(class);
    }
    let mut sorted: Vec<&Judgement> = judge.iter().collect();
    sorted.sort_by_key(|judgement| judgement.repeat);
    let mut items = BTreeMap::new();
    for (key, judge) in sorted.into_iter().filter_map(verdict_class) {
        if let Some(humans) = people.get(&key) {
            items.entry(key).or_insert_with(|| JudgedItem {
                judge,
                humans: humans.clone(),
            });
        }
    }
    items.into_values().collect()
}

type ImageKey<'a> = (&'a str, &'a PromptId, u64);

fn verdict_class(judgement: &Judgement) -> Option<(ImageKey<'_>, usize)> {
    let sample = &judgement.sample;
    let class = match judgement.verdict {
        Verdict::Pass => 0,
        Verdict::Fail => 1,
        Verdict::Unscored { .. } => return None,
    };
    Some(((&sample.model, &sample.prompt_id, sample.seed), class))
}

/// Outcomes of a judge beside those of people on the same two images: the classes win, tie, loss.
///
/// An outcome is that of [`Item::outcome`]. Items are those of one model and baseline, as
/// [`super::position::items`] gives them; where several of the judge's are about the same images, the first counts.
pub fn outcome_items(judge: &[Item<'_>], humans: &[Item<'_>]) -> Vec<JudgedItem> {
    let classes = |items: &'_ [Item<'_>]| -> Vec<((String, u64), usize)> {
        let class = |item: &Item<'_>| {
            let key = (item.prompt_id.to_string(), item.seed);
            item.outcome().map(|outcome| (key, outcome as usize))
        };
        items.iter().filter_map(class).collect()
    };
    let mut people: BTreeMap<_, Vec<usize>> = BTreeMap::new();
    for (key, class) in classes(humans) {
        people.entry(key).or_default().push(class);
    }
    let mut items = BTreeMap::new();
    for (key, judge) in classes(judge) {
        if let Some(humans) = people.get(&key) {
            items.entry(key).or_insert_with(|| JudgedItem {
                judge,
                humans: humans.clone(),
            });
        }
    }
    items.into_values().collect()
}
