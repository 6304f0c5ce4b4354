//! What people said, and how far the judge agrees with them.

use std::collections::BTreeMap;

use asap_core::{Comparison, Judge, Judgement, PromptId, Verdict};

use super::analysis::{self, Analysis};
use super::config::{Options, Who};
use super::figure::{self, About, Ends, Figure};
use super::log::Log;
use super::plot::{Bar, Bars, Matrix, Unit};
use super::plots::{NamedPlot, aer_forest_of};
use super::status::Status;
use super::table::{Cell, Table};
use super::tables::{Depth, aer_table, rsi_table};
use super::view::{cells, ends};
use crate::Result;
use crate::judge::is_simulated;
use crate::stats::aer::AerReport;
use crate::stats::agreement::{AgreementReport, Measured, agreement};
use crate::stats::human::{JudgedItem, SplitRule, leave_one_out, outcome_items, verdict_items};
use crate::stats::krippendorff;
use crate::stats::position::{PositionPolicy, items};
use crate::stats::rogan_gladen::{Calibration, CorrectedAer, corrected_aer};
use crate::stats::rsi_report::RsiReport;
use crate::stats::{ClusterCount, Interval};

/// What judge and people were asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Question {
    /// Whether an image is right.
    Image,
    /// Which of two images is better.
    Pair,
}

impl Question {
    /// The answers, in the order of their classes.
    pub const fn answers(self) -> &'static [&'static str] {
        match self {
            Self::Image => &["pass", "fail"],
            Self::Pair => &["win", "tie", "loss"],
        }
    }

    /// The class that stands between the others.
    const fn tie(self) -> Option<usize> {
        match self {
            Self::Image => None,
            Self::Pair => Some(1),
        }
    }

    /// What people say where they are split: a tie between two images; on one image nothing.
    const fn split_rule(self) -> SplitRule {
        match self {
            Self::Image => SplitRule::Drop,
            Self::Pair => SplitRule::Class(1),
        }
    }

    const fn name(self) -> &'static str {
        match self {
            Self::Image => "images",
            Self::Pair => "pairs",
        }
    }
}

/// How far the judge agrees with the majority of people.
#[derive(Clone, Debug, PartialEq)]
pub struct Agreement {
    /// What was asked.
    pub question: Question,
    /// The model whose images were judged; `None` for all together.
    pub model: Option<String>,
    /// Judge against majority.
    pub report: AgreementReport,
    /// One person against the majority of the others: the most that can be asked of the judge.
    pub ceiling: Option<Measured>,
    /// Krippendorff's alpha among people.
    pub alpha: Option<Measured>,
}

/// Everything about people.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct HumanSide {
    /// People with at least one vote.
    pub n_raters: u64,
    /// How many of them are made up, by `asap bench rehearse`.
    pub n_simulated: u64,
    /// Votes under another protocol than the judge's, which are in nothing here.
    pub n_other_protocol: u64,
    /// Error rates by people.
    pub aer: Vec<AerReport>,
    /// Indices by people.
    pub rsi: Vec<RsiReport>,
    /// Agreement, all models together first.
    pub agreement: Vec<Agreement>,
    /// The judge's error rates, corrected for its errors as people see them.
    pub corrected: Vec<(String, CorrectedAer)>,
}

/// Computes what people said; nothing where they are the judge themselves.
pub(super) fn side(log: &Log, models: &[String], options: &Options) -> Result<HumanSide> {
    if options.judge == Who::People {
        return Ok(HumanSide::default());
    }
    let votes = Votes::of(log, options);
    let judged = analysis::by_model(votes.judgements.iter().copied());
    let compared = analysis::over_baseline(votes.comparisons.iter().copied(), options.baseline.as_ref());
    let policy = if compared.values().any(|rows| has_both_orders(rows)) {
        PositionPolicy::Strict
    } else {
        PositionPolicy::Single
    };
    let mut side = HumanSide {
        n_raters: votes.n_raters,
        n_simulated: votes.n_simulated,
        n_other_protocol: votes.n_other_protocol,
        aer: analysis::aer_of(models, &judged, options)?,
        rsi: analysis::rsi_of(models, &compared, policy, options)?,
        ..HumanSide::default()
    };
    let of_judge = |judge: &Judge| options.judge.is(judge);
    let by_judge = analysis::by_model(
        log.judgements
            .iter()
            .filter(|row| of_judge(&row.judge) && Some(&row.protocol) == options.aer_protocol.as_ref()),
    );
    side.add_images(models, &by_judge, &judged, options)?;
    let by_judge = analysis::over_baseline(
        log.comparisons
            .iter()
            .filter(|row| of_judge(&row.judge) && Some(&row.protocol) == options.rsi_protocol.as_ref()),
        options.baseline.as_ref(),
    );
    side.add_pairs(models, &by_judge, &compared, options)?;
    Ok(side)
}

