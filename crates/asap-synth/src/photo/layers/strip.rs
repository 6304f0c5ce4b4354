//! A finger as a strip along a chain of joints, moved piece by piece rigidly.
//!
//! A smooth warp folds over where a finger is bent sharply. Here each bone carries its own pixels: a pixel
//! of the new finger belongs to the nearest new bone and is fetched from the same place beside the old one.

use asap_core::Point;

/// Joints from the base to the tip with the half-width of the flesh at each, in pixels.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Chain {
    /// At least two joints.
    pub(crate) joints: Vec<Point>,
    /// As many half-widths.
    pub(crate) radii: Vec<f64>,
}

/// Where a pixel lies along a chain.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Place {
    /// The bone, counted from the base.
    pub(crate) bone: usize,
    /// Along the bone in pixels from its first joint; may lie outside 0..length.
    pub(crate) along_px: f64,
    /// Across the bone in pixels.
    pub(crate) across_px: f64,
    /// The distance to the bone over the half-width there.
    pub(crate) relative_distance: f64,
    /// Whole distance from the base along the chain over the length of the chain, clamped to 0..1.
    pub(crate) share: f64,
}

impl Chain {
    /// The length of a bone.
    pub(crate) fn bone_px(&self, bone: usize) -> f64 {
        self.joints[bone].distance(self.joints[bone + 1])
    }

    /// The length of the chain.
    pub(crate) fn length_px(&self) -> f64 {
        (0..self.joints.len() - 1).map(|bone| self.bone_px(bone)).sum()
    }

    /// Where a point lies along the chain: beside the bone that is nearest in half-widths.
    pub(crate) fn place(&self, p: Point) -> Place {
        let total = self.length_px().max(1e-6);
        let mut best: Option<Place> = None;
        let mut walked = 0.0;
        for bone in 0..self.joints.len() - 1 {
            let (start, end) = (self.joints[bone], self.joints[bone + 1]);
            let length = start.distance(end).max(1e-6);
            let axis = (end - start) * (1.0 / length);
            let d = p - start;
            let along_px = d.x * axis.x + d.y * axis.y;
            let across_px = d.y * axis.x - d.x * axis.y;
            let t = (along_px / length).clamp(0.0, 1.0);
            let radius = self.radii[bone] + (self.radii[bone + 1] - self.radii[bone]) * t;
            let place = Place {
                bone,
                along_px,
                across_px,
                relative_distance: p.distance(start.lerp(end, t)) / radius.max(1e-6),
                share: (walked + t * length) / total,
            };
            if best.is_none_or(|best| place.relative_distance < best.relative_distance) {
                best = Some(place);
            }
            walked += length;
        }
        best.unwrap_or(Place {
            bone: 0,
            along_px: 0.0,
            across_px: 0.0,
            relative_distance: f64::INFINITY,
            share: 0.0,
        })
    }

    /// The point beside a bone.
    pub(crate) fn beside(&self, bone: usize, along_px: f64, across_px: f64) -> Point {
        let (start, end) = (self.joints[bone], self.joints[bone + 1]);
        let axis = (end - start) * (1.0 / start.distance(end).max(1e-6));
        start + axis * along_px + Point::new(-axis.y, axis.x) * across_px
    }

    /// Turned about a joint from there to the tip.
    pub(crate) fn bent(&self, joint: usize, radians: f64) -> Self {
        let mut bent = self.clone();
        for idx in joint + 1..self.joints.len() {
            bent.joints[idx] = self.joints[idx].rotated_about(self.joints[joint], radians);
        }
        bent
    }

    /// Every bone scaled along itself.
    pub(crate) fn stretched(&self, factor: f64) -> Self {
        let mut stretched = self.clone();
        for idx in 1..self.joints.len() {
            let bone = (self.joints[idx] - self.joints[idx - 1]) * factor;
            stretched.joints[idx] = stretched.joints[idx - 1] + bone;
        }
        stretched
    }

    /// Thicker or thinner towards the tip; the base keeps its width.
    pub(crate) fn widened(&self, factor: f64) -> Self {
        let n = (self.joints.len() - 1) as f64;
        let mut widened = self.clone();
        for (idx, radius) in widened.radii.iter_mut().enumerate() {
            *radius *= 1.0 + (factor - 1.0) * (2.0 * idx as f64 / n).min(1.0);
        }
        widened
    }

    /// The chain from a joint on.
    pub(crate) fn beyond_joint(&self, joint: usize) -> Self {
        Self {
            joints: self.joints[joint..].to_vec(),
            radii: self.radii[joint..].to_vec(),
        }
    }

    /// Moved as a whole.
    pub(crate) fn mapped(&self, f: impl Fn(Point) -> Point) -> Self {
        Self {
            joints: self.joints.iter().map(|&p| f(p)).collect(),
            radii: self.radii.clone(),
        }
    }

    /// The point of the old chain that is seen at `p` when the finger lies along `self`; also how far `p` is
    /// from the axis in half-widths.
    ///
    /// Both chains have the same joints. Lengths and widths scale bone by bone; beyond the ends the shape
    /// is kept, so that a fingertip stays round.
    pub(crate) fn source(&self, old: &Self, p: Point) -> (Point, f64) {
        let place = self.place(p);
        let bone = place.bone;
        let (new_px, old_px) = (self.bone_px(bone).max(1e-6), old.bone_px(bone));
        let along = if place.along_px < 0.0 {
            place.along_px
        } else if place.along_px > new_px {
            old_px + (place.along_px - new_px)
        } else {
            place.along_px * old_px / new_px
        };
        let t = (place.along_px / new_px).clamp(0.0, 1.0);
        let radius = |chain: &Self| chain.radii[bone] + (chain.radii[bone + 1] - chain.radii[bone]) * t;
        let across = place.across_px * radius(old) / radius(self).max(1e-6);
        (old.beside(bone, along, across), place.relative_distance)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn finger() -> Chain {
        Chain {
            joints: vec![
                Point::new(10.0, 50.0),
                Point::new(10.0, 30.0),
                Point::new(10.0, 14.0),
            ],
            radii: vec![6.0, 5.0, 4.0],
        }
    }

    #[test]
    fn an_unmoved_finger_maps_to_itself() {
        let finger = finger();
        for p in [
            Point::new(12.0, 40.0),
            Point::new(7.0, 20.0),
            Point::new(9.0, 8.0),
        ] {
            assert!(finger.source(&finger, p).0.distance(p) < 1e-9);
        }
    }

    #[test]
    fn a_bent_and_stretched_finger_fetches_its_tip() {
        let finger = finger();
        let bent = finger.bent(1, 1.2);
        assert!(bent.source(&finger, bent.joints[2]).0.distance(finger.joints[2]) < 1e-9);
        let long = finger.stretched(1.5);
        assert!((long.length_px() - 1.5 * finger.length_px()).abs() < 1e-9);
        let middle = long.joints[0].lerp(long.joints[1], 0.5);
        assert!(long.source(&finger, middle).0.distance(Point::new(10.0, 40.0)) < 1e-9);
        let thick = finger.widened(2.0);
        let beside = thick.joints[2] + Point::new(8.0, 0.0);
        assert!(thick.source(&finger, beside).0.distance(Point::new(14.0, 14.0)) < 1e-9);
    }
}
