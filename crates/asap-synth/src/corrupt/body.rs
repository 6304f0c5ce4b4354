//! Necks, heads, single joints and feet.

use asap_core::graph::Feature;
use asap_core::{Kind, Node, Part, Point, Region, Scope, Segment, Severity, Side, SkeletonGraph, Stream};
use serde_json::json;

use super::chain::{amplitude, factor, insert_joint, pick, reflected, regions_of, scaled, sign};
use super::face_count::feature_idx;
use super::limb::{Limb, reverse_joint};
use super::{Edit, Label};

/// The nodes of the head: nose, eyes, ears.
fn head_nodes(graph: &SkeletonGraph) -> Option<(usize, Vec<usize>)> {
    let neck = graph.bone(Segment::Neck)?;
    Some((neck, graph.subtree_nodes(neck)))
}

/// Moves every node and landmark of the head.
fn map_head(graph: &mut SkeletonGraph, nodes: &[usize], f: impl Fn(Point) -> Point) {
    for &node in nodes {
        graph.nodes[node].position = f(graph.nodes[node].position);
    }
    for point in graph.face.iter_mut().flat_map(|feature| &mut feature.points) {
        *point = f(*point);
    }
}

/// Lifts the head off along the neck.
pub(super) fn long_neck(graph: &mut SkeletonGraph, severity: Severity, stream: &mut Stream) -> Option<Edit> {
    let (neck, nodes) = head_nodes(graph)?;
    let share = amplitude(severity, [(0.45, 0.6), (0.6, 0.85), (0.85, 1.2)], stream);
    let from = graph.nodes[graph.bones[neck].from].position;
    let shift = (graph.nodes[graph.bones[neck].to].position - from) * share;
    map_head(graph, &nodes, |p| p + shift);
    let parameters = json!({"longer_by": share});
    let regions = vec![Region::Face, Region::Torso];
    Some(Label(Part::Neck, Kind::WrongLength, Scope::Global).edit(severity, regions, parameters))
}

/// Makes the head far too small or far too large, about the chin.
pub(super) fn head_size(graph: &mut SkeletonGraph, severity: Severity, stream: &mut Stream) -> Option<Edit> {
    let (neck, nodes) = head_nodes(graph)?;
    let factor = factor(
        severity,
        [(0.65, 0.72), (0.55, 0.65), (0.45, 0.55)],
        [(1.3, 1.4), (1.4, 1.55), (1.55, 1.75)],
        stream,
    );
    let nose = graph.nodes[graph.bones[neck].to].position;
    let from = graph.nodes[graph.bones[neck].from].position;
    // Landmark 8 of the jaw is the chin; without a face it lies near the middle of the neck bone.
    let chin = feature_idx(graph, Feature::Jaw)
        .and_then(|idx| graph.face[idx].points.get(8).copied())
        .unwrap_or_else(|| from.lerp(nose, 0.45));
    map_head(graph, &nodes, |p| scaled(p, chin, factor));
    for node in nodes {
        graph.nodes[node].radius *= factor;
    }
    let parameters = json!({"factor": factor});
    Some(Label(Part::Neck, Kind::WrongLength, Scope::Global).edit(severity, vec![Region::Face], parameters))
}

/// Bends an elbow the wrong way.
pub(super) fn hyperextended_elbow(
    graph: &mut SkeletonGraph,
    severity: Severity,
    stream: &mut Stream,
) -> Option<Edit> {
    reverse_joint(graph, Limb::Arm, severity, stream)
}

/// Bends a knee the wrong way.
pub(super) fn reversed_knee(
    graph: &mut SkeletonGraph,
    severity: Severity,
    stream: &mut Stream,
) -> Option<Edit> {
    reverse_joint(graph, Limb::Leg, severity, stream)
}