/// The votes of people under the judge's protocols.
struct Votes<'a> {
    judgements: Vec<&'a Judgement>,
    comparisons: Vec<&'a Comparison>,
    n_raters: u64,
    n_simulated: u64,
    n_other_protocol: u64,
}

impl<'a> Votes<'a> {
    fn of(log: &'a Log, options: &Options) -> Self {
        let (judgements, other): (Vec<_>, Vec<_>) = log
            .judgements
            .iter()
            .filter(|row| Who::People.is(&row.judge))
            .partition(|row| Some(&row.protocol) == options.aer_protocol.as_ref());
        let mut n_other_protocol = other.len() as u64;
        let (comparisons, other): (Vec<_>, Vec<_>) = log
            .comparisons
            .iter()
            .filter(|row| Who::People.is(&row.judge))
            .partition(|row| Some(&row.protocol) == options.rsi_protocol.as_ref());
        n_other_protocol += other.len() as u64;
        let judges = judgements.iter().map(|row| &row.judge);
        let judges: std::collections::BTreeSet<&Judge> =
            judges.chain(comparisons.iter().map(|row| &row.judge)).collect();
        Self {
            n_raters: judges.len() as u64,
            n_simulated: judges.iter().filter(|judge| is_simulated(judge)).count() as u64,
            judgements,
            comparisons,
            n_other_protocol,
        }
    }
}

/// Whether somebody was shown the same two images in both orders.
fn has_both_orders(rows: &[Comparison]) -> bool {
    items(rows).is_ok_and(|items| items.iter().any(|item| item.orders.iter().all(Option::is_some)))
}

impl HumanSide {
    fn add_images(
        &mut self,
        models: &[String],
        judge: &analysis::Judged,
        people: &analysis::Judged,
        options: &Options,
    ) -> Result<()> {
        let mut all = Vec::new();
        let mut parts = Vec::new();
        for model in models {
            if let (Some(judge), Some(people)) = (judge.get(model), people.get(model)) {
                let found = verdict_items(judge, people);
                if let Some(corrected) = corrected(judge, &found, options) {
                    self.corrected.push((model.clone(), corrected));
                }
                all.extend(found.iter().cloned());
                parts.push((model.clone(), found));
            }
        }
        self.add_agreement(Question::Image, all, parts, options)
    }

    fn add_pairs(
        &mut self,
        models: &[String],
        judge: &analysis::Compared,
        people: &analysis::Compared,
        options: &Options,
    ) -> Result<()> {
        let mut all = Vec::new();
        let mut parts = Vec::new();
        for model in models {
            if let (Some(judge), Some(people)) = (judge.get(model), people.get(model)) {
                let found = outcome_items(&items(judge)?, &items(people)?);
                all.extend(found.iter().cloned());
                parts.push((model.clone(), found));
            }
        }
        self.add_agreement(Question::Pair, all, parts, options)
    }

    fn add_agreement(
        &mut self,
        question: Question,
        all: Vec<JudgedItem>,
        parts: Vec<(String, Vec<JudgedItem>)>,
        options: &Options,
    ) -> Result<()> {
        let is_split = parts.len() > 1;
        let parts = parts
            .into_iter()
            .filter(|_| is_split)
            .map(|(model, items)| (Some(model), items));
        for (model, items) in std::iter::once((None, all)).chain(parts) {
            self.agreement.extend(agree(question, model, &items, options)?);
        }
        Ok(())
    }
}

/// `None` where no item has both a judge's answer and a majority.
fn agree(
    question: Question,
    model: Option<String>,
    items: &[JudgedItem],
    options: &Options,
) -> Result<Option<Agreement>> {
    let n_classes = question.answers().len();
    let pairs: Vec<(usize, usize)> = items
        .iter()
        .filter_map(|item| item.against_majority(n_classes, question.split_rule()))
        .collect();
    if pairs.is_empty() {
        return Ok(None);
    }
    let humans: Vec<Vec<usize>> = items.iter().map(|item| item.humans.clone()).collect();
    let bootstrap = &options.bootstrap;
    Ok(Some(Agreement {
        question,
        model,
        report: agreement(&pairs, n_classes, question.tie(), bootstrap)?,
        // Neither is defined where each item has one vote only.
        ceiling: leave_one_out(&humans, n_classes, question.split_rule(), bootstrap).ok(),
        alpha: krippendorff::alpha(&humans, n_classes, bootstrap).ok(),
    }))
}

