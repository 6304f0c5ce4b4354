//! Faces whose features are in the wrong place, of the wrong size or the wrong way round.
//!
//! Only landmarks move. The eye joints of the body stay: they say how the head is turned, and the head is right.

use std::f64::consts::PI;

use asap_core::graph::Feature;
use asap_core::{Kind, Part, Point, Region, Scope, Severity, Side, SkeletonGraph, Stream};
use serde_json::json;

use super::chain::{amplitude, pick, scaled, sign};
use super::face_count::{Face, feature_idx, pick_eye};
use super::{Edit, Label};

fn face_edit(part: Part, kind: Kind, severity: Severity, parameters: serde_json::Value) -> Edit {
    Label(part, kind, Scope::Local).edit(severity, vec![Region::Face], parameters)
}

/// Moves the landmarks of a feature.
fn map_feature(graph: &mut SkeletonGraph, idx: usize, f: impl Fn(Point) -> Point) {
    for point in &mut graph.face[idx].points {
        *point = f(*point);
    }
}

/// Moves one eye by a part of the eye distance.
pub(super) fn eye_displaced(
    graph: &mut SkeletonGraph,
    severity: Severity,
    stream: &mut Stream,
) -> Option<Edit> {
    let face = Face::find(graph)?;
    let (side, eye) = pick_eye(graph, stream)?;
    let distance = amplitude(severity, [(0.15, 0.22), (0.22, 0.32), (0.32, 0.45)], stream);
    // Down or up, a little sideways: towards the nose or the ear it would still look like an eye in place.
    let angle = sign(stream) * (PI / 2.0 + stream.between(-0.5, 0.5));
    let (left, up) = (angle.cos() * distance, angle.sin() * distance);
    let shift = face.offset(left, up);
    map_feature(graph, eye, |p| p + shift);
    let parameters = json!({"side": side.name(), "left": left, "up": up});
    Some(face_edit(Part::Eye, Kind::Misplaced, severity, parameters))
}

/// Makes one eye too large or too small.
pub(super) fn eye_size(graph: &mut SkeletonGraph, severity: Severity, stream: &mut Stream) -> Option<Edit> {
    let (side, eye) = pick_eye(graph, stream)?;
    let factor = if stream.chance(0.65) {
        amplitude(severity, [(1.4, 1.6), (1.6, 1.85), (1.85, 2.2)], stream)
    } else {
        amplitude(severity, [(0.55, 0.65), (0.42, 0.55), (0.3, 0.42)], stream)
    };
    let center = graph.face[eye].center();
    map_feature(graph, eye, |p| scaled(p, center, factor));
    let parameters = json!({"side": side.name(), "factor": factor});
    Some(face_edit(Part::Eye, Kind::WrongLength, severity, parameters))
}

/// Moves the mouth to a cheek, and turns it.
pub(super) fn mouth_shifted(
    graph: &mut SkeletonGraph,
    severity: Severity,
    stream: &mut Stream,
) -> Option<Edit> {
    let face = Face::find(graph)?;
    let mouth = feature_idx(graph, Feature::Mouth)?;
    let distance = amplitude(severity, [(0.2, 0.28), (0.28, 0.4), (0.4, 0.55)], stream);
    let left = sign(stream) * distance;
    let up = stream.between(-0.05, 0.12);
    let tilt = amplitude(severity, [(0.0, 0.15), (0.1, 0.3), (0.25, 0.5)], stream) * sign(stream);
    let center = graph.face[mouth].center();
    let shift = face.offset(left, up);
    map_feature(graph, mouth, |p| p.rotated_about(center, tilt) + shift);
    let parameters = json!({"left": left, "up": up, "tilt_deg": tilt.to_degrees()});
    Some(face_edit(Part::Mouth, Kind::Misplaced, severity, parameters))
}

/// Turns features upside down: each in its place (Thatcher's way), or the inner face as a whole.
pub(super) fn flipped_features(
    graph: &mut SkeletonGraph,
    severity: Severity,
    _stream: &mut Stream,
) -> Option<Edit> {
    let face = Face::find(graph)?;
    let mouth = feature_idx(graph, Feature::Mouth)?;
    let inner = [
        Feature::Eye(Side::Right),
        Feature::Eye(Side::Left),
        Feature::Mouth,
        Feature::Nose,
        Feature::Brow(Side::Right),
        Feature::Brow(Side::Left),
    ];
    let is_whole = severity == Severity::Gross;
    let middle = face.center.lerp(graph.face[mouth].center(), 0.5);
    let n_features = match severity {
        Severity::Slight => 3,
        Severity::Clear => 4,
        Severity::Gross => 6,
    };
    for feature in &inner[..n_features] {
        let Some(idx) = feature_idx(graph, *feature) else {
            continue;
        };
        let center = if is_whole {
            middle
        } else {
            graph.face[idx].center()
        };
        map_feature(graph, idx, |p| {
            let d = p - center;
            let height = d.x * face.up.x + d.y * face.up.y;
            p - face.up * (2.0 * height)
        });
    }
    let mode = if is_whole { "whole" } else { "each" };
    let parameters = json!({"mode": mode, "n_features": n_features});
    Some(face_edit(Part::Face, Kind::Mirrored, severity, parameters))
}

