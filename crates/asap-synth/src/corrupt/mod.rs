//! Skeleton-space operators: corruptions as edits of a [`SkeletonGraph`].
//!
//! An operator never looks at a picture. It picks a part that the graph has, in the frame or not, draws its
//! parameters from a [`Stream`], and moves, adds, drops or rewires nodes and bones. Whoever draws the graph
//! afterwards, the figure renderer or the pose map of a generator, shows the error. Parts, kinds and scopes
//! are those of [`asap_core::degradation`].

mod body;
mod chain;
mod face_count;
mod face_place;
mod finger_count;
mod finger_shape;
mod hand;
mod limb;

#[cfg(test)]
pub(crate) mod fixture;
#[cfg(test)]
mod tests;

use asap_core::{Degradation, Kind, Part, Region, Scope, Severity, SkeletonGraph, Stream};

/// What an operator did.
#[derive(Clone, Debug, PartialEq)]
pub struct Edit {
    /// The error that it made.
    pub degradation: Degradation,
    /// The regions that it changed.
    pub regions: Vec<Region>,
    /// The parameters that it drew.
    pub parameters: serde_json::Value,
}

/// A named corruption of a body.
#[derive(Clone, Copy, Debug)]
pub struct Operator {
    /// Its id, such as `hand.extra_finger`.
    pub id: &'static str,
    /// Counts up whenever the same seed would give another graph.
    pub version: u32,
    /// Corrupts the graph; `None` (and an untouched graph) where the body lacks the part.
    pub apply: fn(&mut SkeletonGraph, Severity, &mut Stream) -> Option<Edit>,
}

impl Operator {
    /// The operator of that id.
    pub fn by_id(id: &str) -> Option<&'static Self> {
        OPERATORS.iter().find(|operator| operator.id == id)
    }

    /// Id and version as provenance keeps them, such as `hand.extra_finger@1`.
    pub fn label(&self) -> String {
        format!("{}@{}", self.id, self.version)
    }
}

/// What is wrong, without how strong.
#[derive(Clone, Copy)]
struct Label(Part, Kind, Scope);

impl Label {
    fn edit(self, severity: Severity, regions: Vec<Region>, parameters: serde_json::Value) -> Edit {
        Edit {
            degradation: Degradation {
                part: self.0,
                kind: self.1,
                scope: self.2,
                severity,
            },
            regions,
            parameters,
        }
    }
}

const fn v1(
    id: &'static str,
    apply: fn(&mut SkeletonGraph, Severity, &mut Stream) -> Option<Edit>,
) -> Operator {
    Operator {
        id,
        version: 1,
        apply,
    }
}

/// Every skeleton-space operator, in the order of the taxonomy.
pub const OPERATORS: &[Operator] = &[
    v1("hand.extra_finger", finger_count::extra_finger),
    v1("hand.missing_finger", finger_count::missing_finger),
    v1("hand.fused_fingers", finger_shape::fused_fingers),
    v1("hand.split_finger", finger_count::split_finger),
    v1("hand.wrong_length", finger_shape::wrong_length),
    v1("hand.wrong_thickness", finger_shape::wrong_thickness),
    v1("hand.bent_back", finger_shape::bent_back),
    v1("hand.wrong_joint", finger_shape::wrong_joint),
    v1("hand.extra_phalanx", finger_count::extra_phalanx),
    v1("hand.mirrored", hand::mirrored),
    v1("hand.swapped", hand::swapped),
    v1("hand.duplicate", hand::duplicate),
    v1("hand.two_thumbs", finger_count::two_thumbs),
    v1("hand.no_thumb", finger_count::no_thumb),
    v1("hand.twisted_wrist", hand::twisted_wrist),
    v1("hand.melted", finger_shape::melted),
    v1("hand.disconnected", hand::disconnected),
    v1("hand.size", hand::size),
    v1("hand.absent", hand::absent),
    v1("face.eye_displaced", face_place::eye_displaced),
    v1("face.eye_size", face_place::eye_size),
    v1("face.third_eye", face_count::third_eye),
    v1("face.two_mouths", face_count::two_mouths),
    v1("face.two_noses", face_count::two_noses),
    v1("face.missing_eye", face_count::missing_eye),
    v1("face.missing_nose", face_count::missing_nose),
    v1("face.missing_mouth", face_count::missing_mouth),
    v1("face.mouth_shifted", face_place::mouth_shifted),
    v1("face.flipped_features", face_place::flipped_features),
    v1("face.asymmetric", face_place::asymmetric),
    v1("face.swapped_features", face_place::swapped_features),
    v1("face.eyeline_tilt", face_place::eyeline_tilt),
    v1("face.jaw_skew", face_place::jaw_skew),
    v1("arm.extra", limb::extra_arm),
    v1("leg.extra", limb::extra_leg),
    v1("arm.missing", limb::missing_arm),
    v1("leg.missing", limb::missing_leg),
    v1("limb.swapped", limb::swapped),
    v1("limb.crossed", limb::crossed),
    v1("limb.wrong_length", limb::wrong_length),
    v1("neck.long", body::long_neck),
    v1("head.size", body::head_size),
    v1("elbow.hyperextended", body::hyperextended_elbow),
    v1("knee.reversed", body::reversed_knee),
    v1("joint.extra_elbow", body::extra_elbow),
    v1("foot.reversed", body::reversed_foot),
    v1("foot.absent", body::absent_foot),
];
