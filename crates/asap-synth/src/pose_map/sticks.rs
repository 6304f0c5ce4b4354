//! What of a body is drawn, as points and pairs of points by their place in OpenPose's lists.

use asap_core::skeleton::{N_HAND, hand_start};
use asap_core::{Point, Segment, Side, Skeleton, SkeletonGraph};

/// Limbs that are drawn; OpenPose's list has two more.
pub(super) const N_LIMBS: usize = 17;
/// OpenPose joints at both ends of each drawn limb, 0-based.
const LIMBS: [(usize, usize); N_LIMBS] = [
    (1, 2),
    (1, 5),
    (2, 3),
    (3, 4),
    (5, 6),
    (6, 7),
    (1, 8),
    (8, 9),
    (9, 10),
    (1, 11),
    (11, 12),
    (12, 13),
    (1, 0),
    (0, 14),
    (14, 16),
    (0, 15),
    (15, 17),
];
const NECK: usize = 1;
/// The COCO keypoint of each OpenPose joint; the neck has none.
const COCO: [usize; 18] = [
    0,
    usize::MAX,
    6,
    8,
    10,
    5,
    7,
    9,
    12,
    14,
    16,
    11,
    13,
    15,
    2,
    1,
    4,
    3,
];

/// A person ready to be drawn.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Sticks {
    /// Limb number and ends.
    pub(super) limbs: Vec<(usize, Point, Point)>,
    /// Joint number and place.
    pub(super) joints: Vec<(usize, Point)>,
    /// Left hands, right hands: more than one a side where a corruption added some.
    pub(super) hands: [Vec<Hand>; 2],
    pub(super) face: Vec<Point>,
}

/// The edges and joints of a hand.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Hand {
    /// Edge number (four for each finger, from the palm outwards) and ends.
    pub(super) edges: Vec<(usize, Point, Point)>,
    pub(super) joints: Vec<Point>,
}

impl Sticks {
    /// The seen keypoints of a skeleton; the neck is the middle of the shoulders.
    pub(super) fn of_skeleton(skeleton: &Skeleton) -> Self {
        let joint = |idx: usize| match idx {
            NECK => skeleton.neck(),
            _ => skeleton.seen(COCO[idx]),
        };
        let limb = |(idx, &(from, to)): (usize, &(usize, usize))| Some((idx, joint(from)?, joint(to)?));
        Self {
            limbs: LIMBS.iter().enumerate().filter_map(limb).collect(),
            joints: (0..COCO.len())
                .filter_map(|idx| Some((idx, joint(idx)?)))
                .collect(),
            hands: Side::BOTH.map(|side| vec![Hand::of_skeleton(skeleton, side)]),
            face: (0..asap_core::skeleton::N_FACE)
                .filter_map(|idx| skeleton.seen(asap_core::skeleton::FACE_START + idx))
                .collect(),
        }
    }

    /// All pieces of a graph; a piece that a corruption added is drawn as the one that it is a copy of.
    pub(super) fn of_graph(graph: &SkeletonGraph) -> Self {
        let mut sticks = Self::default();
        let mut hands: [Hand; 2] = Default::default();
        let mut seen_node = vec![false; graph.nodes.len()];
        for bone in &graph.bones {
            let (from, to) = (graph.nodes[bone.from].position, graph.nodes[bone.to].position);
            match place(bone.segment) {
                Place::Limb(limb) => {
                    sticks.limbs.push((limb, from, to));
                    let (first, second) = LIMBS[limb];
                    for (node, joint) in [(bone.from, first), (bone.to, second)] {
                        if !std::mem::replace(&mut seen_node[node], true) {
                            sticks.joints.push((joint, graph.nodes[node].position));
                        }
                    }
                }
                Place::Hand(side, edge) => {
                    let hand = &mut hands[side as usize];
                    hand.edges.push((edge, from, to));
                    for node in [bone.from, bone.to] {
                        if !std::mem::replace(&mut seen_node[node], true) {
                            hand.joints.push(graph.nodes[node].position);
                        }
                    }
                }
                Place::Undrawn => {}
            }
        }
        for hand in &mut hands {
            hand.edges.sort_by_key(|(edge, ..)| *edge);
        }
        sticks.hands = hands.map(|hand| vec![hand]);
        sticks.face = graph
            .face
            .iter()
            .flat_map(|feature| feature.points.iter().copied())
            .collect();
        sticks
    }

    /// Stretches all positions from one canvas to another.
    ///
    /// Divided first and multiplied then, as the reference does on its way through shares of the canvas: whole
    /// coordinates may come out a hair under themselves, and truncation shows it.
    pub(super) fn rescale(&mut self, from: (u32, u32), to: (u32, u32)) {
        let share = |at: f64, from: u32, to: u32| at / f64::from(from) * f64::from(to);
        let scale = |p: &mut Point| *p = Point::new(share(p.x, from.0, to.0), share(p.y, from.1, to.1));
        for (_, from, to) in &mut self.limbs {
            scale(from);
            scale(to);
        }
        self.joints.iter_mut().for_each(|(_, p)| scale(p));
        self.face.iter_mut().for_each(scale);
        for hand in self.hands.iter_mut().flatten() {
            for (_, from, to) in &mut hand.edges {
                scale(from);
                scale(to);
            }
            hand.joints.iter_mut().for_each(scale);
        }
    }
}

impl Hand {
    fn of_skeleton(skeleton: &Skeleton, side: Side) -> Self {
        let start = hand_start(side);
        let seen = |idx: usize| skeleton.seen(start + idx);
        let edge = |edge: usize| {
            // The first edge of a finger starts at the root, the others at the joint before.
            let from = if edge.is_multiple_of(4) { 0 } else { edge };
            Some((edge, seen(from)?, seen(edge + 1)?))
        };
        Self {
            edges: (0..N_HAND - 1).filter_map(edge).collect(),
            joints: (0..N_HAND).filter_map(seen).collect(),
        }
    }
}

/// Where a piece stands in OpenPose's lists.
enum Place {
    Limb(usize),
    Hand(Side, usize),
    Undrawn,
}

const fn place(segment: Segment) -> Place {
    use Side::{Left, Right};
    Place::Limb(match segment {
        Segment::Shoulder(Right) => 0,
        Segment::Shoulder(Left) => 1,
        Segment::UpperArm(Right) => 2,
        Segment::Forearm(Right) => 3,
        Segment::UpperArm(Left) => 4,
        Segment::Forearm(Left) => 5,
        Segment::Flank(Right) => 6,
        Segment::Thigh(Right) => 7,
        Segment::Shin(Right) => 8,
        Segment::Flank(Left) => 9,
        Segment::Thigh(Left) => 10,
        Segment::Shin(Left) => 11,
        Segment::Neck => 12,
        Segment::Eye(Right) => 13,
        Segment::Ear(Right) => 14,
        Segment::Eye(Left) => 15,
        Segment::Ear(Left) => 16,
        Segment::Palm(side, finger) => return Place::Hand(side, 4 * finger as usize),
        Segment::Phalanx(side, finger, nth) => {
            return Place::Hand(side, 4 * finger as usize + 1 + nth as usize);
        }
        Segment::Wrist(_) | Segment::Heel(_) | Segment::Toe(..) => return Place::Undrawn,
    })
}
