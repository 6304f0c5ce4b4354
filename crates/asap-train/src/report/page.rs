//! `index.html`.

use std::fmt::Write as _;

use super::analysis::Analysis;
use super::axis::{Unit, significant, thousands};
use super::canvas::escape;
use super::samples::Samples;
use super::{forest, lines, table, theme};

/// All that a page shows.
pub(super) struct Page<'a> {
    pub(super) analysis: &'a Analysis,
    pub(super) samples: &'a Samples,
    pub(super) settings_toml: &'a str,
}

const SMOOTH: &str = "Faint lines are single steps, and of a long run means over a few. Bold lines are moving means over a \
                      twentieth of the run, once it has enough steps.";
const GROUPS: &str = "Mean δ with Student's 95 % interval. The first half of the run is on its way from 0 and is left \
                      out; a pair counts at each of its draws.";

/// Which plots stand together: id, title, what a reader must know, names.
const SECTIONS: [(&str, &str, &str, &[&str]); 3] = [
    (
        "held-out",
        "Held-out pairs",
        "",
        &["held_out_accuracy", "held_out_delta", "held_out_by_part"],
    ),
    (
        "training",
        "Training",
        SMOOTH,
        &[
            "loss",
            "delta",
            "advantages",
            "accuracy",
            "inside_outside",
            "background_drift",
        ],
    ),
    (
        "groups",
        "Where the gap is learnt",
        GROUPS,
        &[
            "delta_by_time",
            "delta_by_area",
            "delta_by_part",
            "delta_by_mechanism",
        ],
    ),
];
const MACHINE: &[&str] = &["grad_norm", "learning_rate", "throughput", "wait_share"];

