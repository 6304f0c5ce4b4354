//! All statistics of a report, asked of [`crate::stats`] over the logs. Nothing is computed anywhere else.

use std::collections::BTreeMap;

use asap_core::{Comparison, Judge, Judgement};

use super::config::Options;
use super::human::{self, HumanSide};
use super::log::{CallRow, Log};
use super::quality::{self, ScorerBoard};
use crate::Result;
use crate::stats::aer::{AerReport, aer_report};
use crate::stats::exact::holm;
use crate::stats::paired_aer::{PairedAerReport, paired_aer};
use crate::stats::position::{PositionPolicy, PositionReport, position_report};
use crate::stats::rsi_report::{RsiReport, rsi_report};

/// A model's comparison with the baseline on the same prompts and seeds.
#[derive(Clone, Debug, PartialEq)]
pub struct Paired {
    /// What the statistics say.
    pub report: PairedAerReport,
    /// The overall p-value, corrected for the number of models that are compared with the baseline.
    pub holm_over_models: f64,
}

/// How the order of showing decides, for one model.
#[derive(Clone, Debug, PartialEq)]
pub struct Position {
    /// The model.
    pub model: String,
    /// What the statistics say.
    pub report: PositionReport,
}

/// Everything that a report shows.
#[derive(Clone, Debug, PartialEq)]
pub struct Analysis {
    /// The models, in the order of the tables.
    pub models: Vec<String>,
    /// What the others are compared with.
    pub baseline: Option<String>,
    /// Error rates by the judge, of the models that were judged.
    pub aer: Vec<AerReport>,
    /// Differences to the baseline.
    pub paired: Vec<Paired>,
    /// Indices over the baseline by the judge.
    pub rsi: Vec<RsiReport>,
    /// Bias for a position.
    pub position: Vec<Position>,
    /// What people said, and how the judge agrees with them.
    pub human: HumanSide,
    /// Learned scores, the guard against errors bought with quality.
    pub quality: Vec<ScorerBoard>,
    /// What the judge cost.
    pub calls: Vec<CallRow>,
}

impl Analysis {
    /// Computes everything that the logs hold; what they do not hold is absent.
    ///
    /// # Errors
    /// Those of [`crate::stats`], for logs that contradict themselves.
    pub fn of(log: &Log, models: &[String], options: &Options) -> Result<Self> {
        let is_judge = |judge: &Judge| options.judge.is(judge);
        let judged = by_model(
            log.judgements
                .iter()
                .filter(|row| is_judge(&row.judge) && Some(&row.protocol) == options.aer_protocol.as_ref()),
        );
        let compared = over_baseline(
            log.comparisons
                .iter()
                .filter(|row| is_judge(&row.judge) && Some(&row.protocol) == options.rsi_protocol.as_ref()),
            options.baseline.as_ref(),
        );
        Ok(Self {
            models: models.to_vec(),
            baseline: options.baseline.clone(),
            aer: aer_of(models, &judged, options)?,
            paired: paired_of(models, &judged, options)?,
            rsi: rsi_of(models, &compared, options.position, options)?,
            position: position_of(models, &compared, options)?,
            human: human::side(log, models, options)?,
            quality: quality::boards(&log.scores, models, options)?,
            calls: log.calls.clone(),
        })
    }

    /// The error rates of a model; `None` where it was not judged.
    pub fn aer_of(&self, model: &str) -> Option<&AerReport> {
        self.aer.iter().find(|report| report.model == model)
    }

    /// The difference of a model to the baseline.
    pub fn paired_of(&self, model: &str) -> Option<&Paired> {
        self.paired.iter().find(|paired| paired.report.model == model)
    }

    /// The index of a model over the baseline.
    pub fn rsi_of(&self, model: &str) -> Option<&RsiReport> {
        self.rsi.iter().find(|report| report.model == model)
    }

    /// The place of a model in the tables, which is its colour and marker in the plots.
    pub fn series(&self, model: &str) -> usize {
        self.models.iter().position(|name| name == model).unwrap_or(0)
    }
}

/// Judgements by model.
pub(super) type Judged = BTreeMap<String, Vec<Judgement>>;
/// Comparisons with the baseline by model.
pub(super) type Compared = BTreeMap<String, Vec<Comparison>>;

pub(super) fn by_model<'a>(judgements: impl Iterator<Item = &'a Judgement>) -> Judged {
    let mut by_model = Judged::new();
    for judgement in judgements {
        let rows = by_model.entry(judgement.sample.model.clone()).or_default();
        rows.push(judgement.clone());
    }
    by_model
}

/// Comparisons with the baseline, by the model that was compared.
pub(super) fn over_baseline<'a>(
    comparisons: impl Iterator<Item = &'a Comparison>,
    baseline: Option<&String>,
) -> Compared {
    let mut by_model = Compared::new();
    for comparison in comparisons.filter(|row| Some(&row.baseline) == baseline) {
        let rows = by_model.entry(comparison.model.clone()).or_default();
        rows.push(comparison.clone());
    }
    by_model
}

pub(super) fn aer_of(models: &[String], judged: &Judged, options: &Options) -> Result<Vec<AerReport>> {
    let rows = models.iter().filter_map(|model| judged.get(model));
    rows.map(|rows| Ok(aer_report(rows, options.level(), options.headline)?))
        .collect()
}

fn paired_of(models: &[String], judged: &Judged, options: &Options) -> Result<Vec<Paired>> {
    let Some((baseline, rows)) = options
        .baseline
        .as_ref()
        .and_then(|baseline| judged.get_key_value(baseline))
    else {
        return Ok(Vec::new());
    };
    let others = models.iter().filter(|model| *model != baseline);
    let mut reports = Vec::new();
    for model_rows in others.filter_map(|model| judged.get(model)) {
        if share_samples(model_rows, rows) {
            reports.push(paired_aer(model_rows, rows, &options.bootstrap)?);
        }
    }
    let p_values: Vec<f64> = reports.iter().map(|report| report.table.overall.p()).collect();
    let paired = reports.into_iter().zip(holm(&p_values));
    Ok(paired
        .map(|(report, holm_over_models)| Paired {
            report,
            holm_over_models,
        })
        .collect())
}

/// Whether two models have a prompt and seed in common, without which there is no difference to speak of.
fn share_samples(model: &[Judgement], baseline: &[Judgement]) -> bool {
    let key = |row: &Judgement| {
        (
            row.sample.prompt_id.clone(),
            row.sample.seed,
            row.judge.clone(),
            row.repeat,
        )
    };
    let known: std::collections::BTreeSet<_> = baseline.iter().map(key).collect();
    model.iter().any(|row| known.contains(&key(row)))
}

pub(super) fn rsi_of(
    models: &[String],
    compared: &Compared,
    policy: PositionPolicy,
    options: &Options,
) -> Result<Vec<RsiReport>> {
    let rows = models.iter().filter_map(|model| compared.get(model));
    rows.map(|rows| Ok(rsi_report(rows, policy, &options.bootstrap)?))
        .collect()
}

fn position_of(models: &[String], compared: &Compared, options: &Options) -> Result<Vec<Position>> {
    let rows = models.iter().filter_map(|model| compared.get_key_value(model));
    rows.map(|(model, rows)| {
        Ok(Position {
            model: model.clone(),
            report: position_report(rows, options.level())?,
        })
    })
    .collect()
}
