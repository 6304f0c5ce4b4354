//! Which plots a report has, and what is in them.

use super::analysis::Analysis;
use super::config::Options;
use super::human;
use super::plot::{
    Bar, Bars, Estimate, Forest, ForestRow, Plot, Radar, RadarSeries, Scale, Scatter, ScatterPoint, Unit,
};
use super::quality::{ScorerBoard, title};
use super::table::write_p;
use super::tables::{Depth, scopes};
use super::view::{
    Scope, aer_estimate, cell_of, n_votes, paired_estimate, rate_estimate, rsi_estimate, rsi_interval_text,
    rsi_text,
};
use crate::stats::aer::{AerReport, HeadlinePolicy};
use crate::stats::rsi_report::{RsiCell, RsiReport};
use asap_core::{Category, Order, RsiCounts};

/// A plot under the name of its files.
#[derive(Clone, Debug, PartialEq)]
pub struct NamedPlot {
    /// The file's name without its end.
    pub name: String,
    /// The picture.
    pub plot: Plot,
}

fn named(name: impl Into<String>, plot: Plot) -> NamedPlot {
    NamedPlot {
        name: name.into(),
        plot,
    }
}

/// Every plot for which there is something to draw, in the order of the page.
pub(super) fn plots(analysis: &Analysis, options: &Options) -> Vec<NamedPlot> {
    let mut plots = Vec::new();
    if !analysis.aer.is_empty() {
        plots.push(named("aer", aer_forest(analysis, options, Depth::Overall)));
        if has_several_categories(analysis) {
            plots.push(named("aer_radar", radar(analysis, options)));
        }
        plots.push(named(
            "aer_by_category",
            aer_forest(analysis, options, Depth::Categories),
        ));
        plots.push(named(
            "aer_by_subcategory",
            aer_forest(analysis, options, Depth::Subcategories),
        ));
    }
    if !analysis.paired.is_empty() {
        plots.push(named("paired", paired_forest(analysis, options)));
    }
    if !analysis.rsi.is_empty() {
        plots.push(named("rsi_bars", rsi_bars(analysis, options)));
        plots.push(named("rsi", rsi_forest(analysis, options)));
    }
    for board in &analysis.quality {
        if let Some(plot) = trade_off(analysis, board, options) {
            plots.push(named(format!("trade_off_{}", file_name(&board.key.scorer)), plot));
        }
    }
    plots.extend(human::plots(&analysis.human, analysis, options));
    if !analysis.position.is_empty() {
        plots.push(named("position", position_forest(analysis, options)));
        plots.push(named("position_bars", position_bars(analysis)));
    }
    plots
}

/// A scorer's name as part of a file's name.
fn file_name(scorer: &str) -> String {
    let is_fine = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
    scorer.chars().map(|c| if is_fine(c) { c } else { '_' }).collect()
}

fn has_several_categories(analysis: &Analysis) -> bool {
    // A polygon of two corners is a line.
    scopes(analysis.aer.iter().map(|report| &report.table), Depth::Categories).len() >= 3
}

fn level(options: &Options) -> String {
    format!("{} %", super::plot::num(options.level().get() * 100.0))
}

fn aer_forest(analysis: &Analysis, options: &Options, depth: Depth) -> Plot {
    let title = match depth {
        Depth::Overall => "Anatomical error rate",
        Depth::Categories => "Anatomical error rate by category",
        Depth::Subcategories => "Anatomical error rate by subcategory",
    };
    aer_forest_of(title, analysis, &analysis.aer, options, depth)
}

/// Error rates as an interval plot.
pub(super) fn aer_forest_of(
    title: &str,
    analysis: &Analysis,
    reports: &[AerReport],
    options: &Options,
    depth: Depth,
) -> Plot {
    let mut rows = Vec::new();
    let mut category = None;
    for scope in scopes(reports.iter().map(|report| &report.table), depth) {
        match &scope {
            Scope::Overall => {}
            Scope::Category(_) => rows.push(ForestRow::Group(scope.title())),
            Scope::Subcategory(topic) => {
                // The category is said once, before the first of its subcategories.
                let name = format!("{} · {}", topic.category.title(), scope.title());
                let is_new = category != Some(topic.category);
                category = Some(topic.category);
                rows.push(ForestRow::Group(if is_new {
                    name
                } else {
                    format!("· {}", scope.title())
                }));
            }
        }
        for model in &analysis.models {
            let report = reports.iter().find(|report| report.model == *model);
            let cell = report.and_then(|report| cell_of(&report.table, &scope));
            let counts = cell.map(|cell| cell.counts).unwrap_or_default();
            let n_scored = counts.failures + counts.passes;
            rows.push(ForestRow::Entry {
                label: model.clone(),
                series: analysis.series(model),
                estimate: cell.and_then(aer_estimate),
                instead: None,
                cells: vec![
                    format!("{} of {n_scored}", counts.failures),
                    counts.unscored.to_string(),
                ],
            });
        }
    }
    Forest {
        title: title.to_owned(),
        subtitle: format!(
            "Share of scored images that fail, with {} intervals. Fewer is better.",
            level(options)
        ),
        axis_label: "AER".to_owned(),
        scale: Scale::Linear,
        unit: Unit::Percent,
        reference: None,
        columns: vec!["failures".to_owned(), "unscored".to_owned()],
        rows,
    }
    .draw()
}

