//! The radar of categories: Fig. 4 of the paper, with intervals.

use std::f64::consts::TAU;

use super::axis::{Axis, Scale, Unit, reaches};
use super::canvas::{Canvas, clipped, num};
use super::theme::{N_SERIES, dash};
use super::{Estimate, Plot, WIDTH_PX};

const CENTRE: (f64, f64) = (285.0, 186.0);
const RADIUS_PX: f64 = 150.0;
const LEGEND_LEFT_PX: f64 = 540.0;
const LEGEND_ROW_PX: f64 = 32.0;
/// Intervals of several series on one spoke are drawn beside each other.
const APART_PX: f64 = 7.0;

/// One model's values on all axes.
#[derive(Clone, Debug, PartialEq)]
pub struct RadarSeries {
    /// Its name.
    pub name: String,
    /// As many as there are axes; `None` where nothing was computed.
    pub values: Vec<Option<Estimate>>,
}

/// Rates of several models over a few categories.
#[derive(Clone, Debug, PartialEq)]
pub struct Radar {
    /// What it shows.
    pub title: String,
    /// What the numbers are and which direction is better.
    pub subtitle: String,
    /// Names of the axes, clockwise from the top.
    pub axes: Vec<String>,
    /// One polygon for each.
    pub series: Vec<RadarSeries>,
}

impl Radar {
    /// Draws the plot. The centre is 0.
    pub fn draw(&self) -> Plot {
        let mut canvas = Canvas::new(&self.title, &self.subtitle);
        let centre = (CENTRE.0, canvas.top + CENTRE.1);
        let estimates = self.series.iter().flat_map(|series| &series.values).flatten();
        let mut reach = reaches(estimates);
        reach.push([0.0, 0.1]);
        let axis = Axis::over(&reach, Scale::Linear, Unit::Percent, [0.0, RADIUS_PX]);
        self.draw_web(&mut canvas, centre, &axis);
        for (idx, series) in self.series.iter().enumerate() {
            self.draw_series(&mut canvas, centre, &axis, idx, series);
        }
        self.draw_rings_text(&mut canvas, centre, &axis);
        self.draw_legend(&mut canvas);
        let height = centre.1 + RADIUS_PX + 38.0;
        canvas.finish(height.max(canvas_bottom(self.series.len(), centre)))
    }

    fn draw_web(&self, canvas: &mut Canvas, centre: (f64, f64), axis: &Axis) {
        let n = self.axes.len();
        for (radius, _) in axis.ticks().iter().skip(1) {
            let ring: Vec<String> = (0..n).map(|idx| corner(centre, idx, n, *radius, 0.0)).collect();
            canvas.raw(&format!("<path d=\"M{}Z\" class=\"grid\"/>", ring.join("L")));
        }
        for (idx, name) in self.axes.iter().enumerate() {
            let (x, y) = place(centre, idx, n, RADIUS_PX, 0.0);
            canvas.line(centre, (x, y), "axis");
            let (x, y) = place(centre, idx, n, RADIUS_PX + 16.0, 0.0);
            let class = match x - centre.0 {
                dx if dx.abs() < 8.0 => "mid",
                dx if dx < 0.0 => "end",
                _ => "",
            };
            let drop = if y > centre.1 + 8.0 { 9.0 } else { 3.0 };
            canvas.text((x, y + drop), class, name);
        }
    }

    fn draw_rings_text(&self, canvas: &mut Canvas, centre: (f64, f64), axis: &Axis) {
        // Between the first two spokes, where no polygon has a corner; every second ring is enough.
        let angle = TAU * 0.5 / self.axes.len() as f64;
        let inner = (TAU / self.axes.len() as f64 / 2.0).cos();
        for (radius, text) in axis.ticks().iter().skip(2).step_by(2) {
            let at = (
                centre.0 + radius * inner * angle.sin(),
                centre.1 - radius * inner * angle.cos() + 4.0,
            );
            canvas.label(at, "tick mid", text);
        }
    }

