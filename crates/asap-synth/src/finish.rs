//! From a [`Draft`] to what is stored: lossless bytes, masks, ids and measurements.

use asap_core::{Assessment, BoxPx, Curation, Mask, Pair, PairId, Positive, PositiveId, Rejected, Source};
use image::RgbImage;

use crate::assess::{PositiveHashes, Subject, assess_hashed, changed_pixels};
use crate::raster::encode_png;
use crate::{Built, Draft, DraftPair, Dropped, Error, Result};

/// `mask_edit` reaches this far beyond the changed pixels: the radius of the SSIM window.
pub const EDIT_MARGIN_PX: u32 = 5;
/// A patch reaches this far beyond the changed pixels, where the budget allows it.
const PATCH_MARGIN_PX: u32 = 4;

/// The id of the positive that a draft with this source and recipe becomes.
pub fn positive_id(source: &Source, recipe: &str) -> PositiveId {
    PositiveId::new(&format!("{}{}", source.name, source.sha256), recipe)
}

/// Encodes and measures a draft.
///
/// The positive and every patch become PNG. A patch is the box around the pixels that truly changed, so the
/// rejected image is the positive with the patch put back, byte for byte. A rejected image in which nothing
/// changed is no pair: it is returned in [`Built::dropped`].
///
/// # Errors
/// [`Error::OutsideBudget`] when a pixel outside its budget differs, [`Error::Size`] when an image or mask has
/// another size than the positive, [`Error::Png`] and [`Error::Measure`].
pub fn finish(draft: Draft) -> Result<Built> {
    let positive = Positive {
        id: positive_id(&draft.source, &draft.recipe),
        image_png: encode_png(&draft.image)?,
        width: draft.image.width(),
        height: draft.image.height(),
        prompt: draft.prompt,
        skeletons: draft.skeletons,
        source: draft.source,
    };
    let mut built = Built {
        positive,
        pairs: Vec::with_capacity(draft.pairs.len()),
        assessments: Vec::with_capacity(draft.pairs.len()),
        dropped: Vec::new(),
    };
    let hashes = PositiveHashes::of(&draft.image);
    for pair in draft.pairs {
        finish_pair(&mut built, &draft.image, hashes, pair)?;
    }
    Ok(built)
}

fn finish_pair(
    built: &mut Built,
    preferred: &RgbImage,
    hashes: PositiveHashes,
    draft: DraftPair,
) -> Result<()> {
    check_sizes(preferred, &draft)?;
    let changed = changed_pixels(preferred, &draft.image);
    let Some(bounds) = changed.bounds() else {
        built.dropped.push(Dropped {
            seed: draft.provenance.seed,
            operators: draft.provenance.operators,
            reason: "no pixel was changed".to_owned(),
        });
        return Ok(());
    };
    check_budget(&changed, &draft)?;
    let mask_edit = dilated(&changed, EDIT_MARGIN_PX);
    let mask_part = draft.part_preferred.union(&draft.part_rejected).union(&mask_edit);
    let pair = Pair {
        id: PairId::new(
            built.positive.id,
            &draft.provenance.operators.join("+"),
            &draft.provenance.parameters,
            draft.provenance.seed,
        ),
        positive_id: built.positive.id,
        rejected: cut_patch(&draft.image, bounds, draft.budget)?,
        mask_edit,
        mask_part,
        regions: draft.regions,
        degradations: draft.degradations,
        mechanism: draft.mechanism,
        rejected_skeletons: draft.rejected_skeletons,
        provenance: draft.provenance,
    };
    let subject = Subject {
        preferred,
        rejected: &draft.image,
        pair: &pair,
        skeletons: &built.positive.skeletons,
        part_preferred: Some(&draft.part_preferred),
    };
    let (stats, evidence) = assess_hashed(&subject, hashes)?;
    built.assessments.push(Assessment {
        pair_id: pair.id,
        stats,
        evidence,
        curation: Curation::pending(),
    });
    built.pairs.push(pair);
    Ok(())
}

fn check_sizes(preferred: &RgbImage, draft: &DraftPair) -> Result<()> {
    let sizes = [
        ("rejected image", draft.image.dimensions()),
        (
            "part_preferred",
            (draft.part_preferred.width(), draft.part_preferred.height()),
        ),
        (
            "part_rejected",
            (draft.part_rejected.width(), draft.part_rejected.height()),
        ),
    ];
    let (width, height) = preferred.dimensions();
    match sizes.into_iter().find(|(_, size)| *size != (width, height)) {
        None => Ok(()),
        Some((what, (got_width, got_height))) => Err(Error::Size {
            what,
            got_width,
            got_height,
            width,
            height,
        }),
    }
}

