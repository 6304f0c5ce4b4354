//! A caption of what is known: how many people, and which of their parts are seen.

use asap_core::Side;

use super::parts;
use super::poses::{PosedImage, PosedPerson};

const NUMBERS: [&str; 9] = [
    "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten",
];

/// One plain sentence, true by the poses alone: nothing else is known of the picture.
pub(crate) fn caption(posed: &PosedImage) -> String {
    let medium = if posed.kind == "generated" {
        "An image"
    } else {
        "A photograph"
    };
    let n = posed.people.len();
    match posed.people.as_slice() {
        [person] => format!("{medium} of a person{}", visible(person)),
        people => {
            let number = NUMBERS
                .get(n.wrapping_sub(2))
                .map_or_else(|| n.to_string(), |word| (*word).to_owned());
            let all_faces = people.iter().all(has_face);
            let faces = if all_faces {
                " with their faces visible"
            } else {
                ""
            };
            format!("{medium} of {number} people{faces}")
        }
    }
}

fn visible(person: &PosedPerson) -> String {
    let n_hands = Side::BOTH
        .into_iter()
        .filter(|&side| {
            let seen = person
                .skeleton
                .as_ref()
                .is_some_and(|skeleton| parts::has_wrist(skeleton, side));
            person.hands.iter().any(|hand| hand.side == Some(side)) || (seen && person.hands.is_empty())
        })
        .count()
        .max(
            person
                .hands
                .iter()
                .filter(|hand| hand.side.is_none())
                .count()
                .min(2),
        );
    match (has_face(person), n_hands) {
        (true, 2) => " with the face and both hands visible".to_owned(),
        (true, 1) => " with the face and one hand visible".to_owned(),
        (true, _) => " with the face visible".to_owned(),
        (false, 2) => " with both hands visible".to_owned(),
        (false, 1) => " with one hand visible".to_owned(),
        (false, _) => String::new(),
    }
}

fn has_face(person: &PosedPerson) -> bool {
    person.face_box.is_some()
        || person
            .skeleton
            .as_ref()
            .is_some_and(|skeleton| super::face::landmarks(skeleton).is_some())
}
