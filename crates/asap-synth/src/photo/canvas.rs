//! Planes of floating-point pixels: the working form of a crop, with sampling and blurring.

use asap_core::{BoxPx, Point};
use image::RgbImage;

/// A colour in 0..255 per channel.
pub(crate) type Rgb = [f32; 3];

/// What can be mixed linearly.
pub(crate) trait Mix: Copy {
    /// The neutral element of [`Mix::add`].
    const ZERO: Self;
    /// `self + other * weight`.
    fn add(self, other: Self, weight: f32) -> Self;
}

impl Mix for f32 {
    const ZERO: Self = 0.0;
    fn add(self, other: Self, weight: f32) -> Self {
        self + other * weight
    }
}

impl Mix for Rgb {
    const ZERO: Self = [0.0; 3];
    fn add(self, other: Self, weight: f32) -> Self {
        [
            self[0] + other[0] * weight,
            self[1] + other[1] * weight,
            self[2] + other[2] * weight,
        ]
    }
}

/// Row-major values over a rectangle.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Plane<T> {
    /// Columns.
    pub(crate) width: usize,
    /// Rows.
    pub(crate) height: usize,
    /// `width * height` values.
    pub(crate) data: Vec<T>,
}

impl<T: Copy> Plane<T> {
    /// A plane of one value.
    pub(crate) fn filled(width: usize, height: usize, value: T) -> Self {
        Self {
            width,
            height,
            data: vec![value; width * height],
        }
    }

    /// A plane whose value at (x, y) is `f(x, y)`.
    pub(crate) fn from_fn(width: usize, height: usize, mut f: impl FnMut(usize, usize) -> T) -> Self {
        let mut data = Vec::with_capacity(width * height);
        for y in 0..height {
            for x in 0..width {
                data.push(f(x, y));
            }
        }
        Self { width, height, data }
    }

    /// The value of a pixel inside.
    pub(crate) fn at(&self, x: usize, y: usize) -> T {
        self.data[y * self.width + x]
    }

    /// The value of the nearest pixel inside.
    pub(crate) fn clamped(&self, x: i64, y: i64) -> T {
        let x = x.clamp(0, self.width as i64 - 1) as usize;
        let y = y.clamp(0, self.height as i64 - 1) as usize;
        self.data[y * self.width + x]
    }

    /// Every value through `f`.
    pub(crate) fn map<U: Copy>(&self, f: impl FnMut(T) -> U) -> Plane<U> {
        Plane {
            width: self.width,
            height: self.height,
            data: self.data.iter().copied().map(f).collect(),
        }
    }

    /// Whether a point lies on the plane.
    pub(crate) fn holds(&self, p: Point) -> bool {
        p.x >= 0.0 && p.y >= 0.0 && p.x <= self.width as f64 - 1.0 && p.y <= self.height as f64 - 1.0
    }
}

impl<T: Mix> Plane<T> {
    /// Bilinear sample; the border is repeated.
    pub(crate) fn bilinear(&self, p: Point) -> T {
        let (x, y) = (p.x.floor(), p.y.floor());
        let (fx, fy) = ((p.x - x) as f32, (p.y - y) as f32);
        let (x, y) = (x as i64, y as i64);
        T::ZERO
            .add(self.clamped(x, y), (1.0 - fx) * (1.0 - fy))
            .add(self.clamped(x + 1, y), fx * (1.0 - fy))
            .add(self.clamped(x, y + 1), (1.0 - fx) * fy)
            .add(self.clamped(x + 1, y + 1), fx * fy)
    }

    /// Catmull-Rom sample: sharper than bilinear, so that moved parts keep their texture.
    pub(crate) fn cubic(&self, p: Point) -> T {
        let (x, y) = (p.x.floor(), p.y.floor());
        let (wx, wy) = (catmull_rom((p.x - x) as f32), catmull_rom((p.y - y) as f32));
        let (x, y) = (x as i64, y as i64);
        let mut sum = T::ZERO;
        for (j, wy) in (-1..3).zip(wy) {
            let mut row = T::ZERO;
            for (i, wx) in (-1..3).zip(wx) {
                row = row.add(self.clamped(x + i, y + j), wx);
            }
            sum = sum.add(row, wy);
        }
        sum
    }