fn check_budget(changed: &Mask, draft: &DraftPair) -> Result<()> {
    let width = changed.width() as usize;
    let rows = changed.bits().chunks_exact(width).zip(0..);
    let n_px = rows
        .flat_map(|(row, y)| row.iter().zip(0..).map(move |(&bit, x)| (bit, x, y)))
        .filter(|&(bit, x, y)| bit && !draft.budget.contains(x, y))
        .count() as u64;
    if n_px == 0 {
        return Ok(());
    }
    Err(Error::OutsideBudget {
        operator: draft.provenance.operators.join("+"),
        n_px,
    })
}

fn cut_patch(image: &RgbImage, changed: BoxPx, budget: BoxPx) -> Result<Rejected> {
    let grown = changed.grown(PATCH_MARGIN_PX, image.width(), image.height());
    let patch = BoxPx {
        x0: grown.x0.max(budget.x0),
        y0: grown.y0.max(budget.y0),
        x1: grown.x1.min(budget.x1),
        y1: grown.y1.min(budget.y1),
    };
    let pixels =
        image::imageops::crop_imm(image, patch.x0, patch.y0, patch.width(), patch.height()).to_image();
    Ok(Rejected::Patch {
        budget: patch,
        png: encode_png(&pixels)?,
    })
}

/// [`Mask::dilated`], computed only near the marked pixels: a mask of a hand is a small part of its image.
fn dilated(mask: &Mask, radius_px: u32) -> Mask {
    let Some(bounds) = mask.bounds() else {
        return mask.clone();
    };
    let near = bounds.grown(radius_px, mask.width(), mask.height());
    let crop = Mask::from_fn(near.width(), near.height(), |x, y| {
        mask.get(near.x0 + x, near.y0 + y)
    });
    let crop = crop.dilated(radius_px);
    let mut out = Mask::new(mask.width(), mask.height());
    for y in 0..crop.height() {
        for x in (0..crop.width()).filter(|&x| crop.get(x, y)) {
            out.set(near.x0 + x, near.y0 + y, true);
        }
    }
    out
}

/// The rejected image of a pair: the preferred one with the patch put in, or the whole image as stored.
///
/// # Errors
/// [`Error::Png`] for torn bytes, [`Error::Size`] when the stored pixels do not fit the box or the positive.
pub fn rejected_image(preferred: &RgbImage, rejected: &Rejected) -> Result<RgbImage> {
    let (width, height) = preferred.dimensions();
    match rejected {
        Rejected::Whole { png } => {
            let image = crate::raster::decode_png(png)?;
            expect_size("rejected image", image.dimensions(), (width, height))?;
            Ok(image)
        }
        Rejected::Patch { budget, png } => {
            let patch = crate::raster::decode_png(png)?;
            expect_size("patch", patch.dimensions(), (budget.width(), budget.height()))?;
            let inside = (budget.x1.min(width), budget.y1.min(height));
            expect_size("end of the patch", inside, (budget.x1, budget.y1))?;
            let mut image = preferred.clone();
            image::imageops::replace(&mut image, &patch, i64::from(budget.x0), i64::from(budget.y0));
            Ok(image)
        }
    }
}

