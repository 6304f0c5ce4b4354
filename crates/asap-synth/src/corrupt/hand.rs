//! Whole hands that are mirrored, exchanged, doubled, turned, torn off or of the wrong size.

use asap_core::{Finger, Kind, Node, Part, Point, Region, Scope, Severity, Side, SkeletonGraph, Stream};
use serde_json::json;

use super::chain::{
    Hand, add_copy, amplitude, factor, heading, pick, reflected, restore_order, scale_nodes, scaled, sign,
    unit,
};
use super::{Edit, Label};

/// A hand whose knuckles span less than this share of the palm is seen edge-on: mirroring shows nothing.
const MIN_SPREAD: f64 = 0.12;

/// Puts the thumb on the side of the little finger.
///
/// The thumb alone is mirrored, across the line from the root to the middle knuckle: with the fingers mirrored
/// too the hand would be one that is seen from its other side, which is no error.
pub(super) fn mirrored(graph: &mut SkeletonGraph, severity: Severity, stream: &mut Stream) -> Option<Edit> {
    let hand = Hand::pick_whole(graph, stream)?;
    if hand.knuckle_spacing_px(graph) < MIN_SPREAD * hand.palm_px(graph) {
        return None;
    }
    let root = graph.nodes[hand.root].position;
    let middle = hand.chain(Finger::Middle).at(graph, 0);
    let scale = amplitude(severity, [(0.85, 1.0), (1.0, 1.15), (1.15, 1.3)], stream);
    graph.move_subtree(hand.chain(Finger::Thumb).bones[0], |p| {
        scaled(reflected(p, root, middle), root, scale)
    });
    let parameters = json!({"side": hand.side.name(), "scale": scale});
    Some(Label(Part::Hand, Kind::Mirrored, Scope::Local).edit(severity, hand.regions(), parameters))
}

/// A hand as seen from its wrist: positions along and across the wrist in palm lengths.
struct Shape {
    along_across: Vec<(f64, f64)>,
    depth_palms: Vec<f64>,
}

/// The frame of a hand: origin at the wrist, one axis towards the middle knuckle.
struct Frame {
    origin: Node,
    along: Point,
    palm_px: f64,
}

impl Frame {
    fn of(graph: &SkeletonGraph, hand: &Hand) -> Self {
        let origin = graph.nodes[hand.wrist];
        let middle = hand.chain(Finger::Middle).at(graph, 0);
        Self {
            origin,
            along: unit(heading(origin.position, middle)),
            palm_px: hand.palm_px(graph).max(1.0),
        }
    }

    fn read(&self, graph: &SkeletonGraph, nodes: &[usize]) -> Shape {
        let at = |&node: &usize| {
            let d = graph.nodes[node].position - self.origin.position;
            let along = d.x * self.along.x + d.y * self.along.y;
            let across = d.y * self.along.x - d.x * self.along.y;
            (along / self.palm_px, across / self.palm_px)
        };
        let depth = |&node: &usize| (graph.nodes[node].z - self.origin.z) / self.palm_px;
        Shape {
            along_across: nodes.iter().map(at).collect(),
            depth_palms: nodes.iter().map(depth).collect(),
        }
    }

    fn write(&self, graph: &mut SkeletonGraph, nodes: &[usize], shape: &Shape) {
        let side = Point::new(-self.along.y, self.along.x);
        for ((&node, &(along, across)), depth) in
            nodes.iter().zip(&shape.along_across).zip(&shape.depth_palms)
        {
            let offset = self.along * along + side * across;
            graph.nodes[node].position = self.origin.position + offset * self.palm_px;
            graph.nodes[node].z = self.origin.z + depth * self.palm_px;
        }
    }
}

/// Exchanges the left and the right hand, each turned and scaled to the wrist that it is put on.
///
/// A hand keeps its side, so whoever draws it shows the same face of it as before, with the thumb on the wrong
/// side of the arm.
pub(super) fn swapped(graph: &mut SkeletonGraph, severity: Severity, _stream: &mut Stream) -> Option<Edit> {
    let whole = |side| Hand::find(graph, side).filter(|hand| hand.chains.len() == Finger::ALL.len());
    let (left, right) = (whole(Side::Left)?, whole(Side::Right)?);
    let (left_frame, right_frame) = (Frame::of(graph, &left), Frame::of(graph, &right));
    for (hand, own, other, wrist) in [
        (&left, &left_frame, &right_frame, right.wrist),
        (&right, &right_frame, &left_frame, left.wrist),
    ] {
        let nodes = graph.subtree_nodes(hand.wrist_bone);
        let shape = own.read(graph, &nodes);
        other.write(graph, &nodes, &shape);
        graph.bones[hand.wrist_bone].from = wrist;
    }
    restore_order(graph);
    let parameters = json!({"exchanged": ["left_hand", "right_hand"]});
    let regions = vec![Region::LeftHand, Region::RightHand];
    Some(Label(Part::Hand, Kind::Swapped, Scope::Global).edit(severity, regions, parameters))
}

