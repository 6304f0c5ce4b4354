//! Image-space operators: each makes one anatomical error in the pixels of a part.
//!
//! An operator reads the layers of a part and draws on a [`Canvas`]; it may decline with a reason, and then
//! it leaves the canvas as it was. Random numbers come from the stream alone.

mod face_features;
mod face_whole;
mod fingers;
mod hand_whole;
mod strip_layer;

use asap_core::{Kind, Part, Scope, Severity, Stream};

use super::canvas::{Plane, Rgb};
use super::face::FaceScene;
use super::hand::{Decline, HandScene};

/// What an operator did, for its record.
pub(crate) type Parameters = serde_json::Value;

/// A crop being edited.
#[derive(Clone)]
pub(crate) struct Canvas {
    /// The pixels.
    pub(crate) rgb: Plane<Rgb>,
    /// Alpha of the part as it is now.
    pub(crate) part: Plane<f32>,
    /// Fingers or features that were changed already; a second operator takes others.
    pub(crate) used: Vec<usize>,
}

type OnHand = fn(&HandScene, &mut Canvas, Severity, &mut Stream) -> Result<Parameters, Decline>;
type OnFace = fn(&FaceScene, &mut Canvas, Severity, &mut Stream) -> Result<Parameters, Decline>;

/// What an operator works on.
#[derive(Clone, Copy)]
pub(crate) enum Apply {
    /// Single fingers: 21 keypoints are needed; may be composed with others.
    Finger(OnHand),
    /// The hand as a whole: a box is enough; not composed.
    Hand(OnHand),
    /// Single features of a face; may be composed with others.
    Feature(OnFace),
    /// The face as a whole; not composed.
    Face(OnFace),
}

/// A named corruption of pixels.
pub struct Operator {
    /// Its id, such as `hand.extra_finger`.
    pub id: &'static str,
    /// Counts up whenever the same seed would give other pixels.
    pub version: u32,
    /// The part that it makes wrong.
    pub part: Part,
    /// What is wrong with it then.
    pub kind: Kind,
    /// How often it is drawn, relative to the others.
    pub weight: u32,
    pub(crate) apply: Apply,
}

impl std::fmt::Debug for Operator {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Operator({}@{})", self.id, self.version)
    }
}

impl Operator {
    /// The label of the error that it makes.
    pub fn degradation(&self, severity: Severity) -> asap_core::Degradation {
        asap_core::Degradation {
            part: self.part,
            kind: self.kind,
            scope: Scope::Local,
            severity,
        }
    }

    /// The id with the version, as it stands in the record of a pair.
    pub fn versioned(&self) -> String {
        format!("{}@{}", self.id, self.version)
    }
}

const fn operator(id: &'static str, part: Part, kind: Kind, weight: u32, apply: Apply) -> Operator {
    Operator {
        id,
        version: 1,
        part,
        kind,
        weight,
        apply,
    }
}

/// Every image-space operator, in the order of the taxonomy.
pub const OPERATORS: &[Operator] = &[
    operator(
        "hand.extra_finger",
        Part::Finger,
        Kind::Extra,
        6,
        Apply::Finger(fingers::extra),
    ),
    operator(
        "hand.missing_finger",
        Part::Finger,
        Kind::Missing,
        5,
        Apply::Finger(fingers::missing),
    ),
    operator(
        "hand.fused_fingers",
        Part::Finger,
        Kind::Fused,
        5,
        Apply::Finger(fingers::fused),
    ),
    operator(
        "hand.split_finger",
        Part::Finger,
        Kind::Split,
        4,
        Apply::Finger(fingers::split),
    ),
    operator(
        "hand.wrong_length",
        Part::Finger,
        Kind::WrongLength,
        6,
        Apply::Finger(fingers::wrong_length),
    ),
    operator(
        "hand.bent_back",
        Part::Finger,
        Kind::WrongJoint,
        4,
        Apply::Finger(fingers::bent_back),
    ),
    operator(
        "hand.wrong_thickness",
        Part::Finger,
        Kind::WrongThickness,
        4,
        Apply::Finger(fingers::wrong_thickness),
    ),
    operator(
        "hand.mirrored",
        Part::Hand,
        Kind::Mirrored,
        1,
        Apply::Hand(hand_whole::mirrored),
    ),
    operator(
        "hand.duplicate",
        Part::Hand,
        Kind::Extra,
        2,
        Apply::Hand(hand_whole::duplicate),
    ),
    operator(
        "hand.twisted_wrist",
        Part::Wrist,
        Kind::Twisted,
        2,
        Apply::Hand(hand_whole::twisted_wrist),
    ),
    operator(
        "hand.melted",
        Part::Hand,
        Kind::MeltedTexture,
        1,
        Apply::Hand(hand_whole::melted),
    ),
    operator(
        "hand.size",
        Part::Hand,
        Kind::WrongLength,
        2,
        Apply::Hand(hand_whole::size),
    ),
    operator(
        "hand.disconnected",
        Part::Wrist,
        Kind::Disconnected,
        1,
        Apply::Hand(hand_whole::disconnected),
    ),
    operator(
        "hand.absent",
        Part::Hand,
        Kind::Missing,
        1,
        Apply::Hand(hand_whole::absent),
    ),
    operator(
        "face.eye_displaced",
        Part::Eye,
        Kind::Misplaced,
        2,
        Apply::Feature(face_features::eye_displaced),
    ),
    operator(
        "face.eye_size",
        Part::Eye,
        Kind::Asymmetric,
        2,
        Apply::Feature(face_features::eye_size),
    ),
    operator(
        "face.third_eye",
        Part::Eye,
        Kind::Extra,
        2,
        Apply::Feature(face_features::third_eye),
    ),
    operator(
        "face.missing_eye",
        Part::Eye,
        Kind::Missing,
        2,
        Apply::Feature(face_features::missing_eye),
    ),
    operator(
        "face.mouth_shifted",
        Part::Mouth,
        Kind::Misplaced,
        2,
        Apply::Feature(face_features::mouth_shifted),
    ),
    operator(
        "face.two_mouths",
        Part::Mouth,
        Kind::Extra,
        1,
        Apply::Feature(face_features::two_mouths),
    ),
    operator(
        "face.swapped_features",
        Part::Face,
        Kind::Swapped,
        1,
        Apply::Face(face_whole::swapped_features),
    ),
    operator(
        "face.flipped_features",
        Part::Face,
        Kind::Mirrored,
        1,
        Apply::Face(face_whole::flipped_features),
    ),
    operator(
        "face.melt",
        Part::Face,
        Kind::MeltedTexture,
        2,
        Apply::Face(face_whole::melt),
    ),
];

/// The operator of that id.
pub fn by_id(id: &str) -> Option<&'static Operator> {
    OPERATORS.iter().find(|operator| operator.id == id)
}

/// The value of a severity: slight, clear, gross.
pub(crate) fn by_severity(severity: Severity, values: [f64; 3]) -> f64 {
    values[usize::from(severity.level()) - 1]
}

/// Rounds a parameter for the record.
pub(crate) fn rounded(v: f64) -> f64 {
    (v * 1000.0).round() / 1000.0
}
