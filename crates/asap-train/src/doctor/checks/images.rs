//! Both images of a pair against each other, and against those of other pairs.

use std::collections::BTreeMap;

use super::super::facts::Facts;
use super::super::finding::Hit;
use super::super::pixels::MaskFacts;
use super::super::thresholds::{
    BACKGROUND_MAX, BACKGROUND_MEAN_MAX, INVERTED_RATIO, LATENT_LEAK_MAX, POSE_MARGIN,
};
use super::Subject;

/// They could not be compared.
pub(super) fn unreadable(subject: &Subject<'_>) -> Vec<Hit> {
    let reasons = subject
        .facts
        .iter()
        .filter_map(|facts| Some((facts.pair, facts.unreadable.clone()?)));
    reasons.map(|(pair, why)| Hit::new(pair, 0.0, why)).collect()
}

/// More than rounding and compression differs outside of the training mask. Where the mask is empty or inverted, that
/// is told instead.
pub(super) fn background(subject: &Subject<'_>) -> Vec<Hit> {
    subject
        .masks()
        .filter(|(_, mask)| mask.inside.is_some() && !is_inverted(mask))
        .filter_map(|(facts, mask)| beyond(facts, mask))
        .collect()
}

/// The same for `mask_edit`, where it is not the training mask: it marks every changed pixel by its definition.
pub(super) fn beyond_edit(subject: &Subject<'_>) -> Vec<Hit> {
    if subject.mask == crate::config::MaskSource::Edit {
        return Vec::new();
    }
    let edits = subject
        .facts
        .iter()
        .filter_map(|facts| Some((facts, facts.mask_edit.as_ref()?)));
    edits.filter_map(|(facts, mask)| beyond(facts, mask)).collect()
}

fn is_inverted(mask: &MaskFacts) -> bool {
    mask.outside_over_inside()
        .is_some_and(|ratio| ratio > INVERTED_RATIO)
}

fn beyond(facts: &Facts, mask: &MaskFacts) -> Option<Hit> {
    let outside = mask.outside?;
    if outside.mean <= BACKGROUND_MEAN_MAX && outside.max <= BACKGROUND_MAX {
        return None;
    }
    let evidence = format!(
        "outside: mean {:.2} (at most {BACKGROUND_MEAN_MAX}), largest {} (at most {BACKGROUND_MAX}), {:.1} % of pixels changed",
        outside.mean,
        outside.max,
        outside.changed_share * 100.0
    );
    Some(Hit::new(facts.pair, outside.mean, evidence))
}

/// The latents of the background differ.
pub(super) fn latents(subject: &Subject<'_>) -> Vec<Hit> {
    let mut hits = Vec::new();
    for facts in subject.facts {
        for encoded in &facts.latents {
            if let Some(ratio) = encoded.facts.outside_over_inside()
                && ratio > LATENT_LEAK_MAX
            {
                let evidence = format!(
                    "{}: outside {:.3}, inside {:.3}, expected at most {:.0} % of it",
                    encoded.encoder,
                    encoded.facts.outside.unwrap_or_default(),
                    encoded.facts.inside.unwrap_or_default(),
                    LATENT_LEAK_MAX * 100.0
                );
                hits.push(Hit::new(facts.pair, ratio, evidence));
                break;
            }
        }
    }
    hits
}

/// No pixel differs.
pub(super) fn equal(subject: &Subject<'_>) -> Vec<Hit> {
    let equal = subject.masks().filter(|(_, mask)| mask.is_equal());
    equal
        .map(|(facts, _)| Hit::new(facts.pair, 0.0, "0 px differ"))
        .collect()
}

/// An earlier pair has the same two images.
pub(super) fn duplicate(subject: &Subject<'_>) -> Vec<Hit> {
    let mut first = BTreeMap::new();
    let mut hits = Vec::new();
    for facts in subject.facts {
        let Some(images) = facts.pixels_sha256 else {
            continue;
        };
        let earlier = *first.entry(images).or_insert(facts.pair);
        if earlier != facts.pair {
            hits.push(Hit::new(facts.pair, 0.0, format!("as `{}`", earlier.short())));
        }
    }
    hits
}

/// What is rejected here is preferred there.
pub(super) fn contradiction(subject: &Subject<'_>) -> Vec<Hit> {
    let images = || {
        subject
            .facts
            .iter()
            .filter_map(|facts| Some((facts.pair, facts.pixels_sha256?)))
    };
    // Equal images have a finding of their own.
    let differ = |images: &[asap_core::Sha256; 2]| images[0] != images[1];
    let preferred: BTreeMap<_, _> = images()
        .filter(|(_, images)| differ(images))
        .map(|(pair, [preferred, _])| (preferred, pair))
        .collect();
    images()
        .filter(|(_, images)| differ(images))
        .filter_map(|(pair, [_, rejected])| Some((pair, preferred.get(&rejected)?)))
        .map(|(pair, other)| Hit::new(pair, 0.0, format!("preferred in `{}`", other.short())))
        .collect()
}

/// The stored keypoints of the rejected image have the higher scores.
pub(super) fn pose(subject: &Subject<'_>) -> Vec<Hit> {
    let scored = subject
        .facts
        .iter()
        .filter_map(|facts| Some((facts.pair, facts.pose_scores?)));
    scored
        .filter(|(_, [preferred, rejected])| rejected - preferred > POSE_MARGIN)
        .map(|(pair, [preferred, rejected])| {
            let evidence = format!("mean score {rejected:.2} rejected, {preferred:.2} preferred");
            Hit::new(pair, rejected - preferred, evidence)
        })
        .collect()
}
