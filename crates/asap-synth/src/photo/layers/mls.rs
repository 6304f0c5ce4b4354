//! Moving-least-squares rigid deformation of a plane (Schaefer, McPhail, Warren 2006).

use asap_core::Point;

/// Cells of the grid on which the map is evaluated, in pixels.
const CELL_PX: usize = 4;
/// The smallest Jacobian determinant that does not count as a fold.
const MIN_JACOBIAN: f64 = 0.05;

/// A handle: the point that is to be seen at `to` is taken from `from`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Handle {
    /// Where it lies in the source.
    pub(crate) from: Point,
    /// Where it shall lie in the result.
    pub(crate) to: Point,
}

/// A backward map over a rectangle: for every pixel of the result the point of the source.
#[derive(Clone, Debug)]
pub(crate) struct Warp {
    columns: usize,
    nodes: Vec<Point>,
}

impl Warp {
    /// The rigid map through the handles over `width x height` pixels; `None` where it folds over.
    ///
    /// Source: Schaefer et al. (2006), section 2.3, with weights 1/d^2, evaluated backwards (handles
    /// exchanged) on a 4-px grid. A fold is a Jacobian determinant of 0.05 or less anywhere on the grid.
    pub(crate) fn rigid(width: usize, height: usize, handles: &[Handle]) -> Option<Self> {
        Self::from_fn(width, height, |p| rigid_at(p, handles))
    }

    /// A map given by a function; `None` where it folds over.
    pub(crate) fn from_fn(width: usize, height: usize, f: impl Fn(Point) -> Point) -> Option<Self> {
        let columns = width.div_ceil(CELL_PX) + 2;
        let rows = height.div_ceil(CELL_PX) + 2;
        let nodes: Vec<Point> = (0..rows * columns)
            .map(|i| {
                f(Point::new(
                    (i % columns * CELL_PX) as f64,
                    (i / columns * CELL_PX) as f64,
                ))
            })
            .collect();
        let warp = Self { columns, nodes };
        (warp.min_jacobian() > MIN_JACOBIAN).then_some(warp)
    }

    /// The smallest Jacobian determinant over the grid cells: 1 for a rigid motion, negative at folds.
    pub(crate) fn min_jacobian(&self) -> f64 {
        let rows = self.nodes.len() / self.columns;
        let area = (CELL_PX * CELL_PX) as f64;
        let mut least = f64::INFINITY;
        for y in 0..rows - 1 {
            for x in 0..self.columns - 1 {
                let at = y * self.columns + x;
                let dx = self.nodes[at + 1] - self.nodes[at];
                let dy = self.nodes[at + self.columns] - self.nodes[at];
                least = least.min((dx.x * dy.y - dx.y * dy.x) / area);
            }
        }
        least
    }

    /// The point of the source that is seen at a pixel.
    pub(crate) fn source(&self, x: usize, y: usize) -> Point {
        let (cx, cy) = (x / CELL_PX, y / CELL_PX);
        let fx = (x % CELL_PX) as f64 / CELL_PX as f64;
        let fy = (y % CELL_PX) as f64 / CELL_PX as f64;
        let at = cy * self.columns + cx;
        let upper = self.nodes[at].lerp(self.nodes[at + 1], fx);
        let lower = self.nodes[at + self.columns].lerp(self.nodes[at + self.columns + 1], fx);
        upper.lerp(lower, fy)
    }
}

/// The source of a point of the result.
fn rigid_at(p: Point, handles: &[Handle]) -> Point {
    let mut total = 0.0;
    let (mut to_mean, mut from_mean) = (Point::default(), Point::default());
    let mut weights = Vec::with_capacity(handles.len());
    for handle in handles {
        let d = handle.to - p;
        let squared = d.x * d.x + d.y * d.y;
        if squared < 1e-9 {
            return handle.from;
        }
        let w = 1.0 / squared;
        weights.push(w);
        total += w;
        to_mean = to_mean + handle.to * w;
        from_mean = from_mean + handle.from * w;
    }
    if total == 0.0 {
        return p;
    }
    let (to_mean, from_mean) = (to_mean * (1.0 / total), from_mean * (1.0 / total));
    // The best rotation is the phase of sum w * conj(to) * from, taken as complex numbers.
    let (mut re, mut im) = (0.0, 0.0);
    for (handle, w) in handles.iter().zip(weights) {
        let (a, b) = (handle.to - to_mean, handle.from - from_mean);
        re += w * (a.x * b.x + a.y * b.y);
        im += w * (a.x * b.y - a.y * b.x);
    }
    let angle = if re == 0.0 && im == 0.0 { 0.0 } else { im.atan2(re) };
    from_mean + (p - to_mean).rotated_about(Point::default(), angle)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn handles_are_met_and_a_rigid_motion_is_exact() {
        let turn = |p: Point| p.rotated_about(Point::new(30.0, 20.0), 0.3) + Point::new(4.0, -2.0);
        let handles: Vec<Handle> = [(5.0, 5.0), (50.0, 8.0), (12.0, 40.0), (44.0, 36.0)]
            .iter()
            .map(|&(x, y)| Handle {
                to: Point::new(x, y),
                from: turn(Point::new(x, y)),
            })
            .collect();
        let warp = Warp::rigid(64, 48, &handles).unwrap();
        assert!((warp.min_jacobian() - 1.0).abs() < 1e-9);
        assert!(warp.source(21, 33).distance(turn(Point::new(21.0, 33.0))) < 1e-9);
    }

    #[test]
    fn crossing_handles_fold_and_are_refused() {
        let handle = |fx: f64, tx: f64| Handle {
            from: Point::new(fx, 24.0),
            to: Point::new(tx, 24.0),
        };
        let still = [(0.0, 0.0), (63.0, 0.0), (0.0, 47.0), (63.0, 47.0)].map(|(x, y)| Handle {
            from: Point::new(x, y),
            to: Point::new(x, y),
        });
        let mut handles = vec![handle(20.0, 44.0), handle(44.0, 20.0)];
        handles.extend(still);
        assert!(Warp::rigid(64, 48, &handles).is_none());
    }
}
