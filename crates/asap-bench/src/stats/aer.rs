//! The anatomical error rate of one model, with everything that a reader needs to trust it.

use std::collections::{BTreeMap, BTreeSet};

use asap_core::{AerCounts, Category, Judge, Judgement, PromptId, UnscoredReason, Verdict};
use serde::{Deserialize, Serialize};

use super::cells::{Table, only};
use super::{ClusterCount, Error, Interval, Level, Rate, Result};

/// The least share of scored images at which a rate is shown as a headline.
///
/// Below it the images without a verdict can move the rate by more than the gaps that the paper reports.
pub const MIN_COVERAGE: f64 = 0.98;

/// Whether a rate over too few scored images may be a headline all the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HeadlinePolicy {
    /// Refuse it under [`MIN_COVERAGE`].
    Guarded,
    /// Show it, marked as forced.
    Forced,
}

/// Whether a rate may stand at the head of a table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Headline {
    /// Yes.
    Fit,
    /// Coverage is under [`MIN_COVERAGE`]; it is shown because the user asked for it.
    Forced,
    /// Coverage is under [`MIN_COVERAGE`].
    Refused,
    /// Nothing was scored.
    Empty,
}

/// The anatomical error rate over some of the judgements.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AerCell {
    /// Failures, passes and unscored.
    pub counts: AerCounts,
    /// The unscored ones by reason; a reason that is not there was not met.
    pub unscored: BTreeMap<UnscoredReason, u64>,
    /// Prompts with at least one verdict.
    pub n_prompts: u64,
    /// Scored over all, 0 to 1; `None` where there is nothing.
    pub coverage: Option<f64>,
    /// The rate over scored images with its interval; `None` where nothing was scored.
    pub aer: Option<Rate>,
    /// The rate if all unscored images passed, and if all failed.
    pub worst_case: Option<Interval>,
    /// Whether the rate may be a headline.
    pub headline: Headline,
}

/// [`AerCell`]s of one model under one protocol.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AerReport {
    /// The model.
    pub model: String,
    /// The protocol.
    pub protocol: String,
    /// The level of the intervals.
    pub level: Level,
    /// Everything; by category; by subcategory.
    pub table: Table<AerCell>,
}

/// Computes the error rate of one model: overall, by category, by subcategory.
///
/// Each scored judgement counts once, so several seeds, judges and repeats weigh by their number; the interval
/// is Wilson's where no prompt has more than one, and goes over prompts otherwise ([`Rate::clustered`]).
///
/// # Errors
/// [`Error::TooFew`] without judgements, [`Error::Mixed`] where they have several models or protocols,
/// [`Error::Duplicate`] where a judge has judged one sample twice under one repeat number.
///
/// # Source
/// §5.2, Eq. 7; see [`AerCounts::aer`] for the denominator.
pub fn aer_report(judgements: &[Judgement], level: Level, policy: HeadlinePolicy) -> Result<AerReport> {
    let model = only(
        "model",
        judgements.iter().map(|judgement| &judgement.sample.model),
    )?;
    let protocol = only("protocol", judgements.iter().map(|judgement| &judgement.protocol))?;
    check_unique(judgements)?;
    let table = Table::build(
        judgements,
        |judgement| &judgement.topic,
        |cell| aer_cell(cell, level, policy),
    )?;
    Ok(AerReport {
        model: model.clone(),
        protocol: protocol.clone(),
        level,
        table,
    })
}

impl AerReport {
    /// The cell of a category.
    pub fn category(&self, category: Category) -> Option<&AerCell> {
        self.table.category(category)
    }
}

/// The error rate over these judgements, whatever they are.
///
/// # Errors
/// None that well-formed judgements can cause.
pub fn aer_cell(judgements: &[&Judgement], level: Level, policy: HeadlinePolicy) -> Result<AerCell> {
    let mut unscored = BTreeMap::new();
    let mut prompts: BTreeMap<&PromptId, ClusterCount> = BTreeMap::new();
    for judgement in judgements {
        if let Verdict::Unscored { reason } = judgement.verdict {
            *unscored.entry(reason).or_insert(0) += 1;
            continue;
        }
        let cluster = prompts.entry(&judgement.sample.prompt_id).or_default();
        cluster.n += 1;
        cluster.hits += u64::from(judgement.verdict == Verdict::Fail);
    }
    let counts = AerCounts::of(judgements.iter().map(|judgement| &judgement.verdict));
    let clusters: Vec<ClusterCount> = prompts.into_values().collect();
    let aer = match clusters.is_empty() {
        true => None,
        false => Some(Rate::clustered(&clusters, level)?),
    };
    let (scored, all) = (counts.failures + counts.passes, judgements.len() as f64);
    let coverage = (!judgements.is_empty()).then(|| scored as f64 / all);
    Ok(AerCell {
        counts,
        unscored,
        n_prompts: clusters.len() as u64,
        coverage,
        aer,
        worst_case: (!judgements.is_empty()).then(|| Interval {
            low: counts.failures as f64 / all,
            high: (counts.failures + counts.unscored) as f64 / all,
        }),
        headline: headline(scored, coverage, policy),
    })
}

fn headline(scored: u64, coverage: Option<f64>, policy: HeadlinePolicy) -> Headline {
    match (coverage, policy) {
        (None, _) => Headline::Empty,
        _ if scored == 0 => Headline::Empty,
        (Some(share), _) if share >= MIN_COVERAGE => Headline::Fit,
        (_, HeadlinePolicy::Forced) => Headline::Forced,
        (_, HeadlinePolicy::Guarded) => Headline::Refused,
    }
}

/// What a judgement is about, and who made it for which time.
type Key<'a> = (&'a PromptId, u64, &'a Judge, u32);

/// The key of a judgement of one model.
pub(crate) fn key(judgement: &Judgement) -> Key<'_> {
    let sample = &judgement.sample;
    (&sample.prompt_id, sample.seed, &judgement.judge, judgement.repeat)
}

/// Refuses two judgements under one key.
pub(crate) fn check_unique(judgements: &[Judgement]) -> Result<()> {
    let mut seen = BTreeSet::new();
    match judgements.iter().find(|judgement| !seen.insert(key(judgement))) {
        None => Ok(()),
        Some(twice) => Err(Error::Duplicate {
            what: format!(
                "prompt `{}`, seed {}, repeat {} of model `{}` by {:?}",
                twice.sample.prompt_id, twice.sample.seed, twice.repeat, twice.sample.model, twice.judge
            ),
        }),
    }
}