/// Lowers and enlarges the features of one side.
pub(super) fn asymmetric(graph: &mut SkeletonGraph, severity: Severity, stream: &mut Stream) -> Option<Edit> {
    let face = Face::find(graph)?;
    let (side, eye) = pick_eye(graph, stream)?;
    let factor = amplitude(severity, [(1.2, 1.3), (1.3, 1.45), (1.45, 1.6)], stream);
    let drop = amplitude(severity, [(0.12, 0.18), (0.18, 0.26), (0.26, 0.36)], stream);
    let center = graph.face[eye].center();
    let shift = face.offset(0.0, -drop);
    let brow = feature_idx(graph, Feature::Brow(side));
    for idx in std::iter::once(eye).chain(brow) {
        map_feature(graph, idx, |p| scaled(p, center, factor) + shift);
    }
    let parameters = json!({"side": side.name(), "factor": factor, "drop": drop});
    Some(face_edit(Part::Face, Kind::Asymmetric, severity, parameters))
}

/// Exchanges an eye or the nose with the mouth.
pub(super) fn swapped_features(
    graph: &mut SkeletonGraph,
    severity: Severity,
    stream: &mut Stream,
) -> Option<Edit> {
    let mouth = feature_idx(graph, Feature::Mouth)?;
    let others: Vec<usize> = match severity {
        Severity::Slight => vec![Feature::Nose],
        Severity::Clear | Severity::Gross => vec![Feature::Eye(Side::Right), Feature::Eye(Side::Left)],
    }
    .into_iter()
    .filter_map(|feature| feature_idx(graph, feature))
    .collect();
    let &other = pick(&others, stream)?;
    let (mouth_center, other_center) = (graph.face[mouth].center(), graph.face[other].center());
    let growth = if severity == Severity::Gross { 1.35 } else { 1.0 };
    map_feature(graph, mouth, |p| {
        scaled(p, mouth_center, growth) + (other_center - mouth_center)
    });
    map_feature(graph, other, |p| {
        scaled(p, other_center, growth) + (mouth_center - other_center)
    });
    let name = match graph.face[other].feature {
        Feature::Eye(side) => format!("{}_eye", side.name()),
        _ => "nose".to_owned(),
    };
    let parameters = json!({"exchanged": ["mouth", name], "growth": growth});
    Some(face_edit(Part::Face, Kind::Swapped, severity, parameters))
}

/// Tilts the line of eyes and brows against the rest of the face.
pub(super) fn eyeline_tilt(
    graph: &mut SkeletonGraph,
    severity: Severity,
    stream: &mut Stream,
) -> Option<Edit> {
    let face = Face::find(graph)?;
    let angle = amplitude(severity, [(0.22, 0.32), (0.32, 0.45), (0.45, 0.65)], stream) * sign(stream);
    for side in Side::BOTH {
        for feature in [Feature::Eye(side), Feature::Brow(side)] {
            if let Some(idx) = feature_idx(graph, feature) {
                map_feature(graph, idx, |p| p.rotated_about(face.center, angle));
            }
        }
    }
    let parameters = json!({"angle_deg": angle.to_degrees()});
    Some(face_edit(Part::Eye, Kind::Asymmetric, severity, parameters))
}

/// Shears the lower face sideways: jaw and mouth slide, the temples stay.
pub(super) fn jaw_skew(graph: &mut SkeletonGraph, severity: Severity, stream: &mut Stream) -> Option<Edit> {
    let face = Face::find(graph)?;
    let jaw = feature_idx(graph, Feature::Jaw)?;
    let shear = amplitude(severity, [(0.25, 0.35), (0.35, 0.5), (0.5, 0.7)], stream) * sign(stream);
    for idx in std::iter::once(jaw).chain(feature_idx(graph, Feature::Mouth)) {
        map_feature(graph, idx, |p| {
            let d = p - face.center;
            let below = -(d.x * face.up.x + d.y * face.up.y).min(0.0);
            p + face.left * (shear * below)
        });
    }
    let parameters = json!({"shear": shear});
    Some(face_edit(Part::Face, Kind::Asymmetric, severity, parameters))
}
