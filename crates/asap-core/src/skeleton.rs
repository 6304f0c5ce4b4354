//! Whole-body keypoints in the COCO-WholeBody order of 133 points.

use serde::{Deserialize, Serialize};

use crate::geometry::Point;
use crate::region::Side;

/// The number of COCO-WholeBody keypoints.
pub const N_KEYPOINTS: usize = 133;
/// First of the 68 face points (iBUG order).
pub const FACE_START: usize = 23;
/// The number of face points.
pub const N_FACE: usize = 68;
/// The number of points of a hand: root, then thumb, index, middle, ring, little finger with four each.
pub const N_HAND: usize = 21;
/// The score above which the reference drawing code takes a keypoint as seen (DWPose, controlnet_aux).
pub const SEEN_SCORE: f32 = 0.3;

/// Names of the body keypoints by index.
pub mod joint {
    /// Nose.
    pub const NOSE: usize = 0;
    /// Left eye; the right one follows.
    pub const LEFT_EYE: usize = 1;
    /// Left ear; the right one follows.
    pub const LEFT_EAR: usize = 3;
    /// Left shoulder; the right one follows, as for all joints below.
    pub const LEFT_SHOULDER: usize = 5;
    /// Left elbow.
    pub const LEFT_ELBOW: usize = 7;
    /// Left wrist.
    pub const LEFT_WRIST: usize = 9;
    /// Left hip.
    pub const LEFT_HIP: usize = 11;
    /// Left knee.
    pub const LEFT_KNEE: usize = 13;
    /// Left ankle.
    pub const LEFT_ANKLE: usize = 15;
    /// Left big toe; small toe and heel follow, then the right foot from 20.
    pub const LEFT_BIG_TOE: usize = 17;
    /// Right big toe.
    pub const RIGHT_BIG_TOE: usize = 20;
}

/// Index of the first hand point (the root) of a side.
pub const fn hand_start(side: Side) -> usize {
    match side {
        Side::Left => 91,
        Side::Right => 112,
    }
}

/// Index of a paired body joint (shoulder to ankle, eye, ear) of a side, given the left one.
pub const fn on_side(left_joint: usize, side: Side) -> usize {
    match side {
        Side::Left => left_joint,
        Side::Right => left_joint + 1,
    }
}

/// One keypoint: where it is and how sure its source was.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(from = "[f32; 3]", into = "[f32; 3]")]
pub struct Keypoint {
    /// Column in pixels; may lie outside the frame, as DWPose predicts it.
    pub x: f32,
    /// Row in pixels.
    pub y: f32,
    /// Score of a detector, visibility (0, 1, 2) of an annotation, 1 for a rendered figure, 0 for none.
    pub score: f32,
}

impl From<[f32; 3]> for Keypoint {
    fn from([x, y, score]: [f32; 3]) -> Self {
        Self { x, y, score }
    }
}

impl From<Keypoint> for [f32; 3] {
    fn from(keypoint: Keypoint) -> Self {
        [keypoint.x, keypoint.y, keypoint.score]
    }
}

impl Keypoint {
    /// Whether the score passes [`SEEN_SCORE`] and the position is a number.
    pub fn is_seen(&self) -> bool {
        self.score > SEEN_SCORE && self.x.is_finite() && self.y.is_finite()
    }

    /// The position.
    pub fn point(&self) -> Point {
        Point::new(f64::from(self.x), f64::from(self.y))
    }
}

/// The keypoints of one person.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Vec<Keypoint>", into = "Vec<Keypoint>")]
pub struct Skeleton {
    keypoints: Vec<Keypoint>,
}

/// A list of keypoints that is not one of 133.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a whole-body skeleton has {N_KEYPOINTS} keypoints, got {got}")]
pub struct KeypointCountError {
    /// The number of points given.
    pub got: usize,
}

impl TryFrom<Vec<Keypoint>> for Skeleton {
    type Error = KeypointCountError;

    fn try_from(keypoints: Vec<Keypoint>) -> Result<Self, KeypointCountError> {
        if keypoints.len() == N_KEYPOINTS {
            Ok(Self { keypoints })
        } else {
            Err(KeypointCountError { got: keypoints.len() })
        }
    }
}

impl From<Skeleton> for Vec<Keypoint> {
    fn from(skeleton: Skeleton) -> Self {
        skeleton.keypoints
    }
}

impl Default for Skeleton {
    /// A skeleton of which nothing is seen.
    fn default() -> Self {
        Self {
            keypoints: vec![Keypoint::default(); N_KEYPOINTS],
        }
    }
}

impl std::ops::Index<usize> for Skeleton {
    type Output = Keypoint;

    fn index(&self, idx: usize) -> &Keypoint {
        &self.keypoints[idx]
    }
}

impl std::ops::IndexMut<usize> for Skeleton {
    fn index_mut(&mut self, idx: usize) -> &mut Keypoint {
        &mut self.keypoints[idx]
    }
}

impl Skeleton {
    /// All 133 keypoints.
    pub fn keypoints(&self) -> &[Keypoint] {
        &self.keypoints
    }

    /// The 21 points of a hand.
    pub fn hand(&self, side: Side) -> &[Keypoint] {
        &self.keypoints[hand_start(side)..hand_start(side) + N_HAND]
    }

    /// The 68 points of the face.
    pub fn face(&self) -> &[Keypoint] {
        &self.keypoints[FACE_START..FACE_START + N_FACE]
    }

    /// The position of a keypoint if it is seen.
    pub fn seen(&self, idx: usize) -> Option<Point> {
        let keypoint = self.keypoints[idx];
        keypoint.is_seen().then(|| keypoint.point())
    }

    /// The middle of the shoulders if both are seen, as DWPose defines the neck.
    pub fn neck(&self) -> Option<Point> {
        let left = self.seen(joint::LEFT_SHOULDER)?;
        let right = self.seen(joint::LEFT_SHOULDER + 1)?;
        Some(left.lerp(right, 0.5))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_skeleton_is_133_triples() {
        let skeleton = Skeleton::default();
        let text = serde_json::to_string(&skeleton).unwrap();
        assert!(text.starts_with("[[0.0,0.0,0.0],"));
        assert_eq!(serde_json::from_str::<Skeleton>(&text).unwrap(), skeleton);
        let error = serde_json::from_str::<Skeleton>("[[1,2,3]]").unwrap_err();
        assert_eq!(
            error.to_string(),
            "a whole-body skeleton has 133 keypoints, got 1"
        );
    }

    #[test]
    fn layout_is_coco_wholebody() {
        assert_eq!(hand_start(Side::Left), FACE_START + N_FACE);
        assert_eq!(hand_start(Side::Right) + N_HAND, N_KEYPOINTS);
    }
}
