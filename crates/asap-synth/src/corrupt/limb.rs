//! Arms and legs too many, too few, in the wrong place or of the wrong length.

use std::f64::consts::PI;

use asap_core::{Kind, Node, Part, Region, Scope, Segment, Severity, Side, SkeletonGraph, Stream};
use serde_json::json;

use super::chain::{add_copy, amplitude, factor, heading, pick, regions_of, restore_order, sign, turn};
use super::{Edit, Label};

/// An arm or a leg.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Limb {
    Arm,
    Leg,
}

impl Limb {
    const fn part(self) -> Part {
        match self {
            Self::Arm => Part::Arm,
            Self::Leg => Part::Leg,
        }
    }

    const fn name(self) -> &'static str {
        match self {
            Self::Arm => "arm",
            Self::Leg => "leg",
        }
    }

    /// Upper arm and forearm, or thigh and shin.
    const fn segments(self, side: Side) -> [Segment; 2] {
        match self {
            Self::Arm => [Segment::UpperArm(side), Segment::Forearm(side)],
            Self::Leg => [Segment::Thigh(side), Segment::Shin(side)],
        }
    }

    /// Sides on which both long pieces are in the graph, with their bone indices.
    pub(super) fn whole(self, graph: &SkeletonGraph) -> Vec<(Side, [usize; 2])> {
        let find = |side| {
            let [upper, lower] = self.segments(side);
            Some((side, [graph.bone(upper)?, graph.bone(lower)?]))
        };
        Side::BOTH.into_iter().filter_map(find).collect()
    }
}

/// Grows a second arm from a shoulder.
pub(super) fn extra_arm(graph: &mut SkeletonGraph, severity: Severity, stream: &mut Stream) -> Option<Edit> {
    extra(graph, Limb::Arm, severity, stream)
}

/// Grows a third leg from a hip.
pub(super) fn extra_leg(graph: &mut SkeletonGraph, severity: Severity, stream: &mut Stream) -> Option<Edit> {
    extra(graph, Limb::Leg, severity, stream)
}

fn extra(graph: &mut SkeletonGraph, limb: Limb, severity: Severity, stream: &mut Stream) -> Option<Edit> {
    let &(side, [upper, _]) = pick(&limb.whole(graph), stream)?;
    let angle = amplitude(severity, [(0.44, 0.6), (0.6, 0.8), (0.8, 1.05)], stream) * sign(stream);
    let root = graph.bones[upper].from;
    let joint = graph.nodes[root];
    let regions = regions_of(graph, &graph.subtree(upper));
    // Behind the body, as the second limb of a generated picture usually is.
    add_copy(graph, upper, root, 2.0 * joint.radius, |node| Node {
        position: node.position.rotated_about(joint.position, angle),
        ..node
    });
    let parameters = json!({"side": side.name(), "angle_deg": angle.to_degrees()});
    Some(Label(limb.part(), Kind::Extra, Scope::Global).edit(severity, regions, parameters))
}

/// Ends an arm at the elbow, or at the shoulder where the error is gross.
pub(super) fn missing_arm(
    graph: &mut SkeletonGraph,
    severity: Severity,
    stream: &mut Stream,
) -> Option<Edit> {
    missing(graph, Limb::Arm, severity, stream)
}

/// Ends a leg at the knee, or at the hip where the error is gross.
pub(super) fn missing_leg(
    graph: &mut SkeletonGraph,
    severity: Severity,
    stream: &mut Stream,
) -> Option<Edit> {
    missing(graph, Limb::Leg, severity, stream)
}

fn missing(graph: &mut SkeletonGraph, limb: Limb, severity: Severity, stream: &mut Stream) -> Option<Edit> {
    let &(side, [upper, lower]) = pick(&limb.whole(graph), stream)?;
    let (first_gone, name) = match severity {
        Severity::Slight | Severity::Clear => (lower, "lower"),
        Severity::Gross => (upper, "upper"),
    };
    let regions = regions_of(graph, &graph.subtree(first_gone));
    graph.remove_subtree(first_gone);
    let parameters = json!({"side": side.name(), "first_gone": name});
    Some(Label(limb.part(), Kind::Missing, Scope::Global).edit(severity, regions, parameters))
}

/// Hangs an arm on the hip; where the error is gross the leg goes to the shoulder in exchange.
pub(super) fn swapped(graph: &mut SkeletonGraph, severity: Severity, stream: &mut Stream) -> Option<Edit> {
    let is_exchange = severity == Severity::Gross;
    let candidates: Vec<(Side, usize, usize)> = Limb::Arm
        .whole(graph)
        .into_iter()
        .filter_map(|(side, [upper_arm, _])| Some((side, upper_arm, graph.bone(Segment::Flank(side))?)))
        .filter(|&(side, ..)| !is_exchange || graph.bone(Segment::Thigh(side)).is_some())
        .collect();
    let &(side, upper_arm, flank) = pick(&candidates, stream)?;
    let (shoulder, hip) = (graph.bones[upper_arm].from, graph.bones[flank].to);
    let down = graph.nodes[hip].position - graph.nodes[shoulder].position;
    let mut bones = graph.subtree(upper_arm);
    let thigh = graph.bone(Segment::Thigh(side)).filter(|_| is_exchange);
    if let Some(thigh) = thigh {
        bones.extend(graph.subtree(thigh));
    }
    let regions = regions_of(graph, &bones);
    graph.move_subtree(upper_arm, |p| p + down);
    if let Some(thigh) = thigh {
        graph.move_subtree(thigh, |p| p - down);
        graph.bones[thigh].from = shoulder;
    }
    graph.bones[upper_arm].from = hip;
    restore_order(graph);
    let mode = if is_exchange { "exchange" } else { "arm_on_hip" };
    let parameters = json!({"side": side.name(), "mode": mode});
    Some(Label(Part::Arm, Kind::Swapped, Scope::Global).edit(severity, regions, parameters))
}

