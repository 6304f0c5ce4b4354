//! Shapes on a pixel grid with the rounding of OpenCV's drawing functions.
//!
//! A ControlNet was trained on maps that OpenCV drew, so its rasters are the specification: filled discs by
//! Bresenham's circle, lines and convex polygons in 16-bit fixed point with their outline drawn on top.
//! Lines are cut to the canvas before they are walked, as OpenCV does: the cut moves their rounding.

use image::{Rgb, RgbImage};

/// Bits behind the binary point of fixed-point coordinates.
const SHIFT: u32 = 16;
const ONE: i64 = 1 << SHIFT;
const HALF: i64 = ONE / 2;

/// A point on the pixel grid, or in 16-bit fixed point.
pub(super) type Grid = (i64, i64);

fn put(canvas: &mut RgbImage, x: i64, y: i64, color: Rgb<u8>) {
    if let (Ok(x), Ok(y)) = (u32::try_from(x), u32::try_from(y))
        && x < canvas.width()
        && y < canvas.height()
    {
        canvas.put_pixel(x, y, color);
    }
}

fn row(canvas: &mut RgbImage, y: i64, x0: i64, x1: i64, color: Rgb<u8>) {
    let last = i64::from(canvas.width()) - 1;
    for x in x0.max(0)..=x1.min(last) {
        put(canvas, x, y, color);
    }
}

/// A filled disc: `cv2.circle(..., thickness=-1)`.
pub(super) fn disc(canvas: &mut RgbImage, (cx, cy): Grid, radius: i64, color: Rgb<u8>) {
    let (mut wide, mut narrow) = (radius, 0);
    let mut error = 0;
    while wide >= narrow {
        for (dy, half_width) in [(narrow, wide), (wide, narrow)] {
            row(canvas, cy - dy, cx - half_width, cx + half_width, color);
            row(canvas, cy + dy, cx - half_width, cx + half_width, color);
        }
        error += 2 * narrow + 1;
        narrow += 1;
        if error > 0 {
            error -= 2 * wide - 1;
            wide -= 1;
        }
    }
}

/// The piece of a segment inside `0..size`, cuts truncated towards the end that is cut; `None` where there is
/// none.
///
/// Rows are cut before columns and the first end before the second (Cohen and Sutherland), the order that
/// OpenCV has, because truncation makes the order visible.
fn clipped(size: Grid, a: Grid, b: Grid) -> Option<(Grid, Grid)> {
    let last = [size.0 - 1, size.1 - 1];
    let mut ends = [[a.0, a.1], [b.0, b.1]];
    for axis in [1, 0] {
        let is_out = |end: [i64; 2]| (end[axis] < 0, end[axis] > last[axis]);
        let (first, second) = (is_out(ends[0]), is_out(ends[1]));
        if (first.0 && second.0) || (first.1 && second.1) {
            return None;
        }
        for nth in [0, 1] {
            let (is_before, is_behind) = is_out(ends[nth]);
            if !is_before && !is_behind {
                continue;
            }
            let edge = if is_before { 0 } else { last[axis] };
            let along = ends[1][axis] - ends[0][axis];
            let across = ends[1][1 - axis] - ends[0][1 - axis];
            let moved = (edge - ends[nth][axis]) as f64 * across as f64 / along as f64;
            ends[nth][1 - axis] += moved as i64;
            ends[nth][axis] = edge;
        }
    }
    let [a, b] = ends.map(|[x, y]| (x, y));
    Some((a, b))
}