impl Page<'_> {
    /// The whole page.
    pub(super) fn html(&self) -> String {
        let mut html = format!(
            "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
             <meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">\n<title>{}</title>\n\
             <style>\n{}</style>\n</head>\n<body>\n",
            escape(&self.title()),
            theme::page_css()
        );
        html.push_str(&self.header());
        html.push_str("<main>\n");
        html.push_str(&self.alarms());
        let [held_out, training, groups] =
            SECTIONS.map(|(id, title, lead, names)| section(id, title, lead, &self.figures(names)));
        html.push_str(&held_out);
        let lead = "The same prompt and noise through the base model and the tuned one.";
        html.push_str(&section(
            "samples",
            "Before and after",
            lead,
            &self.samples.html(),
        ));
        html.push_str(&training);
        html.push_str(&groups);
        html.push_str(&section(
            "machine",
            "Optimiser and machine",
            SMOOTH,
            &self.figures(MACHINE),
        ));
        html.push_str(&section("notes", "Notes", "", &self.notes()));
        html.push_str(&section(
            "provenance",
            "What a repetition needs",
            "",
            &self.provenance(),
        ));
        let settings = format!(
            "<details><summary>The settings as they were resolved</summary>\n<pre tabindex=\"0\">{}</pre></details>\n",
            escape(self.settings_toml)
        );
        html.push_str(&section("settings", "Settings", "", &settings));
        _ = write!(
            html,
            "</main>\n<footer>Drawn by the ASAP toolkit {} from <code>telemetry.jsonl</code>. All numbers are in \
             <a href=\"data.json\">data.json</a>.</footer>\n</body>\n</html>\n",
            escape(&self.analysis.run.toolkit_version)
        );
        html
    }

    fn title(&self) -> String {
        let run = &self.analysis.run;
        format!("{} on {}", run.objective, run.data)
    }

    fn header(&self) -> String {
        let run = &self.analysis.run;
        let headline = &self.analysis.headline;
        let done = if headline.n_steps_done < run.n_steps {
            format!(
                "{} of {} steps so far",
                thousands(headline.n_steps_done as f64),
                thousands(run.n_steps as f64)
            )
        } else {
            format!("{} steps", thousands(headline.n_steps_done as f64))
        };
        format!(
            "<header>\n<p class=\"eyebrow\">Training run</p>\n<h1>{}</h1>\n<p class=\"lead\">A LoRA adapter for {} \
             ({}), trained on {} pairs of {}: {done}, {} pairs seen.</p>\n{}</header>\n",
            escape(&self.title()),
            escape(&run.base),
            escape(&run.backbone),
            thousands(run.n_pairs as f64),
            escape(&run.data),
            thousands(headline.n_pairs_seen as f64),
            self.cards(),
        )
    }

    fn cards(&self) -> String {
        let headline = &self.analysis.headline;
        let tau = self.analysis.run.tau.map(|tau| format!("τ is {tau}"));
        let mut cards = String::new();
        let mut card = |name: &str, value: &str, below: &str| {
            _ = writeln!(
                cards,
                "<div class=\"card\"><dt>{name}</dt><dd class=\"value\">{}</dd><dd class=\"below\">{}</dd></div>",
                escape(value),
                escape(below)
            );
        };
        if let Some(eval) = &headline.held_out {
            let interval = eval
                .accuracy_interval
                .map(|ends| Unit::Percent.write_interval(ends));
            let below = format!(
                "{} of {}, interval {}",
                eval.n_correct,
                eval.n,
                interval.unwrap_or_default()
            );
            card(
                "Held-out accuracy",
                &eval
                    .accuracy()
                    .map_or("no pairs".to_owned(), |a| Unit::Percent.write(a)),
                &below,
            );
            if let Some(delta) = eval.delta {
                let interval = eval
                    .delta_interval
                    .map(|ends| format!("interval {}", Unit::Plain.write_interval(ends)));
                let below: Vec<String> = interval.into_iter().chain(tau.clone()).collect();
                card("Held-out mean δ", &Unit::Plain.write(delta), &below.join(", "));
            }
        }
        if let Some(delta) = headline.recent_delta {
            let below = ["last tenth of the steps".to_owned()]
                .into_iter()
                .chain(tau)
                .collect::<Vec<_>>();
            card("Mean δ in training", &Unit::Plain.write(delta), &below.join(", "));
        }
        if let Some(rate) = headline.pairs_per_second {
            let waited = headline
                .wait_share
                .map(|share| format!("{} spent waiting for data", Unit::Percent.write(share)));
            card(
                "Pairs per second",
                &significant(rate),
                &waited.unwrap_or_default(),
            );
        }
        let memory = headline
            .memory_peak_bytes
            .map(|bytes| format!("memory peak {}", memory(bytes)));
        card("Time", &duration(headline.seconds), &memory.unwrap_or_default());
        format!("<dl class=\"cards\">\n{cards}</dl>\n")
    }

    fn alarms(&self) -> String {
        let said = self
            .analysis
            .alarms
            .iter()
            .map(|alarm| format!("<li>{}</li>\n", escape(alarm)));
        match said.collect::<String>() {
            said if said.is_empty() => said,
            said => format!(
                "<section class=\"alarms\" id=\"alarms\">\n<h2>Look at this first</h2>\n<ul>\n{said}</ul>\n</section>\n"
            ),
        }
    }

    /// The plots of these names that the run has, each with its table.
    fn figures(&self, names: &[&str]) -> String {
        let mut html = String::new();
        for name in names {
            if let Some(found) = self.analysis.lines.iter().find(|figure| figure.name == *name) {
                html.push_str(&figure(
                    name,
                    &lines::draw(found).inline(),
                    &found.caption,
                    &table::of_lines(found),
                ));
            }
            if let Some(found) = self.analysis.groups.iter().find(|figure| figure.name == *name) {
                html.push_str(&figure(
                    name,
                    &forest::draw(found).inline(),
                    &found.caption,
                    &table::of_groups(found),
                ));
            }
        }
        match html {
            html if html.is_empty() => html,
            html => format!("<div class=\"figures\">\n{html}</div>\n"),
        }
    }

    fn notes(&self) -> String {
        let said = self.analysis.notes.iter();
        let said = said.map(|note| {
            format!(
                "<li><b>Step {}</b> {}</li>\n",
                thousands(note.step as f64),
                escape(&note.text)
            )
        });
        match said.collect::<String>() {
            said if said.is_empty() => said,
            said => format!("<ul class=\"notes\">\n{said}</ul>\n"),
        }
    }

    fn provenance(&self) -> String {
        let run = &self.analysis.run;
        let rows = [
            ("Toolkit", run.toolkit_version.clone()),
            (
                "Commit",
                run.commit.clone().unwrap_or_else(|| "not known".to_owned()),
            ),
            ("Base model", format!("{}, BLAKE3 {}", run.base, run.base_hash)),
            (
                "Data",
                format!(
                    "{} version {}, hash {}",
                    run.data, run.data_version, run.data_sha256
                ),
            ),
            ("Seed", run.seed.to_string()),
            ("Started", run.started.clone()),
        ];
        let rows =
            rows.map(|(name, value)| format!("<div><dt>{name}</dt><dd>{}</dd></div>\n", escape(&value)));
        format!("<dl class=\"facts\">\n{}</dl>\n", rows.concat())
    }
}

/// A part of the page; nothing where it has nothing to show.
pub(super) fn section(id: &str, title: &str, lead: &str, body: &str) -> String {
    if body.is_empty() {
        return String::new();
    }
    let lead = if lead.is_empty() {
        String::new()
    } else {
        format!("<p class=\"note\">{lead}</p>\n")
    };
    format!(
        "<section id=\"{id}\" aria-labelledby=\"{id}-title\">\n<h2 id=\"{id}-title\">{title}</h2>\n{lead}{body}</section>\n"
    )
}

/// A plot with its caption and the table behind it.
pub(super) fn figure(name: &str, plot: &str, caption: &str, table: &str) -> String {
    format!(
        "<figure>{plot}<figcaption>{} <a href=\"plots/{name}.svg\">SVG</a></figcaption>\
         <details><summary>Table</summary>\n{table}</details></figure>\n",
        escape(caption)
    )
}

fn memory(bytes: u64) -> String {
    format!("{:.1}\u{a0}GiB", bytes as f64 / f64::from(1 << 30))
}

/// A time in the unit that a person would take.
pub(super) fn duration(seconds: f64) -> String {
    match seconds {
        _ if !seconds.is_finite() => "not known".to_owned(),
        _ if seconds < 120.0 => format!("{seconds:.0}\u{a0}s"),
        _ if seconds < 7200.0 => format!("{:.0}\u{a0}min", seconds / 60.0),
        _ => format!("{:.1}\u{a0}h", seconds / 3600.0),
    }
}
