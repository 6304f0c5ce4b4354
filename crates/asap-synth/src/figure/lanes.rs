//! Eight numbers at once: plain arrays that the compiler turns into vector instructions.

use std::ops::{Add, Mul, Neg, Sub};

/// The number of rays that are followed together.
pub(crate) const LANES: usize = 8;

/// Eight numbers.
#[derive(Clone, Copy, Debug, PartialEq)]
#[repr(align(32))]
pub(crate) struct F8(pub(crate) [f32; LANES]);

impl F8 {
    pub(crate) const fn splat(value: f32) -> Self {
        Self([value; LANES])
    }

    #[inline(always)]
    fn zip(self, other: Self, f: impl Fn(f32, f32) -> f32) -> Self {
        let mut out = [0.0; LANES];
        for (out, (&a, &b)) in out.iter_mut().zip(self.0.iter().zip(&other.0)) {
            *out = f(a, b);
        }
        Self(out)
    }

    #[inline(always)]
    fn map(self, f: impl Fn(f32) -> f32) -> Self {
        let mut out = [0.0; LANES];
        for (out, &a) in out.iter_mut().zip(&self.0) {
            *out = f(a);
        }
        Self(out)
    }

    #[inline(always)]
    pub(crate) fn min(self, other: Self) -> Self {
        self.zip(other, |a, b| if a < b { a } else { b })
    }

    #[inline(always)]
    pub(crate) fn max(self, other: Self) -> Self {
        self.zip(other, |a, b| if a > b { a } else { b })
    }

    #[inline(always)]
    pub(crate) fn sqrt(self) -> Self {
        self.map(f32::sqrt)
    }

    #[inline(always)]
    pub(crate) fn abs(self) -> Self {
        self.map(f32::abs)
    }

    #[inline(always)]
    pub(crate) fn recip(self) -> Self {
        self.map(|a| 1.0 / a)
    }

    #[inline(always)]
    pub(crate) fn scale(self, factor: f32) -> Self {
        self.map(|a| a * factor)
    }

    #[inline(always)]
    pub(crate) fn shift(self, by: f32) -> Self {
        self.map(|a| a + by)
    }

    #[inline(always)]
    pub(crate) fn clamp(self, low: f32, high: f32) -> Self {
        self.map(|a| {
            let a = if a > low { a } else { low };
            if a < high { a } else { high }
        })
    }
}

impl Add for F8 {
    type Output = Self;
    #[inline(always)]
    fn add(self, other: Self) -> Self {
        self.zip(other, |a, b| a + b)
    }
}

impl Sub for F8 {
    type Output = Self;
    #[inline(always)]
    fn sub(self, other: Self) -> Self {
        self.zip(other, |a, b| a - b)
    }
}

impl Mul for F8 {
    type Output = Self;
    #[inline(always)]
    fn mul(self, other: Self) -> Self {
        self.zip(other, |a, b| a * b)
    }
}

impl Neg for F8 {
    type Output = Self;
    #[inline(always)]
    fn neg(self) -> Self {
        self.map(|a| -a)
    }
}

/// Eight points.
#[derive(Clone, Copy, Debug)]
pub(crate) struct P8 {
    pub(crate) x: F8,
    pub(crate) y: F8,
    pub(crate) z: F8,
}

impl P8 {
    /// The dot product of (points - origin) with a direction.
    #[inline(always)]
    pub(crate) fn along(&self, origin: [f32; 3], direction: [f32; 3]) -> F8 {
        self.x.shift(-origin[0]).scale(direction[0])
            + self.y.shift(-origin[1]).scale(direction[1])
            + self.z.shift(-origin[2]).scale(direction[2])
    }

    /// The points moved by `by` in each lane's own length.
    #[inline(always)]
    pub(crate) fn moved(&self, direction: &Self, by: F8) -> Self {
        Self {
            x: self.x + direction.x * by,
            y: self.y + direction.y * by,
            z: self.z + direction.z * by,
        }
    }

    /// The points moved by one vector.
    #[inline(always)]
    pub(crate) fn shifted(&self, by: [f32; 3]) -> Self {
        Self {
            x: self.x.shift(by[0]),
            y: self.y.shift(by[1]),
            z: self.z.shift(by[2]),
        }
    }

    /// The point of a lane.
    pub(crate) fn lane(&self, lane: usize) -> [f32; 3] {
        [self.x.0[lane], self.y.0[lane], self.z.0[lane]]
    }
}
