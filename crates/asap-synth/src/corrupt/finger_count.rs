//! Hands with the wrong number of fingers or finger pieces.

use asap_core::{Finger, Kind, Node, Part, Point, Scope, Segment, Severity, SkeletonGraph, Stream};
use serde_json::json;

use super::chain::{Chain, Hand, add_copy, amplitude, heading, insert_joint, reflected, sign, turn};
use super::{Edit, Label};

/// Neighbouring fingers must be spread by this much for a further one to be seen between them.
const MIN_GAP_RADIANS: f64 = 0.21;
/// An added finger lies this many of its radii behind the hand.
const BEHIND_RADII: f64 = 0.6;

/// Where an added finger grows.
struct Slot {
    donor: Finger,
    place: String,
    base: Point,
    heading: f64,
}

/// Adds one to three fingers between two others or outside the little finger.
pub(super) fn extra_finger(
    graph: &mut SkeletonGraph,
    severity: Severity,
    stream: &mut Stream,
) -> Option<Edit> {
    let hand = Hand::pick_whole(graph, stream)?;
    let n_fingers = match severity {
        Severity::Slight => 1,
        Severity::Clear => 1 + stream.below(2),
        Severity::Gross => 2 + stream.below(2),
    };
    let mut inner = inner_slots(graph, &hand);
    stream.shuffle(&mut inner);
    let mut n_outside = 0;
    let mut slots = Vec::with_capacity(n_fingers);
    while slots.len() < n_fingers {
        let wants_inner = stream.chance(0.5);
        match inner.pop().filter(|_| wants_inner) {
            Some(slot) => slots.push(slot),
            None => {
                n_outside += 1;
                slots.push(outer_slot(graph, &hand, n_outside));
            }
        }
    }
    let mut added = Vec::with_capacity(n_fingers);
    for slot in &slots {
        let scale = stream.between(0.85, 1.05);
        grow(graph, &hand, slot, scale);
        added.push(json!({"donor": slot.donor.name(), "place": slot.place, "scale": scale}));
    }
    let parameters = json!({"side": hand.side.name(), "fingers": added});
    Some(Label(Part::Finger, Kind::Extra, Scope::Local).edit(severity, hand.regions(), parameters))
}

/// Gaps that are wide enough to show a finger.
fn inner_slots(graph: &SkeletonGraph, hand: &Hand) -> Vec<Slot> {
    Finger::ALL
        .windows(2)
        .filter_map(|pair| {
            let (first, second) = (hand.chain(pair[0]), hand.chain(pair[1]));
            let first_heading = hand.fan_heading(graph, pair[0]);
            let gap = turn(first_heading, hand.fan_heading(graph, pair[1]));
            // The thumb's knuckle lies near the wrist: the gap beside the index starts at its next joint.
            let first_base = first.at(graph, usize::from(pair[0] == Finger::Thumb));
            (gap.abs() >= MIN_GAP_RADIANS).then(|| Slot {
                donor: donor_of(graph, hand, pair[1]),
                place: format!("{}-{}", pair[0].name(), pair[1].name()),
                base: first_base.lerp(second.at(graph, 0), 0.5),
                heading: first_heading + gap / 2.0,
            })
        })
        .collect()
}

/// The `nth` place (from 1) beyond the little finger.
fn outer_slot(graph: &SkeletonGraph, hand: &Hand, nth: usize) -> Slot {
    let (ring, little) = (hand.chain(Finger::Ring), hand.chain(Finger::Little));
    let little_heading = hand.fan_heading(graph, Finger::Little);
    let gap = turn(hand.fan_heading(graph, Finger::Ring), little_heading);
    let away = match gap.abs() {
        // Parallel fingers: away is the side on which the little finger's knuckle lies.
        spread if spread < 1e-6 => {
            let knuckles = heading(ring.at(graph, 0), little.at(graph, 0));
            turn(little_heading, knuckles).signum()
        }
        _ => gap.signum(),
    };
    let step = gap.abs().clamp(0.21, 0.42);
    Slot {
        donor: donor_of(graph, hand, Finger::Little),
        place: "outside-little".to_owned(),
        base: little.at(graph, 0) + (little.at(graph, 0) - ring.at(graph, 0)) * (0.9 * nth as f64),
        heading: little_heading + away * step * nth as f64,
    }
}

/// The neighbour of the slot, or the finger that reaches farthest where the neighbour is curled.
fn donor_of(graph: &SkeletonGraph, hand: &Hand, neighbour: Finger) -> Finger {
    let reach = |finger| hand.chain(finger).reach_px(graph);
    let longest = Finger::ALL[1..]
        .iter()
        .copied()
        .max_by(|&a, &b| reach(a).total_cmp(&reach(b)));
    longest
        .filter(|&longest| reach(neighbour) < 0.55 * reach(longest))
        .unwrap_or(neighbour)
}

/// Copies the donor's chain into the slot.
fn grow(graph: &mut SkeletonGraph, hand: &Hand, slot: &Slot, scale: f64) {
    let donor = *hand.chain(slot.donor);
    let knuckle = donor.at(graph, 0);
    let turned = slot.heading - hand.fan_heading(graph, slot.donor);
    let depth = BEHIND_RADII * graph.nodes[donor.joints[0]].radius;
    add_copy(graph, donor.bones[0], hand.root, depth, |node| Node {
        position: slot.base + (node.position.rotated_about(knuckle, turned) - knuckle) * scale,
        radius: node.radius * scale,
        ..node
    });
}

