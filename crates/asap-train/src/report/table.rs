//! The table behind a plot.

use std::fmt::Write as _;

use super::axis::thousands;
use super::canvas::escape;
use super::figure::{Groups, Lines, Series};

/// More rows than this are not read; `data.json` has all.
const N_ROWS: usize = 25;

/// The table of lines: equally spaced steps of what is drawn bold.
pub(super) fn of_lines(figure: &Lines) -> String {
    let drawn = |series: &Series| {
        if series.smooth.is_empty() {
            series.points.clone()
        } else {
            series.smooth.clone()
        }
    };
    let shown: Vec<&Series> = figure
        .series
        .iter()
        .filter(|series| !series.points.is_empty())
        .collect();
    let columns: Vec<Vec<[f64; 2]>> = shown.iter().map(|series| drawn(series)).collect();
    let mut head = vec!["step".to_owned()];
    for series in &shown {
        head.push(series.name.to_owned());
        if !series.interval.is_empty() {
            head.push("95 % interval".to_owned());
        }
    }
    let n = columns.first().map_or(0, Vec::len);
    let rows = rows(n).map(|idx| {
        let mut row = vec![thousands(columns[0][idx][0])];
        for (series, column) in shown.iter().zip(&columns) {
            row.push(
                column
                    .get(idx)
                    .map_or_else(String::new, |point| figure.unit.write(point[1])),
            );
            row.extend(
                series
                    .interval
                    .get(idx)
                    .map(|ends| figure.unit.write_interval(*ends)),
            );
        }
        row
    });
    html(&head, rows)
}

/// The table of groups.
pub(super) fn of_groups(figure: &Groups) -> String {
    let head = ["group", "n", "value", "95 % interval"].map(str::to_owned);
    let rows = figure.rows.iter().map(|row| {
        let interval = row.interval.map(|ends| figure.unit.write_interval(ends));
        vec![
            row.label.clone(),
            thousands(row.n as f64),
            figure.unit.write(row.value),
            interval.unwrap_or_else(|| "too few".to_owned()),
        ]
    });
    html(&head, rows)
}

/// At most [`N_ROWS`] equally spaced indices, the first and the last among them.
fn rows(n: usize) -> impl Iterator<Item = usize> {
    let n_rows = n.min(N_ROWS);
    (0..n_rows).map(move |idx| {
        if n_rows < 2 {
            0
        } else {
            idx * (n - 1) / (n_rows - 1)
        }
    })
}

/// A table that scrolls sideways where it is wide.
pub(super) fn html(head: &[String], rows: impl Iterator<Item = Vec<String>>) -> String {
    let cells = |tag: &str, cells: &[String]| -> String {
        cells
            .iter()
            .map(|cell| format!("<{tag}>{}</{tag}>", escape(cell)))
            .collect()
    };
    let mut html = format!(
        "<div class=\"scroll\" tabindex=\"0\"><table><thead><tr>{}</tr></thead><tbody>\n",
        cells("th", head)
    );
    for row in rows {
        _ = writeln!(html, "<tr>{}</tr>", cells("td", &row));
    }
    html.push_str("</tbody></table></div>\n");
    html
}