/// The corrected rate; `None` where the calibration does not allow one.
fn corrected(judge: &[Judgement], items: &[JudgedItem], options: &Options) -> Option<CorrectedAer> {
    let mut clusters: BTreeMap<&PromptId, ClusterCount> = BTreeMap::new();
    for row in judge
        .iter()
        .filter(|row| !matches!(row.verdict, Verdict::Unscored { .. }))
    {
        let cluster = clusters.entry(&row.sample.prompt_id).or_default();
        cluster.n += 1;
        cluster.hits += u64::from(row.verdict == Verdict::Fail);
    }
    let mut calibration = Calibration::default();
    for item in items {
        match item.against_majority(2, SplitRule::Drop) {
            Some((1, 1)) => calibration.caught += 1,
            Some((0, 1)) => calibration.missed += 1,
            Some((1, 0)) => calibration.false_alarms += 1,
            Some((0, 0)) => calibration.cleared += 1,
            _ => {}
        }
    }
    let clusters: Vec<ClusterCount> = clusters.into_values().collect();
    corrected_aer(&clusters, &calibration, &options.bootstrap).ok()
}

/// Every figure about people.
pub(super) fn figures(side: &HumanSide, options: &Options) -> Vec<Figure> {
    let mut figures = Vec::new();
    for report in &side.aer {
        figures.extend(figure::aer_figures("people_aer", report));
    }
    for report in &side.rsi {
        for (scope, cell) in cells(&report.table) {
            let key = scope.key();
            let about = figure::rsi_about((&report.model, &report.baseline), &key, cell);
            figures.extend(figure::rsi_figures("people_rsi", about, cell, options));
        }
    }
    for agreement in &side.agreement {
        figures.extend(agreement_figures(agreement));
    }
    for (model, corrected) in &side.corrected {
        let n = corrected.sensitivity.n + corrected.specificity.n;
        let about = About {
            model,
            baseline: None,
            scope: "overall",
            status: Status::of_rate(Some(1.0), n, Some(corrected.interval)),
            n,
        };
        let interval = Some(corrected.interval.into());
        figures.extend([
            about.with(
                "aer_corrected",
                Some(corrected.value),
                interval,
                "rogan-gladen/v1",
            ),
            about.rate("judge_sensitivity", Some(&corrected.sensitivity)),
            about.rate("judge_specificity", Some(&corrected.specificity)),
        ]);
    }
    figures
}

fn agreement_figures(agreement: &Agreement) -> Vec<Figure> {
    let report = &agreement.report;
    let about = About {
        model: agreement.model.as_deref().unwrap_or("all models"),
        baseline: None,
        scope: agreement.question.name(),
        status: Status::of_rate(Some(1.0), report.n_items, report.exact.interval),
        n: report.n_items,
    };
    let measured = |name: &str, measured: Option<&Measured>, method: &str| {
        let ends = measured.and_then(|measured| measured.interval).map(Ends::from);
        about.with(name, measured.and_then(|measured| measured.value), ends, method)
    };
    vec![
        measured("agreement_exact", Some(&report.exact), "agreement/exact/v1"),
        measured(
            "agreement_decisive",
            report.decisive.as_ref(),
            "agreement/decisive/v1",
        ),
        measured(
            "agreement_half_credit",
            report.half_credit.as_ref(),
            "agreement/half-credit/v1",
        ),
        measured("agreement_kappa", Some(&report.kappa), "agreement/cohen-kappa/v1"),
        measured("agreement_ac1", Some(&report.ac1), "agreement/gwet-ac1/v1"),
        measured(
            "people_ceiling",
            agreement.ceiling.as_ref(),
            "agreement/leave-one-out/v1",
        ),
        measured(
            "people_alpha",
            agreement.alpha.as_ref(),
            "agreement/krippendorff-alpha/v1",
        ),
    ]
}

/// The tables about people.
pub(super) fn tables(side: &HumanSide, models: &[String], options: &Options) -> Vec<Table> {
    vec![
        agreement_table(side),
        corrected_table(side),
        aer_table(
            "people_aer",
            "Error rate by people",
            models_of(side, models),
            &side.aer,
            Depth::Overall,
        ),
        rsi_table(
            "people_rsi",
            "Index by people",
            &side.rsi,
            Depth::Overall,
            options,
        ),
    ]
}

/// No rows at all where people judged no image.
fn models_of<'a>(side: &HumanSide, models: &'a [String]) -> &'a [String] {
    if side.aer.is_empty() { &[] } else { models }
}

