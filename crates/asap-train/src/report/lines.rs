//! Lines over the steps.

use super::axis::{Axis, power_of_ten, thousands};
use super::canvas::{Canvas, Plot, WIDTH_PX};
use super::figure::{Lines, Reference, Series};

const LEFT: f64 = 58.0;
const RIGHT: f64 = WIDTH_PX - 10.0;
const HEIGHT: f64 = 272.0;
const BOTTOM: f64 = HEIGHT - 42.0;

/// Draws lines over the steps.
pub(super) fn draw(figure: &Lines) -> Plot {
    let top = if figure.series.len() > 1 { 70.0 } else { 50.0 };
    let y = upright(figure, top);
    let x = Axis::steps(figure.last_step as f64, [LEFT, RIGHT]);
    let quantity = match y.exponent {
        0 => figure.quantity.to_owned(),
        exponent => format!("{} (in {})", figure.quantity, power_of_ten(exponent)),
    };
    let mut canvas = Canvas::new(figure.title, &quantity);
    if figure.series.len() > 1 {
        legend(&mut canvas, &figure.series);
    }
    grid(&mut canvas, &x, &y);
    for (idx, series) in figure.series.iter().enumerate() {
        draw_series(&mut canvas, series, idx, (&x, &y));
    }
    for reference in figure
        .references
        .iter()
        .filter(|reference| y.has(reference.value))
    {
        draw_reference(&mut canvas, figure, reference, (&y, top));
    }
    canvas.finish(HEIGHT)
}

/// The upright axis: all lines, intervals and references. Of a noisy curve the raw values set its ends, as nothing
/// that was measured may be cut off.
fn upright(figure: &Lines, top: f64) -> Axis {
    let points = figure
        .series
        .iter()
        .flat_map(|series| &series.points)
        .map(|point| point[1]);
    let intervals = figure
        .series
        .iter()
        .flat_map(|series| series.interval.iter().flatten().copied());
    let references = figure.references.iter().map(|reference| reference.value);
    Axis::over(
        points.chain(intervals).chain(references),
        figure.unit,
        [BOTTOM, top],
    )
}

/// A line with its label at the end where the curves are further away.
fn draw_reference(canvas: &mut Canvas, figure: &Lines, reference: &Reference, (y, top): (&Axis, f64)) {
    let at = y.at(reference.value);
    if reference.label.is_empty() {
        canvas.line((LEFT, at), (RIGHT, at), "axis");
        return;
    }
    canvas.line((LEFT, at), (RIGHT, at), "ref");
    let distance = |point: Option<&[f64; 2]>| point.map_or(0.0, |point| (y.at(point[1]) - at).abs());
    let nearest = |end: fn(&Series) -> Option<&[f64; 2]>| {
        let distances = figure.series.iter().map(|series| distance(end(series)));
        distances.fold(f64::INFINITY, f64::min)
    };
    let is_left = nearest(|series| series.points.first()) >= nearest(|series| series.points.last());
    let (x, class) = if is_left {
        (LEFT + 6.0, "muted")
    } else {
        (RIGHT - 6.0, "muted end")
    };
    let text_y = if at - 6.0 < top + 8.0 { at + 15.0 } else { at - 6.0 };
    canvas.label((x, text_y), class, &reference.label);
}

fn legend(canvas: &mut Canvas, series: &[Series]) {
    let mut x = 0.0;
    for (idx, series) in series.iter().enumerate() {
        canvas.line((x, 52.0), (x + 26.0, 52.0), &format!("line l{idx}"));
        if series.smooth.is_empty() {
            canvas.marker((x + 13.0, 52.0), idx);
        }
        canvas.text((x + 33.0, 56.5), "", series.name);
        // The widest of the readers' fonts takes some 7.4 pixels a letter.
        x += 33.0 + 7.4 * series.name.chars().count() as f64 + 16.0;
    }
}

fn grid(canvas: &mut Canvas, x: &Axis, y: &Axis) {
    for (at, text) in y.ticks() {
        canvas.line((LEFT, at), (RIGHT, at), "grid");
        canvas.text((LEFT - 7.0, at + 4.0), "tick end", text);
    }
    canvas.line((LEFT, BOTTOM), (RIGHT, BOTTOM), "axis");
    for (at, text) in x.ticks() {
        canvas.line((at, BOTTOM), (at, BOTTOM + 4.0), "axis");
        let class = if at > RIGHT - 16.0 { "tick end" } else { "tick mid" };
        canvas.text((at.min(RIGHT), BOTTOM + 18.0), class, text);
    }
    canvas.text((f64::midpoint(LEFT, RIGHT), HEIGHT - 7.0), "muted mid", "step");
}

fn draw_series(canvas: &mut Canvas, series: &Series, idx: usize, (x, y): (&Axis, &Axis)) {
    let place = |step: f64, value: f64| (x.at(step), y.at(value));
    if !series.interval.is_empty() {
        let ends = |end: usize| {
            series
                .points
                .iter()
                .zip(&series.interval)
                .map(move |(p, i)| place(p[0], i[end]))
        };
        let band: Vec<_> = ends(0).chain(ends(1).rev()).collect();
        canvas.area(&band, &format!("band f{idx}"));
    }
    let is_smooth = !series.smooth.is_empty();
    let class = if is_smooth { "faint" } else { "line" };
    for run in finite_runs(&series.points) {
        let run: Vec<_> = run.iter().map(|[step, value]| place(*step, *value)).collect();
        canvas.path(&run, &format!("{class} l{idx}"));
    }
    for run in finite_runs(&series.smooth) {
        let run: Vec<_> = run.iter().map(|[step, value]| place(*step, *value)).collect();
        canvas.path(&run, &format!("line l{idx}"));
    }
    // Few points are marked, so that a single one is seen.
    if !is_smooth && series.points.len() <= 40 {
        for [step, value] in series.points.iter().filter(|point| point[1].is_finite()) {
            canvas.marker(place(*step, *value), idx);
        }
    }
    if let Some([step, _]) = series.points.iter().find(|point| !point[1].is_finite()) {
        let at = x.at(*step);
        canvas.line((at, BOTTOM), (at, 70.0), "lost");
        // In the title's row, where no curve is.
        let text = format!("not finite from step {}", thousands(*step));
        canvas.text((RIGHT, 17.0), "lost-label end", &text);
    }
}

/// The stretches between values that are not finite.
fn finite_runs(points: &[[f64; 2]]) -> impl Iterator<Item = &[[f64; 2]]> {
    points
        .split(|point| !point[1].is_finite())
        .filter(|run| !run.is_empty())
}
