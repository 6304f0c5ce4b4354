//! Prompts out of preference pairs, so that the images of a HAP dataset can be judged like those of a model.
//!
//! The preferred images are one run and the rejected ones another. What a judge should say is known by
//! construction, so a judge, a protocol or a rater can be tried out where every answer can be checked.

use asap_core::prompt::{CountRange, Framing, PromptSource, VisiblePart};
use asap_core::skeleton::joint;
use asap_core::{Category, Degradation, Pair, Part, Positive, Prompt, Region, Skeleton};

use super::{ProtocolRef, sha256};

/// What the manifests of both runs name as their protocol, by its hash.
const RULES: &str = "\
One prompt for each labelled pair; the text is the caption of the preferred image.
One run of the preferred images, one of the rejected images, seed 0, the bytes as the dataset gives them.
Hands, wrists and faces are basic anatomy, everything else is full body; the subcategory is the part.
";

/// The model's name of the run of preferred images.
pub const PREFERRED: &str = "hap-preferred";
/// The model's name of the run of rejected images.
pub const REJECTED: &str = "hap-rejected";

/// How the images came to be: not drawn for their prompts, but taken from a dataset.
pub fn protocol() -> ProtocolRef {
    ProtocolRef {
        id: "from-hap.v1".to_owned(),
        sha256: sha256(RULES.as_bytes()),
    }
}

/// The prompt that both images of a pair stand under: its id is made from the pair's, its text is the caption of
/// the preferred image, its place in the taxonomy is that of the labelled error.
///
/// Errors of hands and faces count as basic anatomy, those of limbs and of the trunk as full body; the
/// subcategory is the part of the body, the factor the kind of error. The difficulty runs against the severity of
/// the error: what is gross is easy to judge.
///
/// `None` for a pair without a labelled error, as imported pairs are.
pub fn prompt(positive: &Positive, pair: &Pair) -> Option<Prompt> {
    let main = main_error(&pair.degradations)?;
    let mut factors: Vec<String> = pair
        .degradations
        .iter()
        .map(|error| error.kind.name().to_owned())
        .collect();
    factors.sort_unstable();
    factors.dedup();
    let text = pair.id.to_string();
    Some(Prompt {
        id: format!("hap-{}", &text[..16]).try_into().ok()?,
        category: category(main.part),
        subcategory: main.part.name().to_owned(),
        factors,
        prompt: positive.prompt.clone(),
        regions: visible_parts(&pair.regions),
        persons: positive.skeletons.len().max(1) as u32,
        hands_expected: CountRange {
            min: 0,
            max: 2 * positive.skeletons.len().max(1) as u32,
        },
        framing: framing(positive.skeletons.first()),
        difficulty: 4 - main.severity.level(),
        lang: "en".to_owned(),
        source: PromptSource::Template,
        license: "LicenseRef-HAP".to_owned(),
        added: pair.provenance.code_version.clone(),
    })
}

/// The strongest error; the first of equals.
fn main_error(errors: &[Degradation]) -> Option<&Degradation> {
    errors.iter().rev().max_by_key(|error| error.severity)
}

const fn category(part: Part) -> Category {
    match part {
        Part::Face
        | Part::Eye
        | Part::Ear
        | Part::Nose
        | Part::Mouth
        | Part::Wrist
        | Part::Hand
        | Part::Finger
        | Part::Thumb => Category::BasicAnatomy,
        Part::Neck
        | Part::Torso
        | Part::Arm
        | Part::Elbow
        | Part::Leg
        | Part::Knee
        | Part::Foot
        | Part::Multi => Category::FullBody,
    }
}

fn visible_parts(regions: &[Region]) -> Vec<VisiblePart> {
    let mut parts: Vec<VisiblePart> = regions
        .iter()
        .map(|region| match region {
            Region::LeftHand | Region::RightHand => VisiblePart::Hands,
            Region::Face => VisiblePart::Face,
            Region::LeftArm | Region::RightArm => VisiblePart::Arms,
            Region::LeftLeg | Region::RightLeg => VisiblePart::Legs,
            Region::LeftFoot | Region::RightFoot => VisiblePart::Feet,
            Region::Torso => VisiblePart::Torso,
        })
        .collect();
    parts.sort_unstable();
    parts.dedup();
    parts
}

/// By the lowest joint that is seen; a picture without a skeleton is taken for a portrait.
fn framing(skeleton: Option<&Skeleton>) -> Framing {
    let sees = |left: usize| {
        skeleton.is_some_and(|skeleton| {
            let points = skeleton.keypoints();
            points[left].is_seen() || points[left + 1].is_seen()
        })
    };
    if sees(joint::LEFT_ANKLE) {
        Framing::FullBody
    } else if sees(joint::LEFT_HIP) {
        Framing::HalfBody
    } else {
        Framing::Portrait
    }
}

#[cfg(test)]
mod tests {
    use asap_core::{Kind, Scope, Severity};

    use super::*;

    #[test]
    fn the_strongest_error_places_the_prompt() {
        let error = |part, kind, severity| Degradation {
            part,
            kind,
            scope: Scope::Local,
            severity,
        };
        let errors = [
            error(Part::Hand, Kind::Twisted, Severity::Clear),
            error(Part::Knee, Kind::WrongJoint, Severity::Gross),
            error(Part::Eye, Kind::Extra, Severity::Gross),
        ];
        assert_eq!(main_error(&errors).map(|error| error.part), Some(Part::Knee));
        assert_eq!(category(Part::Knee), Category::FullBody);
        assert_eq!(category(Part::Thumb), Category::BasicAnatomy);
        assert_eq!(main_error(&[]), None);
    }

    #[test]
    fn parts_are_named_once_and_in_order() {
        let regions = [Region::Face, Region::RightHand, Region::LeftHand];
        assert_eq!(visible_parts(&regions), [VisiblePart::Hands, VisiblePart::Face]);
    }

    #[test]
    fn framing_follows_the_lowest_seen_joint() {
        let skeleton = |seen: &[usize]| {
            let mut points = vec![[0.0, 0.0, 0.0_f32]; asap_core::skeleton::N_KEYPOINTS];
            for &idx in seen {
                points[idx] = [1.0, 1.0, 1.0];
            }
            let points: Vec<asap_core::Keypoint> = points.into_iter().map(Into::into).collect();
            Skeleton::try_from(points).unwrap()
        };
        assert_eq!(framing(Some(&skeleton(&[5, 11, 16]))), Framing::FullBody);
        assert_eq!(framing(Some(&skeleton(&[5, 12]))), Framing::HalfBody);
        assert_eq!(framing(Some(&skeleton(&[5]))), Framing::Portrait);
        assert_eq!(framing(None), Framing::Portrait);
    }
}
