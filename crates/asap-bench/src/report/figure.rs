//! `report.json`: every figure of a report under a name, for programs.

use serde::{Deserialize, Serialize};

use super::analysis::Analysis;
use super::config::Options;
use super::status::Status;
use super::view::{
    aer_status, cells, n_votes, p_above_1, paired_interval, paired_is_withheld, paired_status,
    rsi_is_withheld, rsi_status, shown_rate,
};
use super::{human, quality};
use crate::stats::aer::{AerCell, AerReport, Headline, HeadlinePolicy};
use crate::stats::paired_aer::PairedAer;
use crate::stats::position::PositionReport;
use crate::stats::rsi::{RsiIndex, RsiInterval, RsiMethod, RsiValue};
use crate::stats::rsi_report::RsiCell;
use crate::stats::{Interval, Rate, RateMethod};

/// An interval as JSON can hold it.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ends {
    /// The lower end.
    pub low: f64,
    /// The upper end; `null` where it is infinite.
    pub high: Option<f64>,
}

impl Ends {
    /// The interval of an index. One that lies at infinity as a whole says no more than the value does: it is none.
    fn of_index(interval: &RsiInterval) -> Option<Self> {
        let high = interval.high.filter(|high| high.is_finite());
        interval.low.is_finite().then_some(Self {
            low: interval.low,
            high,
        })
    }
}

impl From<Interval> for Ends {
    fn from(interval: Interval) -> Self {
        Self {
            low: interval.low,
            high: Some(interval.high),
        }
    }
}

/// One figure.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Figure {
    /// What is measured: `aer`, `rsi`, `aer_difference`.
    pub measure: String,
    /// Of which model.
    pub model: String,
    /// Against which model, for comparisons.
    pub baseline: Option<String>,
    /// Over which part: `overall`, a category, or `category/subcategory`.
    pub scope: String,
    /// The value; `null` where it was not computed or is withheld, which `note` says.
    pub value: Option<f64>,
    /// Its interval at the report's level.
    pub interval: Option<Ends>,
    /// Items behind it: images, pairs or votes.
    pub n: u64,
    /// How it was computed, with version.
    pub method: String,
    /// How much it can carry.
    pub status: Status,
    /// What else must be known of it.
    pub note: Option<String>,
}

impl Figure {
    /// The name that differences are told under.
    pub fn name(&self) -> String {
        let against = self
            .baseline
            .as_ref()
            .map_or_else(String::new, |name| format!(" over {name}"));
        format!("{} of {}{against}, {}", self.measure, self.model, self.scope)
    }
}

/// What a list of figures is about.
#[derive(Clone, Copy)]
pub(super) struct About<'a> {
    pub(super) model: &'a str,
    pub(super) baseline: Option<&'a str>,
    pub(super) scope: &'a str,
    pub(super) status: Status,
    pub(super) n: u64,
}

impl About<'_> {
    /// A figure without interval.
    pub(super) fn plain(&self, measure: &str, value: Option<f64>, method: &str) -> Figure {
        Figure {
            measure: measure.to_owned(),
            model: self.model.to_owned(),
            baseline: self.baseline.map(str::to_owned),
            scope: self.scope.to_owned(),
            value,
            interval: None,
            n: self.n,
            method: method.to_owned(),
            status: if value.is_some() {
                self.status
            } else {
                Status::NotComputed
            },
            note: None,
        }
    }

    /// A figure with an interval.
    pub(super) fn with(&self, measure: &str, value: Option<f64>, ends: Option<Ends>, method: &str) -> Figure {
        Figure {
            interval: ends,
            ..self.plain(measure, value, method)
        }
    }

    /// A proportion. Its status is that of what it is about, or lower where its own interval is wide.
    pub(super) fn rate(&self, measure: &str, rate: Option<&Rate>) -> Figure {
        let method = rate.map_or("rate", |rate| match rate.method {
            RateMethod::Wilson => "rate/wilson/v1",
            RateMethod::ClusterWilson => "rate/cluster-wilson/v1",
        });
        let ends = rate.map(|rate| rate.interval.into());
        let mut figure = self.with(measure, rate.map(|rate| rate.value), ends, method);
        if let Some(rate) = rate {
            figure.n = rate.n;
            let own = Status::of_rate(Some(1.0), rate.n_clusters, Some(rate.interval));
            figure.status = self.status.min(own);
        }
        figure
    }

    /// An index.
    pub(super) fn index(&self, measure: &str, index: Option<&RsiIndex>) -> Figure {
        let method = index.map_or("rsi", |index| match index.interval.method {
            RsiMethod::Log => "rsi/log/v1",
            RsiMethod::LogClustered => "rsi/cluster-log/v1",
            RsiMethod::ExactBound => "rsi/exact-bound/v1",
            RsiMethod::OneCluster => "rsi/one-prompt/v1",
            RsiMethod::PromptBootstrap => "rsi/prompt-bootstrap/v1",
            RsiMethod::TwoWayBootstrap => "rsi/two-way-bootstrap/v1",
        });
        let ends = index.and_then(|index| Ends::of_index(&index.interval));
        let mut figure = self.with(
            measure,
            index.and_then(|index| index.value.finite()),
            ends,
            method,
        );
        if index.is_some_and(|index| index.value == RsiValue::Infinite) {
            figure.note = Some("infinite: neither losses nor ties".to_owned());
            figure.status = self.status;
        }
        figure
    }
}

