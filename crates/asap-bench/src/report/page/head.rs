//! The head of the page: what was found, said in sentences, and the numbers to remember.

use std::fmt::Write as _;

use super::{Page, listed};
use crate::report::plot::{Unit, escape, marker_svg};
use crate::report::quality::title;
use crate::report::table::{NOT_COMPUTED, write_p};
use crate::report::view::{
    aer_status, ends, paired_estimate, rsi_interval_text, rsi_status, rsi_text, shown_rate,
};
use crate::stats::aer::Headline;

impl Page<'_> {
    pub(super) fn header(&self) -> String {
        let mut html = format!(
            "<header>\n<p class=\"eyebrow\">HAF-Bench report</p>\n<h1>{}</h1>\n",
            escape(&self.title())
        );
        let findings = self.findings();
        if !findings.is_empty() {
            html.push_str("<ul class=\"lead\">\n");
            for finding in findings {
                _ = writeln!(html, "<li>{}</li>", escape(&finding));
            }
            html.push_str("</ul>\n");
        }
        html.push_str("<dl class=\"facts\">\n");
        for (name, value) in self.facts() {
            _ = writeln!(html, "<div><dt>{name}</dt><dd>{}</dd></div>", escape(&value));
        }
        html.push_str("</dl>\n</header>\n");
        html
    }

    fn facts(&self) -> Vec<(&'static str, String)> {
        let options = &self.config.options;
        let mut protocols: Vec<&str> = options.aer_protocol.iter().map(String::as_str).collect();
        protocols.extend(options.rsi_protocol.as_deref());
        let mut benchmarks: Vec<String> = self
            .config
            .runs
            .iter()
            .map(|run| format!("{} {}", run.benchmark.name, run.benchmark.version))
            .collect();
        benchmarks.dedup();
        let mut sizes: Vec<String> = self
            .config
            .runs
            .iter()
            .map(|run| format!("{} × {}", run.n_prompts, run.seeds.len()))
            .collect();
        sizes.dedup();
        let mut facts = vec![
            ("Judge", options.judge.title().to_owned()),
            (
                "Protocols",
                if protocols.is_empty() {
                    NOT_COMPUTED.to_owned()
                } else {
                    protocols.join(", ")
                },
            ),
            ("Prompts", benchmarks.join(", ")),
            ("Prompts × seeds", sizes.join(", ")),
            ("Intervals", format!("{} %", options.level().get() * 100.0)),
        ];
        facts.extend(options.date.clone().map(|date| ("Date", date)));
        facts
    }

    /// What was found, model by model.
    fn findings(&self) -> Vec<String> {
        let mut findings = Vec::new();
        for model in &self.analysis.models {
            if Some(model) != self.analysis.baseline.as_ref() {
                findings.extend(self.finding(model));
            }
        }
        findings
    }

    fn finding(&self, model: &str) -> Option<String> {
        let cell = &self.analysis.aer_of(model)?.table.overall;
        if cell.headline == Headline::Refused {
            let coverage = Unit::Percent.write(cell.coverage.unwrap_or_default());
            return Some(format!(
                "{model}: the judge scored {coverage} of the images. Under 98 % no rate is given, for the others \
                 could change it."
            ));
        }
        let rate = shown_rate(cell)?;
        let mut text = format!(
            "{model} draws an anatomical error in {} of its images ({})",
            Unit::Percent.write(rate.value),
            Unit::Percent.write_interval(ends(rate.interval))
        );
        text.push_str(&self.difference(model).unwrap_or_else(|| ".".to_owned()));
        text.push_str(&self.guard(model));
        Some(text)
    }

    /// The rest of the sentence: how much that differs from the baseline.
    fn difference(&self, model: &str) -> Option<String> {
        let paired = self.analysis.paired_of(model)?;
        let cell = &paired.report.table.overall;
        let shown = paired_estimate(cell, self.config.options.headline)?;
        let (difference, [low, high]) = (shown.value, shown.interval?);
        let baseline = &paired.report.baseline;
        let points = format!("{:.1}", difference.abs() * 100.0);
        let span = Unit::Points.write_interval([low, high]);
        let p = write_p(paired.holm_over_models);
        let p = if p.starts_with('<') {
            format!("p {p}")
        } else {
            format!("p = {p}")
        };
        let word = if difference < 0.0 { "fewer" } else { "more" };
        Some(if low <= 0.0 && high >= 0.0 {
            format!(", which these images do not tell apart from {baseline} ({span} points, {p}).")
        } else {
            format!(", {points} points {word} than {baseline} ({span}, {p}).")
        })
    }

    /// The sentence about quality, which stands beside every gain.
    fn guard(&self, model: &str) -> String {
        if self.analysis.baseline.is_none() {
            return String::new();
        }
        let boards = &self.analysis.quality;
        let scores: Vec<_> = boards
            .iter()
            .filter_map(|board| Some((board, board.of(model)?)))
            .collect();
        if scores.is_empty() {
            return " Quality guard: not computed, no scores.".to_owned();
        }
        let lower: Vec<String> = scores
            .iter()
            .filter(|(_, score)| score.interval.is_some_and(|interval| interval.high < 0.0))
            .map(|(board, score)| {
                format!(
                    "{} ({})",
                    title(&board.key.scorer),
                    Unit::Difference.write(score.difference)
                )
            })
            .collect();
        let lower: Vec<&str> = lower.iter().map(String::as_str).collect();
        if lower.is_empty() {
            let names: Vec<String> = scores.iter().map(|(board, _)| title(&board.key.scorer)).collect();
            let names: Vec<&str> = names.iter().map(String::as_str).collect();
            format!(" Quality guard: no loss is seen by {}.", listed(&names))
        } else {
            format!(" Quality guard: lower by {}.", listed(&lower))
        }
    }

    /// One card for each model.
    pub(super) fn cards(&self) -> String {
        let mut html = "<div class=\"cards\">\n".to_owned();
        for model in &self.analysis.models {
            _ = writeln!(
                html,
                "<article class=\"card\"><h3>{}{}</h3>",
                marker_svg(self.analysis.series(model)),
                escape(model)
            );
            html.push_str(&self.aer_card(model));
            html.push_str(&self.rsi_card(model));
            html.push_str("</article>\n");
        }
        html.push_str("</div>\n");
        html
    }

    fn aer_card(&self, model: &str) -> String {
        let Some(report) = self.analysis.aer_of(model) else {
            return number("AER", None, "no judgements");
        };
        let cell = &report.table.overall;
        let counts = cell.counts;
        match shown_rate(cell) {
            Some(rate) => {
                let forced = if cell.headline == Headline::Forced {
                    ", forced"
                } else {
                    ""
                };
                let sub = format!(
                    "{} · {} of {}, {} unscored · {}{forced}",
                    Unit::Percent.write_interval(ends(rate.interval)),
                    counts.failures,
                    rate.n,
                    counts.unscored,
                    aer_status(cell).name()
                );
                number("AER", Some(&Unit::Percent.write(rate.value)), &sub)
            }
            None => {
                let sub = format!(
                    "{} scored, {} unscored",
                    counts.failures + counts.passes,
                    counts.unscored
                );
                number("AER", None, &sub)
            }
        }
    }

    fn rsi_card(&self, model: &str) -> String {
        if Some(model) == self.analysis.baseline.as_deref() {
            return number("RSI", Some("1"), "the baseline, by definition");
        }
        let Some(report) = self.analysis.rsi_of(model) else {
            return number("RSI", None, "no comparisons");
        };
        let (cell, policy) = (&report.table.overall, self.config.options.headline);
        let counts = cell.counts;
        let sub = format!(
            "{} · W {} T {} L {} · {}",
            rsi_interval_text(cell, policy).unwrap_or_else(|| "no interval".to_owned()),
            counts.wins,
            counts.ties,
            counts.losses,
            rsi_status(cell).name()
        );
        number("RSI", rsi_text(cell, policy).as_deref(), &sub)
    }
}

fn number(name: &str, value: Option<&str>, sub: &str) -> String {
    let class = if value.is_some() { "value" } else { "value none" };
    format!(
        "<p class=\"unit\">{name}</p><div class=\"{class}\">{}</div><p class=\"sub\">{}</p>\n",
        escape(value.unwrap_or(NOT_COMPUTED)),
        escape(sub)
    )
}