/// Ends one finger at its middle joint, or takes one or two away to the knuckle.
///
/// Only of a hand with three stretched fingers or more: a fist that points loses its error with its finger.
pub(super) fn missing_finger(
    graph: &mut SkeletonGraph,
    severity: Severity,
    stream: &mut Stream,
) -> Option<Edit> {
    let hand = Hand::pick_whole(graph, stream)?;
    let chains = hand.by_reach_without_thumb(graph, stream);
    let is_stretched = |chain: &&Chain| hand.is_stretched(graph, chain.finger);
    if chains.iter().filter(is_stretched).count() < 3 {
        return None;
    }
    let mut fingers: Vec<Finger> = chains.iter().map(|chain| chain.finger).collect();
    let (n_fingers, first_gone) = match severity {
        Severity::Slight => (1, 1),
        Severity::Clear => (1, 0),
        Severity::Gross => (2, 0),
    };
    fingers.truncate(n_fingers);
    fingers.sort_unstable();
    for &finger in &fingers {
        let bone = graph.bone(Segment::Phalanx(hand.side, finger, first_gone))?;
        graph.remove_subtree(bone);
    }
    let names: Vec<_> = fingers.iter().map(|finger| finger.name()).collect();
    let parameters = json!({"side": hand.side.name(), "fingers": names, "first_phalanx_gone": first_gone});
    Some(Label(Part::Finger, Kind::Missing, Scope::Local).edit(severity, hand.regions(), parameters))
}

/// Forks a finger at its middle joint.
pub(super) fn split_finger(
    graph: &mut SkeletonGraph,
    severity: Severity,
    stream: &mut Stream,
) -> Option<Edit> {
    let hand = Hand::pick_whole(graph, stream)?;
    let chain = hand.by_reach_without_thumb(graph, stream)[0];
    let angle = amplitude(severity, [(0.35, 0.5), (0.5, 0.7), (0.7, 0.95)], stream) * sign(stream);
    let fork = chain.at(graph, 1);
    let depth = BEHIND_RADII * graph.nodes[chain.joints[1]].radius;
    add_copy(graph, chain.bones[2], chain.joints[1], depth, |node| Node {
        position: node.position.rotated_about(fork, angle),
        ..node
    });
    let parameters = json!({
        "side": hand.side.name(),
        "finger": chain.finger.name(),
        "angle_deg": angle.to_degrees(),
    });
    Some(Label(Part::Finger, Kind::Split, Scope::Local).edit(severity, hand.regions(), parameters))
}

/// Repeats the middle phalanx of a finger, twice where the error is gross.
pub(super) fn extra_phalanx(
    graph: &mut SkeletonGraph,
    severity: Severity,
    stream: &mut Stream,
) -> Option<Edit> {
    let hand = Hand::pick_whole(graph, stream)?;
    let chain = hand.by_reach_without_thumb(graph, stream)[0];
    let n_added = if severity == Severity::Gross { 2 } else { 1 };
    let bend = amplitude(severity, [(0.0, 0.15), (0.15, 0.35), (0.25, 0.45)], stream) * sign(stream);
    for _ in 0..n_added {
        let (from, joint) = (graph.nodes[chain.joints[1]], graph.nodes[chain.joints[2]]);
        let step = (joint.position - from.position).rotated_about(Point::default(), bend);
        for end in [chain.joints[2], chain.joints[3]] {
            let node = &mut graph.nodes[end];
            node.position = node.position + step;
            node.z += joint.z - from.z;
        }
        insert_joint(graph, chain.bones[2], joint);
    }
    let parameters = json!({
        "side": hand.side.name(),
        "finger": chain.finger.name(),
        "n_added": n_added,
        "bend_deg": bend.to_degrees(),
    });
    Some(Label(Part::Finger, Kind::Extra, Scope::Local).edit(severity, hand.regions(), parameters))
}

/// Grows a second thumb on the side of the little finger.
pub(super) fn two_thumbs(graph: &mut SkeletonGraph, severity: Severity, stream: &mut Stream) -> Option<Edit> {
    let hand = Hand::pick_whole(graph, stream)?;
    let thumb = *hand.chain(Finger::Thumb);
    let root = graph.nodes[hand.root].position;
    let middle = hand.chain(Finger::Middle).at(graph, 0);
    let scale = amplitude(severity, [(0.75, 0.9), (0.9, 1.1), (1.1, 1.3)], stream);
    let base = reflected(thumb.at(graph, 0), root, middle);
    add_copy(graph, thumb.bones[0], hand.root, 0.0, |node| Node {
        position: base + (reflected(node.position, root, middle) - base) * scale,
        radius: node.radius * scale,
        ..node
    });
    let parameters = json!({"side": hand.side.name(), "scale": scale});
    Some(Label(Part::Thumb, Kind::Extra, Scope::Local).edit(severity, hand.regions(), parameters))
}

/// Takes the thumb away: its last piece, its last two, or all three.
pub(super) fn no_thumb(graph: &mut SkeletonGraph, severity: Severity, stream: &mut Stream) -> Option<Edit> {
    let hand = Hand::pick_whole(graph, stream)?;
    let first_gone = match severity {
        Severity::Slight => 2,
        Severity::Clear => 1,
        Severity::Gross => 0,
    };
    let thumb = hand.chain(Finger::Thumb);
    graph.remove_subtree(thumb.bones[first_gone + 1]);
    let parameters = json!({"side": hand.side.name(), "first_phalanx_gone": first_gone});
    Some(Label(Part::Thumb, Kind::Missing, Scope::Local).edit(severity, hand.regions(), parameters))
}
