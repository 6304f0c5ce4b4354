//! Tables of votes as people export them: RFC 4180 with a head line; columns in any order.

use std::str::FromStr;

/// A line of a table, read by the names of its columns.
#[derive(Debug)]
pub(super) struct Row<'a> {
    line: usize,
    cells: Vec<(&'a str, String)>,
}

/// What is wrong, and in which line.
type Wrong = (usize, String);

/// Reads a table that has all columns of `required` and no other than those of `optional`.
pub(super) fn parse<'a>(
    text: &str,
    required: &[&'a str],
    optional: &[&'a str],
) -> Result<Vec<Row<'a>>, Wrong> {
    let mut records = records(text.strip_prefix('\u{feff}').unwrap_or(text))?.into_iter();
    let (_, head) = records
        .next()
        .ok_or_else(|| (1, format!("expected the columns {}", required.join(", "))))?;
    let mut columns = Vec::new();
    for name in &head {
        let known = required
            .iter()
            .chain(optional)
            .find(|known| **known == name.trim());
        let column = known.ok_or_else(|| {
            (
                1,
                format!(
                    "unknown column `{name}`; expected {} and perhaps {}",
                    required.join(", "),
                    optional.join(", ")
                ),
            )
        })?;
        if columns.contains(column) {
            return Err((1, format!("the column `{column}` is there twice")));
        }
        columns.push(*column);
    }
    if let Some(missing) = required.iter().find(|name| !columns.contains(name)) {
        return Err((1, format!("the column `{missing}` is missing")));
    }
    records
        .map(|(line, cells)| {
            if cells.len() != columns.len() {
                return Err((
                    line,
                    format!("expected {} cells, got {}", columns.len(), cells.len()),
                ));
            }
            let cells = cells.into_iter().map(|cell| cell.trim().to_owned());
            Ok(Row {
                line,
                cells: columns.iter().copied().zip(cells).collect(),
            })
        })
        .collect()
}

impl Row<'_> {
    /// The line of the file that it begins in.
    pub(super) const fn line(&self) -> usize {
        self.line
    }

    /// A cell; empty where there is no such column.
    pub(super) fn get(&self, column: &str) -> &str {
        self.cells
            .iter()
            .find(|(name, _)| *name == column)
            .map_or("", |(_, cell)| cell)
    }

    /// A cell as a value.
    pub(super) fn parse<T: FromStr>(&self, column: &str, expected: &str) -> Result<T, String> {
        let cell = self.get(column);
        cell.parse()
            .ok()
            .ok_or_else(|| format!("`{column}`: expected {expected}, got `{cell}`"))
    }

    /// A cell as a value; `None` where it is empty.
    pub(super) fn parse_filled<T: FromStr>(&self, column: &str, expected: &str) -> Result<Option<T>, String> {
        if self.get(column).is_empty() {
            return Ok(None);
        }
        self.parse(column, expected).map(Some)
    }

    /// A cell that is one of some words.
    pub(super) fn word<T: Copy>(&self, column: &str, words: &[(&str, T)]) -> Result<T, String> {
        let cell = self.get(column);
        let found = words.iter().find(|(word, _)| *word == cell);
        found.map(|(_, value)| *value).ok_or_else(|| {
            let names: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
            format!("`{column}`: expected one of {}, got `{cell}`", names.join(", "))
        })
    }
}

/// The records with the lines that they begin in; blank lines are passed over.
fn records(text: &str) -> Result<Vec<(usize, Vec<String>)>, Wrong> {
    let mut records = Vec::new();
    let mut cells: Vec<String> = Vec::new();
    let mut cell = String::new();
    let (mut line, mut start) = (1, 1);
    let mut is_quoted = false;
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        if c == '\n' {
            line += 1;
        }
        match c {
            '"' if is_quoted && chars.peek() == Some(&'"') => {
                chars.next();
                cell.push('"');
            }
            '"' if is_quoted => is_quoted = false,
            '"' if cell.is_empty() => is_quoted = true,
            ',' if !is_quoted => cells.push(std::mem::take(&mut cell)),
            '\r' if !is_quoted && chars.peek() == Some(&'\n') => {}
            '\n' if !is_quoted => {
                end_record(&mut records, start, &mut cells, &mut cell);
                start = line;
            }
            _ => cell.push(c),
        }
    }
    if is_quoted {
        return Err((start, "a quoted cell is not closed".to_owned()));
    }
    end_record(&mut records, start, &mut cells, &mut cell);
    Ok(records)
}

fn end_record(
    records: &mut Vec<(usize, Vec<String>)>,
    start: usize,
    cells: &mut Vec<String>,
    cell: &mut String,
) {
    if cells.is_empty() && cell.trim().is_empty() {
        cell.clear();
        return;
    }
    cells.push(std::mem::take(cell));
    records.push((start, std::mem::take(cells)));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Vec<String>, Wrong> {
        let rows = parse(text, &["a", "b"], &["c"])?;
        Ok(rows
            .iter()
            .map(|row| format!("{}: {}|{}|{}", row.line, row.get("a"), row.get("b"), row.get("c")))
            .collect())
    }

    #[test]
    fn tables_are_read() {
        assert_eq!(read("a,b\n1,2\n").unwrap(), ["2: 1|2|"]);
        assert_eq!(
            read("\u{feff}b, c,a\r\n\r\n1,2,3\r\n4,5,6").unwrap(),
            ["3: 3|1|2", "4: 6|4|5"]
        );
        let quoted = "a,b\n\"x, \"\"y\"\"\nz\",2\n3,\"\"\n";
        assert_eq!(read(quoted).unwrap(), ["2: x, \"y\"\nz|2|", "4: 3||"]);
    }

    #[test]
    fn wrong_tables_are_refused_with_their_line() {
        for (text, line, expected) in [
            ("", 1, "expected the columns a, b"),
            ("a\n", 1, "the column `b` is missing"),
            ("a,b,a\n", 1, "the column `a` is there twice"),
            ("a,b,d\n", 1, "unknown column `d`; expected a, b and perhaps c"),
            ("a,b\n1,2\n3\n", 3, "expected 2 cells, got 1"),
            ("a,b\n1,\"2\n", 2, "a quoted cell is not closed"),
        ] {
            assert_eq!(read(text).unwrap_err(), (line, expected.to_owned()), "{text}");
        }
    }
}