fn radar(analysis: &Analysis, options: &Options) -> Plot {
    let categories: Vec<Category> = Category::ALL
        .into_iter()
        .filter(|category| {
            analysis
                .aer
                .iter()
                .any(|report| report.table.category(*category).is_some())
        })
        .collect();
    let series = analysis.models.iter().map(|model| {
        let report = analysis.aer_of(model);
        let value = |category: &Category| report?.table.category(*category).and_then(aer_estimate);
        RadarSeries {
            name: model.clone(),
            values: categories.iter().map(value).collect(),
        }
    });
    Radar {
        title: "Error rate over the categories".to_owned(),
        subtitle: format!(
            "AER from 0 at the centre: nearer to the centre is better. Bars along the spokes are {} intervals.",
            level(options)
        ),
        axes: categories.iter().map(|category| category.title().to_owned()).collect(),
        series: series.collect(),
    }
    .draw()
}

fn paired_forest(analysis: &Analysis, options: &Options) -> Plot {
    let mut rows = Vec::new();
    for depth in [Depth::Overall, Depth::Categories] {
        for scope in scopes(analysis.paired.iter().map(|paired| &paired.report.table), depth) {
            rows.push(ForestRow::Group(scope.title()));
            for paired in &analysis.paired {
                let report = &paired.report;
                let cell = cell_of(&report.table, &scope);
                let holm = cell.map(|cell| cell.holm_p.unwrap_or(paired.holm_over_models));
                rows.push(ForestRow::Entry {
                    label: report.model.clone(),
                    series: analysis.series(&report.model),
                    estimate: cell.and_then(|cell| paired_estimate(cell, options.headline)),
                    instead: None,
                    cells: cell.map_or_else(Vec::new, |cell| {
                        let counts = cell.counts;
                        vec![
                            format!("{} : {}", counts.model_only, counts.baseline_only),
                            counts.n().to_string(),
                            holm.filter(|_| counts.n() > 0)
                                .map_or_else(|| "–".to_owned(), write_p),
                        ]
                    }),
                });
            }
        }
    }
    let baseline = analysis.baseline.as_deref().unwrap_or_default();
    Forest {
        title: format!("Difference in error rate to {baseline}"),
        subtitle: format!(
            "Same prompts and seeds, in percentage points with {} intervals; left of 0 the model fails less often. \
             Fails are images that only the model, and only the baseline, got wrong; p is corrected by Holm.",
            level(options)
        ),
        axis_label: "AER less that of the baseline, percentage points".to_owned(),
        scale: Scale::Linear,
        unit: Unit::Points,
        reference: Some((0.0, "no difference".to_owned())),
        columns: vec!["fails".to_owned(), "pairs".to_owned(), "p".to_owned()],
        rows,
    }
    .draw()
}

fn rsi_bars(analysis: &Analysis, options: &Options) -> Plot {
    let baseline = analysis.baseline.as_deref().unwrap_or_default();
    let mut bars = Vec::new();
    for (who, reports) in [("judge", &analysis.rsi), ("people", &analysis.human.rsi)] {
        let is_named = !analysis.human.rsi.is_empty();
        bars.extend(reports.iter().map(|report| {
            let label = if is_named {
                format!("{} ({who})", report.model)
            } else {
                report.model.clone()
            };
            bar(label, report, options)
        }));
    }
    Bars {
        title: format!("Wins, ties and losses against {baseline}"),
        subtitle: format!(
            "Votes on two images of one prompt and seed. RSI = (W + T) / (L + T), with {} intervals.",
            level(options)
        ),
        columns: ["RSI", "interval", "n"].map(str::to_owned).to_vec(),
        bars,
    }
    .draw()
}

fn bar(label: String, report: &RsiReport, options: &Options) -> Bar {
    let cell = &report.table.overall;
    let text = |text: Option<String>| text.unwrap_or_else(|| "not computed".to_owned());
    Bar {
        label,
        counts: cell.counts,
        cells: vec![
            text(rsi_text(cell, options.headline)),
            rsi_interval_text(cell, options.headline).unwrap_or_default(),
            n_votes(&cell.counts).to_string(),
        ],
    }
}

/// An index that has no place on the axis, as `∞  [1.20 or more]`.
fn rsi_with_interval(cell: &RsiCell, policy: HeadlinePolicy) -> Option<String> {
    let (value, interval) = (rsi_text(cell, policy)?, rsi_interval_text(cell, policy)?);
    Some(format!("{value}  [{interval}]"))
}

