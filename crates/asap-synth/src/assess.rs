//! What is measured on a pair: region statistics and the evidence of curation.

use asap_core::{BoxPx, Evidence, Mask, Pair, Point, RegionStats, Rejected, Skeleton, StatRegion};
use asap_metrics::{RegionRule, RgbView, laplacian_variance, region_stats};
use image::RgbImage;

use crate::hash::{dhash, phash, whole};
use crate::region_masks::region_masks;
use crate::{Error, Result};

/// The number of COCO body keypoints, the feet not among them.
const N_BODY: usize = 17;

/// A pair with its pixels.
#[derive(Clone, Copy, Debug)]
pub struct Subject<'a> {
    /// The preferred image.
    pub preferred: &'a RgbImage,
    /// The rejected image.
    pub rejected: &'a RgbImage,
    /// Masks, regions and labels.
    pub pair: &'a Pair,
    /// The people of the preferred image.
    pub skeletons: &'a [Skeleton],
    /// The corrupted part as it lies in the preferred image, where it is known. A pair that was read from a
    /// store has only the union `mask_part`, which then stands for it.
    pub part_preferred: Option<&'a Mask>,
}

/// Measures a pair.
///
/// The statistics are for `mask_edit`, for `mask_part` and for every region of the pair, in this order, all
/// under the `composite` rule. A pair with one region has `mask_part` for it; with several, each pixel of
/// `mask_part` goes to the region whose keypoints are nearest, and without keypoints no region is listed.
///
/// # Errors
/// [`Error::Size`] when images and masks do not fit, [`Error::Measure`].
pub fn assess(subject: &Subject<'_>) -> Result<(Vec<RegionStats>, Evidence)> {
    assess_hashed(subject, PositiveHashes::of(subject.preferred))
}

/// The hashes of a positive, worked out once for all of its pairs.
#[derive(Clone, Copy)]
pub(crate) struct PositiveHashes {
    phash: u64,
    dhash: u64,
}

impl PositiveHashes {
    pub(crate) fn of(image: &RgbImage) -> Self {
        Self {
            phash: phash(image, whole(image)),
            dhash: dhash(image, whole(image)),
        }
    }
}

/// [`assess`] with the hashes at hand.
pub(crate) fn assess_hashed(
    subject: &Subject<'_>,
    hashes: PositiveHashes,
) -> Result<(Vec<RegionStats>, Evidence)> {
    let Subject {
        preferred,
        rejected,
        pair,
        ..
    } = *subject;
    check_sizes(subject)?;
    let (width, height) = preferred.dimensions();
    let x = RgbView::new(width, height, preferred.as_raw())?;
    let y = RgbView::new(width, height, rejected.as_raw())?;
    let measure = |mask: &Mask, region| region_stats(x, y, mask, region, RegionRule::Composite);
    let mut stats = vec![
        measure(&pair.mask_edit, StatRegion::Edit)?,
        measure(&pair.mask_part, StatRegion::Part)?,
    ];
    if let [region] = pair.regions[..] {
        // The same mask has the same numbers.
        let mut same = stats[1].clone();
        same.region = StatRegion::Body(region);
        stats.push(same);
    } else {
        for (region, mask) in region_masks(subject) {
            stats.push(measure(&mask, StatRegion::Body(region))?);
        }
    }
    let evidence = evidence(subject, x, hashes)?;
    Ok((stats, evidence))
}

fn check_sizes(subject: &Subject<'_>) -> Result<()> {
    let (width, height) = subject.preferred.dimensions();
    let of = |mask: &Mask| (mask.width(), mask.height());
    let mut sizes = vec![
        ("rejected image", subject.rejected.dimensions()),
        ("mask_edit", of(&subject.pair.mask_edit)),
        ("mask_part", of(&subject.pair.mask_part)),
    ];
    sizes.extend(subject.part_preferred.map(|mask| ("part_preferred", of(mask))));
    for (what, (got_width, got_height)) in sizes {
        if (got_width, got_height) != (width, height) {
            return Err(Error::Size {
                what,
                got_width,
                got_height,
                width,
                height,
            });
        }
    }
    Ok(())
}

fn evidence(subject: &Subject<'_>, x: RgbView<'_>, hashes: PositiveHashes) -> Result<Evidence> {
    let Subject {
        preferred,
        rejected,
        pair,
        ..
    } = *subject;
    let changed = changed_pixels(preferred, rejected);
    let edit_px = changed.area_px();
    let part = subject
        .part_preferred
        .filter(|mask| !mask.is_empty())
        .unwrap_or(&pair.mask_part);
    let part_box = part.bounds().unwrap_or_else(|| whole(preferred));
    let union_box = pair.mask_part.bounds().unwrap_or_else(|| whole(preferred));
    let share = |numerator: u64, denominator: u64| numerator as f64 / denominator.max(1) as f64;
    Ok(Evidence {
        short_side_px: preferred.width().min(preferred.height()),
        part_sharpness: laplacian_variance(x, part_box)?.unwrap_or(f64::NAN),
        pose_score: pose_score(subject.skeletons, part_box),
        part_side_px: part_box.width().min(part_box.height()),
        edit_px,
        edit_share_of_part: share(edit_px, part.area_px()),
        containment: if edit_px == 0 {
            1.0
        } else {
            share(count_both(&changed, &pair.mask_part), edit_px)
        },
        mean_color_shift: mean_color_shift(preferred, rejected, &pair.mask_edit),
        mask_share: pair.mask_edit.area_share(),
        mask_components: u32::try_from(pair.mask_edit.component_count()).unwrap_or(u32::MAX),
        is_patch: matches!(pair.rejected, Rejected::Patch { .. }),
        positive_phash: hashes.phash,
        positive_dhash: hashes.dhash,
        part_phash: phash(preferred, part_box),
        rejected_part_phash: phash(rejected, union_box),
    })
}

