//! Two models on the same prompts and seeds: the difference of their error rates.

use std::collections::BTreeMap;

use asap_core::{Judgement, PromptId, Topic, Verdict};
use serde::{Deserialize, Serialize};

use super::aer::{check_unique, key};
use super::cells::{Table, only};
use super::exact::{CoinTest, cluster_sign_test, coin_test, holm};
use super::{Bootstrap, Error, Interval, Level, Result, wilson};

/// Pairs of verdicts on the same prompt and seed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PairedCounts {
    /// Both images fail.
    pub both_fail: u64,
    /// The model's fails, the baseline's passes.
    pub model_only: u64,
    /// The baseline's fails, the model's passes.
    pub baseline_only: u64,
    /// Both pass.
    pub both_pass: u64,
}

impl PairedCounts {
    /// All pairs.
    pub const fn n(&self) -> u64 {
        self.both_fail + self.model_only + self.baseline_only + self.both_pass
    }

    /// AER of the model less AER of the baseline; `None` without pairs.
    pub fn difference(&self) -> Option<f64> {
        let n = self.n() as f64;
        (n > 0.0).then(|| net(self) / n)
    }
}

/// The comparison of two error rates over some of the pairs.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct PairedAer {
    /// The pairs.
    pub counts: PairedCounts,
    /// Pairs in which one image, or both, has no verdict. They are in nothing else here.
    pub n_unscored: u64,
    /// Prompts with a scored pair.
    pub n_prompts: u64,
    /// AER of the model less AER of the baseline: negative where the model is better. `None` without pairs.
    pub difference: Option<f64>,
    /// Newcombe's interval of the difference; `None` where a prompt has several pairs, for it takes pairs to be
    /// independent.
    pub newcombe: Option<Interval>,
    /// The percentile interval over prompts; `None` with fewer than two prompts.
    pub bootstrap: Option<Interval>,
    /// McNemar's exact test. It takes pairs to be independent: see [`PairedAer::p`].
    pub mcnemar: CoinTest,
    /// The p-value of the cluster-robust test over prompts.
    pub clustered_p: f64,
    /// [`PairedAer::p`] corrected for the number of categories; in categories only.
    pub holm_p: Option<f64>,
}

impl PairedAer {
    /// The p-value to report: McNemar's exact one with one pair for each prompt, else the clustered one.
    pub fn p(&self) -> f64 {
        if self.n_prompts == self.counts.n() {
            self.mcnemar.p
        } else {
            self.clustered_p
        }
    }
}

/// [`PairedAer`] of two models under one protocol.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PairedAerReport {
    /// The model.
    pub model: String,
    /// What it is compared with.
    pub baseline: String,
    /// Judgements of either model that have no partner of the same prompt, seed, judge and repeat.
    pub n_unmatched: u64,
    /// How the bootstrap was made.
    pub bootstrap: Bootstrap,
    /// Everything; by category, Holm-corrected over them; by subcategory.
    pub table: Table<PairedAer>,
}

/// One prompt and seed by one judge: whether each model fails there, `None` where there is no verdict.
struct Pair<'a> {
    prompt: &'a PromptId,
    topic: &'a Topic,
    fails: Option<(bool, bool)>,
}

/// Compares the error rates of two models over the prompts and seeds that both have.
///
/// # Errors
/// [`Error::TooFew`] where a list is empty or nothing matches, [`Error::Mixed`] where a list has several models
/// or the lists several protocols, [`Error::Duplicate`] as [`super::aer::aer_report`].
pub fn paired_aer(
    model: &[Judgement],
    baseline: &[Judgement],
    bootstrap: &Bootstrap,
) -> Result<PairedAerReport> {
    let model_name = only("model", model.iter().map(|judgement| &judgement.sample.model))?;
    let baseline_name = only(
        "baseline",
        baseline.iter().map(|judgement| &judgement.sample.model),
    )?;
    only(
        "protocol",
        model.iter().chain(baseline).map(|judgement| &judgement.protocol),
    )?;
    check_unique(model)?;
    check_unique(baseline)?;
    let pairs = matched(model, baseline);
    if pairs.is_empty() {
        return Err(Error::TooFew {
            what: "prompts and seeds judged for both models",
            least: 1,
            got: 0,
        });
    }
    let mut table = Table::build(&pairs, |pair| pair.topic, |cell| paired_cell(cell, bootstrap))?;
    let p_values: Vec<f64> = table.categories.iter().map(|(_, cell)| cell.p()).collect();
    for ((_, cell), p) in table.categories.iter_mut().zip(holm(&p_values)) {
        cell.holm_p = Some(p);
    }
    Ok(PairedAerReport {
        model: model_name.clone(),
        baseline: baseline_name.clone(),
        n_unmatched: (model.len() + baseline.len() - 2 * pairs.len()) as u64,
        bootstrap: *bootstrap,
        table,
    })
}