    fn draw_series(
        &self,
        canvas: &mut Canvas,
        centre: (f64, f64),
        axis: &Axis,
        idx: usize,
        series: &RadarSeries,
    ) {
        let n = self.axes.len();
        let colour = idx % N_SERIES;
        let shift = (idx as f64 - (self.series.len() as f64 - 1.0) / 2.0) * APART_PX;
        // Sides only between neighbours that both have a value: a gap is a gap.
        for at in 0..n {
            if let (Some(one), Some(next)) = (&series.values[at], &series.values[(at + 1) % n]) {
                canvas.raw(&format!(
                    "<path d=\"M{}L{}\" class=\"l{colour}\" stroke-width=\"2\" stroke-dasharray=\"{}\" \
                     fill=\"none\"/>",
                    corner(centre, at, n, axis.at(one.value), shift),
                    corner(centre, (at + 1) % n, n, axis.at(next.value), shift),
                    dash(idx)
                ));
            }
        }
        for (at, value) in series.values.iter().enumerate() {
            let Some(value) = value else { continue };
            let tooltip = format!("{}, {}: {}", series.name, self.axes[at], written(value));
            canvas.told(&tooltip, |canvas| {
                if let Some([low, high]) = value.interval {
                    canvas.raw(&format!(
                        "<path d=\"M{}L{}\" class=\"l{colour}\" stroke-width=\"2\" opacity=\".55\"/>",
                        corner(centre, at, n, axis.at(low), shift),
                        corner(centre, at, n, axis.at(high), shift)
                    ));
                }
                canvas.marker(place(centre, at, n, axis.at(value.value), shift), idx);
            });
        }
    }

    fn draw_legend(&self, canvas: &mut Canvas) {
        for (idx, series) in self.series.iter().enumerate() {
            let y = canvas.top + 14.0 + idx as f64 * LEGEND_ROW_PX;
            canvas.raw(&format!(
                "<path d=\"M{} {y}h30\" class=\"l{}\" stroke-width=\"2\" stroke-dasharray=\"{}\"/>",
                LEGEND_LEFT_PX,
                idx % N_SERIES,
                dash(idx),
                y = num(y)
            ));
            canvas.marker((LEGEND_LEFT_PX + 15.0, y), idx);
            let name = clipped(&series.name, WIDTH_PX - LEGEND_LEFT_PX - 40.0, 12.0);
            canvas.text((LEGEND_LEFT_PX + 38.0, y + 4.0), "", &name);
            let n_missing = series.values.iter().filter(|value| value.is_none()).count();
            if n_missing > 0 {
                let text = format!("{n_missing} not computed");
                canvas.text((LEGEND_LEFT_PX + 38.0, y + 17.0), "tick", &text);
            }
        }
    }
}

fn canvas_bottom(n_series: usize, centre: (f64, f64)) -> f64 {
    centre.1 - CENTRE.1 + n_series as f64 * LEGEND_ROW_PX + 20.0
}

fn written(estimate: &Estimate) -> String {
    let value = Unit::Percent.write(estimate.value);
    match estimate.interval {
        Some(interval) => format!("{value} [{}]", Unit::Percent.write_interval(interval)),
        None => value,
    }
}

/// A place on a spoke, moved sideways by `shift`.
fn place(centre: (f64, f64), idx: usize, n: usize, radius: f64, shift: f64) -> (f64, f64) {
    let (sin, cos) = (TAU * idx as f64 / n as f64).sin_cos();
    (
        centre.0 + radius * sin + shift * cos,
        centre.1 - radius * cos + shift * sin,
    )
}

fn corner(centre: (f64, f64), idx: usize, n: usize, radius: f64, shift: f64) -> String {
    let (x, y) = place(centre, idx, n, radius, shift);
    format!("{} {}", num(x), num(y))
}
