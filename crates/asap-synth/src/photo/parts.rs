//! Which hands and faces of a photograph can be used, and what is known of each.

use asap_core::skeleton::{N_HAND, hand_start, joint, on_side};
use asap_core::{Point, Region, Side, Skeleton};

use super::face::{self, FaceSpec};
use super::hand::{self, HandSpec};
use super::poses::{HandBox, PosedImage, PosedPerson, Rect};

/// The margin of a box that is made from keypoints, over its longer side.
const KEYPOINT_MARGIN: f64 = 0.15;
/// Hand points that must be seen for a hand to count as known point by point.
const MIN_SEEN: usize = 18;

/// A hand or a face.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Spec {
    /// A hand.
    Hand(Box<HandSpec>),
    /// A face.
    Face(FaceSpec),
}

/// A part of a person in the photograph.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct PartSpec {
    /// Index of the person in the pose file.
    pub(crate) person_idx: usize,
    /// Its region.
    pub(crate) region: Region,
    /// What is known of it.
    pub(crate) spec: Spec,
}

impl PartSpec {
    /// A name for it that is unique in the photograph.
    pub(crate) fn key(&self) -> String {
        format!("{}/{}", self.person_idx, self.region.name())
    }
}

/// The usable parts of all people, and why the others are not usable.
pub(crate) fn usable(posed: &PosedImage, width: u32, height: u32) -> (Vec<PartSpec>, Vec<String>) {
    let (mut parts, mut reasons) = (Vec::new(), Vec::new());
    for (person_idx, person) in posed.people.iter().enumerate() {
        for (region, spec) in specs(person) {
            match check(&spec, width, height) {
                Ok(()) => parts.push(PartSpec {
                    person_idx,
                    region,
                    spec,
                }),
                Err(reason) => reasons.push(format!("{} of person {person_idx}: {reason}", region.name())),
            }
        }
    }
    if parts.is_empty() && reasons.is_empty() {
        reasons.push("no hand or face is known, neither by keypoints nor by a box".to_owned());
    }
    (parts, reasons)
}

fn check(spec: &Spec, width: u32, height: u32) -> Result<(), String> {
    let (rect, least) = match spec {
        Spec::Hand(hand) => (hand.rect, hand::MIN_SIDE_PX),
        Spec::Face(face) => (face.rect, face::MIN_SIDE_PX),
    };
    let side = rect.width.min(rect.height);
    if side < least {
        return Err(format!("it is {side:.0} px, at least {least:.0} px are needed"));
    }
    let overlap = |start: f64, length: f64, end: u32| {
        ((start + length).min(f64::from(end)) - start.max(0.0)).max(0.0) / length
    };
    let share = overlap(rect.x, rect.width, width) * overlap(rect.y, rect.height, height);
    if share < 0.6 {
        return Err("most of it is out of the frame".to_owned());
    }
    Ok(())
}

fn specs(person: &PosedPerson) -> Vec<(Region, Spec)> {
    let mut found = Vec::new();
    for side in Side::BOTH {
        let boxed = person.hands.iter().find(|hand| side_of(person, hand) == side);
        let points = boxed
            .and_then(|hand| hand.keypoints.as_deref())
            .and_then(|keypoints| seen_points(|idx| keypoints[idx]))
            .or_else(|| {
                let skeleton = person.skeleton.as_ref()?;
                seen_points(|idx| skeleton[hand_start(side) + idx])
            });
        let rect = boxed
            .map(|hand| hand.rect)
            .or_else(|| points.as_ref().map(|points| around(points)));
        if let Some(rect) = rect {
            let keypoints = points.filter(|points| lies_in(points, rect));
            found.push((
                Region::hand(side),
                Spec::Hand(Box::new(HandSpec { rect, keypoints })),
            ));
        }
    }
    let landmarks = person.skeleton.as_ref().and_then(face::landmarks);
    let rect = person
        .face_box
        .or_else(|| landmarks.as_ref().map(|points| around(points)));
    if let Some(rect) = rect {
        found.push((Region::Face, Spec::Face(FaceSpec { rect, landmarks })));
    }
    found
}

/// The side that was said, or the likely one: most people in photographs face the camera, so that their
/// right hand is on the left of the picture.
fn side_of(person: &PosedPerson, hand: &HandBox) -> Side {
    hand.side.unwrap_or_else(|| {
        let middle = |rect: Rect| rect.x + 0.5 * rect.width;
        let others = person
            .hands
            .iter()
            .filter(|other| *other != hand)
            .map(|other| middle(other.rect));
        let reference = others
            .chain(person.bbox.map(middle))
            .next()
            .unwrap_or(f64::INFINITY);
        if middle(hand.rect) < reference {
            Side::Right
        } else {
            Side::Left
        }
    })
}

fn seen_points(keypoint: impl Fn(usize) -> asap_core::Keypoint) -> Option<[Point; N_HAND]> {
    let keypoints: [_; N_HAND] = std::array::from_fn(keypoint);
    let n_seen = keypoints.iter().filter(|k| k.is_seen()).count();
    // A point at the very origin is a placeholder whatever its score says.
    let is_placed = keypoints
        .iter()
        .all(|k| k.score > 0.0 && (k.x != 0.0 || k.y != 0.0));
    (n_seen >= MIN_SEEN && keypoints[0].is_seen() && is_placed).then(|| keypoints.map(|k| k.point()))
}

/// Whether the keypoints belong to the box: their middle lies inside.
fn lies_in(points: &[Point], rect: Rect) -> bool {
    let middle = points.iter().fold(Point::default(), |sum, &p| sum + p) * (1.0 / points.len() as f64);
    middle.x > rect.x
        && middle.y > rect.y
        && middle.x < rect.x + rect.width
        && middle.y < rect.y + rect.height
}

fn around(points: &[Point]) -> Rect {
    let fold =
        |f: fn(f64, f64) -> f64, start: f64, axis: fn(&Point) -> f64| points.iter().map(axis).fold(start, f);
    let (x0, x1) = (
        fold(f64::min, f64::INFINITY, |p| p.x),
        fold(f64::max, f64::NEG_INFINITY, |p| p.x),
    );
    let (y0, y1) = (
        fold(f64::min, f64::INFINITY, |p| p.y),
        fold(f64::max, f64::NEG_INFINITY, |p| p.y),
    );
    let margin = KEYPOINT_MARGIN * (x1 - x0).max(y1 - y0);
    Rect {
        x: x0 - margin,
        y: y0 - margin,
        width: x1 - x0 + 2.0 * margin,
        height: y1 - y0 + 2.0 * margin,
    }
}

/// Whether the wrist of a side is seen, which says that the hand is in the picture.
pub(crate) fn has_wrist(skeleton: &Skeleton, side: Side) -> bool {
    skeleton.seen(on_side(joint::LEFT_WRIST, side)).is_some()
}
