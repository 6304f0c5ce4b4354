//! Each check on facts of small images.

use asap_core::{Mask, PairId, PositiveId, Sha256};
use image::{Rgb, RgbImage};

use super::super::facts::{Cut, Encoded, Facts};
use super::super::latents::{GridFacts, LatentFacts};
use super::super::pixels::MaskFacts;
use super::{Subject, run};
use crate::config::MaskSource;

const SIZE: u32 = 16;

/// A pair whose rejected image differs by 90 in the square 4 to 8.
fn images(number: u8) -> [RgbImage; 2] {
    let preferred = RgbImage::from_pixel(SIZE, SIZE, Rgb([number, 80, 80]));
    let mut rejected = preferred.clone();
    for (x, y) in (4..8).flat_map(|y| (4..8).map(move |x| (x, y))) {
        rejected.put_pixel(x, y, Rgb([number, 170, 80]));
    }
    [preferred, rejected]
}

/// What is marked right: the square with a border.
fn square() -> Mask {
    Mask::from_fn(SIZE, SIZE, |x, y| (3..9).contains(&x) && (3..9).contains(&y))
}

fn facts(number: u8, [preferred, rejected]: &[RgbImage; 2], mask: &Mask) -> Facts {
    let of = |mask| MaskFacts::of(preferred, rejected, (mask, "the mask")).unwrap();
    Facts {
        pair: PairId::from_bytes([number; 32]),
        positive: PositiveId::from_bytes([number; 32]),
        caption: format!("A person waves, number {number}"),
        unreadable: None,
        mask_edit: Some(of(&square())),
        mask_part: Some(of(mask)),
        grid: Some(GridFacts {
            columns: 2,
            rows: 2,
            cells: 2.0,
            share: 0.5,
        }),
        latents: Vec::new(),
        cut: Vec::new(),
        pixels_sha256: Some([preferred, rejected].map(|image| asap_store::sha256(image.as_raw()))),
        pose_scores: None,
    }
}

/// A pair without fault.
fn good(number: u8) -> Facts {
    facts(number, &images(number), &square())
}

/// Every finding with a pair in it, as `check: pairs`.
fn found(facts: &[Facts]) -> Vec<String> {
    let subject = Subject {
        facts,
        mask: MaskSource::Part,
    };
    run(&subject)
        .iter()
        .filter(|finding| !finding.hits.is_empty())
        .map(|finding| {
            let pairs: Vec<String> = finding
                .hits
                .iter()
                .map(|hit| hit.pair.as_bytes()[0].to_string())
                .collect();
            format!("{}: {}", finding.check, pairs.join(" "))
        })
        .collect()
}

#[test]
fn good_pairs_have_no_finding() {
    assert_eq!(found(&[good(1), good(2), good(3)]), [""; 0]);
}

#[test]
fn masks_that_are_empty_inverted_or_full_are_told() {
    let empty = facts(2, &images(2), &Mask::new(SIZE, SIZE));
    assert_eq!(found(&[good(1), empty]), ["mask.empty: 2"]);
    let inverted = facts(2, &images(2), &square().complement());
    assert_eq!(found(&[good(1), inverted]), ["mask.inverted: 2"]);
    let full = facts(2, &images(2), &Mask::new(SIZE, SIZE).complement());
    assert_eq!(found(&[good(1), full]), ["mask.full: 2"]);
}

#[test]
fn an_inverted_mask_is_found_under_noise_and_a_right_one_is_not() {
    // Every pixel of the rejected image is off by 1, as after a JPEG.
    let [preferred, mut rejected] = images(2);
    for pixel in rejected.pixels_mut() {
        pixel.0[2] += 1;
    }
    let pair = [preferred, rejected];
    assert_eq!(found(&[facts(2, &pair, &square())]), [""; 0]);
    assert_eq!(
        found(&[facts(2, &pair, &square().complement())]),
        ["mask.inverted: 2"]
    );
}