/// Every figure of an analysis, in the order of the page.
pub(super) fn figures(analysis: &Analysis, options: &Options) -> Vec<Figure> {
    let mut figures = Vec::new();
    for report in &analysis.aer {
        figures.extend(aer_figures("aer", report));
    }
    for paired in &analysis.paired {
        let report = &paired.report;
        for (scope, cell) in cells(&report.table) {
            let names = (report.model.as_str(), report.baseline.as_str());
            figures.extend(paired_figures(names, &scope.key(), cell, options.headline));
        }
        let overall = &report.table.overall;
        let about = About {
            model: &report.model,
            baseline: Some(&report.baseline),
            scope: "overall",
            status: paired_status(overall),
            n: overall.counts.n(),
        };
        figures.push(about.plain(
            "aer_difference_p_holm_over_models",
            (!paired_is_withheld(overall, options.headline)).then_some(paired.holm_over_models),
            "holm/v1",
        ));
    }
    for report in &analysis.rsi {
        for (scope, cell) in cells(&report.table) {
            let key = scope.key();
            let about = rsi_about((&report.model, &report.baseline), &key, cell);
            figures.extend(rsi_figures("rsi", about, cell, options));
        }
    }
    for position in &analysis.position {
        let baseline = analysis.baseline.as_deref().unwrap_or_default();
        figures.extend(position_figures(&position.model, baseline, &position.report));
    }
    figures.extend(human::figures(&analysis.human, options));
    figures.extend(quality::figures(&analysis.quality));
    figures.extend(call_figures(analysis));
    figures
}

/// The error rates of one model.
pub(super) fn aer_figures(measure: &str, report: &AerReport) -> Vec<Figure> {
    cells(&report.table)
        .into_iter()
        .flat_map(|(scope, cell)| aer_cell_figures(measure, &report.model, &scope.key(), cell))
        .collect()
}

fn aer_cell_figures(measure: &str, model: &str, scope: &str, cell: &AerCell) -> Vec<Figure> {
    let n_all = cell.counts.failures + cell.counts.passes + cell.counts.unscored;
    let about = About {
        model,
        baseline: None,
        scope,
        status: aer_status(cell),
        n: n_all,
    };
    let mut rate = about.rate(measure, shown_rate(cell));
    rate.n = cell.counts.failures + cell.counts.passes;
    rate.note = match cell.headline {
        Headline::Refused => Some("withheld: fewer than 98 % of the images were scored".to_owned()),
        Headline::Forced => Some("forced: fewer than 98 % of the images were scored".to_owned()),
        _ => None,
    };
    let low = cell.worst_case.map(|bounds| bounds.low);
    let high = cell.worst_case.map(|bounds| bounds.high);
    vec![
        rate,
        about.plain(
            &format!("{measure}_failures"),
            Some(cell.counts.failures as f64),
            "count",
        ),
        about.plain(
            &format!("{measure}_unscored"),
            Some(cell.counts.unscored as f64),
            "count",
        ),
        about.plain(&format!("{measure}_coverage"), cell.coverage, "share"),
        about.plain(&format!("{measure}_if_unscored_pass"), low, "bound"),
        about.plain(&format!("{measure}_if_unscored_fail"), high, "bound"),
    ]
}

