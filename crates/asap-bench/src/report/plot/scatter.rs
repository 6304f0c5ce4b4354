//! The trade-off of error rate and quality: Fig. 6 of the paper, with intervals.

use super::axis::{Axis, Scale, Unit, reaches};
use super::canvas::{Canvas, clipped, num, text_width};
use super::theme::N_SERIES;
use super::{Estimate, Plot, WIDTH_PX};

const LEFT_PX: f64 = 62.0;
const RIGHT_PX: f64 = WIDTH_PX - 20.0;
const HEIGHT_PX: f64 = 300.0;

/// One model.
#[derive(Clone, Debug, PartialEq)]
pub struct ScatterPoint {
    /// Its name.
    pub label: String,
    /// Its colour and marker.
    pub series: usize,
    /// Along the bottom.
    pub x: Estimate,
    /// Along the left side.
    pub y: Estimate,
}

/// Error rate against a quality score, as differences to a baseline.
#[derive(Clone, Debug, PartialEq)]
pub struct Scatter {
    /// What it shows.
    pub title: String,
    /// What the numbers are.
    pub subtitle: String,
    /// Name of the difference in error rate.
    pub x_label: String,
    /// Name of the difference in score.
    pub y_label: String,
    /// The name and the series of the baseline, which is where both differences are 0.
    pub origin: (String, usize),
    /// The models.
    pub points: Vec<ScatterPoint>,
}

/// A rectangle that labels keep clear of: left, top, right, bottom.
type Area = [f64; 4];

impl Scatter {
    /// Draws the plot: fewer errors to the right, higher scores up, so better is towards the upper right.
    pub fn draw(&self) -> Plot {
        let mut canvas = Canvas::new(&self.title, &self.subtitle);
        let top = canvas.top + 18.0;
        let bottom = top + HEIGHT_PX;
        let mut xs = reaches(self.points.iter().map(|point| &point.x));
        let mut ys = reaches(self.points.iter().map(|point| &point.y));
        xs.push([0.0; 2]);
        ys.push([0.0; 2]);
        let x_axis = Axis::over(&xs, Scale::Linear, Unit::Points, [RIGHT_PX, LEFT_PX]);
        let y_axis = Axis::over(&ys, Scale::Linear, Unit::Difference, [bottom, top]);
        self.draw_frame(&mut canvas, &x_axis, &y_axis);
        let origin = (x_axis.at(0.0), y_axis.at(0.0));
        let spots: Vec<(f64, f64)> = self
            .points
            .iter()
            .map(|point| (x_axis.at(point.x.value), y_axis.at(point.y.value)))
            .collect();
        for (point, &spot) in self.points.iter().zip(&spots) {
            draw_point(&mut canvas, &x_axis, &y_axis, point, spot);
        }
        canvas.marker(origin, self.origin.1);
        let mut taken: Vec<Area> = spots
            .iter()
            .chain([&origin])
            .map(|(x, y)| [x - 8.0, y - 8.0, x + 8.0, y + 8.0])
            .collect();
        let named = self.points.iter().map(|point| (&point.label, "")).zip(spots);
        for ((label, class), spot) in named.chain([((&self.origin.0, "muted"), origin)]) {
            let label = clipped(label, 190.0, 12.0);
            let (area, at) = free_place(&label, spot, &taken, [LEFT_PX, top, RIGHT_PX, bottom]);
            canvas.label(at, class, &label);
            taken.push(area);
        }
        canvas.finish(bottom + 42.0)
    }

    fn draw_frame(&self, canvas: &mut Canvas, x_axis: &Axis, y_axis: &Axis) {
        let [bottom, top] = y_axis.ends();
        for (x, text) in x_axis.ticks() {
            canvas.line((x, top), (x, bottom), "grid");
            canvas.text((x, bottom + 16.0), "tick mid", &text);
        }
        for (y, text) in y_axis.ticks() {
            canvas.line((LEFT_PX, y), (RIGHT_PX, y), "grid");
            canvas.text((LEFT_PX - 8.0, y + 4.0), "tick end", &text);
        }
        canvas.line((LEFT_PX, bottom), (RIGHT_PX, bottom), "axis");
        canvas.line((LEFT_PX, top), (LEFT_PX, bottom), "axis");
        let [x, y] = [x_axis.at(0.0), y_axis.at(0.0)];
        canvas.line((x, top), (x, bottom), "ref");
        canvas.line((LEFT_PX, y), (RIGHT_PX, y), "ref");
        canvas.text((0.0, top - 10.0), "head", &format!("↑ {}", self.y_label));
        canvas.text(
            (RIGHT_PX, bottom + 33.0),
            "head end",
            &format!("{} →", self.x_label),
        );
    }
}

fn draw_point(canvas: &mut Canvas, x_axis: &Axis, y_axis: &Axis, point: &ScatterPoint, (x, y): (f64, f64)) {
    let tooltip = format!(
        "{}: {} points of AER and {}",
        point.label,
        Unit::Points.write(point.x.value),
        Unit::Difference.write(point.y.value)
    );
    let class = format!("l{}", point.series % N_SERIES);
    let bar = |from: (f64, f64), to: (f64, f64)| {
        format!(
            "<path d=\"M{} {}L{} {}\" class=\"{class}\" stroke-width=\"2\" opacity=\".6\"/>",
            num(from.0),
            num(from.1),
            num(to.0),
            num(to.1)
        )
    };
    canvas.told(&tooltip, |canvas| {
        if let Some([low, high]) = point.x.interval {
            canvas.raw(&bar((x_axis.at(low), y), (x_axis.at(high), y)));
        }
        if let Some([low, high]) = point.y.interval {
            canvas.raw(&bar((x, y_axis.at(low)), (x, y_axis.at(high))));
        }
        canvas.marker((x, y), point.series);
    });
}

/// The first place round a point at which its label meets nothing; else the one that meets least.
fn free_place(label: &str, (x, y): (f64, f64), taken: &[Area], frame: Area) -> (Area, (f64, f64)) {
    let width = text_width(label, 12.0);
    let offsets = [
        (11.0, -5.0),
        (11.0, 13.0),
        (-11.0 - width, -5.0),
        (-11.0 - width, 13.0),
        (11.0, -19.0),
        (-11.0 - width, -19.0),
        (11.0, 27.0),
        (-11.0 - width, 27.0),
    ];
    let places = offsets.map(|(dx, dy)| {
        let at = (x + dx, y + dy);
        ([at.0, at.1 - 10.0, at.0 + width, at.1 + 3.0], at)
    });
    let cost = |area: &Area| {
        let met: f64 = taken.iter().map(|other| overlap(area, other)).sum();
        let inside = overlap(area, &frame);
        met + 4.0 * ((area[2] - area[0]) * (area[3] - area[1]) - inside)
    };
    let mut best = places[0];
    for place in &places[1..] {
        if cost(&place.0) < cost(&best.0) - 1e-6 {
            best = *place;
        }
    }
    best
}

fn overlap(one: &Area, other: &Area) -> f64 {
    let width = one[2].min(other[2]) - one[0].max(other[0]);
    let height = one[3].min(other[3]) - one[1].max(other[1]);
    width.max(0.0) * height.max(0.0)
}