fn agreement_table(side: &HumanSide) -> Table {
    let mut table = Table::new(
        "agreement",
        "Judge against the majority of people",
        &[
            ("asked about", "question"),
            ("model", "model"),
            ("#items", "items"),
            ("#same answer", "exact"),
            ("#interval", "exact_interval"),
            ("#without ties", "decisive"),
            ("#ties as half", "half_credit"),
            ("#Cohen's κ", "kappa"),
            ("#interval", "kappa_interval"),
            ("#Gwet's AC1", "ac1"),
            ("#one person against the others", "ceiling"),
            ("#Krippendorff's α of people", "alpha"),
        ],
    );
    for agreement in &side.agreement {
        let report = &agreement.report;
        let value = |measured: Option<&Measured>, unit| Cell::number(measured.and_then(|it| it.value), unit);
        let interval = |interval: Option<Interval>, unit| Cell::interval(interval.map(ends), unit);
        let of_ties = |measured: Option<&Measured>| match measured {
            Some(measured) => value(Some(measured), Unit::Percent),
            None => Cell {
                text: "no ties".to_owned(),
                data: String::new(),
                class: "none",
            },
        };
        table.rows.push(vec![
            Cell::text(agreement.question.name()),
            Cell::text(agreement.model.as_deref().unwrap_or("all models")),
            Cell::count(report.n_items),
            value(Some(&report.exact), Unit::Percent).with_class("key"),
            interval(report.exact.interval, Unit::Percent),
            of_ties(report.decisive.as_ref()),
            of_ties(report.half_credit.as_ref()),
            value(Some(&report.kappa), Unit::Plain),
            interval(report.kappa.interval, Unit::Plain),
            value(Some(&report.ac1), Unit::Plain),
            value(agreement.ceiling.as_ref(), Unit::Percent),
            value(agreement.alpha.as_ref(), Unit::Plain),
        ]);
    }
    table
}

fn corrected_table(side: &HumanSide) -> Table {
    let mut table = Table::new(
        "corrected",
        "Error rate corrected for the judge's errors, people being taken for right",
        &[
            ("model", "model"),
            ("#AER by the judge", "observed"),
            ("#corrected", "corrected"),
            ("#interval", "interval"),
            ("#errors that the judge finds", "sensitivity"),
            ("#good images that it lets pass", "specificity"),
            ("#images with both", "n"),
        ],
    );
    for (model, corrected) in &side.corrected {
        let n = corrected.sensitivity.n + corrected.specificity.n;
        table.rows.push(vec![
            Cell::text(model),
            Cell::number(Some(corrected.observed), Unit::Percent),
            Cell::number(Some(corrected.value), Unit::Percent).with_class("key"),
            Cell::interval(Some(ends(corrected.interval)), Unit::Percent),
            Cell::number(Some(corrected.sensitivity.value), Unit::Percent),
            Cell::number(Some(corrected.specificity.value), Unit::Percent),
            Cell::count(n),
        ]);
    }
    table
}

/// The plots about people.
pub(super) fn plots(side: &HumanSide, analysis: &Analysis, options: &Options) -> Vec<NamedPlot> {
    let mut plots = Vec::new();
    for agreement in side
        .agreement
        .iter()
        .filter(|agreement| agreement.model.is_none())
    {
        let name = agreement.question.name();
        plots.push(NamedPlot {
            name: format!("confusion_{name}"),
            plot: matrix(agreement, options).draw(),
        });
    }
    if !side.aer.is_empty() {
        plots.push(NamedPlot {
            name: "people_aer".to_owned(),
            plot: aer_forest_of(
                "Error rate by people",
                analysis,
                &side.aer,
                options,
                Depth::Overall,
            ),
        });
    }
    if !side.rsi.is_empty() {
        plots.push(NamedPlot {
            name: "people_bars".to_owned(),
            plot: category_bars(side).draw(),
        });
    }
    plots
}

fn matrix(agreement: &Agreement, options: &Options) -> Matrix {
    let answers = agreement.question.answers();
    Matrix {
        title: format!("Judge and people about {}", agreement.question.name()),
        subtitle:
            "Items that both have judged. Shade is the share of the row; where the two agree is framed."
                .to_owned(),
        judges: [options.judge.title().to_owned(), "majority of people".to_owned()],
        answers: answers.iter().map(|answer| (*answer).to_owned()).collect(),
        counts: agreement.report.confusion.cells.clone(),
    }
}

/// Votes of people by category.
fn category_bars(side: &HumanSide) -> Bars {
    let mut bars = Vec::new();
    for report in &side.rsi {
        for (scope, cell) in cells(&report.table) {
            if !Depth::Subcategories.takes(&scope) {
                let counts = cell.counts;
                bars.push(Bar {
                    label: format!("{}, {}", report.model, scope.title()),
                    counts,
                    cells: vec![(counts.wins + counts.ties + counts.losses).to_string()],
                });
            }
        }
    }
    Bars {
        title: "What people preferred".to_owned(),
        subtitle: "Votes of people on two images of one prompt and seed.".to_owned(),
        columns: vec!["votes".to_owned()],
        bars,
    }
}
