//! Fingers of the right number and the wrong shape.

use asap_core::{Finger, Kind, Part, Point, Scope, Severity, SkeletonGraph, Stream};
use serde_json::json;

use super::chain::{Chain, Hand, amplitude, factor, pick, scale_nodes, scaled, sign, turn};
use super::{Edit, Label};

/// Tips nearer than this share of the knuckle spacing already touch: fusing them would not be seen.
const MIN_TIP_GAP: f64 = 0.6;

/// Grows two neighbouring fingers together.
pub(super) fn fused_fingers(
    graph: &mut SkeletonGraph,
    severity: Severity,
    stream: &mut Stream,
) -> Option<Edit> {
    let hand = Hand::pick_whole(graph, stream)?;
    let spacing = hand.knuckle_spacing_px(graph);
    let apart: Vec<(Chain, Chain)> = hand.chains[1..]
        .windows(2)
        .map(|pair| (pair[0], pair[1]))
        .filter(|(a, b)| a.at(graph, 3).distance(b.at(graph, 3)) > MIN_TIP_GAP * spacing)
        .collect();
    let &(a, b) = pick(&apart, stream)?;
    let gap = amplitude(severity, [(0.3, 0.4), (0.15, 0.3), (0.05, 0.15)], stream);
    for joint in 0..4 {
        // The knuckles stay nearly where they are: skin fuses, the palm does not shrink.
        let kept = if joint == 0 { 0.75 } else { gap };
        let middle = a.at(graph, joint).lerp(b.at(graph, joint), 0.5);
        for chain in [&a, &b] {
            let node = &mut graph.nodes[chain.joints[joint]];
            node.position = scaled(node.position, middle, kept);
        }
    }
    let parameters = json!({
        "side": hand.side.name(),
        "fingers": [a.finger.name(), b.finger.name()],
        "gap_share": gap,
    });
    Some(Label(Part::Finger, Kind::Fused, Scope::Local).edit(severity, hand.regions(), parameters))
}

/// Makes one finger, or two where the error is gross, too long or too short.
pub(super) fn wrong_length(
    graph: &mut SkeletonGraph,
    severity: Severity,
    stream: &mut Stream,
) -> Option<Edit> {
    let hand = Hand::pick_whole(graph, stream)?;
    let fingers = some_fingers(graph, &hand, severity, stream);
    let factor = factor(
        severity,
        [(0.62, 0.7), (0.55, 0.62), (0.5, 0.55)],
        [(1.4, 1.5), (1.5, 1.65), (1.65, 1.8)],
        stream,
    );
    for chain in &fingers {
        scale_nodes(graph, &chain.joints[1..], chain.joints[0], factor);
    }
    let parameters = json!({"side": hand.side.name(), "fingers": names(&fingers), "factor": factor});
    Some(Label(Part::Finger, Kind::WrongLength, Scope::Local).edit(severity, hand.regions(), parameters))
}

/// Makes one finger, or two where the error is gross, too thick or too thin.
pub(super) fn wrong_thickness(
    graph: &mut SkeletonGraph,
    severity: Severity,
    stream: &mut Stream,
) -> Option<Edit> {
    let hand = Hand::pick_whole(graph, stream)?;
    let fingers = some_fingers(graph, &hand, severity, stream);
    let factor = factor(
        severity,
        [(0.6, 0.68), (0.5, 0.6), (0.4, 0.5)],
        [(1.45, 1.6), (1.6, 1.8), (1.8, 2.1)],
        stream,
    );
    for chain in &fingers {
        for &joint in &chain.joints[1..] {
            graph.nodes[joint].radius *= factor;
        }
    }
    let parameters = json!({"side": hand.side.name(), "fingers": names(&fingers), "factor": factor});
    Some(Label(Part::Finger, Kind::WrongThickness, Scope::Local).edit(severity, hand.regions(), parameters))
}

