//! A body as nodes and bones, so that a corruption is an edit of a graph.
//!
//! A [`Skeleton`] is a fixed list of 133 points: it cannot say "six fingers". The graph can: an added
//! finger is four more nodes and bones, a missing one four fewer, a wrong connection a bone whose parent
//! was changed. The renderer and the pose map both read the graph.

use serde::{Deserialize, Serialize};

use crate::geometry::Point;
use crate::region::{Region, Side};
use crate::skeleton::Skeleton;

/// A finger, thumb first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Finger {
    /// Thumb.
    Thumb,
    /// Index finger.
    Index,
    /// Middle finger.
    Middle,
    /// Ring finger.
    Ring,
    /// Little finger.
    Little,
}

impl Finger {
    /// Thumb to little finger.
    pub const ALL: [Self; 5] = [Self::Thumb, Self::Index, Self::Middle, Self::Ring, Self::Little];

    /// 0 for the thumb, 4 for the little finger.
    pub const fn idx(self) -> usize {
        self as usize
    }

    /// `thumb` to `little`.
    pub const fn name(self) -> &'static str {
        ["thumb", "index", "middle", "ring", "little"][self as usize]
    }
}

/// What a bone is a piece of. Bones point away from the neck: `from` is nearer to it than `to`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Segment {
    /// Neck to nose.
    Neck,
    /// Nose to an eye.
    Eye(Side),
    /// Eye to ear.
    Ear(Side),
    /// Neck to shoulder.
    Shoulder(Side),
    /// Neck to hip.
    Flank(Side),
    /// Shoulder to elbow.
    UpperArm(Side),
    /// Elbow to wrist.
    Forearm(Side),
    /// Wrist to hand root.
    Wrist(Side),
    /// Hand root to the first joint of a finger.
    Palm(Side, Finger),
    /// Phalanx of a finger: 0 next to the palm, 2 the last.
    Phalanx(Side, Finger, u8),
    /// Hip to knee.
    Thigh(Side),
    /// Knee to ankle.
    Shin(Side),
    /// Ankle to heel.
    Heel(Side),
    /// Ankle to a toe: 0 big, 1 small.
    Toe(Side, u8),
}

impl Segment {
    /// The region that the piece belongs to.
    pub const fn region(self) -> Region {
        match self {
            Self::Neck | Self::Eye(_) | Self::Ear(_) => Region::Face,
            Self::Shoulder(_) | Self::Flank(_) => Region::Torso,
            Self::UpperArm(side) | Self::Forearm(side) => Region::arm(side),
            Self::Wrist(side) | Self::Palm(side, _) | Self::Phalanx(side, _, _) => Region::hand(side),
            Self::Thigh(side) | Self::Shin(side) => Region::leg(side),
            Self::Heel(side) | Self::Toe(side, _) => Region::foot(side),
        }
    }

    /// Whether both name the same piece, on whatever side or finger.
    pub const fn is_same_kind(self, other: Self) -> bool {
        matches!(
            (self, other),
            (Self::Neck, Self::Neck)
                | (Self::Eye(_), Self::Eye(_))
                | (Self::Ear(_), Self::Ear(_))
                | (Self::Shoulder(_), Self::Shoulder(_))
                | (Self::Flank(_), Self::Flank(_))
                | (Self::UpperArm(_), Self::UpperArm(_))
                | (Self::Forearm(_), Self::Forearm(_))
                | (Self::Wrist(_), Self::Wrist(_))
                | (Self::Palm(..), Self::Palm(..))
                | (Self::Phalanx(..), Self::Phalanx(..))
                | (Self::Thigh(_), Self::Thigh(_))
                | (Self::Shin(_), Self::Shin(_))
                | (Self::Heel(_), Self::Heel(_))
                | (Self::Toe(..), Self::Toe(..))
        )
    }
}