/// Gives an arm or a leg a further bend in the middle of one of its long bones.
pub(super) fn extra_elbow(
    graph: &mut SkeletonGraph,
    severity: Severity,
    stream: &mut Stream,
) -> Option<Edit> {
    let limbs: Vec<(Limb, Side, [usize; 2])> = [Limb::Arm, Limb::Leg]
        .into_iter()
        .flat_map(|limb| {
            let whole = limb.whole(graph).into_iter();
            whole.map(move |(side, bones)| (limb, side, bones))
        })
        .collect();
    let &(limb, side, bones) = pick(&limbs, stream)?;
    let piece = stream.below(2);
    let bone = bones[piece];
    let share = amplitude(severity, [(0.22, 0.32), (0.32, 0.45), (0.45, 0.6)], stream) * sign(stream);
    let (from, to) = (
        graph.nodes[graph.bones[bone].from],
        graph.nodes[graph.bones[bone].to],
    );
    let along = to.position - from.position;
    let joint = Node {
        position: from.position.lerp(to.position, 0.5) + Point::new(-along.y, along.x) * share,
        z: (from.z + to.z) / 2.0,
        radius: (from.radius + to.radius) / 2.0,
        keypoint: None,
    };
    let regions = regions_of(graph, &[bone]);
    insert_joint(graph, bone, joint);
    let name = [["upper_arm", "forearm"], ["thigh", "shin"]][usize::from(limb == Limb::Leg)][piece];
    let parameters = json!({"side": side.name(), "bone": name, "offset_lengths": share});
    let part = if limb == Limb::Leg {
        Part::Knee
    } else {
        Part::Elbow
    };
    Some(Label(part, Kind::Extra, Scope::Global).edit(severity, regions, parameters))
}

/// Toes and heel of a foot whose ankle is in the graph.
fn feet(graph: &SkeletonGraph) -> Vec<(Side, usize, Vec<usize>)> {
    let foot = |side| {
        let shin = graph.bone(Segment::Shin(side))?;
        let pieces: Vec<usize> = [Segment::Heel(side), Segment::Toe(side, 0), Segment::Toe(side, 1)]
            .into_iter()
            .filter_map(|segment| graph.bone(segment))
            .collect();
        (!pieces.is_empty()).then_some((side, shin, pieces))
    };
    Side::BOTH.into_iter().filter_map(foot).collect()
}

/// Points a foot backwards: heel and toes are mirrored across the shin.
///
/// A foot seen from the front has no backwards in the picture; it is left alone.
pub(super) fn reversed_foot(
    graph: &mut SkeletonGraph,
    severity: Severity,
    stream: &mut Stream,
) -> Option<Edit> {
    let visible: Vec<(Side, usize, Vec<usize>)> = feet(graph)
        .into_iter()
        .filter(|(_, shin, pieces)| pieces.len() == 3 && points_sideways(graph, *shin, pieces))
        .collect();
    let (side, shin, pieces) = pick(&visible, stream)?;
    let knee = graph.nodes[graph.bones[*shin].from].position;
    let ankle = graph.nodes[graph.bones[*shin].to].position;
    let growth = amplitude(severity, [(1.0, 1.0), (1.0, 1.15), (1.15, 1.35)], stream);
    for &piece in pieces {
        let node = &mut graph.nodes[graph.bones[piece].to];
        node.position = scaled(reflected(node.position, ankle, knee), ankle, growth);
    }
    let parameters = json!({"side": side.name(), "growth": growth});
    let regions = vec![Region::foot(*side)];
    Some(Label(Part::Foot, Kind::Mirrored, Scope::Local).edit(severity, regions, parameters))
}

/// Whether the toes stand out from the line of the shin by a quarter of the foot's length.
fn points_sideways(graph: &SkeletonGraph, shin: usize, pieces: &[usize]) -> bool {
    let at = |node: usize| graph.nodes[node].position;
    let (knee, ankle) = (at(graph.bones[shin].from), at(graph.bones[shin].to));
    let toe = at(graph.bones[pieces[1]].to);
    let heel = at(graph.bones[pieces[0]].to);
    let aside = toe.distance(reflected(toe, ankle, knee)) / 2.0;
    aside > 0.25 * toe.distance(heel).max(1.0)
}

/// Ends a leg at the ankle.
pub(super) fn absent_foot(
    graph: &mut SkeletonGraph,
    severity: Severity,
    stream: &mut Stream,
) -> Option<Edit> {
    let side = pick(&feet(graph), stream)?.0;
    let is_gone = |segment: Segment| segment.region() == Region::foot(side);
    graph.bones.retain(|bone| !is_gone(bone.segment));
    let parameters = json!({"side": side.name()});
    let regions = vec![Region::foot(side)];
    Some(Label(Part::Foot, Kind::Missing, Scope::Global).edit(severity, regions, parameters))
}
