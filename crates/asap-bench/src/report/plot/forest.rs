//! Interval plots: one line for each estimate, with its numbers beside it.

use super::axis::{Axis, Scale, Unit, reaches};
use super::canvas::{Canvas, clipped, num, text_width};
use super::{Estimate, Plot, WIDTH_PX};

const ROW_PX: f64 = 22.0;
const GROUP_PX: f64 = 30.0;
const LABEL_MOST_PX: f64 = 220.0;

/// A line of a forest plot.
#[derive(Clone, Debug, PartialEq)]
pub enum ForestRow {
    /// A heading over the rows below it.
    Group(String),
    /// An estimate.
    Entry {
        /// What is estimated.
        label: String,
        /// Which series it belongs to: its colour and marker.
        series: usize,
        /// The estimate that has a place on the axis.
        estimate: Option<Estimate>,
        /// What is written where there is no such estimate; `None` says that it was not computed.
        instead: Option<String>,
        /// Texts under the headings on the right, after value and interval.
        cells: Vec<String>,
    },
}

/// Estimates with intervals, one below the other, over one axis.
#[derive(Clone, Debug, PartialEq)]
pub struct Forest {
    /// What it shows.
    pub title: String,
    /// What the numbers are and what the lines mean.
    pub subtitle: String,
    /// What the axis counts.
    pub axis_label: String,
    /// How numbers become places.
    pub scale: Scale,
    /// How numbers are written.
    pub unit: Unit,
    /// The number that says "no difference", with its name.
    pub reference: Option<(f64, String)>,
    /// Headings of [`ForestRow::Entry::cells`].
    pub columns: Vec<String>,
    /// From top to bottom.
    pub rows: Vec<ForestRow>,
}

/// Where the columns of the plot stand.
struct Layout {
    axis: Axis,
    label_px: f64,
    /// Right edges of value and interval, then of each cell.
    edges_px: Vec<f64>,
    top: f64,
}

impl Forest {
    /// Draws the plot.
    pub fn draw(&self) -> Plot {
        let mut canvas = Canvas::new(&self.title, &self.subtitle);
        let layout = self.layout(canvas.top);
        let height: f64 = self.rows.iter().map(height_of).sum();
        let bottom = layout.top + height + 4.0;
        self.draw_frame(&mut canvas, &layout, bottom);
        let mut y = layout.top;
        for row in &self.rows {
            y += height_of(row);
            match row {
                ForestRow::Group(name) => {
                    let name = clipped(name, WIDTH_PX * 0.6, 12.0);
                    canvas.text((0.0, y - 7.0), "group", &name);
                }
                ForestRow::Entry { .. } => self.draw_entry(&mut canvas, &layout, row, y - ROW_PX / 2.0),
            }
        }
        canvas.finish(bottom + 42.0)
    }

    fn layout(&self, top: f64) -> Layout {
        let mut label_px: f64 = 60.0;
        let mut widths = vec![text_width("value and interval", 12.0)];
        widths.extend(self.columns.iter().map(|name| text_width(name, 11.0)));
        let mut estimates = Vec::new();
        for row in &self.rows {
            if let ForestRow::Entry {
                label,
                estimate,
                instead,
                cells,
                ..
            } = row
            {
                label_px = label_px.max(text_width(label, 12.0) + 26.0);
                widths[0] = widths[0].max(text_width(
                    &self.written(estimate.as_ref(), instead.as_deref()),
                    12.0,
                ));
                for (width, cell) in widths[1..].iter_mut().zip(cells) {
                    *width = width.max(text_width(cell, 12.0));
                }
                estimates.extend(estimate);
            }
        }
        let label_px = label_px.min(LABEL_MOST_PX);
        let mut edges_px = Vec::new();
        let mut edge = WIDTH_PX;
        for width in widths.iter().rev() {
            edges_px.insert(0, edge);
            edge -= width + 18.0;
        }
        let mut reach = reaches(estimates);
        reach.extend(self.reference.iter().map(|(value, _)| [*value; 2]));
        Layout {
            axis: Axis::over(&reach, self.scale, self.unit, [label_px + 8.0, edge]),
            label_px,
            edges_px,
            top: top + 12.0,
        }
    }

