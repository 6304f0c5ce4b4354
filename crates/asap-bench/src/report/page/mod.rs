//! `index.html`: one page that opens from the disk, without a script, a font or a picture from elsewhere.

mod head;
mod pictures;
mod sections;

use std::fmt::Write as _;

use super::analysis::Analysis;
use super::config::Config;
use super::gallery::Gallery;
use super::images::PictureFile;
use super::plot::{escape, page_css, variables};
use super::plots::NamedPlot;
use super::table::Table;

const STYLE: &str = include_str!("style.css");
const FONTS: &str = "system-ui,-apple-system,'Segoe UI',Roboto,'Helvetica Neue',Arial,sans-serif";

/// All that a page shows.
#[derive(Clone, Copy)]
pub(super) struct Page<'a> {
    /// The statistics.
    pub analysis: &'a Analysis,
    /// How they were computed.
    pub config: &'a Config,
    /// All tables.
    pub tables: &'a [Table],
    /// All plots.
    pub plots: &'a [NamedPlot],
    /// Which images are shown.
    pub gallery: &'a Gallery,
    /// What is known of them.
    pub pictures: &'a [PictureFile],
}

/// A part of the page.
struct Section {
    id: &'static str,
    title: &'static str,
    body: String,
}

impl Page<'_> {
    /// The whole page.
    pub(in crate::report) fn html(&self) -> String {
        let sections = self.sections();
        let mut html = format!(
            "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
             <meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">\n\
             <meta name=\"generator\" content=\"asap bench report {}\">\n<title>{}</title>\n\
             <style>\n{}body{{font-family:{FONTS}}}\n{STYLE}{}\n</style>\n</head>\n<body>\n\
             <a class=\"skip\" href=\"#headline\">Skip to the results</a>\n<div class=\"frame\">\n",
            escape(&self.config.toolkit),
            escape(&self.title()),
            variables(),
            page_css(),
        );
        html.push_str(&self.header());
        html.push_str("<nav aria-label=\"Contents\"><p>Contents</p><ol>\n");
        for section in &sections {
            _ = writeln!(html, "<li><a href=\"#{}\">{}</a></li>", section.id, section.title);
        }
        html.push_str("</ol></nav>\n<main>\n");
        for section in &sections {
            _ = write!(
                html,
                "<section id=\"{id}\" aria-labelledby=\"{id}-title\">\n<h2 id=\"{id}-title\">{}</h2>\n{}</section>\n",
                section.title,
                section.body,
                id = section.id
            );
        }
        _ = write!(
            html,
            "</main>\n<footer>Made by the ASAP toolkit {}. <code>asap bench verify</code> on this folder computes \
             every figure again from the logs in it.</footer>\n</div>\n</body>\n</html>\n",
            escape(&self.config.toolkit)
        );
        html
    }

    /// The page's title: who is compared with whom.
    fn title(&self) -> String {
        let others: Vec<&str> = self
            .analysis
            .models
            .iter()
            .filter(|model| Some(*model) != self.analysis.baseline.as_ref())
            .map(String::as_str)
            .collect();
        match (&self.analysis.baseline, others.as_slice()) {
            (Some(baseline), [_, ..]) => format!("{} against {baseline}", listed(&others)),
            _ => listed(
                &self
                    .analysis
                    .models
                    .iter()
                    .map(String::as_str)
                    .collect::<Vec<_>>(),
            ),
        }
    }

    /// The table of a name; empty text where it has no rows.
    fn table(&self, name: &str) -> String {
        let found = self.tables.iter().find(|table| table.name == name);
        found
            .filter(|table| !table.rows.is_empty())
            .map(Table::to_html)
            .unwrap_or_default()
    }

    /// A table that is opened on demand.
    fn folded(&self, name: &str, summary: &str) -> String {
        match self.table(name) {
            table if table.is_empty() => table,
            table => format!("<details><summary>{summary}</summary>\n{table}</details>\n"),
        }
    }

    /// The plot of a name, with links to its files.
    fn figures(&self, name: &str) -> String {
        let found = self.plots.iter().filter(|plot| plot.name == name);
        found.map(figure).collect()
    }
}

fn figure(plot: &NamedPlot) -> String {
    let name = &plot.name;
    format!(
        "<figure><div class=\"plotbox\">{}</div><figcaption><a href=\"plots/{name}.svg\">SVG</a>, \
         <a href=\"plots/{name}.png\">PNG</a></figcaption></figure>\n",
        plot.plot.inline()
    )
}

/// Names in a sentence: "a, b and c".
fn listed(names: &[&str]) -> String {
    match names {
        [] => "no model".to_owned(),
        [only] => (*only).to_owned(),
        [first @ .., last] => format!("{} and {last}", first.join(", ")),
    }
}
