//! A hand from its angles: 21 joints with the bone lengths of [`super::anatomy`].

use asap_core::{Finger, Side};

use super::anatomy::{self, ABDUCTION, FINGER_LIMITS, HAND_SCALE};
use super::gesture::{FingerPose, HandPose, ThumbPose};
use super::space::{V3, v3};

/// The directions of a hand: along the middle finger, across towards the thumb, out of the palm.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct HandFrame {
    pub(crate) along: V3,
    pub(crate) across: V3,
    pub(crate) palm: V3,
}

impl HandFrame {
    /// The frame of a hand whose fingers point along `along` and whose palm looks towards `palm`.
    pub(crate) fn new(side: Side, along: V3, palm: V3) -> Self {
        let along = along.unit();
        let palm = palm.without(along).unit();
        // A left hand held up with its palm to the camera has its thumb on the left of the picture.
        let across = match side {
            Side::Left => along.cross(palm),
            Side::Right => palm.cross(along),
        };
        Self { along, across, palm }
    }

    /// From (along, across, palm) coordinates to the picture's.
    pub(crate) fn out(&self, v: V3) -> V3 {
        self.along * v.x + self.across * v.y + self.palm * v.z
    }
}

/// A joint of a hand.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct HandJoint {
    pub(crate) position: V3,
    pub(crate) radius: f64,
}

/// The 21 joints in COCO order: the root, then four a finger, thumb first.
pub(crate) fn joints(frame: &HandFrame, root: V3, pose: &HandPose) -> Vec<HandJoint> {
    let mut joints = vec![HandJoint {
        position: root,
        radius: anatomy::radius_mm::HAND_ROOT,
    }];
    for finger in Finger::ALL {
        let chain = match finger {
            Finger::Thumb => thumb_chain(&pose.thumb),
            _ => finger_chain(finger, &pose.fingers[finger.idx() - 1]),
        };
        let radii = anatomy::finger_radii_mm(finger);
        joints.extend(chain.iter().zip(radii).map(|(&local, radius)| HandJoint {
            position: root + frame.out(local) * HAND_SCALE,
            radius: radius * HAND_SCALE,
        }));
    }
    joints
}

/// Where a palm bone ends, in (along, across, palm) coordinates: the knuckles lie on a shallow arch.
fn knuckle(finger: Finger) -> V3 {
    let (sin, cos) = anatomy::palm_angle_deg(finger).to_radians().sin_cos();
    let arch = match finger {
        Finger::Thumb => 0.35,
        Finger::Index | Finger::Ring => 0.04,
        Finger::Middle => 0.0,
        Finger::Little => 0.12,
    };
    v3(cos, sin, arch).unit() * anatomy::palm_bone_mm(finger)
}

/// Knuckle, middle joint, last joint and tip of a finger in hand coordinates.
pub(crate) fn finger_chain(finger: Finger, pose: &FingerPose) -> [V3; 4] {
    let spread = ABDUCTION.clamp(pose.spread_deg).to_radians();
    let straight = v3(spread.cos(), spread.sin(), 0.0);
    let mut flexion = 0.0;
    let mut chain = [knuckle(finger); 4];
    for (idx, length) in anatomy::finger_bones_mm(finger).into_iter().enumerate() {
        flexion += FINGER_LIMITS[idx].clamp(pose.flexion_deg[idx]).to_radians();
        let direction = straight * flexion.cos() + v3(0.0, 0.0, 1.0) * flexion.sin();
        chain[idx + 1] = chain[idx] + direction * length;
    }
    chain
}

/// Base, middle joint, last joint and tip of the thumb in hand coordinates.
pub(crate) fn thumb_chain(pose: &ThumbPose) -> [V3; 4] {
    let mut chain = [knuckle(Finger::Thumb); 4];
    for (idx, length) in anatomy::finger_bones_mm(Finger::Thumb).into_iter().enumerate() {
        chain[idx + 1] = chain[idx] + pose.directions[idx].unit() * length;
    }
    chain
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::figure::gesture::Gesture;

    #[test]
    fn bones_of_every_gesture_have_their_lengths() {
        let frame = HandFrame::new(Side::Left, v3(0.0, -1.0, 0.0), v3(0.0, 0.0, 1.0));
        assert!(
            frame.across.x < -0.99,
            "the thumb of a raised left hand points to the left"
        );
        for gesture in Gesture::ALL {
            let joints = joints(&frame, V3::default(), &gesture.hand_pose());
            assert_eq!(joints.len(), 21);
            for finger in Finger::ALL {
                let first = 1 + finger.idx() * 4;
                for (bone, expected) in anatomy::finger_bones_mm(finger).into_iter().enumerate() {
                    let step = joints[first + bone + 1].position - joints[first + bone].position;
                    assert!((step.length() - expected * HAND_SCALE).abs() < 1e-9);
                }
                let palm = (joints[first].position - joints[0].position).length();
                assert!((palm - anatomy::palm_bone_mm(finger) * HAND_SCALE).abs() < 1e-9);
            }
        }
    }

    #[test]
    fn thumbs_bend_within_their_limits() {
        for gesture in Gesture::ALL {
            let chain = thumb_chain(&gesture.hand_pose().thumb);
            let bones = [chain[1] - chain[0], chain[2] - chain[1], chain[3] - chain[2]];
            for (joint, limit) in anatomy::THUMB_LIMITS.iter().enumerate() {
                let angle = bones[joint].angle_to(bones[joint + 1]).to_degrees();
                assert!(limit.allows(angle), "{gesture:?} joint {joint}: {angle}");
            }
        }
    }
}
