//! Both orders of showing two images: what counts as the outcome, and how much the order decides.

use std::collections::BTreeMap;

use asap_core::{Choice, Comparison, Judge, Order, Outcome, PromptId, RsiCounts, Topic, UnscoredReason};
use serde::{Deserialize, Serialize};

use super::cells::only;
use super::rsi::{self, RsiIndex};
use super::{ClusterCount, Error, Level, Rate, Result};

/// What the answers in two orders count as.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PositionPolicy {
    /// One vote for each two images: the outcome where both orders agree, else a tie, counted as inconsistent.
    Strict,
    /// Each order is half a vote. Counts are of half votes; both halves lie in the cluster of their prompt.
    Pooled,
    /// Each two images were shown in one order only, as people see them. Both orders are an error.
    Single,
}

/// Two images as one judge saw them, in the orders that were asked for.
#[derive(Clone, Debug, PartialEq)]
pub struct Item<'a> {
    /// The prompt.
    pub prompt_id: &'a PromptId,
    /// The seed of both images.
    pub seed: u64,
    /// The place in the taxonomy.
    pub topic: &'a Topic,
    /// Who judged.
    pub judge: &'a Judge,
    /// The comparison with the model first, and that with the baseline first.
    pub orders: [Option<&'a Comparison>; 2],
}

/// What an [`Item`] adds to the votes under a policy.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Ballot {
    /// Outcomes that count: none, one, or two half votes.
    pub(crate) outcomes: [Option<Outcome>; 2],
    /// Reasons of votes that are missing.
    pub(crate) unscored: [Option<UnscoredReason>; 2],
    /// An order that was never asked for.
    pub(crate) incomplete: bool,
    /// The orders disagree and the policy made a tie of it.
    pub(crate) inconsistent: bool,
}

/// Puts the orders of each prompt, seed, judge and repeat together.
///
/// # Errors
/// [`Error::Mixed`] where models, baselines or protocols differ, [`Error::TooFew`] without comparisons,
/// [`Error::Duplicate`] where one order was judged twice under one repeat number.
pub fn items(comparisons: &[Comparison]) -> Result<Vec<Item<'_>>> {
    only("model", comparisons.iter().map(|comparison| &comparison.model))?;
    only(
        "baseline",
        comparisons.iter().map(|comparison| &comparison.baseline),
    )?;
    only(
        "protocol",
        comparisons.iter().map(|comparison| &comparison.protocol),
    )?;
    let mut items: BTreeMap<_, Item<'_>> = BTreeMap::new();
    for comparison in comparisons {
        let key = (
            &comparison.prompt_id,
            comparison.seed,
            &comparison.judge,
            comparison.repeat,
        );
        let item = items.entry(key).or_insert_with(|| Item {
            prompt_id: &comparison.prompt_id,
            seed: comparison.seed,
            topic: &comparison.topic,
            judge: &comparison.judge,
            orders: [None; 2],
        });
        if item.orders[comparison.order as usize]
            .replace(comparison)
            .is_some()
        {
            return Err(Error::Duplicate {
                what: format!(
                    "prompt `{}`, seed {}, repeat {}, {:?} by {:?}",
                    comparison.prompt_id,
                    comparison.seed,
                    comparison.repeat,
                    comparison.order,
                    comparison.judge
                ),
            });
        }
    }
    Ok(items.into_values().collect())
}

impl Item<'_> {
    /// The outcomes of both orders, where both were scored.
    fn both(&self) -> Option<[Outcome; 2]> {
        let [first, second] = self.orders;
        Some([first?.outcome()?, second?.outcome()?])
    }

    /// One outcome: that of both orders under [`PositionPolicy::Strict`] where both were asked for, else that of
    /// the one. `None` where an order that was asked for has no choice.
    pub fn outcome(&self) -> Option<Outcome> {
        match self.orders {
            [Some(_), Some(_)] => self.both().map(|[first, second]| agreed(first, second)),
            [Some(one), None] | [None, Some(one)] => one.outcome(),
            [None, None] => None,
        }
    }

    /// What it adds to the votes.
    ///
    /// # Errors
    /// [`Error::TooMany`] where both orders are there under [`PositionPolicy::Single`].
    pub(crate) fn ballot(&self, policy: PositionPolicy) -> Result<Ballot> {
        let outcomes = self.orders.map(|order| order.and_then(Comparison::outcome));
        let unscored = self.orders.map(|order| order.and_then(reason));
        let n_asked = self.orders.iter().flatten().count();
        match policy {
            PositionPolicy::Single if n_asked > 1 => Err(Error::TooMany {
                what: "orders of one comparison under the policy `single`",
                most: 1,
                got: n_asked as u64,
            }),
            PositionPolicy::Single => Ok(Ballot {
                outcomes,
                unscored,
                ..Ballot::default()
            }),
            PositionPolicy::Pooled => Ok(Ballot {
                outcomes,
                unscored,
                incomplete: n_asked < 2,
                inconsistent: false,
            }),
            PositionPolicy::Strict => Ok(self.strict(unscored, n_asked)),
        }
    }

    /// One vote, or one missing vote with the first reason that is there.
    fn strict(&self, unscored: [Option<UnscoredReason>; 2], n_asked: usize) -> Ballot {
        match self.both() {
            Some([first, second]) => Ballot {
                outcomes: [Some(agreed(first, second)), None],
                inconsistent: first != second,
                ..Ballot::default()
            },
            None => Ballot {
                unscored: [unscored[0].or(unscored[1]), None],
                incomplete: n_asked < 2,
                ..Ballot::default()
            },
        }
    }
}

