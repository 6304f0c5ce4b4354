//! `comparison/index.html`.

use std::fmt::Write as _;

use super::canvas::escape;
use super::comparison::Table;
use super::page::{duration, figure, section};
use super::{forest, table, theme};

const LEAD: &str = "The runs differ in this setting alone: same pairs, same draws of time and noise, same start of the \
                    adapter. Intervals are those of each run; runs share their pairs, so intervals that overlap may \
                    still hide a difference.";

/// The whole page.
pub(super) fn html(compared: &Table) -> String {
    let title = format!("Sweep of {}", compared.key);
    let mut html = format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">\n<title>{title}</title>\n\
         <style>\n{css}</style>\n</head>\n<body>\n<header>\n<p class=\"eyebrow\">Comparison of {n} runs</p>\n\
         <h1>{title}</h1>\n<p class=\"lead\">{LEAD}</p>\n</header>\n<main>\n",
        title = escape(&title),
        css = theme::page_css(),
        n = compared.rows.len(),
    );
    html.push_str(&alarms(compared));
    let cells = compared.rows.iter().map(Table::cells);
    html.push_str(&section(
        "numbers",
        "Numbers",
        "",
        &table::html(&compared.head(), cells),
    ));
    let figures: String = compared
        .figures
        .iter()
        .map(|found| {
            let plot = forest::draw(found).inline();
            figure(found.name, &plot, &found.caption, &table::of_groups(found))
        })
        .collect();
    html.push_str(&section(
        "figures",
        "By value",
        "",
        &format!("<div class=\"figures\">\n{figures}</div>\n"),
    ));
    html.push_str(&section("runs", "Runs", "", &runs(compared)));
    _ = write!(
        html,
        "</main>\n<footer>Drawn by the ASAP toolkit {} from the runs' <code>telemetry.jsonl</code>. All numbers are in \
         <a href=\"data.json\">data.json</a>.</footer>\n</body>\n</html>\n",
        escape(&compared.toolkit_version)
    );
    html
}

fn alarms(compared: &Table) -> String {
    let mut said = String::new();
    for row in &compared.rows {
        for alarm in &row.alarms {
            _ = writeln!(said, "<li><b>{}</b> {}</li>", escape(&row.value), escape(alarm));
        }
    }
    match said {
        said if said.is_empty() => said,
        said => format!(
            "<section class=\"alarms\" id=\"alarms\">\n<h2>Look at this first</h2>\n<ul>\n{said}</ul>\n</section>\n"
        ),
    }
}

fn runs(compared: &Table) -> String {
    let items: String = compared
        .rows
        .iter()
        .map(|row| {
            let run = escape(&row.run);
            format!(
                "<li><a href=\"../{run}/report/index.html\">{run}</a>: {} steps, {}</li>\n",
                row.n_steps_done,
                duration(row.seconds)
            )
        })
        .collect();
    format!("<ul class=\"notes\">\n{items}</ul>\n")
}