fn paired_figures(
    (model, baseline): (&str, &str),
    scope: &str,
    cell: &PairedAer,
    policy: HeadlinePolicy,
) -> Vec<Figure> {
    let about = About {
        model,
        baseline: Some(baseline),
        scope,
        status: paired_status(cell),
        n: cell.counts.n(),
    };
    let method = match (cell.newcombe, cell.bootstrap) {
        (Some(_), _) => "paired/newcombe/v1",
        (None, Some(_)) => "paired/prompt-bootstrap/v1",
        (None, None) => "paired",
    };
    let p_method = if cell.n_prompts == cell.counts.n() {
        "mcnemar/exact/v1"
    } else {
        "cluster-sign/v1"
    };
    let is_withheld = paired_is_withheld(cell, policy);
    let shown = cell.difference.filter(|_| !is_withheld);
    let interval = paired_interval(cell).filter(|_| !is_withheld).map(Ends::from);
    let p = shown.map(|_| cell.p());
    let mut difference = about.with("aer_difference", shown, interval, method);
    if is_withheld {
        difference.note = Some("withheld: fewer than 98 % of the pairs have two verdicts".to_owned());
    }
    let mut list = vec![
        difference,
        about.plain(
            "aer_only_model_fails",
            Some(cell.counts.model_only as f64),
            "count",
        ),
        about.plain(
            "aer_only_baseline_fails",
            Some(cell.counts.baseline_only as f64),
            "count",
        ),
        about.plain("aer_difference_p", p, p_method),
    ];
    if let Some(holm_p) = cell.holm_p.filter(|_| shown.is_some()) {
        list.push(about.plain("aer_difference_p_holm", Some(holm_p), "holm/v1"));
    }
    list
}

pub(super) fn rsi_about<'a>(
    (model, baseline): (&'a str, &'a str),
    scope: &'a str,
    cell: &RsiCell,
) -> About<'a> {
    About {
        model,
        baseline: Some(baseline),
        scope,
        status: rsi_status(cell),
        n: n_votes(&cell.counts),
    }
}

/// The index of a cell and all that is read with it.
pub(super) fn rsi_figures(measure: &str, about: About<'_>, cell: &RsiCell, options: &Options) -> Vec<Figure> {
    let is_withheld = rsi_is_withheld(cell, options.headline);
    let mut index = about.index(measure, cell.index.as_ref().filter(|_| !is_withheld));
    if is_withheld {
        index.note = Some("withheld: fewer than 98 % of the votes were cast".to_owned());
    }
    let value = index.value;
    let named = |part: &str| format!("{measure}_{part}");
    let count = |part: &str, count: u64| about.plain(&named(part), Some(count as f64), "count");
    let p = (about.n > 0).then(|| cell.p());
    let bootstrap = cell.two_way_bootstrap.as_ref().or(cell.prompt_bootstrap.as_ref());
    let method = if cell.two_way_bootstrap.is_some() {
        "rsi/two-way-bootstrap/v1"
    } else {
        "rsi/prompt-bootstrap/v1"
    };
    let ends = bootstrap.and_then(|bootstrap| Ends::of_index(&bootstrap.interval));
    vec![
        index,
        count("wins", cell.counts.wins),
        count("ties", cell.counts.ties),
        count("losses", cell.counts.losses),
        count("unscored", cell.unscored.values().sum()),
        count("inconsistent", cell.n_inconsistent),
        about.plain(&named("tie_share"), cell.tie_share, "share"),
        about.plain(&named("ceiling"), cell.ceiling, "bound"),
        about.plain(&named("net_win_rate"), cell.net_win_rate, "share"),
        about.rate(&named("win_rate"), cell.win_rate.as_ref()),
        about.with(&named("bootstrap"), value, ends, method),
        about.plain(&named("p_above_1"), p_above_1(cell), method),
        about.plain(&named("p"), p, "sign/v1"),
    ]
}

fn position_figures(model: &str, baseline: &str, report: &PositionReport) -> Vec<Figure> {
    let about = About {
        model,
        baseline: Some(baseline),
        scope: "overall",
        status: Status::Established,
        n: report.table.iter().flatten().sum(),
    };
    let n_prompts = report.first_picks.map_or(0, |rate| rate.n_clusters);
    let index = |measure: &str, index: Option<&RsiIndex>| {
        let ends = index.map_or((0.0, None), |index| (index.interval.low, index.interval.high));
        let status = Status::of_index(Some(1.0), n_prompts, ends);
        About { status, ..about }.index(measure, index)
    };
    vec![
        about.rate("position_flips", report.flips.as_ref()),
        about.rate("position_reversals", report.reversals.as_ref()),
        about.rate("position_first_picks", report.first_picks.as_ref()),
        index("rsi_model_first", report.by_order[0].as_ref()),
        index("rsi_baseline_first", report.by_order[1].as_ref()),
    ]
}

fn call_figures(analysis: &Analysis) -> Vec<Figure> {
    let rows = analysis.calls.iter();
    rows.flat_map(|row| {
        let about = About {
            model: &row.model,
            baseline: None,
            scope: &row.protocol,
            status: Status::Established,
            n: row.n_calls,
        };
        // A sum that leaves calls out would be too small without saying so.
        let usd = (row.n_unpriced == 0).then_some(row.usd);
        let mut cost = about.plain("cost_usd", usd, "sum");
        cost.note = (row.n_unpriced > 0).then(|| format!("{} calls without a known price", row.n_unpriced));
        [about.plain("calls", Some(row.n_calls as f64), "count"), cost]
    })
    .collect()
}