/// A line of one pixel's width between grid points, 8-connected.
fn thin_line(canvas: &mut RgbImage, a: Grid, b: Grid, color: Rgb<u8>) {
    let Some((a, b)) = clipped((canvas.width().into(), canvas.height().into()), a, b) else {
        return;
    };
    // From left to right, as OpenCV's iterator walks: ties are broken by the direction.
    let (a, b) = if b.0 < a.0 { (b, a) } else { (a, b) };
    let (dx, dy) = (b.0 - a.0, (b.1 - a.1).abs());
    let down = (b.1 - a.1).signum();
    let is_steep = dy > dx;
    let (long, short) = if is_steep { (dy, dx) } else { (dx, dy) };
    let (mut x, mut y) = a;
    let mut error = long - 2 * short;
    for _ in 0..=long {
        put(canvas, x, y, color);
        let steps_aside = error < 0;
        error += if steps_aside { 2 * long } else { 0 } - 2 * short;
        if is_steep {
            y += down;
            x += i64::from(steps_aside);
        } else {
            x += 1;
            y += if steps_aside { down } else { 0 };
        }
    }
}

/// A line of one pixel's width between fixed-point positions.
fn thin_line_fixed(canvas: &mut RgbImage, a: Grid, b: Grid, color: Rgb<u8>) {
    let size = (
        i64::from(canvas.width()) << SHIFT,
        i64::from(canvas.height()) << SHIFT,
    );
    let Some((a, b)) = clipped(size, a, b) else {
        return;
    };
    let is_flat = (b.0 - a.0).abs() > (b.1 - a.1).abs();
    // The long axis runs upwards; `u` is along it, `v` across.
    let along = |p: Grid| if is_flat { p } else { (p.1, p.0) };
    let (mut start, mut end) = (along(a), along(b));
    if end.0 < start.0 {
        std::mem::swap(&mut start, &mut end);
    }
    let length = end.0 - start.0;
    let step = ((end.1 - start.1) << SHIFT) / (length | 1);
    let mut dot = |u: i64, v: i64| {
        let (x, y) = if is_flat { (u, v) } else { (v, u) };
        put(canvas, x, y, color);
    };
    dot((end.0 + HALF) >> SHIFT, (end.1 + HALF) >> SHIFT);
    let first = (start.0 + HALF) >> SHIFT;
    for nth in 0..=(length >> SHIFT) {
        dot(first + nth, (start.1 + HALF + nth * step) >> SHIFT);
    }
}

/// A filled convex polygon on the grid: `cv2.fillConvexPoly`.
pub(super) fn convex_polygon(canvas: &mut RgbImage, points: &[Grid], color: Rgb<u8>) {
    for (idx, &point) in points.iter().enumerate() {
        let previous = points[(idx + points.len() - 1) % points.len()];
        thin_line(canvas, previous, point, color);
    }
    let fixed: Vec<Grid> = points.iter().map(|&(x, y)| (x << SHIFT, y << SHIFT)).collect();
    fill_rows(canvas, &fixed, color);
}

/// A filled convex polygon in fixed point.
fn convex_polygon_fixed(canvas: &mut RgbImage, points: &[Grid], color: Rgb<u8>) {
    for (idx, &point) in points.iter().enumerate() {
        let previous = points[(idx + points.len() - 1) % points.len()];
        thin_line_fixed(canvas, previous, point, color);
    }
    fill_rows(canvas, points, color);
}

/// One side of a convex polygon, walked from its topmost point downwards.
struct Flank {
    /// Index of the point that the current edge ends at.
    idx: usize,
    /// `1` or `n - 1`: the next point, modulo `n`.
    step: usize,
    /// First row that is beyond the current edge.
    end_y: i64,
    x: i64,
    dx: i64,
}

