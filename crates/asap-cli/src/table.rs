//! Tables for a terminal: columns as wide as their widest cell.

/// On which side the cells of a column are flush.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Align {
    Left,
    Right,
}

/// Lines of cells, two spaces apart, without spaces at the ends of lines.
pub(crate) fn render<const N: usize>(
    align: [Align; N],
    rows: impl IntoIterator<Item = [String; N]>,
) -> String {
    let rows: Vec<[String; N]> = rows.into_iter().collect();
    let mut widths = [0; N];
    for row in &rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(cell.chars().count());
        }
    }
    let mut text = String::new();
    for row in &rows {
        let mut line = String::new();
        for ((cell, width), align) in row.iter().zip(widths).zip(align) {
            match align {
                Align::Left => line.push_str(&format!("{cell:<width$}  ")),
                Align::Right => line.push_str(&format!("{cell:>width$}  ")),
            }
        }
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}

/// A number with some decimals; what was not measured is a dash and never 0.
pub(crate) fn number(value: Option<f64>, n_decimals: usize) -> String {
    value.map_or_else(|| "-".to_owned(), |value| format!("{value:.n_decimals$}"))
}

/// A number with some decimals, for what takes more than the dataset to compute.
pub(crate) fn or_not_computed(value: Option<f64>, n_decimals: usize) -> String {
    value.map_or_else(
        || "not computed".to_owned(),
        |value| format!("{value:.n_decimals$}"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_line_up() {
        let rows = [["name", "n"], ["left_hand", "7"], ["é", "120"]].map(|row| row.map(str::to_owned));
        assert_eq!(
            render([Align::Left, Align::Right], rows),
            "name         n\nleft_hand    7\né          120\n"
        );
        assert_eq!(number(Some(0.98765), 3), "0.988");
        assert_eq!(number(None, 3), "-");
        assert_eq!(or_not_computed(None, 3), "not computed");
    }
}