fn rsi_forest(analysis: &Analysis, options: &Options) -> Plot {
    let mut rows = Vec::new();
    for depth in [Depth::Overall, Depth::Categories] {
        for scope in scopes(analysis.rsi.iter().map(|report| &report.table), depth) {
            rows.push(ForestRow::Group(scope.title()));
            for report in &analysis.rsi {
                let cell = cell_of(&report.table, &scope);
                let counts = cell.map(|cell| cell.counts).unwrap_or_default();
                rows.push(ForestRow::Entry {
                    label: report.model.clone(),
                    series: analysis.series(&report.model),
                    estimate: cell.and_then(|cell| rsi_estimate(cell, options.headline)),
                    instead: cell.and_then(|cell| rsi_with_interval(cell, options.headline)),
                    cells: vec![format!("{} / {} / {}", counts.wins, counts.ties, counts.losses)],
                });
            }
        }
    }
    let baseline = analysis.baseline.as_deref().unwrap_or_default();
    Forest {
        title: format!("Relative superiority index over {baseline}"),
        subtitle: format!(
            "RSI on a logarithmic axis with {} intervals; right of 1 the model is preferred.",
            level(options)
        ),
        axis_label: "RSI".to_owned(),
        scale: Scale::Log,
        unit: Unit::Ratio,
        reference: Some((1.0, "no preference".to_owned())),
        columns: vec!["W / T / L".to_owned()],
        rows,
    }
    .draw()
}

/// Error rate against a score, both less those of the baseline; `None` where no model has both.
fn trade_off(analysis: &Analysis, board: &ScorerBoard, options: &Options) -> Option<Plot> {
    let mut points = Vec::new();
    for paired in &analysis.paired {
        let model = &paired.report.model;
        let x = paired_estimate(&paired.report.table.overall, options.headline);
        if let (Some(x), Some(score)) = (x, board.of(model)) {
            points.push(ScatterPoint {
                label: model.clone(),
                series: analysis.series(model),
                x,
                y: Estimate {
                    value: score.difference,
                    interval: score.interval.map(super::view::ends),
                },
            });
        }
    }
    let name = title(&board.key.scorer);
    (!points.is_empty()).then(|| {
        Scatter {
            title: format!("Errors against quality: {name}"),
            subtitle: format!(
                "Paired differences to {} on the same prompts and seeds; crosses are {} intervals. \
                 To the right: fewer errors. Up: a higher score.",
                board.baseline,
                level(options)
            ),
            x_label: "AER less that of the baseline, percentage points".to_owned(),
            y_label: format!("{name} less that of the baseline ({})", board.scale),
            origin: (board.baseline.clone(), analysis.series(&board.baseline)),
            points,
        }
        .draw()
    })
}

fn position_forest(analysis: &Analysis, options: &Options) -> Plot {
    let mut rows = Vec::new();
    for (group, pick) in [
        ("First image preferred, of all choices that are no tie", 0),
        ("Answer changes with the order", 1),
    ] {
        rows.push(ForestRow::Group(group.to_owned()));
        for position in &analysis.position {
            let rate = [&position.report.first_picks, &position.report.flips][pick].as_ref();
            rows.push(ForestRow::Entry {
                label: position.model.clone(),
                series: analysis.series(&position.model),
                estimate: rate.map(rate_estimate),
                instead: None,
                cells: vec![
                    rate.map_or_else(|| "0".to_owned(), |rate| format!("{} of {}", rate.hits, rate.n)),
                ],
            });
        }
    }
    Forest {
        title: "Bias for a position".to_owned(),
        subtitle: format!(
            "A fair judge prefers the first image in half of its choices. Lines are {} intervals.",
            level(options)
        ),
        axis_label: "share".to_owned(),
        scale: Scale::Linear,
        unit: Unit::Percent,
        reference: Some((0.5, "fair".to_owned())),
        columns: vec!["count".to_owned()],
        rows,
    }
    .draw()
}

fn position_bars(analysis: &Analysis) -> Plot {
    let mut bars = Vec::new();
    for position in &analysis.position {
        for (order, name) in [
            (Order::ModelFirst, "shown first"),
            (Order::BaselineFirst, "shown second"),
        ] {
            let counts = order_counts(&position.report.table, order);
            bars.push(Bar {
                label: format!("{} {name}", position.model),
                counts,
                cells: vec![n_votes(&counts).to_string()],
            });
        }
    }
    Bars {
        title: "Outcomes by order of showing".to_owned(),
        subtitle: "Two images that were judged in both orders. For a judge without bias the two bars of a model are alike."
            .to_owned(),
        columns: vec!["n".to_owned()],
        bars,
    }
    .draw()
}

/// The margin of the table of both orders: its rows are outcomes with the model first.
fn order_counts(table: &[[u64; 3]; 3], order: Order) -> RsiCounts {
    let sum = |outcome: usize| match order {
        Order::ModelFirst => table[outcome].iter().sum(),
        Order::BaselineFirst => table.iter().map(|row| row[outcome]).sum(),
    };
    RsiCounts {
        wins: sum(0),
        ties: sum(1),
        losses: sum(2),
    }
}