/// Turns a finger at its knuckle far past the limit of 20 degrees to the side.
pub(super) fn bent_back(graph: &mut SkeletonGraph, severity: Severity, stream: &mut Stream) -> Option<Edit> {
    let hand = Hand::pick_whole(graph, stream)?;
    let chain = hand.by_reach_without_thumb(graph, stream)[0];
    let size = amplitude(severity, [(0.8, 1.05), (1.05, 1.5), (1.5, 2.0)], stream);
    let angle = size * outward(graph, &hand, chain.finger).unwrap_or_else(|| sign(stream));
    let knuckle = chain.at(graph, 0);
    graph.move_subtree(chain.bones[1], |p| p.rotated_about(knuckle, angle));
    let parameters = json!({
        "side": hand.side.name(),
        "finger": chain.finger.name(),
        "angle_deg": angle.to_degrees(),
    });
    Some(Label(Part::Finger, Kind::WrongJoint, Scope::Local).edit(severity, hand.regions(), parameters))
}

/// Breaks a finger sideways at one of its hinge joints.
pub(super) fn wrong_joint(
    graph: &mut SkeletonGraph,
    severity: Severity,
    stream: &mut Stream,
) -> Option<Edit> {
    let hand = Hand::pick_whole(graph, stream)?;
    let chain = hand.by_reach(graph, stream)[0];
    let joint = 1 + stream.below(2);
    let angle = amplitude(severity, [(0.65, 0.9), (0.9, 1.25), (1.25, 1.7)], stream) * sign(stream);
    let center = chain.at(graph, joint);
    graph.move_subtree(chain.bones[joint + 1], |p| p.rotated_about(center, angle));
    let parameters = json!({
        "side": hand.side.name(),
        "finger": chain.finger.name(),
        "joint": joint,
        "angle_deg": angle.to_degrees(),
    });
    Some(Label(Part::Finger, Kind::WrongJoint, Scope::Local).edit(severity, hand.regions(), parameters))
}

/// Shakes every joint of the hand out of its place.
pub(super) fn melted(graph: &mut SkeletonGraph, severity: Severity, stream: &mut Stream) -> Option<Edit> {
    let hand = Hand::pick_whole(graph, stream)?;
    let share = amplitude(severity, [(0.1, 0.13), (0.13, 0.18), (0.18, 0.25)], stream);
    let sigma = share * hand.palm_px(graph);
    for chain in &hand.chains {
        for &joint in &chain.joints {
            let shift = Point::new(stream.normal(), stream.normal()) * sigma;
            graph.nodes[joint].position = graph.nodes[joint].position + shift;
        }
    }
    let parameters = json!({"side": hand.side.name(), "sigma_palms": share});
    Some(Label(Part::Hand, Kind::MeltedTexture, Scope::Local).edit(severity, hand.regions(), parameters))
}

/// One finger, or two where the error is gross, in the order of the hand.
fn some_fingers(graph: &SkeletonGraph, hand: &Hand, severity: Severity, stream: &mut Stream) -> Vec<Chain> {
    let mut chains = hand.by_reach(graph, stream);
    chains.truncate(if severity == Severity::Gross { 2 } else { 1 });
    chains.sort_by_key(|chain| chain.finger);
    chains
}

/// The sign of a turn away from the other fingers; none for the fingers in the middle.
fn outward(graph: &SkeletonGraph, hand: &Hand, finger: Finger) -> Option<f64> {
    let heading = |finger| hand.chain(finger).heading(graph);
    let away = match finger {
        Finger::Index => turn(heading(Finger::Middle), heading(Finger::Index)),
        Finger::Little => turn(heading(Finger::Ring), heading(Finger::Little)),
        Finger::Thumb | Finger::Middle | Finger::Ring => return None,
    };
    (away.abs() > 1e-6).then(|| away.signum())
}

fn names(chains: &[Chain]) -> Vec<&'static str> {
    chains.iter().map(|chain| chain.finger.name()).collect()
}
