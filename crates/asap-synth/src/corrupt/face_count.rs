//! Faces with a feature too many or too few.

use asap_core::graph::{FaceFeature, Feature};
use asap_core::{Kind, Part, Point, Region, Scope, Severity, Side, SkeletonGraph, Stream};
use serde_json::json;

use super::chain::{amplitude, pick, sign};
use super::{Edit, Label};

/// Where a face is and how it is turned.
pub(super) struct Face {
    /// Between the eyes.
    pub(super) center: Point,
    /// Towards the forehead, of length 1.
    pub(super) up: Point,
    /// Towards the person's left, of length 1.
    pub(super) left: Point,
    /// Distance of the eyes in pixels.
    pub(super) eye_distance_px: f64,
}

impl Face {
    /// The frame of a face of which both eyes are seen.
    pub(super) fn find(graph: &SkeletonGraph) -> Option<Self> {
        let right = graph.face[feature_idx(graph, Feature::Eye(Side::Right))?].center();
        let left = graph.face[feature_idx(graph, Feature::Eye(Side::Left))?].center();
        let eye_distance_px = left.distance(right);
        if eye_distance_px < 1.0 {
            return None;
        }
        let across = (left - right) * (1.0 / eye_distance_px);
        let center = left.lerp(right, 0.5);
        let below = [Feature::Mouth, Feature::Nose, Feature::Jaw]
            .into_iter()
            .find_map(|feature| feature_idx(graph, feature))
            .map_or(center + Point::new(0.0, 1.0), |idx| graph.face[idx].center());
        let normal = Point::new(-across.y, across.x);
        let is_down = (below.x - center.x) * normal.x + (below.y - center.y) * normal.y > 0.0;
        Some(Self {
            center,
            up: normal * if is_down { -1.0 } else { 1.0 },
            left: across,
            eye_distance_px,
        })
    }

    /// A vector of so many eye distances to the person's left and up.
    pub(super) fn offset(&self, left: f64, up: f64) -> Point {
        (self.left * left + self.up * up) * self.eye_distance_px
    }
}

/// Index of the intact feature.
pub(super) fn feature_idx(graph: &SkeletonGraph, feature: Feature) -> Option<usize> {
    graph
        .face
        .iter()
        .position(|found| found.feature == feature && found.copy == 0 && !found.points.is_empty())
}

/// A seen eye, with its side.
pub(super) fn pick_eye(graph: &SkeletonGraph, stream: &mut Stream) -> Option<(Side, usize)> {
    let eyes: Vec<(Side, usize)> = Side::BOTH
        .into_iter()
        .filter_map(|side| Some((side, feature_idx(graph, Feature::Eye(side))?)))
        .collect();
    pick(&eyes, stream).copied()
}

/// Adds a scaled copy of a feature around another center.
fn add_feature(graph: &mut SkeletonGraph, idx: usize, center: Point, scale: f64) {
    let donor = &graph.face[idx];
    let old_center = donor.center();
    let copy = 1 + graph
        .face
        .iter()
        .filter(|feature| feature.feature == donor.feature)
        .map(|feature| feature.copy)
        .max()
        .unwrap_or(0);
    let points = donor
        .points
        .iter()
        .map(|&p| center + (p - old_center) * scale)
        .collect();
    let feature = donor.feature;
    graph.face.push(FaceFeature {
        feature,
        points,
        copy,
    });
}

fn face_edit(part: Part, kind: Kind, severity: Severity, parameters: serde_json::Value) -> Edit {
    Label(part, kind, Scope::Local).edit(severity, vec![Region::Face], parameters)
}

