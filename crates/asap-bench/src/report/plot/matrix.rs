//! Confusion of two judges as a matrix of counts.

use super::Plot;
use super::canvas::{Canvas, num};

const LEFT_PX: f64 = 150.0;
const CELL: (f64, f64) = (128.0, 62.0);

/// Counts of every combination of two judges' answers.
#[derive(Clone, Debug, PartialEq)]
pub struct Matrix {
    /// What it shows.
    pub title: String,
    /// What is counted.
    pub subtitle: String,
    /// Who answers along the rows, and along the columns.
    pub judges: [String; 2],
    /// The answers, in the same order for rows and columns.
    pub answers: Vec<String>,
    /// `counts[row][column]`.
    pub counts: Vec<Vec<u64>>,
}

impl Matrix {
    /// Draws the plot: shade is the share of the row, and the diagonal is framed.
    pub fn draw(&self) -> Plot {
        let mut canvas = Canvas::new(&self.title, &self.subtitle);
        let n = self.answers.len();
        let top = canvas.top + 40.0;
        let middle = LEFT_PX + n as f64 * CELL.0 / 2.0;
        canvas.text((middle, top - 26.0), "group mid", &self.judges[1]);
        canvas.text((0.0, top - 8.0), "group", &self.judges[0]);
        for (idx, answer) in self.answers.iter().enumerate() {
            let at = idx as f64 + 0.5;
            canvas.text((LEFT_PX + at * CELL.0, top - 8.0), "mid", answer);
            let n_row: u64 = self.counts[idx].iter().sum();
            let y = top + at * CELL.1;
            canvas.text((LEFT_PX - 12.0, y), "end", answer);
            canvas.text((LEFT_PX - 12.0, y + 15.0), "tick end", &format!("n = {n_row}"));
        }
        for row in 0..n {
            for column in 0..n {
                self.draw_cell(&mut canvas, top, row, column);
            }
        }
        for idx in 0..n {
            let at = (LEFT_PX + idx as f64 * CELL.0, top + idx as f64 * CELL.1);
            canvas.rect((at.0 + 1.0, at.1 + 1.0), (CELL.0 - 3.0, CELL.1 - 3.0), "frame");
        }
        canvas.finish(top + n as f64 * CELL.1 + 12.0)
    }

    fn draw_cell(&self, canvas: &mut Canvas, top: f64, row: usize, column: usize) {
        let count = self.counts[row][column];
        let n_row: u64 = self.counts[row].iter().sum();
        let share = if n_row > 0 {
            count as f64 / n_row as f64
        } else {
            0.0
        };
        let (x, y) = (LEFT_PX + column as f64 * CELL.0, top + row as f64 * CELL.1);
        let tooltip = format!(
            "{}: {}, {}: {}: {count} of {n_row}",
            self.judges[0], self.answers[row], self.judges[1], self.answers[column]
        );
        canvas.told(&tooltip, |canvas| {
            canvas.raw(&format!(
                "<rect x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\" class=\"cell\" opacity=\"{}\"/>",
                num(x),
                num(y),
                num(CELL.0 - 1.0),
                num(CELL.1 - 1.0),
                // Never so dark that ink could not be read on it.
                num(0.05 + 0.4 * share)
            ));
            let middle = x + CELL.0 / 2.0;
            canvas.text((middle, y + 30.0), "big mid", &count.to_string());
            let percent = if n_row > 0 {
                format!("{:.0} % of row", share * 100.0)
            } else {
                String::new()
            };
            canvas.text((middle, y + 47.0), "tick mid", &percent);
        });
    }
}
