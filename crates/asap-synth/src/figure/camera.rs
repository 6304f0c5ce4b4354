//! The camera: from millimetres to pixels of a square picture, and what it does not see.

use asap_core::{Node, Point, SkeletonGraph, Stream};

use super::pose::Framing;

/// Moves and scales a body from millimetres to pixels; returns the scale.
pub(crate) fn aim(graph: &mut SkeletonGraph, framing: Framing, size: f64, stream: &mut Stream) -> f64 {
    let seen: Vec<&Node> = graph
        .nodes
        .iter()
        .filter(|node| is_subject(node, framing))
        .collect();
    let low = |f: fn(&Node) -> f64| seen.iter().map(|n| f(n)).fold(f64::INFINITY, f64::min);
    let high = |f: fn(&Node) -> f64| seen.iter().map(|n| f(n)).fold(f64::NEG_INFINITY, f64::max);
    let (mut x0, mut x1) = (
        low(|n| n.position.x - n.radius),
        high(|n| n.position.x + n.radius),
    );
    let (mut y0, mut y1) = (
        low(|n| n.position.y - n.radius),
        high(|n| n.position.y + n.radius),
    );
    match framing {
        Framing::HandClose => {
            y1 += 60.0;
        }
        Framing::Portrait => {
            (y0, y1) = (y0 - 125.0, y1 + 110.0);
        }
        Framing::HalfBody => {
            y0 = y0.min(-385.0);
            y1 = y1.clamp(380.0, 520.0);
            (x0, x1) = (x0.min(-230.0), x1.max(230.0));
        }
        Framing::FullBody => {
            (y0, y1) = (y0.min(-395.0), y1 + 20.0);
        }
    }
    let room = match framing {
        Framing::HandClose => stream.between(0.78, 0.9),
        _ => stream.between(0.9, 0.96),
    };
    let scale = size * room / (x1 - x0).max(y1 - y0);
    let free_x = (size - (x1 - x0) * scale).max(0.0);
    let left = free_x * stream.between(0.42, 0.58);
    let top = match framing {
        // The body goes on below the lower edge.
        Framing::HalfBody | Framing::Portrait => size - (y1 - y0) * scale,
        Framing::HandClose => (size - (y1 - y0) * scale) * stream.between(0.5, 0.9),
        Framing::FullBody => (size - (y1 - y0) * scale) * stream.between(0.5, 0.7),
    };
    let place = |p: Point| Point::new((p.x - x0) * scale + left, (p.y - y0) * scale + top);
    for node in &mut graph.nodes {
        node.position = place(node.position);
        node.z *= scale;
        node.radius *= scale;
    }
    for feature in &mut graph.face {
        for point in &mut feature.points {
            *point = place(*point);
        }
    }
    scale
}

/// Removes the chains that lie outside the frame with all that hangs on them.
pub(crate) fn drop_unseen(graph: &mut SkeletonGraph, size: f64) {
    let is_outside = |graph: &SkeletonGraph, node_idx: usize| {
        let node = &graph.nodes[node_idx];
        // Flesh and clothes reach beyond the joints.
        let reach = node.radius * 1.6;
        let is_off = |v: f64| v < -reach || v > size + reach;
        is_off(node.position.x) || is_off(node.position.y)
    };
    let mut idx = 0;
    while idx < graph.bones.len() {
        let chain = graph.subtree(idx);
        let bones: Vec<asap_core::Bone> = chain.iter().map(|&bone| graph.bones[bone]).collect();
        let is_gone = |bone: &asap_core::Bone| is_outside(graph, bone.from) && is_outside(graph, bone.to);
        if bones.iter().all(is_gone) {
            graph.remove_subtree(idx);
        } else {
            idx += 1;
        }
    }
}

/// Whether the camera must see a joint.
fn is_subject(node: &Node, framing: Framing) -> bool {
    let Some(keypoint) = node.keypoint.map(usize::from) else {
        return false;
    };
    let is_hand = keypoint >= 91;
    match framing {
        Framing::HandClose => is_hand,
        Framing::Portrait => keypoint < 7,
        Framing::HalfBody => (is_hand && node.position.y < 420.0) || keypoint < 11,
        Framing::FullBody => true,
    }
}
