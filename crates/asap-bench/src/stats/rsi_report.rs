//! The relative superiority index of a model over a baseline, with everything that a reader needs to trust it.

use std::collections::{BTreeMap, BTreeSet};

use asap_core::{Comparison, Judge, PromptId, RsiCounts, UnscoredReason};
use serde::{Deserialize, Serialize};

use super::cells::{Table, only};
use super::exact::{CoinTest, cluster_sign_test, coin_test};
use super::position::{Item, PositionPolicy, items};
use super::rsi::{self, RsiIndex};
use super::votes::{RsiBootstrap, Vote, Votes};
use super::{Bootstrap, ClusterCount, Level, Rate, Result};

/// The index over some of the comparisons.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RsiCell {
    /// Wins, ties and losses: votes, or half votes under [`PositionPolicy::Pooled`].
    pub counts: RsiCounts,
    /// Votes that are missing, by reason; half votes under [`PositionPolicy::Pooled`].
    pub unscored: BTreeMap<UnscoredReason, u64>,
    /// Comparisons that were asked for in one order where the policy needs both.
    pub n_incomplete: u64,
    /// Ties made of orders that disagree.
    pub n_inconsistent: u64,
    /// Prompts with at least one vote.
    pub n_prompts: u64,
    /// Judges with at least one vote.
    pub n_raters: u64,
    /// The index with its interval, over prompts where one has several votes; `None` without votes.
    pub index: Option<RsiIndex>,
    /// The interval over prompts drawn with replacement; `None` with fewer than two prompts.
    pub prompt_bootstrap: Option<RsiBootstrap>,
    /// The interval over prompts and raters; `None` with fewer than two of either.
    pub two_way_bootstrap: Option<RsiBootstrap>,
    /// T / n. The index shrinks towards 1 as it grows.
    pub tie_share: Option<f64>,
    /// n / T, the highest index that so many ties allow; `None` without ties.
    pub ceiling: Option<f64>,
    /// (W - L) / n.
    pub net_win_rate: Option<f64>,
    /// W / (W + L) with its interval; `None` without decisive votes.
    pub win_rate: Option<Rate>,
    /// The sign test on decisive votes. It takes them to be independent: see [`RsiCell::p`].
    pub sign_test: CoinTest,
    /// The p-value of the cluster-robust sign test over prompts.
    pub clustered_p: f64,
}

impl RsiCell {
    /// The p-value to report: that of the exact sign test with one vote for each prompt, else the clustered one.
    pub fn p(&self) -> f64 {
        if self.n_prompts == rsi::size(&self.counts) {
            self.sign_test.p
        } else {
            self.clustered_p
        }
    }
}

/// [`RsiCell`]s of one model over one baseline under one protocol.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RsiReport {
    /// The model.
    pub model: String,
    /// What it is compared with.
    pub baseline: String,
    /// The protocol.
    pub protocol: String,
    /// What the answers in two orders count as.
    pub policy: PositionPolicy,
    /// How the bootstraps were made; their level is that of all intervals.
    pub bootstrap: Bootstrap,
    /// Everything; by category; by subcategory.
    pub table: Table<RsiCell>,
}

/// Computes the index of one model over one baseline: overall, by category, by subcategory.
///
/// # Errors
/// Those of [`items`], and [`super::Error::TooMany`] where both orders are there under
/// [`PositionPolicy::Single`].
///
/// # Source
/// §5.2, Eq. 8. The paper names no rule for two orders: hence [`PositionPolicy`].
pub fn rsi_report(
    comparisons: &[Comparison],
    policy: PositionPolicy,
    bootstrap: &Bootstrap,
) -> Result<RsiReport> {
    let items = items(comparisons)?;
    let table = Table::build(
        &items,
        |item| item.topic,
        |cell| rsi_cell(cell, policy, bootstrap),
    )?;
    Ok(RsiReport {
        model: only("model", comparisons.iter().map(|comparison| &comparison.model))?.clone(),
        baseline: only(
            "baseline",
            comparisons.iter().map(|comparison| &comparison.baseline),
        )?
        .clone(),
        protocol: only(
            "protocol",
            comparisons.iter().map(|comparison| &comparison.protocol),
        )?
        .clone(),
        policy,
        bootstrap: *bootstrap,
        table,
    })
}

