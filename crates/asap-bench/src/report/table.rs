//! Tables: one content, worn as CSV for programs and as HTML for people.

use std::fmt::Write as _;

use super::plot::{Unit, escape};

/// On which side the cells of a column are flush.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// Names.
    Left,
    /// Numbers.
    Right,
}

/// A cell: what a person reads, and what a program reads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cell {
    /// For people.
    pub text: String,
    /// For programs: numbers with all of their digits; empty where nothing was computed.
    pub data: String,
    /// A class of the page's style sheet.
    pub class: &'static str,
}

/// The words for what was not measured.
pub(super) const NOT_COMPUTED: &str = "not computed";

impl Cell {
    /// A name.
    pub fn text(text: impl Into<String>) -> Self {
        let text = text.into();
        Self {
            data: text.clone(),
            text,
            class: "",
        }
    }

    /// What was not measured.
    pub fn none() -> Self {
        Self {
            text: NOT_COMPUTED.to_owned(),
            data: String::new(),
            class: "none",
        }
    }

    /// A count.
    pub fn count(count: u64) -> Self {
        Self::text(count.to_string())
    }

    /// A number; nothing where there is none.
    pub fn number(value: Option<f64>, unit: Unit) -> Self {
        value.map_or_else(Self::none, |value| Self {
            text: unit.write(value),
            data: value.to_string(),
            class: "",
        })
    }

    /// An interval.
    pub fn interval(ends: Option<[f64; 2]>, unit: Unit) -> Self {
        ends.map_or_else(Self::none, |ends| Self {
            text: unit.write_interval(ends),
            data: format!("{} {}", ends[0], ends[1]),
            class: "",
        })
    }

    /// A p-value.
    pub fn p(p: Option<f64>) -> Self {
        p.map_or_else(Self::none, |p| Self {
            text: write_p(p),
            data: p.to_string(),
            class: "",
        })
    }

    /// With a class of the page's style sheet.
    pub fn with_class(mut self, class: &'static str) -> Self {
        self.class = class;
        self
    }
}

/// A p-value for people.
pub(super) fn write_p(p: f64) -> String {
    if p < 0.0001 {
        "< 0.0001".to_owned()
    } else if p < 0.1 {
        format!("{p:.4}")
    } else {
        format!("{p:.2}")
    }
}

/// A column.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Column {
    /// The heading for people; empty where the column is for programs alone.
    pub title: String,
    /// The heading for programs.
    pub key: String,
    /// Where its cells are flush.
    pub side: Side,
}

/// A table with a name of its own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Table {
    /// The file's name without its end.
    pub name: &'static str,
    /// What it shows, for people.
    pub caption: String,
    /// Columns.
    pub columns: Vec<Column>,
    /// Rows, each with as many cells as there are columns.
    pub rows: Vec<Vec<Cell>>,
}

impl Table {
    /// A table without rows. `columns` are pairs of heading and key; those whose heading begins with `#` hold
    /// numbers, and those without heading are for programs alone.
    pub fn new(name: &'static str, caption: impl Into<String>, columns: &[(&str, &str)]) -> Self {
        let column = |(title, key): &(&str, &str)| Column {
            title: title.trim_start_matches('#').to_owned(),
            key: (*key).to_owned(),
            side: if title.starts_with('#') {
                Side::Right
            } else {
                Side::Left
            },
        };
        Self {
            name,
            caption: caption.into(),
            columns: columns.iter().map(column).collect(),
            rows: Vec::new(),
        }
    }

    /// As CSV (RFC 4180), UTF-8, lines ended by a line feed.
    pub fn to_csv(&self) -> String {
        let mut csv = String::new();
        let heads = self.columns.iter().map(|column| column.key.as_str());
        write_csv_row(&mut csv, heads);
        for row in &self.rows {
            write_csv_row(&mut csv, row.iter().map(|cell| cell.data.as_str()));
        }
        csv
    }

    /// As an HTML table that scrolls sideways where it is wider than the screen.
    pub fn to_html(&self) -> String {
        let mut html = format!(
            "<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"{caption}\"><table id=\"table-{}\">\
             <caption>{caption}</caption>\n<thead><tr>",
            self.name,
            caption = escape(&self.caption)
        );
        for column in self.columns.iter().filter(|column| !column.title.is_empty()) {
            _ = write!(
                html,
                "<th scope=\"col\"{}>{}</th>",
                side_class(column.side),
                escape(&column.title)
            );
        }
        html.push_str("</tr></thead>\n<tbody>\n");
        for row in &self.rows {
            html.push_str("<tr>");
            let shown = row
                .iter()
                .zip(&self.columns)
                .filter(|(_, column)| !column.title.is_empty());
            for (idx, (cell, column)) in shown.enumerate() {
                let class = match (column.side, cell.class) {
                    (Side::Left, "") => String::new(),
                    (Side::Left, class) => format!(" class=\"{class}\""),
                    (Side::Right, "") => " class=\"num\"".to_owned(),
                    (Side::Right, class) => format!(" class=\"num {class}\""),
                };
                let tag = if idx == 0 { "th scope=\"row\"" } else { "td" };
                let end = if idx == 0 { "th" } else { "td" };
                _ = write!(html, "<{tag}{class}>{}</{end}>", escape(&cell.text));
            }
            html.push_str("</tr>\n");
        }
        html.push_str("</tbody></table></div>\n");
        html
    }
}

const fn side_class(side: Side) -> &'static str {
    match side {
        Side::Left => "",
        Side::Right => " class=\"num\"",
    }
}

fn write_csv_row<'a>(csv: &mut String, fields: impl Iterator<Item = &'a str>) {
    for (idx, field) in fields.enumerate() {
        if idx > 0 {
            csv.push(',');
        }
        if field.contains([',', '"', '\n', '\r']) {
            _ = write!(csv, "\"{}\"", field.replace('"', "\"\""));
        } else {
            csv.push_str(field);
        }
    }
    csv.push('\n');
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table() -> Table {
        let mut table = Table::new(
            "small",
            "Two models",
            &[("model", "model"), ("#AER", "aer"), ("", "scope"), ("#p", "p")],
        );
        table.rows = vec![
            vec![
                Cell::text("a, \"b\" & c"),
                Cell::number(Some(0.289), Unit::Percent),
                Cell::text("overall"),
                Cell::p(Some(0.00001)),
            ],
            vec![
                Cell::text("d"),
                Cell::number(None, Unit::Percent),
                Cell::text("overall"),
                Cell::p(Some(0.25)),
            ],
        ];
        table
    }

    #[test]
    fn csv_has_all_digits_and_nothing_where_nothing_was_computed() {
        assert_eq!(
            table().to_csv(),
            "model,aer,scope,p\n\"a, \"\"b\"\" & c\",0.289,overall,0.00001\nd,,overall,0.25\n"
        );
    }

    #[test]
    fn html_says_not_computed() {
        assert_eq!(
            table().to_html(),
            "<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"Two models\">\
             <table id=\"table-small\"><caption>Two models</caption>\n\
             <thead><tr><th scope=\"col\">model</th><th scope=\"col\" class=\"num\">AER</th>\
             <th scope=\"col\" class=\"num\">p</th></tr></thead>\n<tbody>\n\
             <tr><th scope=\"row\">a, &quot;b&quot; &amp; c</th><td class=\"num\">28.9 %</td>\
             <td class=\"num\">&lt; 0.0001</td></tr>\n\
             <tr><th scope=\"row\">d</th><td class=\"num none\">not computed</td><td class=\"num\">0.25</td></tr>\n\
             </tbody></table></div>\n"
        );
    }
}
