//! A body from a stance: forward kinematics in millimetres, into a [`SkeletonGraph`] in pixels.

use asap_core::graph::{FaceFeature, Feature};
use asap_core::skeleton::{hand_start, joint, on_side};
use asap_core::{Bone, Finger, Node, Point, Segment, Side, SkeletonGraph};

use super::anatomy::{self, ELBOW, KNEE, WRIST_MAX_DEG, radius_mm};
use super::gesture::HandPose;
use super::hand::{self, HandFrame};
use super::head::{self, FaceShape};
use super::space::{Frame, V3, v3};

/// Where an arm is. Vectors are (outward from the body, down, forward) from the shoulder.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Arm {
    pub(crate) wrist: V3,
    /// Where the elbow points.
    pub(crate) elbow: V3,
    /// Where straight fingers would point.
    pub(crate) fingers: V3,
    /// Where the palm looks.
    pub(crate) palm: V3,
    pub(crate) hand: HandPose,
}

/// Where a leg is. Vectors are (outward, down, forward) from the hip.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Leg {
    pub(crate) ankle: V3,
    /// Where the knee points.
    pub(crate) knee: V3,
    /// Where the toes point.
    pub(crate) toes: V3,
}

/// How much of a body there is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Extent {
    /// Everybody has all of it, in the frame or not.
    Whole,
    /// Forearms with their hands alone: left, right.
    Forearms([bool; 2]),
}

/// All angles of a body.
#[derive(Clone, Debug)]
pub(crate) struct Stance {
    pub(crate) extent: Extent,
    pub(crate) torso: Frame,
    pub(crate) head: Frame,
    /// Left, right.
    pub(crate) arms: [Arm; 2],
    /// Left, right.
    pub(crate) legs: [Leg; 2],
    pub(crate) face: FaceShape,
    /// Width of shoulders and hips and the thickness of limbs, 1 for the mean.
    pub(crate) build: f64,
}

/// A body in millimetres: the neck at the origin.
pub(crate) fn assemble(stance: &Stance) -> SkeletonGraph {
    let mut builder = Builder {
        graph: SkeletonGraph::default(),
        build: stance.build,
    };
    match stance.extent {
        Extent::Whole => builder.whole(stance),
        Extent::Forearms(shown) => {
            for side in Side::BOTH.into_iter().filter(|&side| shown[side as usize]) {
                let shoulder = stance.torso.x * (anatomy::SHOULDER_MM * sign(side));
                builder.forearm_alone(stance, side, shoulder);
            }
        }
    }
    builder.graph
}

/// +1 for the person's left, which is the right of the picture.
pub(crate) const fn sign(side: Side) -> f64 {
    match side {
        Side::Left => 1.0,
        Side::Right => -1.0,
    }
}

/// From (outward, down, forward) to the picture.
fn outward(torso: &Frame, side: Side, v: V3) -> V3 {
    torso.out(v3(v.x * sign(side), v.y, v.z))
}

/// The middle joint and the reachable end of a two-bone limb.
///
/// The end is pulled in or pushed out so that the middle joint bends within `limits`.
pub(crate) fn two_bones(target: V3, lengths: [f64; 2], pole: V3, limits: anatomy::Limits) -> (V3, V3) {
    let [a, b] = lengths;
    let reach = |bend_deg: f64| {
        let inner = std::f64::consts::PI - bend_deg.to_radians();
        (a * a + b * b - 2.0 * a * b * inner.cos()).max(0.0).sqrt()
    };
    let straightest = reach(limits.low_deg.max(4.0));
    let distance = target.length().clamp(reach(limits.high_deg), straightest);
    let axis = if target.length() > 1e-6 {
        target.unit()
    } else {
        v3(0.0, 1.0, 0.0)
    };
    let cos = ((a * a + distance * distance - b * b) / (2.0 * a * distance)).clamp(-1.0, 1.0);
    let sideways = pole.without(axis).unit();
    let middle = axis * (a * cos) + sideways * (a * (1.0 - cos * cos).sqrt());
    (middle, axis * distance)
}

struct Builder {
    graph: SkeletonGraph,
    build: f64,
}

impl Builder {
    fn node(&mut self, at: V3, radius: f64, keypoint: Option<usize>) -> usize {
        self.graph.nodes.push(Node {
            position: Point::new(at.x, at.y),
            z: at.z,
            radius,
            keypoint: keypoint.and_then(|idx| u8::try_from(idx).ok()),
        });
        self.graph.nodes.len() - 1
    }