    /// Gaussian blur of standard deviation `sigma` px, the border repeated.
    pub(crate) fn blurred(&self, sigma: f64) -> Self {
        if sigma < 0.2 {
            return self.clone();
        }
        let radius = (sigma * 3.0).ceil() as i64;
        let mut taps: Vec<f32> = (-radius..=radius)
            .map(|i| (-0.5 * (i as f64 / sigma).powi(2)).exp() as f32)
            .collect();
        let sum: f32 = taps.iter().sum();
        taps.iter_mut().for_each(|tap| *tap /= sum);
        let rows = Self::from_fn(self.width, self.height, |x, y| {
            (-radius..=radius).zip(&taps).fold(T::ZERO, |sum, (i, &tap)| {
                sum.add(self.clamped(x as i64 + i, y as i64), tap)
            })
        });
        Self::from_fn(self.width, self.height, |x, y| {
            (-radius..=radius).zip(&taps).fold(T::ZERO, |sum, (i, &tap)| {
                sum.add(rows.clamped(x as i64, y as i64 + i), tap)
            })
        })
    }

    /// Half the size, by averages of 2x2; odd borders are repeated.
    pub(crate) fn halved(&self) -> Self {
        Self::from_fn(self.width.div_ceil(2), self.height.div_ceil(2), |x, y| {
            let (x, y) = (2 * x as i64, 2 * y as i64);
            T::ZERO
                .add(self.clamped(x, y), 0.25)
                .add(self.clamped(x + 1, y), 0.25)
                .add(self.clamped(x, y + 1), 0.25)
                .add(self.clamped(x + 1, y + 1), 0.25)
        })
    }
}

fn catmull_rom(t: f32) -> [f32; 4] {
    let (t2, t3) = (t * t, t * t * t);
    [
        0.5 * (-t + 2.0 * t2 - t3),
        0.5 * (2.0 - 5.0 * t2 + 3.0 * t3),
        0.5 * (t + 4.0 * t2 - 3.0 * t3),
        0.5 * (t3 - t2),
    ]
}

/// `a` at weight 0, `b` at weight 1.
pub(crate) fn mix<T: Mix>(a: T, b: T, weight: f32) -> T {
    T::ZERO.add(a, 1.0 - weight).add(b, weight)
}

/// 0 below `low`, 1 above `high`, smooth between.
pub(crate) fn smoothstep(low: f64, high: f64, v: f64) -> f64 {
    let t = ((v - low) / (high - low)).clamp(0.0, 1.0);
    t * t * (3.0 - 2.0 * t)
}

/// The brightness of a colour (Rec. 601), 0..255.
pub(crate) fn luma(c: Rgb) -> f32 {
    0.299 * c[0] + 0.587 * c[1] + 0.114 * c[2]
}

/// The pixels of a box as a plane.
pub(crate) fn crop(image: &RgbImage, bounds: BoxPx) -> Plane<Rgb> {
    Plane::from_fn(bounds.width() as usize, bounds.height() as usize, |x, y| {
        image
            .get_pixel(bounds.x0 + x as u32, bounds.y0 + y as u32)
            .0
            .map(f32::from)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sampling_a_ramp_gives_the_ramp() {
        let ramp = Plane::from_fn(9, 7, |x, y| 3.0 * x as f32 + 5.0 * y as f32);
        let p = Point::new(3.25, 2.5);
        assert!((ramp.bilinear(p) - 22.25).abs() < 1e-4);
        assert!((ramp.cubic(p) - 22.25).abs() < 1e-4);
        assert_eq!(ramp.bilinear(Point::new(-5.0, -5.0)), 0.0);
    }

    #[test]
    fn a_blur_keeps_the_sum_of_an_inner_spot() {
        let mut spot = Plane::filled(31, 31, 0.0f32);
        spot.data[15 * 31 + 15] = 1.0;
        let blurred = spot.blurred(2.0);
        assert!((blurred.data.iter().sum::<f32>() - 1.0).abs() < 1e-4);
        assert!((blurred.at(15, 15) - 1.0 / (std::f32::consts::TAU * 4.0)).abs() < 1e-3);
    }
}
