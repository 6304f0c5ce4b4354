//! The solids that a body is made of, as signed distances in pixels.

use super::lanes::{F8, P8};
use super::space::{Frame, V3, v3};

/// A vector for the tracer.
pub(crate) fn single(v: V3) -> [f32; 3] {
    [v.x as f32, v.y as f32, v.z as f32]
}

/// The form of a solid.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Shape {
    /// The hull of two spheres.
    Cone {
        start: [f32; 3],
        axis: [f32; 3],
        length: f32,
        radius: f32,
        /// Loss of radius for each pixel of length.
        slope: f32,
        /// Shift along the axis for each pixel of distance from it, where the surface is met squarely.
        lean: f32,
    },
    /// A ball stretched along three axes.
    Ellipsoid {
        center: [f32; 3],
        axes: [[f32; 3]; 3],
        inverse_radii: [f32; 3],
    },
    /// A box with rounded edges.
    Block {
        center: [f32; 3],
        axes: [[f32; 3]; 3],
        half: [f32; 3],
        round: f32,
    },
}

/// A half space that is cut away: where `dot(p, normal) > offset`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Cut {
    pub(crate) normal: [f32; 3],
    pub(crate) offset: f32,
}

/// A box in space.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Bounds {
    pub(crate) low: [f32; 3],
    pub(crate) high: [f32; 3],
}

/// A form, cut by planes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Solid {
    pub(crate) shape: Shape,
    pub(crate) cuts: [Option<Cut>; 2],
    pub(crate) bounds: Bounds,
}

impl Solid {
    /// The hull of a sphere of radius `r0` at `a` and one of radius `r1` at `b`.
    pub(crate) fn cone(a: V3, r0: f64, b: V3, r1: f64) -> Self {
        let span = b - a;
        let length = span.length();
        // Where one sphere contains the other the larger one is all there is.
        let (a, b, r0, r1) = if length <= (r0 - r1).abs() * 1.02 + 1e-3 {
            let (center, radius) = if r0 >= r1 { (a, r0) } else { (b, r1) };
            (center, center + v3(0.0, 1e-3, 0.0), radius, radius)
        } else {
            (a, b, r0, r1)
        };
        let span = b - a;
        let length = span.length();
        let slope = (r0 - r1) / length;
        let low = v3(
            (a.x - r0).min(b.x - r1),
            (a.y - r0).min(b.y - r1),
            (a.z - r0).min(b.z - r1),
        );
        let high = v3(
            (a.x + r0).max(b.x + r1),
            (a.y + r0).max(b.y + r1),
            (a.z + r0).max(b.z + r1),
        );
        Self {
            shape: Shape::Cone {
                start: single(a),
                axis: single(span * (1.0 / length)),
                length: length as f32,
                radius: r0 as f32,
                slope: slope as f32,
                lean: (slope / (1.0 - slope * slope).sqrt()) as f32,
            },
            cuts: [None; 2],
            bounds: Bounds {
                low: single(low),
                high: single(high),
            },
        }
    }

    /// A ball stretched along the axes of a frame.
    pub(crate) fn ellipsoid(center: V3, frame: &Frame, radii: V3) -> Self {
        Self {
            shape: Shape::Ellipsoid {
                center: single(center),
                axes: [single(frame.x), single(frame.y), single(frame.z)],
                inverse_radii: single(v3(1.0 / radii.x, 1.0 / radii.y, 1.0 / radii.z)),
            },
            cuts: [None; 2],
            bounds: extent_bounds(center, |axis| {
                let part = v3(
                    frame.x.dot(axis) * radii.x,
                    frame.y.dot(axis) * radii.y,
                    frame.z.dot(axis) * radii.z,
                );
                part.length()
            }),
        }
    }

    /// A box of half sizes `half` whose edges are rounded by `round`.
    pub(crate) fn block(center: V3, frame: &Frame, half: V3, round: f64) -> Self {
        Self {
            shape: Shape::Block {
                center: single(center),
                axes: [single(frame.x), single(frame.y), single(frame.z)],
                half: single(half - v3(round, round, round)),
                round: round as f32,
            },
            cuts: [None; 2],
            bounds: extent_bounds(center, |axis| {
                frame.x.dot(axis).abs() * half.x
                    + frame.y.dot(axis).abs() * half.y
                    + frame.z.dot(axis).abs() * half.z
            }),
        }
    }

    /// Without what lies beyond `through` in the direction `normal`.
    pub(crate) fn cut(mut self, through: V3, normal: V3) -> Self {
        let normal = normal.unit();
        let cut = Cut {
            normal: single(normal),
            offset: through.dot(normal) as f32,
        };
        let free = usize::from(self.cuts[0].is_some());
        self.cuts[free] = Some(cut);
        self
    }