    /// Grid, axis, reference and headings.
    fn draw_frame(&self, canvas: &mut Canvas, layout: &Layout, bottom: f64) {
        let top = layout.top;
        for (x, text) in layout.axis.ticks() {
            canvas.line((x, top), (x, bottom), "grid");
            canvas.text((x, bottom + 16.0), "tick mid", &text);
        }
        let [left, right] = layout.axis.ends();
        canvas.line((left, bottom), (right, bottom), "axis");
        canvas.text(
            ((left + right) / 2.0, bottom + 33.0),
            "head mid",
            &self.axis_label,
        );
        if let Some((value, name)) = &self.reference {
            let x = layout.axis.at(*value);
            canvas.line((x, top - 2.0), (x, bottom), "ref");
            canvas.text((x, top - 7.0), "head mid", name);
        }
        let headings = std::iter::once("value and interval").chain(self.columns.iter().map(String::as_str));
        for (edge, heading) in layout.edges_px.iter().zip(headings) {
            canvas.text((*edge, top - 7.0), "head end", heading);
        }
    }

    fn draw_entry(&self, canvas: &mut Canvas, layout: &Layout, row: &ForestRow, y: f64) {
        let ForestRow::Entry {
            label,
            series,
            estimate,
            instead,
            cells,
        } = row
        else {
            return;
        };
        let written = self.written(estimate.as_ref(), instead.as_deref());
        canvas.told(&format!("{label}: {written}"), |canvas| {
            let label = clipped(label, layout.label_px - 14.0, 12.0);
            canvas.text((12.0, y + 4.0), "", &label);
            let value_class = if estimate.is_some() { "end" } else { "none end" };
            canvas.text((layout.edges_px[0], y + 4.0), value_class, &written);
            for (edge, cell) in layout.edges_px[1..].iter().zip(cells) {
                canvas.text((*edge, y + 4.0), "muted end", cell);
            }
            if let Some(estimate) = estimate {
                draw_estimate(canvas, &layout.axis, estimate, *series, y);
            }
        });
    }

    fn written(&self, estimate: Option<&Estimate>, instead: Option<&str>) -> String {
        let Some(estimate) = estimate else {
            return instead.unwrap_or("not computed").to_owned();
        };
        let value = self.unit.write(estimate.value);
        match estimate.interval {
            Some(interval) => format!("{value}  [{}]", self.unit.write_interval(interval)),
            None => format!("{value}  [no interval]"),
        }
    }
}

fn draw_estimate(canvas: &mut Canvas, axis: &Axis, estimate: &Estimate, series: usize, y: f64) {
    if let Some([low, high]) = estimate.interval {
        let [from, to] = [axis.at(low), axis.at(high)];
        let class = format!("bar l{}", series % super::theme::N_SERIES);
        canvas.raw(&format!(
            "<path d=\"M{} {y}L{} {y}\" class=\"{class}\"/>",
            num(from),
            num(to),
            y = num(y)
        ));
        // An end that lies beyond the axis is an arrow, not an end.
        for (end, x, side) in [(low, from, -1.0), (high, to, 1.0)] {
            let (dx, dy) = if axis.has(end) {
                (0.0, 4.0)
            } else {
                (-side * 5.0, 4.0)
            };
            canvas.raw(&format!(
                "<path d=\"M{} {}L{} {}L{} {}\" class=\"{class}\"/>",
                num(x + dx),
                num(y - dy),
                num(x),
                num(y),
                num(x + dx),
                num(y + dy)
            ));
        }
    }
    if axis.has(estimate.value) {
        canvas.marker((axis.at(estimate.value), y), series);
    }
}

const fn height_of(row: &ForestRow) -> f64 {
    match row {
        ForestRow::Group(_) => GROUP_PX,
        ForestRow::Entry { .. } => ROW_PX,
    }
}
