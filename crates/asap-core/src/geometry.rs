//! Points and boxes in image pixels: x to the right, y down, the origin at the top-left corner.

use serde::{Deserialize, Serialize};

/// A point in pixels.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Point {
    /// To the right.
    pub x: f64,
    /// Down.
    pub y: f64,
}

impl Point {
    /// A point from its coordinates.
    pub const fn new(x: f64, y: f64) -> Self {
        Self { x, y }
    }

    /// The distance to another point.
    pub fn distance(self, other: Self) -> f64 {
        (self - other).length()
    }

    /// The distance to the origin.
    pub fn length(self) -> f64 {
        self.x.hypot(self.y)
    }

    /// `self` at `t = 0`, `other` at `t = 1`.
    pub fn lerp(self, other: Self, t: f64) -> Self {
        self + (other - self) * t
    }

    /// Turned by `radians` about `center`; positive angles go from x towards y, clockwise on the screen.
    pub fn rotated_about(self, center: Self, radians: f64) -> Self {
        let (sin, cos) = radians.sin_cos();
        let d = self - center;
        center + Self::new(cos * d.x - sin * d.y, sin * d.x + cos * d.y)
    }
}

impl std::ops::Add for Point {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        Self::new(self.x + other.x, self.y + other.y)
    }
}

impl std::ops::Sub for Point {
    type Output = Self;
    fn sub(self, other: Self) -> Self {
        Self::new(self.x - other.x, self.y - other.y)
    }
}

impl std::ops::Mul<f64> for Point {
    type Output = Self;
    fn mul(self, factor: f64) -> Self {
        Self::new(self.x * factor, self.y * factor)
    }
}

/// A box of whole pixels, half open: `x0 <= x < x1`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BoxPx {
    /// First column.
    pub x0: u32,
    /// First row.
    pub y0: u32,
    /// One past the last column.
    pub x1: u32,
    /// One past the last row.
    pub y1: u32,
}

impl BoxPx {
    /// The smallest box of whole pixels around the points, grown by `margin_px` and cut to the image;
    /// `None` where nothing of it lies in the image.
    pub fn around(points: &[Point], margin_px: f64, width: u32, height: u32) -> Option<Self> {
        let low = |v: f64| {
            if v.is_finite() {
                v.floor().max(0.0) as u32
            } else {
                0
            }
        };
        let high = |v: f64, end: u32| {
            if v.is_finite() {
                v.ceil().clamp(0.0, f64::from(end)) as u32
            } else {
                0
            }
        };
        let fold = |f: fn(f64, f64) -> f64, start: f64, axis: fn(&Point) -> f64| {
            points.iter().map(axis).fold(start, f)
        };
        let bounds = Self {
            x0: low(fold(f64::min, f64::INFINITY, |p| p.x) - margin_px),
            y0: low(fold(f64::min, f64::INFINITY, |p| p.y) - margin_px),
            x1: high(
                fold(f64::max, f64::NEG_INFINITY, |p| p.x) + margin_px + 1.0,
                width,
            ),
            y1: high(
                fold(f64::max, f64::NEG_INFINITY, |p| p.y) + margin_px + 1.0,
                height,
            ),
        };
        (bounds.x0 < bounds.x1 && bounds.y0 < bounds.y1).then_some(bounds)
    }

    /// Columns.
    pub const fn width(&self) -> u32 {
        self.x1.saturating_sub(self.x0)
    }

    /// Rows.
    pub const fn height(&self) -> u32 {
        self.y1.saturating_sub(self.y0)
    }

    /// Pixels.
    pub const fn area_px(&self) -> u64 {
        self.width() as u64 * self.height() as u64
    }

    /// Whether the pixel lies inside.
    pub const fn contains(&self, x: u32, y: u32) -> bool {
        self.x0 <= x && x < self.x1 && self.y0 <= y && y < self.y1
    }

    /// The smallest box around both.
    pub fn union(&self, other: &Self) -> Self {
        Self {
            x0: self.x0.min(other.x0),
            y0: self.y0.min(other.y0),
            x1: self.x1.max(other.x1),
            y1: self.y1.max(other.y1),
        }
    }

    /// Grown by `margin_px` on every side, cut to the image.
    pub fn grown(&self, margin_px: u32, width: u32, height: u32) -> Self {
        Self {
            x0: self.x0.saturating_sub(margin_px),
            y0: self.y0.saturating_sub(margin_px),
            x1: (self.x1 + margin_px).min(width),
            y1: (self.y1 + margin_px).min(height),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_box_is_cut_to_the_image_and_may_be_empty() {
        let inside = BoxPx::around(&[Point::new(2.5, 3.0), Point::new(9.0, 90.0)], 1.0, 16, 8);
        assert_eq!(
            inside,
            Some(BoxPx {
                x0: 1,
                y0: 2,
                x1: 11,
                y1: 8
            })
        );
        assert_eq!(BoxPx::around(&[Point::new(-20.0, 3.0)], 1.0, 16, 8), None);
        assert_eq!(BoxPx::around(&[], 1.0, 16, 8), None);
    }

    #[test]
    fn rotation_is_clockwise_on_the_screen() {
        let turned = Point::new(1.0, 0.0).rotated_about(Point::default(), std::f64::consts::FRAC_PI_2);
        assert!(turned.distance(Point::new(0.0, 1.0)) < 1e-12);
    }
}
