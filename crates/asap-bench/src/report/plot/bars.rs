//! Wins, ties and losses as stacked bars: Fig. 7 of the paper.

use asap_core::RsiCounts;

use super::canvas::{Canvas, clipped, text_width};
use super::{Plot, WIDTH_PX};

const ROW_PX: f64 = 34.0;
const BAR_PX: f64 = 22.0;

/// One comparison.
#[derive(Clone, Debug, PartialEq)]
pub struct Bar {
    /// What is compared.
    pub label: String,
    /// Its counts.
    pub counts: RsiCounts,
    /// Texts under the headings on the right.
    pub cells: Vec<String>,
}

/// Shares of wins, ties and losses.
#[derive(Clone, Debug, PartialEq)]
pub struct Bars {
    /// What it shows.
    pub title: String,
    /// What is counted.
    pub subtitle: String,
    /// Headings of [`Bar::cells`].
    pub columns: Vec<String>,
    /// From top to bottom.
    pub bars: Vec<Bar>,
}

impl Bars {
    /// Draws the plot.
    pub fn draw(&self) -> Plot {
        let mut canvas = Canvas::new(&self.title, &self.subtitle);
        let label_px = self
            .bars
            .iter()
            .map(|bar| text_width(&bar.label, 12.0) + 14.0)
            .fold(70.0, f64::max)
            .min(230.0);
        let edges_px = self.edges();
        let right = edges_px.first().map_or(WIDTH_PX, |edge| edge.0) - 4.0;
        let top = canvas.top + 14.0;
        draw_key(&mut canvas, label_px, top - 8.0);
        for ((_, edge), heading) in edges_px.iter().zip(&self.columns) {
            canvas.text((*edge, top - 8.0), "head end", heading);
        }
        for (idx, bar) in self.bars.iter().enumerate() {
            let y = top + idx as f64 * ROW_PX + 4.0;
            let baseline = y + BAR_PX / 2.0 + 4.0;
            canvas.text((0.0, baseline), "", &clipped(&bar.label, label_px - 8.0, 12.0));
            draw_bar(&mut canvas, bar, [label_px, right], y);
            for ((_, edge), cell) in edges_px.iter().zip(&bar.cells) {
                canvas.text((*edge, baseline), "end", cell);
            }
        }
        canvas.finish(top + self.bars.len() as f64 * ROW_PX + 8.0)
    }

    /// Left and right edge of each column of texts.
    fn edges(&self) -> Vec<(f64, f64)> {
        let mut edge = WIDTH_PX;
        let mut edges = Vec::new();
        for (idx, heading) in self.columns.iter().enumerate().rev() {
            let cells = self.bars.iter().filter_map(|bar| bar.cells.get(idx));
            let width = cells
                .map(|cell| text_width(cell, 12.0))
                .fold(text_width(heading, 11.0), f64::max);
            edges.insert(0, (edge - width - 14.0, edge));
            edge -= width + 18.0;
        }
        edges
    }
}

fn draw_key(canvas: &mut Canvas, left: f64, y: f64) {
    let mut x = left;
    for (class, name) in [("win", "win"), ("tie", "tie"), ("loss", "loss")] {
        canvas.rect((x, y - 9.0), (10.0, 10.0), class);
        canvas.text((x + 15.0, y), "head", name);
        x += 30.0 + text_width(name, 11.0);
    }
}

fn draw_bar(canvas: &mut Canvas, bar: &Bar, [left, right]: [f64; 2], y: f64) {
    let RsiCounts { wins, ties, losses } = bar.counts;
    let n = wins + ties + losses;
    if n == 0 {
        canvas.text((left, y + BAR_PX / 2.0 + 4.0), "none", "not computed");
        return;
    }
    let mut x = left;
    for (count, class, ink, letter, name) in [
        (wins, "win", "onwin", "W", "wins"),
        (ties, "tie", "onpale", "T", "ties"),
        (losses, "loss", "onpale", "L", "losses"),
    ] {
        let share = count as f64 / n as f64;
        let width = share * (right - left);
        let tooltip = format!("{}: {count} {name} of {n} ({:.1} %)", bar.label, share * 100.0);
        canvas.told(&tooltip, |canvas| {
            canvas.rect((x, y), ((width - 1.0).max(0.0), BAR_PX), class);
            let long = format!("{letter} {count} · {:.0} %", share * 100.0);
            let short = format!("{letter} {count}");
            let fits = |text: &&String| text_width(text, 12.0) + 10.0 < width;
            if let Some(text) = [&long, &short].into_iter().find(fits) {
                canvas.text((x + 6.0, y + BAR_PX / 2.0 + 4.0), ink, text);
            }
        });
        x += width;
    }
}