/// Fills the rows of a convex polygon in fixed point, without its outline.
fn fill_rows(canvas: &mut RgbImage, points: &[Grid], color: Rgb<u8>) {
    let n = points.len();
    let rounded = |v: i64| (v + HALF) >> SHIFT;
    let Some(top) = (0..n).min_by_key(|&idx| points[idx].1).filter(|_| n >= 3) else {
        return;
    };
    let first_y = rounded(points[top].1);
    let bottom = points.iter().map(|p| rounded(p.1)).max().unwrap_or(first_y);
    let last_y = bottom.min(i64::from(canvas.height()) - 1);
    let flank = |step| Flank {
        idx: top,
        step,
        end_y: first_y,
        x: -ONE,
        dx: 0,
    };
    let mut flanks = [flank(1), flank(n - 1)];
    let mut n_left = n;
    for y in first_y..=last_y {
        for flank in &mut flanks {
            if y >= flank.end_y && !flank.advance(points, y, &mut n_left) {
                return;
            }
        }
        let (left, right) = (flanks[0].x.min(flanks[1].x), flanks[0].x.max(flanks[1].x));
        if y >= 0 {
            row(canvas, y, rounded(left), rounded(right), color);
        }
        for flank in &mut flanks {
            flank.x += flank.dx;
        }
    }
}

impl Flank {
    /// Takes the next edge that reaches below row `y`; false when the polygon has no edge left.
    fn advance(&mut self, points: &[Grid], y: i64, n_left: &mut usize) -> bool {
        let mut from = self.idx;
        while *n_left > 0 {
            *n_left -= 1;
            let to = (from + self.step) % points.len();
            let end_y = (points[to].1 + HALF) >> SHIFT;
            if end_y > y {
                let rows = end_y - y;
                self.dx = ((points[to].0 - points[from].0) * 2 + rows) / (2 * rows);
                self.x = points[from].0;
                (self.end_y, self.idx) = (end_y, to);
                return true;
            }
            from = to;
        }
        false
    }
}

/// A line of two or more pixels' width with round ends: `cv2.line(..., thickness)`.
pub(super) fn thick_line(canvas: &mut RgbImage, a: Grid, b: Grid, thickness: i64, color: Rgb<u8>) {
    let (dx, dy) = ((a.0 - b.0) as f64, (b.1 - a.1) as f64);
    let squared = dx * dx + dy * dy;
    let fixed = |p: Grid| (p.0 << SHIFT, p.1 << SHIFT);
    let half = thickness * HALF;
    if squared > f64::EPSILON {
        let odd = (thickness & 1) as f64 * HALF as f64;
        let scale = (half as f64 + odd) / squared.sqrt();
        let (off_x, off_y) = (
            (dy * scale).round_ties_even() as i64,
            (dx * scale).round_ties_even() as i64,
        );
        let (p, q) = (fixed(a), fixed(b));
        let corners = [
            (p.0 + off_x, p.1 + off_y),
            (p.0 - off_x, p.1 - off_y),
            (q.0 - off_x, q.1 - off_y),
            (q.0 + off_x, q.1 + off_y),
        ];
        convex_polygon_fixed(canvas, &corners, color);
    }
    let radius = (half + HALF) >> SHIFT;
    disc(canvas, a, radius, color);
    disc(canvas, b, radius, color);
}

/// The sine of whole degrees as OpenCV tabulates it: seven decimals, in single precision.
fn sine(degrees: i64) -> f64 {
    let exact = (degrees as f64).to_radians().sin();
    f64::from(((exact * 1e7).round() / 1e7) as f32)
}

/// The outline of an ellipse at steps of one degree: `cv2.ellipse2Poly(center, axes, angle, 0, 360, 1)`.
///
/// Neighbouring points are never equal.
pub(super) fn ellipse_polygon(center: Grid, axes: Grid, angle_deg: i64) -> Vec<Grid> {
    let angle = angle_deg.rem_euclid(360);
    let (cos, sin) = (sine(450 - angle), sine(angle));
    let mut points: Vec<Grid> = Vec::new();
    for degrees in 0..=360 {
        let (along, across) = (axes.0 as f64 * sine(450 - degrees), axes.1 as f64 * sine(degrees));
        let x = center.0 as f64 + along * cos - across * sin;
        let y = center.1 as f64 + along * sin + across * cos;
        let point = (x.round_ties_even() as i64, y.round_ties_even() as i64);
        if points.last() != Some(&point) {
            points.push(point);
        }
    }
    if points.len() == 1 {
        points.push(center);
    }
    points
}