/// Opens a third eye on the forehead or on a cheek.
pub(super) fn third_eye(graph: &mut SkeletonGraph, severity: Severity, stream: &mut Stream) -> Option<Edit> {
    let face = Face::find(graph)?;
    let (side, eye) = pick_eye(graph, stream)?;
    let scale = amplitude(severity, [(0.7, 0.85), (0.85, 1.1), (1.1, 1.4)], stream);
    let is_forehead = stream.chance(0.6);
    let (left, up) = if is_forehead {
        (stream.between(-0.15, 0.15), stream.between(0.62, 0.8))
    } else {
        (
            sign(stream) * stream.between(0.5, 0.6),
            stream.between(-0.75, -0.6),
        )
    };
    add_feature(graph, eye, face.center + face.offset(left, up), scale);
    let place = if is_forehead { "forehead" } else { "cheek" };
    let parameters = json!({
        "donor": side.name(), "place": place, "left": left, "up": up, "scale": scale,
    });
    Some(face_edit(Part::Eye, Kind::Extra, severity, parameters))
}

/// Adds a mouth on the chin or on a cheek.
pub(super) fn two_mouths(graph: &mut SkeletonGraph, severity: Severity, stream: &mut Stream) -> Option<Edit> {
    let face = Face::find(graph)?;
    let mouth = feature_idx(graph, Feature::Mouth)?;
    let scale = amplitude(severity, [(0.55, 0.7), (0.7, 0.9), (0.9, 1.1)], stream);
    let is_chin = stream.chance(0.5);
    let (left, up) = if is_chin {
        (stream.between(-0.1, 0.1), stream.between(-0.5, -0.4))
    } else {
        (
            sign(stream) * stream.between(0.45, 0.6),
            stream.between(0.35, 0.5),
        )
    };
    let center = graph.face[mouth].center() + face.offset(left, up);
    add_feature(graph, mouth, center, scale);
    let place = if is_chin { "chin" } else { "cheek" };
    let parameters = json!({"place": place, "left": left, "up": up, "scale": scale});
    Some(face_edit(Part::Mouth, Kind::Extra, severity, parameters))
}

/// Adds a nose beside the nose.
pub(super) fn two_noses(graph: &mut SkeletonGraph, severity: Severity, stream: &mut Stream) -> Option<Edit> {
    let face = Face::find(graph)?;
    let nose = feature_idx(graph, Feature::Nose)?;
    let scale = amplitude(severity, [(0.7, 0.8), (0.8, 1.0), (1.0, 1.15)], stream);
    let left = sign(stream) * stream.between(0.45, 0.6);
    let center = graph.face[nose].center() + face.offset(left, 0.0);
    add_feature(graph, nose, center, scale);
    let parameters = json!({"left": left, "scale": scale});
    Some(face_edit(Part::Nose, Kind::Extra, severity, parameters))
}

/// Closes an eye for good; both where the error is gross.
pub(super) fn missing_eye(
    graph: &mut SkeletonGraph,
    severity: Severity,
    stream: &mut Stream,
) -> Option<Edit> {
    let (side, _) = pick_eye(graph, stream)?;
    let is_gone = |feature: &FaceFeature| match feature.feature {
        Feature::Eye(eye) => eye == side || severity == Severity::Gross,
        _ => false,
    };
    let n_before = graph.face.len();
    graph.face.retain(|feature| !is_gone(feature));
    let parameters = json!({"side": side.name(), "n_gone": n_before - graph.face.len()});
    Some(face_edit(Part::Eye, Kind::Missing, severity, parameters))
}

/// Takes the nose away.
pub(super) fn missing_nose(
    graph: &mut SkeletonGraph,
    severity: Severity,
    _stream: &mut Stream,
) -> Option<Edit> {
    graph.face.remove(feature_idx(graph, Feature::Nose)?);
    let parameters = json!({"feature": "nose"});
    Some(face_edit(Part::Nose, Kind::Missing, severity, parameters))
}

/// Takes the mouth away.
pub(super) fn missing_mouth(
    graph: &mut SkeletonGraph,
    severity: Severity,
    _stream: &mut Stream,
) -> Option<Edit> {
    graph.face.remove(feature_idx(graph, Feature::Mouth)?);
    let parameters = json!({"feature": "mouth"});
    Some(face_edit(Part::Mouth, Kind::Missing, severity, parameters))
}
