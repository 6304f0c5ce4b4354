//! A head: 68 iBUG landmarks and the five head joints, in millimetres about the middle of the head.

use asap_core::graph::Feature;
use asap_core::{Side, Stream};

use super::space::{V3, v3};

/// Right half of the jaw (the left of the picture) from the ear to the chin.
const JAW: [V3; 9] = [
    v3(-73.0, -6.0, 0.0),
    v3(-72.0, 15.0, 5.0),
    v3(-69.0, 37.0, 14.0),
    v3(-63.0, 58.0, 26.0),
    v3(-53.0, 77.0, 42.0),
    v3(-40.0, 92.0, 57.0),
    v3(-27.0, 102.0, 68.0),
    v3(-13.0, 108.0, 75.0),
    v3(0.0, 110.0, 78.0),
];
const BROW: [V3; 5] = [
    v3(-56.0, -38.0, 66.0),
    v3(-47.0, -46.0, 76.0),
    v3(-36.0, -49.0, 84.0),
    v3(-25.0, -47.0, 90.0),
    v3(-15.0, -42.0, 94.0),
];
const NOSE: [V3; 9] = [
    v3(0.0, -16.0, 96.0),
    v3(0.0, 1.0, 102.0),
    v3(0.0, 17.0, 110.0),
    v3(0.0, 31.0, 117.0),
    v3(-15.0, 41.0, 95.0),
    v3(-8.0, 44.0, 101.0),
    v3(0.0, 46.0, 104.0),
    v3(8.0, 44.0, 101.0),
    v3(15.0, 41.0, 95.0),
];
/// From the outer corner over the upper lid to the inner corner and back under the lower lid.
const EYE: [V3; 6] = [
    v3(-46.5, -10.0, 72.0),
    v3(-38.5, -18.5, 80.0),
    v3(-26.5, -18.5, 86.0),
    v3(-18.5, -8.5, 86.0),
    v3(-26.5, -3.5, 86.0),
    v3(-38.5, -3.5, 80.0),
];
const MOUTH: [V3; 20] = [
    v3(-26.0, 67.0, 84.0),
    v3(-16.0, 62.0, 93.0),
    v3(-6.0, 58.5, 98.0),
    v3(0.0, 60.5, 99.0),
    v3(6.0, 58.5, 98.0),
    v3(16.0, 62.0, 93.0),
    v3(26.0, 67.0, 84.0),
    v3(17.0, 76.0, 91.0),
    v3(7.0, 80.5, 95.0),
    v3(0.0, 81.0, 96.0),
    v3(-7.0, 80.5, 95.0),
    v3(-17.0, 76.0, 91.0),
    v3(-22.0, 67.0, 85.0),
    v3(-8.0, 66.5, 96.0),
    v3(0.0, 67.5, 97.0),
    v3(8.0, 66.5, 96.0),
    v3(22.0, 67.0, 85.0),
    v3(8.0, 68.5, 95.0),
    v3(0.0, 69.5, 96.0),
    v3(-8.0, 68.5, 95.0),
];

/// Tip of the nose.
pub(crate) const NOSE_TIP: V3 = v3(0.0, 33.0, 120.0);
/// The person's left eye.
pub(crate) const LEFT_EYE: V3 = v3(32.5, -11.0, 82.0);
/// The person's left ear.
pub(crate) const LEFT_EAR: V3 = v3(75.0, 4.0, -6.0);

/// How a face differs from the mean one.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct FaceShape {
    /// Width of the jaw, 1 for the mean.
    pub(crate) jaw: f64,
    /// Length of the lower face, 1 for the mean.
    pub(crate) chin: f64,
    /// Height of the eye opening, 1 for the mean.
    pub(crate) eye: f64,
    /// Millimetres by which the corners of the mouth are raised.
    pub(crate) smile: f64,
    /// Half the opening of the mouth in millimetres.
    pub(crate) open: f64,
    /// Millimetres by which the brows are raised.
    pub(crate) brow: f64,
}

