//! What of a statistic may be shown: one place decides, and tables, plots and figures ask it.

use asap_core::{Category, RsiCounts, Topic};

use super::plot::Estimate;
use super::status::Status;
use crate::stats::aer::{AerCell, Headline, HeadlinePolicy, MIN_COVERAGE};
use crate::stats::paired_aer::PairedAer;
use crate::stats::rsi::RsiValue;
use crate::stats::rsi_report::RsiCell;
use crate::stats::{Interval, Rate, Table};

/// Which part of the benchmark a figure is about.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Scope {
    Overall,
    Category(Category),
    Subcategory(Topic),
}

impl Scope {
    /// The name for programs: `overall`, `full_body`, `full_body/dance`.
    pub(super) fn key(&self) -> String {
        match self {
            Self::Overall => "overall".to_owned(),
            Self::Category(category) => category.name().to_owned(),
            Self::Subcategory(topic) => format!("{}/{}", topic.category.name(), topic.subcategory),
        }
    }

    /// The name for people.
    pub(super) fn title(&self) -> String {
        match self {
            Self::Overall => "Overall".to_owned(),
            Self::Category(category) => category.title().to_owned(),
            Self::Subcategory(topic) => topic.subcategory.replace('_', " "),
        }
    }
}

/// The cells of a table with their scopes: overall, categories, subcategories.
pub(super) fn cells<T>(table: &Table<T>) -> Vec<(Scope, &T)> {
    let overall = std::iter::once((Scope::Overall, &table.overall));
    let categories = table
        .categories
        .iter()
        .map(|(category, cell)| (Scope::Category(*category), cell));
    let rest = table
        .subcategories
        .iter()
        .map(|(topic, cell)| (Scope::Subcategory(topic.clone()), cell));
    overall.chain(categories).chain(rest).collect()
}

/// The cell of a scope.
pub(super) fn cell_of<'a, T>(table: &'a Table<T>, scope: &Scope) -> Option<&'a T> {
    cells(table)
        .into_iter()
        .find(|(found, _)| found == scope)
        .map(|(_, cell)| cell)
}

/// The rate of a cell, unless too few of its images were scored.
pub(super) fn shown_rate(cell: &AerCell) -> Option<&Rate> {
    cell.aer.as_ref().filter(|_| cell.headline != Headline::Refused)
}

pub(super) fn rate_estimate(rate: &Rate) -> Estimate {
    Estimate {
        value: rate.value,
        interval: Some(ends(rate.interval)),
    }
}

pub(super) const fn ends(interval: Interval) -> [f64; 2] {
    [interval.low, interval.high]
}

pub(super) fn aer_estimate(cell: &AerCell) -> Option<Estimate> {
    shown_rate(cell).map(rate_estimate)
}

pub(super) fn aer_status(cell: &AerCell) -> Status {
    let interval = cell.aer.as_ref().map(|rate| rate.interval);
    Status::of_rate(
        cell.coverage.filter(|_| cell.aer.is_some()),
        cell.n_prompts,
        interval,
    )
}

/// The interval to report: over prompts where a prompt has several pairs, else Newcombe's.
pub(super) fn paired_interval(cell: &PairedAer) -> Option<Interval> {
    cell.newcombe.or(cell.bootstrap)
}

/// The difference of two rates, unless too few of the pairs have two verdicts.
pub(super) fn paired_estimate(cell: &PairedAer, policy: HeadlinePolicy) -> Option<Estimate> {
    let value = cell.difference.filter(|_| !paired_is_withheld(cell, policy))?;
    Some(Estimate {
        value,
        interval: paired_interval(cell).map(ends),
    })
}

/// Whether too many verdicts are missing for a difference to be shown.
pub(super) fn paired_is_withheld(cell: &PairedAer, policy: HeadlinePolicy) -> bool {
    is_refused(paired_coverage(cell), policy)
}

fn is_refused(coverage: Option<f64>, policy: HeadlinePolicy) -> bool {
    policy == HeadlinePolicy::Guarded && coverage.is_some_and(|coverage| coverage < MIN_COVERAGE)
}

/// The share of pairs in which both images have a verdict.
pub(super) fn paired_coverage(cell: &PairedAer) -> Option<f64> {
    share(cell.counts.n(), cell.n_unscored)
}

pub(super) fn paired_status(cell: &PairedAer) -> Status {
    Status::of_rate(paired_coverage(cell), cell.n_prompts, paired_interval(cell))
}

/// Votes that were cast.
pub(super) const fn n_votes(counts: &RsiCounts) -> u64 {
    counts.wins + counts.ties + counts.losses
}

/// The share of votes that were cast among those that were asked for.
pub(super) fn rsi_coverage(cell: &RsiCell) -> Option<f64> {
    share(
        n_votes(&cell.counts),
        cell.unscored.values().sum::<u64>() + cell.n_incomplete,
    )
}

fn share(there: u64, missing: u64) -> Option<f64> {
    (there + missing > 0).then(|| there as f64 / (there + missing) as f64)
}

/// Whether too many votes are missing for an index to be shown.
pub(super) fn rsi_is_withheld(cell: &RsiCell, policy: HeadlinePolicy) -> bool {
    is_refused(rsi_coverage(cell), policy)
}

/// The index of a cell as it is drawn: no value where it is infinite, no interval where an end is.
pub(super) fn rsi_estimate(cell: &RsiCell, policy: HeadlinePolicy) -> Option<Estimate> {
    let index = cell.index.filter(|_| !rsi_is_withheld(cell, policy))?;
    let value = index.value.finite()?;
    let interval = index.interval.high.map(|high| [index.interval.low, high]);
    Some(Estimate { value, interval })
}

/// The index for people.
pub(super) fn rsi_text(cell: &RsiCell, policy: HeadlinePolicy) -> Option<String> {
    let index = cell.index.filter(|_| !rsi_is_withheld(cell, policy))?;
    Some(match index.value {
        RsiValue::Finite(value) => format!("{value:.2}"),
        RsiValue::Infinite => "∞".to_owned(),
    })
}

/// The interval of the index for people.
pub(super) fn rsi_interval_text(cell: &RsiCell, policy: HeadlinePolicy) -> Option<String> {
    let index = cell.index.filter(|_| !rsi_is_withheld(cell, policy))?;
    let low = index.interval.low;
    Some(match index.interval.high {
        Some(high) => format!("{low:.2}–{high:.2}"),
        None => format!("{low:.2} or more"),
    })
}

pub(super) fn rsi_status(cell: &RsiCell) -> Status {
    let Some(index) = &cell.index else {
        return Status::NotComputed;
    };
    Status::of_index(
        rsi_coverage(cell),
        cell.n_prompts,
        (index.interval.low, index.interval.high),
    )
}

/// P(RSI > 1) of the bootstrap that fits: over prompts and raters where there are several raters.
pub(super) fn p_above_1(cell: &RsiCell) -> Option<f64> {
    let bootstrap = cell.two_way_bootstrap.as_ref().or(cell.prompt_bootstrap.as_ref());
    bootstrap.map(|bootstrap| bootstrap.p_above_1)
}
