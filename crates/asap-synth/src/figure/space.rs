//! Vectors and turns in the space of a body: x to the right of the picture, y down, z towards the camera.

use std::ops::{Add, Mul, Neg, Sub};

/// A vector.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct V3 {
    pub(crate) x: f64,
    pub(crate) y: f64,
    pub(crate) z: f64,
}

/// A vector from its coordinates.
pub(crate) const fn v3(x: f64, y: f64, z: f64) -> V3 {
    V3 { x, y, z }
}

impl V3 {
    pub(crate) fn dot(self, other: Self) -> f64 {
        self.x * other.x + self.y * other.y + self.z * other.z
    }

    /// The component formula; with y down it turns from x to y to z as usual.
    pub(crate) fn cross(self, other: Self) -> Self {
        v3(
            self.y * other.z - self.z * other.y,
            self.z * other.x - self.x * other.z,
            self.x * other.y - self.y * other.x,
        )
    }

    pub(crate) fn length(self) -> f64 {
        self.dot(self).sqrt()
    }

    /// Of length 1; the null vector stays.
    pub(crate) fn unit(self) -> Self {
        let length = self.length();
        if length > 1e-12 {
            self * (1.0 / length)
        } else {
            self
        }
    }

    pub(crate) fn lerp(self, other: Self, t: f64) -> Self {
        self + (other - self) * t
    }

    /// The part of it that is perpendicular to the unit vector `axis`.
    pub(crate) fn without(self, axis: Self) -> Self {
        self - axis * self.dot(axis)
    }

    /// Turned about the unit vector `axis` (Rodrigues).
    pub(crate) fn turned(self, axis: Self, radians: f64) -> Self {
        let (sin, cos) = radians.sin_cos();
        self * cos + axis.cross(self) * sin + axis * (axis.dot(self) * (1.0 - cos))
    }

    /// The angle to another vector in radians, 0 to pi.
    pub(crate) fn angle_to(self, other: Self) -> f64 {
        self.unit().dot(other.unit()).clamp(-1.0, 1.0).acos()
    }
}

impl Add for V3 {
    type Output = Self;
    fn add(self, o: Self) -> Self {
        v3(self.x + o.x, self.y + o.y, self.z + o.z)
    }
}

impl Sub for V3 {
    type Output = Self;
    fn sub(self, o: Self) -> Self {
        v3(self.x - o.x, self.y - o.y, self.z - o.z)
    }
}

impl Neg for V3 {
    type Output = Self;
    fn neg(self) -> Self {
        v3(-self.x, -self.y, -self.z)
    }
}

impl Mul<f64> for V3 {
    type Output = Self;
    fn mul(self, f: f64) -> Self {
        v3(self.x * f, self.y * f, self.z * f)
    }
}

/// Three perpendicular unit vectors.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Frame {
    pub(crate) x: V3,
    pub(crate) y: V3,
    pub(crate) z: V3,
}

impl Frame {
    /// The frame of the picture.
    pub(crate) const PICTURE: Self = Self {
        x: v3(1.0, 0.0, 0.0),
        y: v3(0.0, 1.0, 0.0),
        z: v3(0.0, 0.0, 1.0),
    };

    /// Turned by degrees: yaw about y (to the left of the picture when positive), pitch about x (nose
    /// down when positive), roll about z (clockwise on the screen when positive).
    pub(crate) fn turned(self, yaw: f64, pitch: f64, roll: f64) -> Self {
        let turn = |v: V3| {
            v.turned(self.x, -pitch.to_radians())
                .turned(self.y, -yaw.to_radians())
                .turned(self.z, roll.to_radians())
        };
        Self {
            x: turn(self.x),
            y: turn(self.y),
            z: turn(self.z),
        }
    }

    /// From coordinates in this frame to the picture's.
    pub(crate) fn out(&self, v: V3) -> V3 {
        self.x * v.x + self.y * v.y + self.z * v.z
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn turns_keep_frames_perpendicular() {
        let frame = Frame::PICTURE.turned(25.0, -10.0, 7.0);
        assert!((frame.x.cross(frame.y) - frame.z).length() < 1e-12);
        let v = v3(1.0, 2.0, 3.0);
        assert!((frame.out(v).length() - v.length()).abs() < 1e-12);
    }

    #[test]
    fn yaw_pitch_and_roll_go_the_stated_ways() {
        assert!(Frame::PICTURE.turned(30.0, 0.0, 0.0).z.x < 0.0);
        assert!(Frame::PICTURE.turned(0.0, 30.0, 0.0).z.y > 0.0);
        assert!(Frame::PICTURE.turned(0.0, 0.0, 30.0).x.y > 0.0);
    }
}
