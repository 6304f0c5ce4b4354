//! A hand-made person for tests: both hands, all face features, legs and feet.

use asap_core::graph::{FaceFeature, Feature};
use asap_core::skeleton::{hand_start, joint, on_side};
use asap_core::{Bone, Finger, Node, Point, Segment, Side, SkeletonGraph};

/// Builds the graph of a standing person on a 512 x 768 canvas.
pub(crate) fn person() -> SkeletonGraph {
    let mut builder = Builder::default();
    let neck = builder.node(256.0, 164.0, 18.0, None);
    let nose = builder.bone(neck, (256.0, 110.0), 8.0, joint::NOSE, Segment::Neck);
    for side in Side::BOTH {
        builder.head_side(nose, side);
        builder.arm(neck, side);
        builder.leg(neck, side);
    }
    builder.graph.face = face();
    builder.graph
}

#[derive(Default)]
struct Builder {
    graph: SkeletonGraph,
}

impl Builder {
    fn node(&mut self, x: f64, y: f64, radius: f64, keypoint: Option<usize>) -> usize {
        self.graph.nodes.push(Node {
            position: Point::new(x, y),
            z: 0.0,
            radius,
            keypoint: keypoint.map(|idx| idx as u8),
        });
        self.graph.nodes.len() - 1
    }

    fn bone(&mut self, from: usize, to: (f64, f64), radius: f64, keypoint: usize, segment: Segment) -> usize {
        let to = self.node(to.0, to.1, radius, Some(keypoint));
        self.graph.bones.push(Bone {
            from,
            to,
            segment,
            copy: 0,
        });
        to
    }

    fn head_side(&mut self, nose: usize, side: Side) {
        let eye_idx = on_side(joint::LEFT_EYE, side);
        let eye = self.bone(nose, at(side, 14.0, 98.0), 4.0, eye_idx, Segment::Eye(side));
        let ear_idx = on_side(joint::LEFT_EAR, side);
        self.bone(eye, at(side, 30.0, 104.0), 5.0, ear_idx, Segment::Ear(side));
    }

    fn arm(&mut self, neck: usize, side: Side) {
        let idx = |left| on_side(left, side);
        let shoulder = self.bone(
            neck,
            at(side, 60.0, 164.0),
            20.0,
            idx(joint::LEFT_SHOULDER),
            Segment::Shoulder(side),
        );
        let elbow = self.bone(
            shoulder,
            at(side, 94.0, 250.0),
            15.0,
            idx(joint::LEFT_ELBOW),
            Segment::UpperArm(side),
        );
        let wrist = self.bone(
            elbow,
            at(side, 134.0, 330.0),
            11.0,
            idx(joint::LEFT_WRIST),
            Segment::Forearm(side),
        );
        let root = self.bone(
            wrist,
            at(side, 137.0, 336.0),
            12.0,
            hand_start(side),
            Segment::Wrist(side),
        );
        self.hand(root, side);
    }

    /// Fingers point down, the thumb towards the body.
    fn hand(&mut self, root: usize, side: Side) {
        // Knuckle (across, down) from the root, heading from straight down in degrees, three lengths.
        let fingers = [
            (-14.0, 12.0, -42.0, [13.0, 11.0, 9.0]),
            (-10.0, 36.0, -9.0, [15.0, 10.0, 8.0]),
            (-2.0, 38.0, 0.0, [17.0, 11.0, 8.0]),
            (6.0, 36.0, 8.0, [15.0, 10.0, 8.0]),
            (13.0, 31.0, 19.0, [12.0, 8.0, 7.0]),
        ];
        for (finger, (across, down, angle, lengths)) in Finger::ALL.into_iter().zip(fingers) {
            let keypoint = hand_start(side) + 1 + 4 * finger.idx();
            let mut place = (137.0 + across, 336.0 + down);
            let segment = Segment::Palm(side, finger);
            let mut from = self.bone(root, at(side, place.0, place.1), 6.0, keypoint, segment);
            for (nth, length) in lengths.into_iter().enumerate() {
                let radians = f64::to_radians(angle);
                place.0 += (radians.sin() * length).round();
                place.1 += (radians.cos() * length).round();
                let segment = Segment::Phalanx(side, finger, nth as u8);
                let to = at(side, place.0, place.1);
                from = self.bone(from, to, 5.0 - nth as f64 * 0.5, keypoint + 1 + nth, segment);
            }
        }
    }