impl FaceShape {
    /// A pleasant face.
    pub(crate) fn sample(stream: &mut Stream) -> Self {
        Self {
            jaw: stream.between(0.92, 1.05),
            chin: stream.between(0.94, 1.03),
            eye: stream.between(0.92, 1.18),
            smile: stream.between(1.5, 6.5),
            open: if stream.chance(0.3) {
                stream.between(1.5, 5.0)
            } else {
                0.0
            },
            brow: stream.between(-2.0, 4.0),
        }
    }

    /// The landmarks of a feature, in iBUG order.
    pub(crate) fn landmarks(&self, feature: Feature) -> Vec<V3> {
        match feature {
            Feature::Jaw => self.jaw(),
            Feature::Brow(side) => {
                let raised = BROW.map(|p| v3(p.x, p.y - self.brow, p.z));
                on_side(&raised, side, |idx| 4 - idx)
            }
            Feature::Nose => NOSE.to_vec(),
            Feature::Eye(side) => {
                let middle = -10.0;
                let opened = EYE.map(|p| v3(p.x, middle + (p.y - middle) * self.eye, p.z));
                // The mirrored eye starts at its inner corner, as iBUG counts.
                on_side(&opened, side, |idx| [3, 2, 1, 0, 5, 4][idx])
            }
            Feature::Mouth => self.mouth(),
        }
    }

    fn jaw(&self) -> Vec<V3> {
        let point = |p: V3| {
            let lower = (p.y / 110.0).clamp(0.0, 1.0);
            v3(
                p.x * (1.0 + (self.jaw - 1.0) * lower),
                p.y * (1.0 + (self.chin - 1.0) * lower),
                p.z,
            )
        };
        let right: Vec<V3> = JAW.iter().map(|&p| point(p)).collect();
        let left = right.iter().rev().skip(1).map(|&p| v3(-p.x, p.y, p.z));
        right.iter().copied().chain(left).collect()
    }

    fn mouth(&self) -> Vec<V3> {
        let place = |(idx, p): (usize, &V3)| {
            let corner = (p.x / 26.0).powi(2);
            let lower_lip = matches!(idx, 7..=11 | 17..=19);
            let opening = if lower_lip {
                self.open * 1.5
            } else {
                -self.open * 0.3
            } * (1.0 - corner).max(0.0);
            let wide = 1.0 + 0.022 * self.smile;
            v3(
                p.x * wide,
                p.y - self.smile * corner + opening + self.smile * 0.25,
                p.z,
            )
        };
        MOUTH.iter().enumerate().map(place).collect()
    }
}

/// The points of the person's right side as they are, or mirrored and renumbered for the left.
fn on_side(right: &[V3], side: Side, mirrored: impl Fn(usize) -> usize) -> Vec<V3> {
    match side {
        Side::Right => right.to_vec(),
        Side::Left => (0..right.len())
            .map(|idx| right[mirrored(idx)])
            .map(|p| v3(-p.x, p.y, p.z))
            .collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn landmarks_follow_ibug() {
        let shape = FaceShape {
            jaw: 1.0,
            chin: 1.0,
            eye: 1.0,
            smile: 3.0,
            open: 0.0,
            brow: 0.0,
        };
        let all: Vec<V3> = Feature::ALL.iter().flat_map(|&f| shape.landmarks(f)).collect();
        assert_eq!(all.len(), 68);
        // Mirror partners by the iBUG flip list.
        for (a, b) in [
            (0, 16),
            (17, 26),
            (21, 22),
            (31, 35),
            (36, 45),
            (37, 44),
            (39, 42),
            (41, 46),
            (48, 54),
            (60, 64),
        ] {
            assert!(
                (all[a].x + all[b].x).abs() < 1e-9 && (all[a].y - all[b].y).abs() < 1e-9,
                "{a} {b}"
            );
        }
        assert!(all[36].x < all[39].x && all[42].x < all[45].x);
        assert!(all[17].x < all[21].x && all[22].x < all[26].x);
    }
}