fn count_both(a: &Mask, b: &Mask) -> u64 {
    a.bits()
        .iter()
        .zip(b.bits())
        .map(|(&a, &b)| u64::from(a && b))
        .sum()
}

/// Pixels of which any channel differs. Both images have one size.
pub(crate) fn changed_pixels(a: &RgbImage, b: &RgbImage) -> Mask {
    let (width, height) = a.dimensions();
    let row_bytes = width as usize * 3;
    let mut bits = vec![false; width as usize * height as usize];
    if row_bytes > 0 {
        let rows = a
            .as_raw()
            .chunks_exact(row_bytes)
            .zip(b.as_raw().chunks_exact(row_bytes));
        for ((a, b), bits) in rows.zip(bits.chunks_exact_mut(width as usize)) {
            if a != b {
                let pixels = a.chunks_exact(3).zip(b.chunks_exact(3));
                for ((a, b), bit) in pixels.zip(bits) {
                    *bit = a != b;
                }
            }
        }
    }
    Mask::from_bits(width, height, bits).expect("one bit was made for every pixel")
}

/// Distance of the mean colours inside a mask, in grey levels; 0 for an empty mask.
fn mean_color_shift(a: &RgbImage, b: &RgbImage, mask: &Mask) -> f64 {
    let mut sums = [0_i64; 3];
    let mut n_pixels = 0_i64;
    let pixels = a.as_raw().chunks_exact(3).zip(b.as_raw().chunks_exact(3));
    for ((a, b), _) in pixels.zip(mask.bits()).filter(|(_, bit)| **bit) {
        n_pixels += 1;
        for channel in 0..3 {
            sums[channel] += i64::from(a[channel]) - i64::from(b[channel]);
        }
    }
    let mean = |sum: i64| sum as f64 / n_pixels.max(1) as f64;
    sums.map(|sum| mean(sum).powi(2)).iter().sum::<f64>().sqrt()
}

/// Mean score of the seen body keypoints of the person nearest to the part; `None` without one.
fn pose_score(skeletons: &[Skeleton], part: BoxPx) -> Option<f64> {
    let center = Point::new(
        f64::from(part.x0 + part.x1) / 2.0,
        f64::from(part.y0 + part.y1) / 2.0,
    );
    let nearest = |skeleton: &Skeleton| {
        let seen = skeleton.keypoints().iter().filter(|keypoint| keypoint.is_seen());
        seen.map(|keypoint| keypoint.point().distance(center))
            .min_by(f64::total_cmp)
    };
    let (_, skeleton) = skeletons
        .iter()
        .filter_map(|skeleton| Some((nearest(skeleton)?, skeleton)))
        .min_by(|(a, _), (b, _)| a.total_cmp(b))?;
    let scores: Vec<f64> = skeleton.keypoints()[..N_BODY]
        .iter()
        .filter(|keypoint| keypoint.is_seen())
        .map(|keypoint| f64::from(keypoint.score))
        .collect();
    (!scores.is_empty()).then(|| scores.iter().sum::<f64>() / scores.len() as f64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::finish::{finish, tests::draft};
    use asap_core::{Keypoint, Region};

    #[test]
    fn several_regions_share_the_part_by_their_keypoints() {
        let mut draft = draft(160, 120, (80, 60, 15));
        let mut skeleton = Skeleton::default();
        for (idx, x) in [(91, 60.0), (112, 100.0)] {
            skeleton[idx] = Keypoint {
                x,
                y: 60.0,
                score: 1.0,
            };
        }
        draft.skeletons = vec![skeleton];
        draft.pairs[0].regions = vec![Region::LeftHand, Region::RightHand];
        let stats = finish(draft).unwrap().assessments.remove(0).stats;
        let area = |idx: usize| stats[idx].area_px;
        assert_eq!(stats[2].region, StatRegion::Body(Region::LeftHand));
        assert_eq!(area(2) + area(3), area(1));
        assert!(area(2).abs_diff(area(3)) < 100);
        assert!(stats[2].changed_outside_px > 0, "the other hand was changed too");
    }

    #[test]
    fn the_pose_score_is_that_of_the_person_with_the_part() {
        let person = |x: f32, score: f32| {
            let mut skeleton = Skeleton::default();
            skeleton[0] = Keypoint { x, y: 10.0, score };
            skeleton[1] = Keypoint {
                x,
                y: 12.0,
                score: f32::NAN,
            };
            skeleton
        };
        let people = [person(10.0, 0.5), person(90.0, 1.0)];
        let at = |x: u32| BoxPx {
            x0: x,
            y0: 0,
            x1: x + 8,
            y1: 8,
        };
        assert_eq!(pose_score(&people, at(4)), Some(0.5));
        assert_eq!(pose_score(&people, at(80)), Some(1.0));
        assert_eq!(pose_score(&[Skeleton::default()], at(4)), None);
    }

    #[test]
    fn color_shift_is_a_distance_of_means() {
        let (a, b) = (
            RgbImage::from_pixel(4, 4, image::Rgb([10, 20, 30])),
            RgbImage::from_pixel(4, 4, image::Rgb([13, 24, 30])),
        );
        let mask = Mask::from_fn(4, 4, |x, _| x < 2);
        assert_eq!(mean_color_shift(&a, &b, &mask), 5.0);
        assert_eq!(mean_color_shift(&a, &b, &Mask::new(4, 4)), 0.0);
    }
}