/// The votes of items under a policy, as the bootstraps take them.
///
/// # Errors
/// [`super::Error::TooMany`] where both orders are there under [`PositionPolicy::Single`].
pub fn votes(items: &[&Item<'_>], policy: PositionPolicy) -> Result<Votes> {
    let prompts: BTreeSet<&PromptId> = items.iter().map(|item| item.prompt_id).collect();
    let raters: BTreeSet<&Judge> = items.iter().map(|item| item.judge).collect();
    let prompts: BTreeMap<_, u32> = prompts.into_iter().zip(0..).collect();
    let raters: BTreeMap<_, u32> = raters.into_iter().zip(0..).collect();
    let mut votes = Vec::with_capacity(items.len());
    for item in items {
        let outcomes = item.ballot(policy)?.outcomes.into_iter().flatten();
        votes.extend(outcomes.map(|outcome| Vote {
            prompt: prompts[item.prompt_id],
            rater: raters[item.judge],
            outcome,
        }));
    }
    Ok(Votes::new(&votes))
}

fn rsi_cell(items: &[&Item<'_>], policy: PositionPolicy, bootstrap: &Bootstrap) -> Result<RsiCell> {
    let votes = votes(items, policy)?;
    let mut unscored = BTreeMap::new();
    let (mut n_incomplete, mut n_inconsistent) = (0, 0);
    for item in items {
        let ballot = item.ballot(policy)?;
        for reason in ballot.unscored.into_iter().flatten() {
            *unscored.entry(reason).or_insert(0) += 1;
        }
        n_incomplete += u64::from(ballot.incomplete);
        n_inconsistent += u64::from(ballot.inconsistent);
    }
    let cell = votes_cell(&votes, bootstrap)?;
    Ok(RsiCell {
        unscored,
        n_incomplete,
        n_inconsistent,
        ..cell
    })
}

/// The index over votes that are not of this crate's logs, such as those of a voting page.
///
/// # Errors
/// None that well-formed votes can cause.
pub fn votes_cell(votes: &Votes, bootstrap: &Bootstrap) -> Result<RsiCell> {
    let clusters = votes.by_prompt();
    let counts = rsi::total(&clusters);
    let (n, ties) = (votes.len() as f64, counts.ties as f64);
    let many_prompts = votes.n_prompts() > 1;
    let some = |value: f64| (!votes.is_empty()).then_some(value);
    Ok(RsiCell {
        counts,
        unscored: BTreeMap::new(),
        n_incomplete: 0,
        n_inconsistent: 0,
        n_prompts: votes.n_prompts() as u64,
        n_raters: votes.n_raters() as u64,
        index: when(!votes.is_empty(), || {
            rsi::from_clusters(&clusters, bootstrap.level)
        })?,
        prompt_bootstrap: when(many_prompts, || votes.prompt_bootstrap(bootstrap))?,
        two_way_bootstrap: when(many_prompts && votes.n_raters() > 1, || {
            votes.two_way_bootstrap(bootstrap)
        })?,
        tie_share: some(ties / n),
        ceiling: (counts.ties > 0).then(|| n / ties),
        net_win_rate: some((counts.wins as f64 - counts.losses as f64) / n),
        win_rate: when(counts.wins + counts.losses > 0, || {
            win_rate(&clusters, bootstrap.level)
        })?,
        sign_test: coin_test(counts.wins, counts.losses),
        clustered_p: cluster_sign_test(
            clusters
                .iter()
                .map(|counts| counts.wins as f64 - counts.losses as f64),
        ),
    })
}

/// The share of wins among decisive votes, over prompts.
fn win_rate(clusters: &[RsiCounts], level: Level) -> Result<Rate> {
    let decisive: Vec<ClusterCount> = clusters
        .iter()
        .map(|counts| ClusterCount {
            hits: counts.wins,
            n: counts.wins + counts.losses,
        })
        .collect();
    Rate::clustered(&decisive, level)
}

/// A figure that exists under a condition.
fn when<T>(condition: bool, figure: impl FnOnce() -> Result<T>) -> Result<Option<T>> {
    condition.then(figure).transpose()
}