/// A joint.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Node {
    /// Position in pixels.
    pub position: Point,
    /// Depth in pixels, towards the camera.
    pub z: f64,
    /// Half the thickness of the flesh here, in pixels.
    pub radius: f64,
    /// The keypoint that it came from; added joints have none.
    pub keypoint: Option<u8>,
}

/// A piece between two joints.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Bone {
    /// Index of the node nearer to the neck.
    pub from: usize,
    /// Index of the node farther from it.
    pub to: usize,
    /// What it is.
    pub segment: Segment,
    /// 0 in an intact body, counting up for pieces that a corruption added.
    pub copy: u16,
}

/// Joints, the pieces between them, and the free landmarks of the face.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct SkeletonGraph {
    /// Joints.
    pub nodes: Vec<Node>,
    /// Pieces, parents before children.
    pub bones: Vec<Bone>,
    /// Landmark groups of the face.
    pub face: Vec<FaceFeature>,
}

/// A group of face landmarks that moves together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Feature {
    /// iBUG 0 to 16.
    Jaw,
    /// iBUG 17 to 21 (the person's right) and 22 to 26.
    Brow(Side),
    /// iBUG 27 to 35.
    Nose,
    /// iBUG 36 to 41 (the person's right) and 42 to 47.
    Eye(Side),
    /// iBUG 48 to 67.
    Mouth,
}

impl Feature {
    /// All features, in the order of their landmarks.
    pub const ALL: [Self; 7] = [
        Self::Jaw,
        Self::Brow(Side::Right),
        Self::Brow(Side::Left),
        Self::Nose,
        Self::Eye(Side::Right),
        Self::Eye(Side::Left),
        Self::Mouth,
    ];

    /// Its landmarks in iBUG numbering (0 to 67).
    pub const fn landmarks(self) -> std::ops::Range<usize> {
        match self {
            Self::Jaw => 0..17,
            Self::Brow(Side::Right) => 17..22,
            Self::Brow(Side::Left) => 22..27,
            Self::Nose => 27..36,
            Self::Eye(Side::Right) => 36..42,
            Self::Eye(Side::Left) => 42..48,
            Self::Mouth => 48..68,
        }
    }
}

/// One drawn feature of the face; a corruption may add, move or drop some.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FaceFeature {
    /// Which one.
    pub feature: Feature,
    /// Its landmarks in pixels.
    pub points: Vec<Point>,
    /// 0 in an intact face, counting up for added ones.
    pub copy: u16,
}

impl FaceFeature {
    /// The mean of its landmarks.
    pub fn center(&self) -> Point {
        let sum = self.points.iter().fold(Point::default(), |sum, &p| sum + p);
        sum * (1.0 / self.points.len().max(1) as f64)
    }
}

impl SkeletonGraph {
    /// Indices of the bones that hang on `bone_idx`, itself first.
    pub fn subtree(&self, bone_idx: usize) -> Vec<usize> {
        let mut found = vec![bone_idx];
        let mut next = 0;
        while let Some(&parent) = found.get(next) {
            let end = self.bones[parent].to;
            for (idx, bone) in self.bones.iter().enumerate() {
                if bone.from == end && !found.contains(&idx) {
                    found.push(idx);
                }
            }
            next += 1;
        }
        found
    }

    /// Index of the intact bone of a segment.
    pub fn bone(&self, segment: Segment) -> Option<usize> {
        self.bones
            .iter()
            .position(|bone| bone.segment == segment && bone.copy == 0)
    }

    /// Nodes at the far ends of the subtree of a bone.
    pub fn subtree_nodes(&self, bone_idx: usize) -> Vec<usize> {
        self.subtree(bone_idx)
            .into_iter()
            .map(|idx| self.bones[idx].to)
            .collect()
    }

    /// Removes a bone and all that hangs on it. Node indices stay valid; unused nodes stay unused.
    pub fn remove_subtree(&mut self, bone_idx: usize) {
        let gone = self.subtree(bone_idx);
        let mut idx = 0;
        self.bones.retain(|_| {
            idx += 1;
            !gone.contains(&(idx - 1))
        });
    }