/// Joins each elbow to the other side's wrist: the paper's erroneous connectivity.
pub(super) fn crossed(graph: &mut SkeletonGraph, severity: Severity, _stream: &mut Stream) -> Option<Edit> {
    let left = graph.bone(Segment::Forearm(Side::Left))?;
    let right = graph.bone(Segment::Forearm(Side::Right))?;
    let (left_wrist, right_wrist) = (graph.bones[left].to, graph.bones[right].to);
    let position = |node: usize| graph.nodes[node].position;
    let forearm_px = position(graph.bones[left].from).distance(position(left_wrist));
    // Wrists that meet can be exchanged without anybody seeing it.
    if position(left_wrist).distance(position(right_wrist)) < 0.8 * forearm_px {
        return None;
    }
    graph.bones[left].to = right_wrist;
    graph.bones[right].to = left_wrist;
    restore_order(graph);
    let parameters = json!({"rewired": ["left_forearm", "right_forearm"]});
    let regions = vec![Region::LeftArm, Region::RightArm];
    Some(Label(Part::Arm, Kind::Disconnected, Scope::Global).edit(severity, regions, parameters))
}

/// Makes one long bone of an arm or a leg far too short or too long.
pub(super) fn wrong_length(
    graph: &mut SkeletonGraph,
    severity: Severity,
    stream: &mut Stream,
) -> Option<Edit> {
    let bones: Vec<(Limb, Side, usize, usize)> = [Limb::Arm, Limb::Leg]
        .into_iter()
        .flat_map(|limb| {
            limb.whole(graph)
                .into_iter()
                .map(move |(side, bones)| (limb, side, bones))
        })
        .flat_map(|(limb, side, bones)| [(limb, side, 0, bones[0]), (limb, side, 1, bones[1])])
        .collect();
    let &(limb, side, piece, bone) = pick(&bones, stream)?;
    let factor = factor(
        severity,
        [(0.6, 0.68), (0.5, 0.6), (0.35, 0.5)],
        [(1.35, 1.5), (1.5, 1.65), (1.65, 1.9)],
        stream,
    );
    let (from, to) = (
        graph.nodes[graph.bones[bone].from],
        graph.nodes[graph.bones[bone].to],
    );
    let shift = (to.position - from.position) * (factor - 1.0);
    let regions = regions_of(graph, &graph.subtree(bone));
    for node in graph.subtree_nodes(bone) {
        let node = &mut graph.nodes[node];
        node.position = node.position + shift;
        node.z += (to.z - from.z) * (factor - 1.0);
    }
    let name = [["upper_arm", "forearm"], ["thigh", "shin"]][usize::from(limb == Limb::Leg)][piece];
    let parameters = json!({
        "limb": limb.name(), "side": side.name(), "bone": name, "factor": factor,
    });
    Some(Label(limb.part(), Kind::WrongLength, Scope::Global).edit(severity, regions, parameters))
}

/// Bends the lower piece of a limb the wrong way: the bend that it has is mirrored and made larger.
///
/// In the picture plane an intact joint can turn to either side, so the sign alone says little; the size of
/// the bend (45 to 150 degrees) carries the error in a limb that was nearly straight.
pub(super) fn reverse_joint(
    graph: &mut SkeletonGraph,
    limb: Limb,
    severity: Severity,
    stream: &mut Stream,
) -> Option<Edit> {
    let &(side, [upper, lower]) = pick(&limb.whole(graph), stream)?;
    let at = |node: usize| graph.nodes[node].position;
    let (root, joint, end) = (
        at(graph.bones[upper].from),
        at(graph.bones[upper].to),
        at(graph.bones[lower].to),
    );
    let straight = heading(root, joint);
    let bend = turn(straight, heading(joint, end));
    let away = if bend.abs() > 0.17 {
        -bend.signum()
    } else {
        sign(stream)
    };
    let size = amplitude(severity, [(0.8, 1.2), (1.2, 1.8), (1.8, 2.6)], stream);
    let target = away * size.max(bend.abs().min(PI * 0.8));
    let regions = regions_of(graph, &graph.subtree(lower));
    graph.move_subtree(lower, |p| p.rotated_about(joint, target - bend));
    let part = match limb {
        Limb::Arm => Part::Elbow,
        Limb::Leg => Part::Knee,
    };
    let parameters = json!({
        "side": side.name(),
        "bend_before_deg": bend.to_degrees(),
        "bend_after_deg": target.to_degrees(),
    });
    Some(Label(part, Kind::WrongJoint, Scope::Global).edit(severity, regions, parameters))
}