fn expect_size(what: &'static str, got: (u32, u32), expected: (u32, u32)) -> Result<()> {
    if got == expected {
        return Ok(());
    }
    Err(Error::Size {
        what,
        got_width: got.0,
        got_height: got.1,
        width: expected.0,
        height: expected.1,
    })
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use asap_core::{
        Degradation, Kind, Mechanism, Part, Provenance, Region, Scope, Severity, SourceKind, StatRegion,
    };

    /// A textured picture.
    pub(crate) fn picture(width: u32, height: u32) -> RgbImage {
        let mut stream = asap_core::Stream::new(5, "finish picture");
        let noise: Vec<u8> = (0..1024).map(|_| stream.below(120) as u8).collect();
        RgbImage::from_fn(width, height, |x, y| {
            let at = |k: u32| noise[((x / 3 + 37 * (y / 2) + k) % 1024) as usize];
            image::Rgb([at(0) + (x % 100) as u8, at(11) + (y % 100) as u8, at(500)])
        })
    }

    /// A draft with one pair that repaints a disc.
    pub(crate) fn draft(width: u32, height: u32, disc: (u32, u32, u32)) -> Draft {
        let image = picture(width, height);
        let (cx, cy, radius) = disc;
        let inside = |x: u32, y: u32| x.abs_diff(cx).pow(2) + y.abs_diff(cy).pow(2) <= radius * radius;
        let mut rejected = image.clone();
        for (x, y, pixel) in rejected.enumerate_pixels_mut() {
            if inside(x, y) {
                pixel.0 = pixel.0.map(|v| 255 - v);
            }
        }
        let part = Mask::from_fn(width, height, |x, y| {
            x.abs_diff(cx).pow(2) + y.abs_diff(cy).pow(2) <= (2 * radius).pow(2)
        });
        Draft {
            source: Source {
                kind: SourceKind::Photograph,
                name: "a.jpg".to_owned(),
                sha256: "00".repeat(32),
                licence: String::new(),
            },
            recipe: "{}".to_owned(),
            image,
            prompt: "a hand".to_owned(),
            skeletons: Vec::new(),
            pairs: vec![DraftPair {
                image: rejected,
                budget: BoxPx {
                    x0: cx - 2 * radius,
                    y0: cy - 2 * radius,
                    x1: cx + 2 * radius,
                    y1: cy + 2 * radius,
                },
                part_preferred: part.clone(),
                part_rejected: part,
                regions: vec![Region::LeftHand],
                degradations: vec![Degradation {
                    part: Part::Hand,
                    kind: Kind::MeltedTexture,
                    scope: Scope::Local,
                    severity: Severity::Clear,
                }],
                mechanism: Mechanism::ImageSpace,
                rejected_skeletons: Vec::new(),
                provenance: Provenance {
                    operators: vec!["hand.melted@1".to_owned()],
                    parameters: "{}".to_owned(),
                    seed: 9,
                    code_version: "test".to_owned(),
                },
            }],
        }
    }

    #[test]
    fn a_pair_is_stored_as_a_patch_and_measured() {
        let draft = draft(160, 120, (80, 60, 15));
        let (preferred, rejected) = (draft.image.clone(), draft.pairs[0].image.clone());
        let built = finish(draft).unwrap();
        let pair = &built.pairs[0];
        assert_eq!(
            crate::raster::decode_png(&built.positive.image_png).unwrap(),
            preferred
        );
        assert_eq!(rejected_image(&preferred, &pair.rejected).unwrap(), rejected);
        let Rejected::Patch { budget, .. } = &pair.rejected else {
            panic!("a patch was expected");
        };
        assert_eq!((budget.width(), budget.height()), (39, 39));
        // A disc of radius 15 grown by 5 is nearly a disc of radius 20, and lies in the disc of radius 30.
        assert!(
            (1230..=1270).contains(&pair.mask_edit.area_px()),
            "{:?}",
            pair.mask_edit
        );
        assert_eq!(
            pair.mask_edit,
            changed_pixels(&preferred, &rejected).dilated(EDIT_MARGIN_PX)
        );
        assert_eq!(pair.mask_part.union(&pair.mask_edit), pair.mask_part);
        let stats = &built.assessments[0].stats;
        let regions: Vec<StatRegion> = stats.iter().map(|stats| stats.region).collect();
        assert_eq!(
            regions,
            [
                StatRegion::Edit,
                StatRegion::Part,
                StatRegion::Body(Region::LeftHand)
            ]
        );
        assert!(
            stats
                .iter()
                .all(|stats| stats.changed_outside_px == 0 && stats.ssim_outside == Some(1.0))
        );
        assert!(stats[0].ssim_inside < stats[1].ssim_inside);
        let evidence = &built.assessments[0].evidence;
        assert_eq!((evidence.short_side_px, evidence.containment), (120, 1.0));
        assert_eq!((evidence.part_side_px, evidence.mask_components), (61, 1));
        assert_eq!(evidence.edit_px, changed_pixels(&preferred, &rejected).area_px());
        assert!((evidence.edit_share_of_part - 0.25).abs() < 0.01);
        assert!(evidence.is_patch && evidence.pose_score.is_none());
    }

    #[test]
    fn the_same_draft_gives_the_same_bytes() {
        let run = || finish(draft(160, 120, (80, 60, 15))).unwrap();
        let (first, second) = (run(), run());
        assert_eq!(first.positive, second.positive);
        assert_eq!(first.pairs, second.pairs);
        assert_eq!(first.assessments, second.assessments);
    }

    #[test]
    fn an_image_without_a_change_is_no_pair() {
        let mut draft = draft(160, 120, (80, 60, 15));
        draft.pairs[0].image = draft.image.clone();
        let built = finish(draft).unwrap();
        assert!(built.pairs.is_empty() && built.assessments.is_empty());
        assert_eq!(
            (built.dropped[0].seed, built.dropped[0].reason.as_str()),
            (9, "no pixel was changed")
        );
    }

    #[test]
    fn a_change_outside_the_budget_is_refused() {
        let mut draft = draft(160, 120, (80, 60, 15));
        draft.pairs[0].image.put_pixel(2, 2, image::Rgb([1, 2, 3]));
        draft.pairs[0].image.put_pixel(159, 119, image::Rgb([1, 2, 3]));
        let error = finish(draft).unwrap_err();
        assert_eq!(
            error.to_string(),
            "`hand.melted@1` changed 2 pixels outside its budget"
        );
    }

    #[test]
    fn a_mask_of_another_size_is_refused() {
        let mut draft = draft(160, 120, (80, 60, 15));
        draft.pairs[0].part_rejected = Mask::new(160, 121);
        assert_eq!(
            finish(draft).unwrap_err().to_string(),
            "`part_rejected` is 160x121, expected 160x120"
        );
    }
}