    /// Copies a bone and all that hangs on it onto the node `root`; returns the indices of the new bones.
    pub fn duplicate_subtree(&mut self, bone_idx: usize, root: usize) -> Vec<usize> {
        let originals = self.subtree(bone_idx);
        let copy = 1 + self
            .bones
            .iter()
            .filter(|bone| bone.segment == self.bones[bone_idx].segment)
            .map(|bone| bone.copy)
            .max()
            .unwrap_or(0);
        let mut new_node = std::collections::BTreeMap::from([(self.bones[bone_idx].from, root)]);
        let mut added = Vec::with_capacity(originals.len());
        for original_idx in originals {
            let original = self.bones[original_idx];
            self.nodes.push(Node {
                keypoint: None,
                ..self.nodes[original.to]
            });
            new_node.insert(original.to, self.nodes.len() - 1);
            added.push(self.bones.len());
            self.bones.push(Bone {
                from: new_node[&original.from],
                to: self.nodes.len() - 1,
                segment: original.segment,
                copy,
            });
        }
        added
    }

    /// Moves every node of the subtree of a bone, its root excepted, by `f`.
    pub fn move_subtree(&mut self, bone_idx: usize, f: impl Fn(Point) -> Point) {
        for node_idx in self.subtree_nodes(bone_idx) {
            self.nodes[node_idx].position = f(self.nodes[node_idx].position);
        }
    }

    /// The keypoints that are left, as a skeleton: what a pose estimator would be asked to find.
    ///
    /// Added joints are not in it: 133 fixed points cannot name them.
    pub fn to_skeleton(&self) -> Skeleton {
        let mut skeleton = Skeleton::default();
        let mut used = vec![false; self.nodes.len()];
        for bone in &self.bones {
            used[bone.from] = true;
            used[bone.to] = true;
        }
        let mut put = |idx: usize, position: Point| {
            skeleton[idx] = crate::Keypoint {
                x: position.x as f32,
                y: position.y as f32,
                score: 1.0,
            };
        };
        for (node, _) in self.nodes.iter().zip(&used).filter(|(_, used)| **used) {
            if let Some(keypoint) = node.keypoint {
                put(usize::from(keypoint), node.position);
            }
        }
        for feature in self.face.iter().filter(|feature| feature.copy == 0) {
            for (landmark, &point) in feature.feature.landmarks().zip(&feature.points) {
                put(crate::skeleton::FACE_START + landmark, point);
            }
        }
        skeleton
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn arm() -> SkeletonGraph {
        let node = |x: f64, keypoint| Node {
            position: Point::new(x, 0.0),
            z: 0.0,
            radius: 1.0,
            keypoint,
        };
        let bone = |from, to, segment| Bone {
            from,
            to,
            segment,
            copy: 0,
        };
        SkeletonGraph {
            nodes: vec![
                node(0.0, None),
                node(1.0, Some(5)),
                node(2.0, Some(7)),
                node(3.0, Some(9)),
            ],
            bones: vec![
                bone(0, 1, Segment::Shoulder(Side::Left)),
                bone(1, 2, Segment::UpperArm(Side::Left)),
                bone(2, 3, Segment::Forearm(Side::Left)),
            ],
            face: Vec::new(),
        }
    }

    #[test]
    fn a_second_arm_hangs_on_the_same_shoulder() {
        let mut graph = arm();
        let added = graph.duplicate_subtree(1, 1);
        assert_eq!(added, [3, 4]);
        assert_eq!((graph.bones[3].from, graph.bones[4].from), (1, 4));
        assert_eq!(graph.bones[4].copy, 1);
        assert_eq!(graph.to_skeleton(), arm().to_skeleton());
    }

    #[test]
    fn a_removed_forearm_takes_its_wrist_along() {
        let mut graph = arm();
        graph.remove_subtree(2);
        let skeleton = graph.to_skeleton();
        assert!(skeleton.seen(7).is_some());
        assert!(skeleton.seen(9).is_none());
    }
}