/// Grows a second hand from the same wrist.
pub(super) fn duplicate(graph: &mut SkeletonGraph, severity: Severity, stream: &mut Stream) -> Option<Edit> {
    let hand = Hand::pick_whole(graph, stream)?;
    let angle = amplitude(severity, [(0.44, 0.6), (0.6, 0.8), (0.8, 1.05)], stream) * sign(stream);
    let wrist = graph.nodes[hand.wrist];
    add_copy(graph, hand.wrist_bone, hand.wrist, wrist.radius, |node| Node {
        position: node.position.rotated_about(wrist.position, angle),
        ..node
    });
    let parameters = json!({"side": hand.side.name(), "angle_deg": angle.to_degrees()});
    Some(Label(Part::Hand, Kind::Extra, Scope::Local).edit(severity, hand.regions(), parameters))
}

/// Turns the fingers and palm about the hand root by 90 to 180 degrees.
pub(super) fn twisted_wrist(
    graph: &mut SkeletonGraph,
    severity: Severity,
    stream: &mut Stream,
) -> Option<Edit> {
    let hand = Hand::pick_whole(graph, stream)?;
    let angle_deg =
        amplitude(severity, [(90.0, 110.0), (110.0, 145.0), (145.0, 180.0)], stream) * sign(stream);
    let root = graph.nodes[hand.root].position;
    for chain in &hand.chains {
        graph.move_subtree(chain.bones[0], |p| p.rotated_about(root, angle_deg.to_radians()));
    }
    let parameters = json!({"side": hand.side.name(), "angle_deg": angle_deg});
    Some(Label(Part::Wrist, Kind::Twisted, Scope::Local).edit(severity, hand.regions(), parameters))
}

/// Takes the hand off its wrist and leaves a gap.
pub(super) fn disconnected(
    graph: &mut SkeletonGraph,
    severity: Severity,
    stream: &mut Stream,
) -> Option<Edit> {
    let hand = Hand::pick_whole(graph, stream)?;
    let palms = amplitude(severity, [(0.4, 0.5), (0.5, 0.65), (0.65, 0.8)], stream);
    let wrist = graph.nodes[hand.wrist];
    let away = heading(wrist.position, hand.chain(Finger::Middle).at(graph, 0)) + stream.between(-0.4, 0.4);
    // Both stumps are round: the gap opens only beyond a part of their radius.
    let shift = unit(away) * (palms * hand.palm_px(graph) + 0.4 * wrist.radius);
    graph.move_subtree(hand.wrist_bone, |p| p + shift);
    graph.bones.remove(hand.wrist_bone);
    let parameters = json!({"side": hand.side.name(), "palms": palms, "heading_deg": away.to_degrees()});
    Some(Label(Part::Hand, Kind::Disconnected, Scope::Local).edit(severity, hand.regions(), parameters))
}

/// Makes a hand far too small or far too large.
pub(super) fn size(graph: &mut SkeletonGraph, severity: Severity, stream: &mut Stream) -> Option<Edit> {
    let hand = Hand::pick_whole(graph, stream)?;
    let factor = factor(
        severity,
        [(0.62, 0.7), (0.55, 0.62), (0.45, 0.55)],
        [(1.4, 1.55), (1.55, 1.7), (1.7, 1.95)],
        stream,
    );
    let nodes = graph.subtree_nodes(hand.wrist_bone);
    scale_nodes(graph, &nodes, hand.wrist, factor);
    for node in nodes {
        graph.nodes[node].radius *= factor;
    }
    let parameters = json!({"side": hand.side.name(), "factor": factor});
    Some(Label(Part::Hand, Kind::WrongLength, Scope::Global).edit(severity, hand.regions(), parameters))
}

/// Ends an arm at the wrist.
pub(super) fn absent(graph: &mut SkeletonGraph, severity: Severity, stream: &mut Stream) -> Option<Edit> {
    let hands: Vec<Hand> = Side::BOTH
        .into_iter()
        .filter_map(|side| Hand::find(graph, side))
        .collect();
    let hand = pick(&hands, stream)?;
    graph.remove_subtree(hand.wrist_bone);
    let parameters = json!({"side": hand.side.name()});
    Some(Label(Part::Hand, Kind::Missing, Scope::Global).edit(severity, hand.regions(), parameters))
}
