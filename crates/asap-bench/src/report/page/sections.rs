//! The sections of the page.

use super::{Page, Section};
use crate::report::config::Who;
use crate::report::plot::escape;
use crate::stats::position::PositionPolicy;

/// What the three words mean, for readers who have only the page.
const STATUS_NOTE: &str = "<p class=\"note\">Status. <b>Preliminary</b>: under 30 prompts, under 98 % scored, or an \
interval wider than ±10 points (for RSI: a factor of 1.5). <b>Established</b>: 100 prompts or more, 98 % scored, and \
an interval within ±5 points (a factor of 1.2). <b>Usable</b>: between the two. The status speaks of precision alone; \
whether the judge is right is the matter of the agreement with people.</p>\n";

impl Page<'_> {
    pub(super) fn sections(&self) -> Vec<Section> {
        let section = |id, title, body| Section { id, title, body };
        vec![
            section("headline", "Results", self.headline()),
            section("categories", "Where models fail", self.categories()),
            section("paired", "Against the baseline", self.paired()),
            section("preference", "Which image is better", self.preference()),
            section("quality", "Quality guard", self.quality()),
            section("people", "Judge and people", self.people()),
            section("images", "Worst and best images", self.images()),
            section("position", "Bias for a position", self.position()),
            section("paper", "The paper's numbers", self.paper()),
            section("identity", "How it was made", self.identity()),
        ]
    }

    fn headline(&self) -> String {
        format!(
            "{}{}{}{STATUS_NOTE}{}",
            self.cards(),
            self.table("aer"),
            self.table("rsi"),
            self.figures("aer")
        )
    }

    fn categories(&self) -> String {
        if self.analysis.aer.is_empty() {
            return none("No image was judged.");
        }
        format!(
            "<p>With 100 images, an error rate of 30 % has an interval of about ±9 points: smaller gaps between \
             categories are noise.</p>\n{}{}{}{}{}",
            self.figures("aer_radar"),
            self.figures("aer_by_category"),
            self.folded("aer_by_category", "Table by category"),
            details("Plot by subcategory", &self.figures("aer_by_subcategory")),
            self.folded("aer_by_subcategory", "Table by subcategory"),
        )
    }

    fn paired(&self) -> String {
        if self.analysis.paired.is_empty() {
            return none("There is no baseline that was judged on the same prompts and seeds.");
        }
        format!(
            "<p>Each prompt and seed is compared with itself, which is sharper than two rates side by side. The test \
             is McNemar's exact one, or its form for clusters where a prompt has several seeds; p is corrected by \
             Holm over the models overall, and over the categories of a model.</p>\n{}{}{}",
            self.figures("paired"),
            self.table("paired"),
            self.folded("paired_by_category", "Table by category"),
        )
    }

    fn preference(&self) -> String {
        if self.analysis.rsi.is_empty() {
            return none("No pairs of images were judged.");
        }
        let rule = match self.config.options.position {
            PositionPolicy::Strict => "A choice that changes with the order of showing counts as a tie.",
            PositionPolicy::Pooled => "Each order is half a vote; counts are of half votes.",
            PositionPolicy::Single => "Each pair was shown in one order.",
        };
        format!(
            "<p>RSI is (W + T) / (L + T). It shrinks towards 1 as ties grow, so it is read together with the tie share \
             and the wins without ties. {rule}</p>\n{}{}{}",
            self.figures("rsi_bars"),
            self.figures("rsi"),
            self.folded("rsi_by_category", "Table by category"),
        )
    }

    fn quality(&self) -> String {
        if self.analysis.quality.is_empty() {
            return none(
                "No learned scores of a model and its baseline: <code>asap bench score</code> makes them.",
            );
        }
        let names = self.plots.iter().map(|plot| plot.name.as_str());
        let plots: String = names
            .filter(|name| name.starts_with("trade_off_"))
            .map(|name| self.figures(name))
            .collect();
        format!(
            "<p>A model can avoid errors by drawing duller pictures, or by hiding hands. Learned scores of the same \
             prompts and seeds show whether fewer errors came with a loss of quality. Scores of different scorers \
             have different scales.</p>\n{plots}{}",
            self.table("quality")
        )
    }

    fn people(&self) -> String {
        let human = &self.analysis.human;
        if self.config.options.judge == Who::People {
            return "<p>People are the judge of this report.</p>\n".to_owned();
        }
        if human.n_raters == 0 {
            let mut html = none("No votes of people under the judge's protocols.");
            if human.n_other_protocol > 0 {
                html.push_str(&other_protocol(human.n_other_protocol));
            }
            return html;
        }
        let mut html = format!(
            "<p>{} people. What the judge says is compared with their majority; two images on which they are split are \
             a tie, one image on which they are split is left out. Equal answers mislead where nearly all images fail \
             or pass, hence κ and AC1.</p>\n",
            human.n_raters
        );
        if human.n_simulated > 0 {
            html.push_str(&format!(
                "<p><strong>{} of these people are made up</strong> by a rehearsal (<code>simulated-…</code>): their \
                 votes follow the known answers with mistakes, and say nothing about what people see.</p>\n",
                human.n_simulated
            ));
        }
        if human.n_other_protocol > 0 {
            html.push_str(&other_protocol(human.n_other_protocol));
        }
        html.push_str(&self.disputes());
        for name in ["confusion_images", "confusion_pairs"] {
            html.push_str(&self.figures(name));
        }
        html.push_str(&self.table("agreement"));
        html.push_str(&self.table("corrected"));
        for name in ["people_aer", "people_bars"] {
            html.push_str(&self.figures(name));
        }
        html.push_str(&self.folded("people_aer", "Error rate by people, table"));
        html.push_str(&self.folded("people_rsi", "Index by people, table"));
        html
    }

    fn position(&self) -> String {
        if self.analysis.position.is_empty() {
            return none("No pairs of images were judged.");
        }
        format!(
            "{}{}{}",
            self.figures("position"),
            self.figures("position_bars"),
            self.folded("position", "Table")
        )
    }

    fn paper(&self) -> String {
        format!(
            "<p>What the paper reports, beside what was measured here. The paper gives no counts and no intervals; its \
             prompts, its images and its judge's prompts are not public, and its judge can no longer be called. Only \
             numbers of one judge, one protocol and one set of prompts can be compared.</p>\n{}",
            self.table("paper"),
        )
    }

    fn identity(&self) -> String {
        let options = &self.config.options;
        let bootstrap = options.bootstrap;
        format!(
            "<p>Bootstraps: {} replicates, seed {}. Judge: {}. The logs, the settings and a hash of every file lie in \
             this folder: <a href=\"config.json\">config.json</a>, <a href=\"report.json\">report.json</a>, \
             <a href=\"judgements.jsonl\">judgements.jsonl</a>, <a href=\"comparisons.jsonl\">comparisons.jsonl</a>, \
             <a href=\"scores.jsonl\">scores.jsonl</a>, <a href=\"calls.jsonl\">calls.jsonl</a>, \
             <a href=\"SHA256SUMS\">SHA256SUMS</a>; tables as CSV in <code>tables/</code>, of which \
             <a href=\"tables/figures.csv\">figures.csv</a> has every figure.</p>\n{}{}{}{}",
            bootstrap.replicates,
            bootstrap.seed,
            escape(options.judge.title()),
            self.table("identity"),
            self.table("runs"),
            or_none(
                self.table("cost"),
                "Cost: not computed, the judge is not called over an interface that counts."
            ),
            self.table("unscored"),
        )
    }
}

fn other_protocol(n: u64) -> String {
    format!(
        "<p class=\"warn\">{n} votes of people are under another protocol than the judge's and are left out.</p>\n"
    )
}

fn none(why: &str) -> String {
    format!("<p><span class=\"none\">Not computed.</span> {why}</p>\n")
}

fn or_none(html: String, why: &str) -> String {
    if html.is_empty() {
        format!("<p class=\"note\">{why}</p>\n")
    } else {
        html
    }
}

fn details(summary: &str, html: &str) -> String {
    if html.is_empty() {
        return String::new();
    }
    format!("<details><summary>{summary}</summary>\n{html}</details>\n")
}