    fn bone(&mut self, from: usize, to: usize, segment: Segment) {
        self.graph.bones.push(Bone {
            from,
            to,
            segment,
            copy: 0,
        });
    }

    fn at(&self, idx: usize) -> V3 {
        let node = &self.graph.nodes[idx];
        v3(node.position.x, node.position.y, node.z)
    }

    fn whole(&mut self, stance: &Stance) {
        let neck = self.node(V3::default(), radius_mm::NECK * self.build, None);
        self.head(stance, neck);
        for side in Side::BOTH {
            let at = stance.torso.x * (anatomy::SHOULDER_MM * self.build * sign(side));
            let radius = radius_mm::SHOULDER * self.build;
            let shoulder = self.node(at, radius, Some(on_side(joint::LEFT_SHOULDER, side)));
            self.bone(neck, shoulder, Segment::Shoulder(side));
            self.arm(stance, side, shoulder);
        }
        for side in Side::BOTH {
            let at = stance.torso.out(v3(
                anatomy::HIP_MM * self.build * sign(side),
                anatomy::SPINE_MM,
                0.0,
            ));
            let hip = self.node(
                at,
                radius_mm::HIP * self.build,
                Some(on_side(joint::LEFT_HIP, side)),
            );
            self.bone(neck, hip, Segment::Flank(side));
            self.leg(stance, side, hip);
        }
    }

    fn head(&mut self, stance: &Stance, neck: usize) {
        let middle =
            stance.torso.out(v3(0.0, -anatomy::HEAD_UP_MM, 8.0)) + stance.head.out(v3(0.0, 0.0, 14.0));
        let out = |p: V3| middle + stance.head.out(p);
        let nose = self.node(out(head::NOSE_TIP), radius_mm::HEAD, Some(joint::NOSE));
        self.bone(neck, nose, Segment::Neck);
        for side in Side::BOTH {
            let mirror = |p: V3| v3(p.x * sign(side), p.y, p.z);
            let eye = self.node(
                out(mirror(head::LEFT_EYE)),
                radius_mm::EYE,
                Some(on_side(joint::LEFT_EYE, side)),
            );
            self.bone(nose, eye, Segment::Eye(side));
            let ear = self.node(
                out(mirror(head::LEFT_EAR)),
                radius_mm::EAR,
                Some(on_side(joint::LEFT_EAR, side)),
            );
            self.bone(eye, ear, Segment::Ear(side));
        }
        self.graph.face = Feature::ALL
            .iter()
            .map(|&feature| FaceFeature {
                feature,
                points: stance
                    .face
                    .landmarks(feature)
                    .into_iter()
                    .map(out)
                    .map(|p| Point::new(p.x, p.y))
                    .collect(),
                copy: 0,
            })
            .collect();
    }

    fn arm(&mut self, stance: &Stance, side: Side, shoulder: usize) {
        let arm = &stance.arms[side as usize];
        let target = outward(&stance.torso, side, arm.wrist);
        let pole = outward(&stance.torso, side, arm.elbow);
        let (middle, end) = two_bones(target, anatomy::ARM_MM, pole, ELBOW);
        let start = self.at(shoulder);
        let elbow = self.node(
            start + middle,
            radius_mm::ELBOW * self.build,
            Some(on_side(joint::LEFT_ELBOW, side)),
        );
        self.bone(shoulder, elbow, Segment::UpperArm(side));
        let wrist = self.node(
            start + end,
            radius_mm::WRIST * self.build,
            Some(on_side(joint::LEFT_WRIST, side)),
        );
        self.bone(elbow, wrist, Segment::Forearm(side));
        self.hand(stance, side, (end - middle).unit(), wrist);
    }

    /// An arm from the elbow on, for close-ups.
    fn forearm_alone(&mut self, stance: &Stance, side: Side, shoulder: V3) {
        let arm = &stance.arms[side as usize];
        let target = outward(&stance.torso, side, arm.wrist);
        let pole = outward(&stance.torso, side, arm.elbow);
        let (middle, end) = two_bones(target, anatomy::ARM_MM, pole, ELBOW);
        let elbow = self.node(
            shoulder + middle,
            radius_mm::ELBOW * self.build,
            Some(on_side(joint::LEFT_ELBOW, side)),
        );
        let wrist = self.node(
            shoulder + end,
            radius_mm::WRIST * self.build,
            Some(on_side(joint::LEFT_WRIST, side)),
        );
        self.bone(elbow, wrist, Segment::Forearm(side));
        self.hand(stance, side, (end - middle).unit(), wrist);
    }