fn matched<'a>(model: &'a [Judgement], baseline: &'a [Judgement]) -> Vec<Pair<'a>> {
    let partners: BTreeMap<_, _> = baseline
        .iter()
        .map(|judgement| (key(judgement), judgement))
        .collect();
    let fails = |verdict: &Verdict| match verdict {
        Verdict::Fail => Some(true),
        Verdict::Pass => Some(false),
        Verdict::Unscored { .. } => None,
    };
    model
        .iter()
        .filter_map(|judgement| {
            let partner = partners.get(&key(judgement))?;
            Some(Pair {
                prompt: &judgement.sample.prompt_id,
                topic: &judgement.topic,
                fails: fails(&judgement.verdict).zip(fails(&partner.verdict)),
            })
        })
        .collect()
}

fn paired_cell(pairs: &[&Pair<'_>], bootstrap: &Bootstrap) -> Result<PairedAer> {
    let mut prompts: BTreeMap<&PromptId, PairedCounts> = BTreeMap::new();
    for pair in pairs {
        let Some(fails) = pair.fails else { continue };
        let counts = prompts.entry(pair.prompt).or_default();
        *match fails {
            (true, true) => &mut counts.both_fail,
            (true, false) => &mut counts.model_only,
            (false, true) => &mut counts.baseline_only,
            (false, false) => &mut counts.both_pass,
        } += 1;
    }
    let clusters: Vec<PairedCounts> = prompts.into_values().collect();
    let counts = sum(&clusters);
    let one_each = counts.n() == clusters.len() as u64;
    Ok(PairedAer {
        counts,
        n_unscored: pairs.len() as u64 - counts.n(),
        n_prompts: clusters.len() as u64,
        difference: counts.difference(),
        newcombe: match one_each && counts.n() > 0 {
            true => Some(newcombe(&counts, bootstrap.level)?),
            false => None,
        },
        bootstrap: match clusters.len() {
            0 | 1 => None,
            _ => Some(difference_bootstrap(&clusters, bootstrap)?),
        },
        mcnemar: coin_test(counts.model_only, counts.baseline_only),
        clustered_p: cluster_sign_test(clusters.iter().map(net)),
        holm_p: None,
    })
}

/// Failures of the model alone less those of the baseline alone.
fn net(counts: &PairedCounts) -> f64 {
    counts.model_only as f64 - counts.baseline_only as f64
}

fn sum(clusters: &[PairedCounts]) -> PairedCounts {
    clusters
        .iter()
        .fold(PairedCounts::default(), |a, b| PairedCounts {
            both_fail: a.both_fail + b.both_fail,
            model_only: a.model_only + b.model_only,
            baseline_only: a.baseline_only + b.baseline_only,
            both_pass: a.both_pass + b.both_pass,
        })
}

/// Newcombe's interval of a difference of paired proportions.
///
/// With Wilson limits (l1, u1) and (l2, u2) of both rates p1 and p2 and phi their correlation:
/// `low = d - sqrt((p1-l1)² - 2 phi (p1-l1)(u2-p2) + (u2-p2)²)` and
/// `high = d + sqrt((p2-l2)² - 2 phi (p2-l2)(u1-p1) + (u1-p1)²)`. A positive `ad - bc` is first made smaller by
/// n/2, not below 0; phi is 0 where a margin is empty.
///
/// # Errors
/// [`Error::TooFew`] without pairs.
///
/// # Source
/// Newcombe, "Improved confidence intervals for the difference between binomial proportions based on paired
/// data", Statistics in Medicine 17 (1998), method 10.
pub fn newcombe(counts: &PairedCounts, level: Level) -> Result<Interval> {
    let n = counts.n();
    let (fails_1, fails_2) = (
        counts.both_fail + counts.model_only,
        counts.both_fail + counts.baseline_only,
    );
    let (first, second) = (wilson(fails_1, n, level)?, wilson(fails_2, n, level)?);
    let (p1, p2) = (fails_1 as f64 / n as f64, fails_2 as f64 / n as f64);
    let phi = corrected_phi(counts);
    let half = |a: f64, b: f64| (a * a - 2.0 * phi * a * b + b * b).max(0.0).sqrt();
    Ok(Interval {
        low: p1 - p2 - half(p1 - first.low, second.high - p2),
        high: p1 - p2 + half(p2 - second.low, first.high - p1),
    })
}

fn corrected_phi(counts: &PairedCounts) -> f64 {
    let [a, b, c, d] = [
        counts.both_fail,
        counts.model_only,
        counts.baseline_only,
        counts.both_pass,
    ]
    .map(|count| count as f64);
    let margins = (a + b) * (c + d) * (a + c) * (b + d);
    if margins == 0.0 {
        return 0.0;
    }
    let product = a * d - b * c;
    let corrected = if product > 0.0 {
        (product - 0.5 * (a + b + c + d)).max(0.0)
    } else {
        product
    };
    corrected / margins.sqrt()
}

/// The percentile interval of the difference over prompts drawn with replacement.
fn difference_bootstrap(clusters: &[PairedCounts], bootstrap: &Bootstrap) -> Result<Interval> {
    let terms: Vec<(f64, f64)> = clusters
        .iter()
        .map(|counts| (net(counts), counts.n() as f64))
        .collect();
    bootstrap
        .items("paired_aer", terms.len(), |drawn| {
            let (difference, n) = drawn.iter().zip(&terms).fold((0.0, 0.0), |sum, (times, term)| {
                let times = f64::from(*times);
                (sum.0 + times * term.0, sum.1 + times * term.1)
            });
            Some(difference / n)
        })
        .interval(bootstrap.level)
}