#[test]
fn two_images_without_a_local_error_are_no_inverted_mask() {
    let [preferred, _] = images(2);
    let other = RgbImage::from_pixel(SIZE, SIZE, Rgb([2, 140, 80]));
    assert_eq!(
        found(&[facts(2, &[preferred, other], &square())]),
        ["background.pixels: 2", "background.edit: 2"]
    );
}

#[test]
fn a_small_thing_that_changed_in_the_background_is_told() {
    let [preferred, mut rejected] = images(2);
    rejected.put_pixel(14, 14, Rgb([2, 80, 200]));
    assert_eq!(
        found(&[good(1), facts(2, &[preferred, rejected], &square())]),
        ["background.pixels: 2", "background.edit: 2"]
    );
}

#[test]
fn a_mask_may_be_lost_on_the_grid_or_nearly() {
    let with_cells = |number, cells| {
        let mut facts = good(number);
        facts.grid = facts.grid.map(|grid| GridFacts { cells, ..grid });
        facts
    };
    assert_eq!(
        found(&[
            with_cells(1, 0.0),
            with_cells(2, 0.6),
            with_cells(3, 0.5),
            with_cells(4, 1.0)
        ]),
        ["mask.lost: 1", "mask.speck: 3 2"]
    );
}

#[test]
fn latents_of_the_background_must_stay() {
    let with_latents = |number, outside| Facts {
        latents: vec![Encoded {
            encoder: "tiny",
            facts: LatentFacts {
                inside: Some(1.0),
                outside: Some(outside),
            },
        }],
        ..good(number)
    };
    let pairs = [with_latents(1, 0.05), with_latents(2, 0.06), with_latents(3, 0.2)];
    assert_eq!(found(&pairs), ["background.latents: 3 2"]);
}

#[test]
fn equal_and_repeated_images_are_told() {
    let [preferred, _] = images(2);
    let equal = facts(2, &[preferred.clone(), preferred], &square());
    assert_eq!(found(&[good(1), equal]), ["images.equal: 2"]);
    let repeated = facts(9, &images(1), &square());
    assert_eq!(found(&[good(1), repeated]), ["images.duplicate: 9"]);
}

#[test]
fn swapped_images_are_suspected_by_other_pairs_and_by_poses() {
    let [preferred, rejected] = images(1);
    let swapped = facts(9, &[rejected, preferred], &square());
    assert_eq!(found(&[good(1), swapped]), ["swap.contradiction: 1 9"]);
    let with_scores = |number, scores| Facts {
        pose_scores: Some(scores),
        ..good(number)
    };
    let pairs = [with_scores(1, [0.8, 0.85]), with_scores(2, [0.6, 0.9])];
    assert_eq!(found(&pairs), ["swap.pose: 2"]);
}

#[test]
fn captions_that_say_nothing_or_too_much_are_told() {
    let with_caption = |number, caption: &str| Facts {
        caption: caption.to_owned(),
        ..good(number)
    };
    let long = |number, n_left_out| Facts {
        cut: vec![Cut {
            tokenizer: "words".to_owned(),
            limit: 32,
            n_left_out,
        }],
        ..good(number)
    };
    let pairs = [
        with_caption(1, " \n"),
        with_caption(2, "same"),
        with_caption(3, "same "),
        long(4, 1),
        long(5, 7),
    ];
    assert_eq!(
        found(&pairs),
        ["caption.missing: 1", "caption.cut: 5 4", "caption.duplicate: 3"]
    );
}

#[test]
fn a_pair_that_cannot_be_compared_is_one_finding() {
    let broken = Facts {
        unreadable: Some("expected 16 x 16 px".to_owned()),
        mask_edit: None,
        mask_part: None,
        grid: None,
        pixels_sha256: None,
        ..good(2)
    };
    assert_eq!(found(&[good(1), broken]), ["pair.unreadable: 2"]);
    // Hashes are of pixels: they tell images apart.
    assert_ne!(good(1).pixels_sha256, good(2).pixels_sha256);
    assert_ne!(good(1).pixels_sha256.unwrap()[0], Sha256::from_bytes([0; 32]));
}