    fn hand(&mut self, stance: &Stance, side: Side, forearm: V3, wrist: usize) {
        let arm = &stance.arms[side as usize];
        let fingers = within_wrist(forearm, outward(&stance.torso, side, arm.fingers));
        let frame = HandFrame::new(side, fingers, outward(&stance.torso, side, arm.palm));
        let root_at = self.at(wrist) + forearm.lerp(fingers, 0.5).unit() * anatomy::WRIST_MM;
        let first = hand_start(side);
        let joints = hand::joints(&frame, root_at, &arm.hand);
        let root = self.node(root_at, joints[0].radius, Some(first));
        self.bone(wrist, root, Segment::Wrist(side));
        for finger in Finger::ALL {
            let mut from = root;
            for step in 0..4 {
                let idx = 1 + finger.idx() * 4 + step;
                let to = self.node(joints[idx].position, joints[idx].radius, Some(first + idx));
                let segment = match step {
                    0 => Segment::Palm(side, finger),
                    _ => Segment::Phalanx(side, finger, step as u8 - 1),
                };
                self.bone(from, to, segment);
                from = to;
            }
        }
    }

    fn leg(&mut self, stance: &Stance, side: Side, hip: usize) {
        let leg = &stance.legs[side as usize];
        let target = outward(&stance.torso, side, leg.ankle);
        let pole = outward(&stance.torso, side, leg.knee);
        let (middle, end) = two_bones(target, anatomy::LEG_MM, pole, KNEE);
        let start = self.at(hip);
        let knee = self.node(
            start + middle,
            radius_mm::KNEE * self.build,
            Some(on_side(joint::LEFT_KNEE, side)),
        );
        self.bone(hip, knee, Segment::Thigh(side));
        let ankle = self.node(
            start + end,
            radius_mm::ANKLE * self.build,
            Some(on_side(joint::LEFT_ANKLE, side)),
        );
        self.bone(knee, ankle, Segment::Shin(side));
        let toes = outward(&stance.torso, side, leg.toes).unit();
        let shin = (end - middle).unit();
        let sole = shin.without(toes).unit();
        let across = outward(&stance.torso, side, v3(1.0, 0.0, 0.0))
            .without(toes)
            .without(sole)
            .unit();
        let base = joint::LEFT_BIG_TOE + 3 * (side as usize);
        let foot = [
            (
                toes * 158.0 + sole * 52.0 - across * 16.0,
                radius_mm::TOE,
                Segment::Toe(side, 0),
            ),
            (
                toes * 132.0 + sole * 54.0 + across * 34.0,
                radius_mm::TOE * 0.85,
                Segment::Toe(side, 1),
            ),
            (toes * -42.0 + sole * 46.0, radius_mm::HEEL, Segment::Heel(side)),
        ];
        for (idx, (offset, radius, segment)) in foot.into_iter().enumerate() {
            let node = self.node(start + end + offset, radius, Some(base + idx));
            self.bone(ankle, node, segment);
        }
    }
}

/// The finger direction nearest to the wished one that the wrist allows.
fn within_wrist(forearm: V3, wished: V3) -> V3 {
    let wished = wished.unit();
    let angle = forearm.angle_to(wished);
    let largest = WRIST_MAX_DEG.to_radians();
    if angle <= largest {
        return wished;
    }
    let axis = forearm.cross(wished).unit();
    forearm.turned(axis, largest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_bones_keep_their_lengths_and_limits() {
        for target in [v3(300.0, 100.0, 50.0), v3(900.0, 0.0, 0.0), v3(5.0, 5.0, 0.0)] {
            let (middle, end) = two_bones(target, anatomy::ARM_MM, v3(0.1, 1.0, 0.3), ELBOW);
            assert!((middle.length() - anatomy::ARM_MM[0]).abs() < 1e-6);
            assert!(((end - middle).length() - anatomy::ARM_MM[1]).abs() < 1e-6);
            assert!(ELBOW.allows(middle.angle_to(end - middle).to_degrees()));
        }
    }

    #[test]
    fn a_wrist_does_not_bend_farther_than_it_can() {
        let bent = within_wrist(v3(0.0, 1.0, 0.0), v3(0.2, -1.0, 0.0));
        assert!((bent.angle_to(v3(0.0, 1.0, 0.0)).to_degrees() - WRIST_MAX_DEG).abs() < 1e-6);
    }
}