/// The outcome of two orders.
fn agreed(first: Outcome, second: Outcome) -> Outcome {
    if first == second { first } else { Outcome::Tie }
}

fn reason(comparison: &Comparison) -> Option<UnscoredReason> {
    match comparison.choice {
        Choice::Unscored { reason } => Some(reason),
        _ => None,
    }
}

/// How much the order of showing decides.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PositionReport {
    /// Comparisons scored in both orders, by the outcome with the model first (row) and with the baseline first
    /// (column): win, tie, loss.
    pub table: [[u64; 3]; 3],
    /// The share of them whose outcome differs between the orders; `None` without any.
    pub flips: Option<Rate>,
    /// The share of them won in one order and lost in the other.
    pub reversals: Option<Rate>,
    /// Of all choices that are no tie, the share for the image shown first: 0.5 for a fair judge who saw each
    /// two images in both orders.
    pub first_picks: Option<Rate>,
    /// The index with the model first, and with the baseline first; `None` where an order was never scored.
    pub by_order: [Option<RsiIndex>; 2],
}

/// Measures how much the order of showing decides. Intervals go over prompts.
///
/// # Errors
/// Those of [`items`].
///
/// # Source
/// Flips are the complement of position consistency, first picks are the preference for a position, in Shi et
/// al., "Judging the judges: a systematic study of position bias" (arXiv 2406.07791).
pub fn position_report(comparisons: &[Comparison], level: Level) -> Result<PositionReport> {
    let items = items(comparisons)?;
    let mut table = [[0; 3]; 3];
    let mut flips = ByPrompt::default();
    let mut reversals = ByPrompt::default();
    let mut first_picks = ByPrompt::default();
    let mut orders: [BTreeMap<&PromptId, Vec<Outcome>>; 2] = Default::default();
    for item in &items {
        if let Some([first, second]) = item.both() {
            table[first as usize][second as usize] += 1;
            flips.add(item.prompt_id, first != second);
            reversals.add(item.prompt_id, first != second && first.reversed() == second);
        }
        for (order, comparison) in item.orders.into_iter().enumerate() {
            let Some(comparison) = comparison else { continue };
            if matches!(comparison.choice, Choice::First | Choice::Second) {
                first_picks.add(item.prompt_id, comparison.choice == Choice::First);
            }
            if let Some(outcome) = comparison.outcome() {
                orders[order].entry(item.prompt_id).or_default().push(outcome);
            }
        }
    }
    let [model_first, baseline_first] = orders;
    Ok(PositionReport {
        table,
        flips: flips.rate(level)?,
        reversals: reversals.rate(level)?,
        first_picks: first_picks.rate(level)?,
        by_order: [index(&model_first, level)?, index(&baseline_first, level)?],
    })
}

fn index(prompts: &BTreeMap<&PromptId, Vec<Outcome>>, level: Level) -> Result<Option<RsiIndex>> {
    let clusters: Vec<RsiCounts> = prompts
        .values()
        .map(|outcomes| RsiCounts::of(outcomes.iter().copied()))
        .collect();
    match clusters.is_empty() {
        true => Ok(None),
        false => rsi::from_clusters(&clusters, level).map(Some),
    }
}

/// A proportion that is counted prompt by prompt.
#[derive(Default)]
struct ByPrompt<'a>(BTreeMap<&'a PromptId, ClusterCount>);

impl<'a> ByPrompt<'a> {
    fn add(&mut self, prompt: &'a PromptId, is_hit: bool) {
        let count = self.0.entry(prompt).or_default();
        count.n += 1;
        count.hits += u64::from(is_hit);
    }

    fn rate(self, level: Level) -> Result<Option<Rate>> {
        let clusters: Vec<ClusterCount> = self.0.into_values().collect();
        match clusters.is_empty() {
            true => Ok(None),
            false => Rate::clustered(&clusters, level).map(Some),
        }
    }
}

/// [`Order`] as a place in [`Item::orders`].
const _: () = assert!(Order::ModelFirst as usize == 0 && Order::BaselineFirst as usize == 1);