    /// Signed distances of eight points.
    #[inline(never)]
    pub(crate) fn distance(&self, p: &P8) -> F8 {
        let mut d = self.shape.distance(p);
        for cut in self.cuts.iter().flatten() {
            d = d.max(p.along([0.0; 3], cut.normal).shift(-cut.offset));
        }
        d
    }
}

fn extent_bounds(center: V3, extent: impl Fn(V3) -> f64) -> Bounds {
    let reach = v3(
        extent(v3(1.0, 0.0, 0.0)),
        extent(v3(0.0, 1.0, 0.0)),
        extent(v3(0.0, 0.0, 1.0)),
    );
    Bounds {
        low: single(center - reach),
        high: single(center + reach),
    }
}

impl Shape {
    #[inline(always)]
    fn distance(&self, p: &P8) -> F8 {
        match *self {
            Self::Cone {
                start,
                axis,
                length,
                radius,
                slope,
                lean,
            } => {
                let q = p.shifted([-start[0], -start[1], -start[2]]);
                let y = q.along([0.0; 3], axis);
                let squared = q.x * q.x + q.y * q.y + q.z * q.z;
                let x = (squared - y * y).max(F8::splat(0.0)).sqrt();
                // The cone is the union of spheres along its axis; the nearest one is met squarely.
                let at = (y - x.scale(lean)).clamp(0.0, length);
                let dy = y - at;
                (x * x + dy * dy).sqrt() + at.scale(slope).shift(-radius)
            }
            Self::Ellipsoid {
                center,
                axes,
                inverse_radii,
            } => {
                let u = p.along(center, axes[0]).scale(inverse_radii[0]);
                let v = p.along(center, axes[1]).scale(inverse_radii[1]);
                let w = p.along(center, axes[2]).scale(inverse_radii[2]);
                let k0 = (u * u + v * v + w * w).sqrt();
                let (u, v, w) = (
                    u.scale(inverse_radii[0]),
                    v.scale(inverse_radii[1]),
                    w.scale(inverse_radii[2]),
                );
                let k1 = (u * u + v * v + w * w).sqrt().max(F8::splat(1e-9));
                k0 * k0.shift(-1.0) * k1.recip()
            }
            Self::Block {
                center,
                axes,
                half,
                round,
            } => {
                let zero = F8::splat(0.0);
                let u = p.along(center, axes[0]).abs().shift(-half[0]);
                let v = p.along(center, axes[1]).abs().shift(-half[1]);
                let w = p.along(center, axes[2]).abs().shift(-half[2]);
                let inner = u.max(v).max(w).min(zero);
                let (u, v, w) = (u.max(zero), v.max(zero), w.max(zero));
                (u * u + v * v + w * w).sqrt() + inner.shift(-round)
            }
        }
    }
}

/// The smooth minimum of two distances: equal to the minimum where they differ by more than `width`.
#[inline(always)]
pub(crate) fn blended(a: F8, b: F8, width: f32) -> F8 {
    let near = (F8::splat(width) - (a - b).abs()).max(F8::splat(0.0));
    a.min(b) - near * near.scale(0.25 / width)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(solid: &Solid, p: V3) -> f32 {
        let p = P8 {
            x: F8::splat(p.x as f32),
            y: F8::splat(p.y as f32),
            z: F8::splat(p.z as f32),
        };
        solid.distance(&p).0[0]
    }

    #[test]
    fn distances_are_right_at_points_computed_by_hand() {
        let capsule = Solid::cone(V3::default(), 2.0, v3(10.0, 0.0, 0.0), 2.0);
        assert!((at(&capsule, v3(5.0, 5.0, 0.0)) - 3.0).abs() < 1e-5);
        assert!((at(&capsule, v3(13.0, 4.0, 0.0)) - 3.0).abs() < 1e-5);
        let ball = Solid::cone(V3::default(), 5.0, v3(1.0, 0.0, 0.0), 2.0);
        assert!((at(&ball, v3(9.0, 0.0, 0.0)) - 4.0).abs() < 1e-3);
        let egg = Solid::ellipsoid(V3::default(), &Frame::PICTURE, v3(4.0, 2.0, 2.0));
        assert!((at(&egg, v3(6.0, 0.0, 0.0)) - 2.0).abs() < 1e-5);
        let cut = capsule.cut(v3(8.0, 0.0, 0.0), v3(1.0, 0.0, 0.0));
        assert!((at(&cut, v3(10.0, 0.0, 0.0)) - 2.0).abs() < 1e-5);
        let block = Solid::block(V3::default(), &Frame::PICTURE, v3(3.0, 2.0, 1.0), 0.5);
        assert!((at(&block, v3(5.0, 0.0, 0.0)) - 2.0).abs() < 1e-5);
    }

    #[test]
    fn a_blend_ends_where_its_width_does() {
        let (a, b) = (F8::splat(1.0), F8::splat(3.0));
        assert_eq!(blended(a, b, 2.0), a);
        assert!((blended(a, a, 2.0).0[0] - 0.5).abs() < 1e-6);
    }
}