    fn leg(&mut self, neck: usize, side: Side) {
        let idx = |left| on_side(left, side);
        let hip = self.bone(
            neck,
            at(side, 34.0, 370.0),
            24.0,
            idx(joint::LEFT_HIP),
            Segment::Flank(side),
        );
        let knee = self.bone(
            hip,
            at(side, 38.0, 490.0),
            18.0,
            idx(joint::LEFT_KNEE),
            Segment::Thigh(side),
        );
        let ankle = self.bone(
            knee,
            at(side, 40.0, 610.0),
            11.0,
            idx(joint::LEFT_ANKLE),
            Segment::Shin(side),
        );
        let toe = match side {
            Side::Left => joint::LEFT_BIG_TOE,
            Side::Right => joint::RIGHT_BIG_TOE,
        };
        self.bone(ankle, at(side, 58.0, 628.0), 7.0, toe, Segment::Toe(side, 0));
        self.bone(ankle, at(side, 66.0, 624.0), 6.0, toe + 1, Segment::Toe(side, 1));
        self.bone(ankle, at(side, 34.0, 622.0), 8.0, toe + 2, Segment::Heel(side));
    }
}

/// A point so far from the middle of the canvas on a side; the person's left is on the picture's right.
fn at(side: Side, from_middle: f64, y: f64) -> (f64, f64) {
    match side {
        Side::Left => (256.0 + from_middle, y),
        Side::Right => (256.0 - from_middle, y),
    }
}

fn face() -> Vec<FaceFeature> {
    Feature::ALL
        .into_iter()
        .map(|feature| {
            let landmarks = feature.landmarks();
            let n_points = landmarks.len();
            FaceFeature {
                feature,
                points: landmarks
                    .enumerate()
                    .map(|(nth, _)| landmark(feature, nth, n_points))
                    .collect(),
                copy: 0,
            }
        })
        .collect()
}

/// Landmarks on simple curves: arcs for jaw, brows and nose, closed ellipses for eyes and mouth.
fn landmark(feature: Feature, nth: usize, n_points: usize) -> Point {
    let share = nth as f64 / (n_points - 1) as f64;
    let round = |x: f64, y: f64| Point::new(x.round(), y.round());
    let around = |x: f64, y: f64, rx: f64, ry: f64| {
        let angle = std::f64::consts::TAU * nth as f64 / n_points as f64;
        round(x - rx * angle.cos(), y - ry * angle.sin())
    };
    match feature {
        Feature::Jaw => {
            let angle = std::f64::consts::PI * share;
            round(256.0 - 32.0 * angle.cos(), 100.0 + 46.0 * angle.sin())
        }
        Feature::Brow(Side::Right) => round(232.0 + 18.0 * share, 89.0 - 4.0 * (share * 3.0).sin()),
        Feature::Brow(Side::Left) => round(262.0 + 18.0 * share, 89.0 - 4.0 * (share * 3.0).sin()),
        Feature::Nose if nth < 4 => round(256.0, 97.0 + 5.0 * nth as f64),
        Feature::Nose => round(249.0 + 3.5 * (nth - 4) as f64, 115.0),
        Feature::Eye(Side::Right) => around(242.0, 98.0, 6.0, 3.0),
        Feature::Eye(Side::Left) => around(270.0, 98.0, 6.0, 3.0),
        Feature::Mouth => around(256.0, 127.0, 12.0, 5.0),
    }
}
