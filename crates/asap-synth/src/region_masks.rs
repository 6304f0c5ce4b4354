//! Which pixels of a part belong to which region, where a pair changes several.

use asap_core::skeleton::{FACE_START, N_FACE, joint, on_side};
use asap_core::{Mask, Point, Region, Side, Skeleton};

use crate::assess::Subject;
use crate::hash::whole;

/// Divides `mask_part` among the regions of the pair by the nearest keypoint.
pub(crate) fn region_masks(subject: &Subject<'_>) -> Vec<(Region, Mask)> {
    let people = || subject.skeletons.iter().chain(&subject.pair.rejected_skeletons);
    let seeds: Vec<(usize, Point)> = subject
        .pair
        .regions
        .iter()
        .enumerate()
        .flat_map(|(idx, &region)| {
            people().flat_map(move |skeleton| {
                let points = region_points(skeleton, region);
                points.into_iter().map(move |point| (idx, point))
            })
        })
        .collect();
    if seeds.is_empty() {
        return Vec::new();
    }
    let part = &subject.pair.mask_part;
    let mut masks: Vec<Mask> = vec![Mask::new(part.width(), part.height()); subject.pair.regions.len()];
    let bounds = part.bounds().unwrap_or_else(|| whole(subject.preferred));
    for y in bounds.y0..bounds.y1 {
        for x in (bounds.x0..bounds.x1).filter(|&x| part.get(x, y)) {
            let at = Point::new(f64::from(x), f64::from(y));
            let squared = |p: Point| (p.x - at.x).powi(2) + (p.y - at.y).powi(2);
            let nearest = seeds.iter().min_by(|a, b| squared(a.1).total_cmp(&squared(b.1)));
            if let Some(&(idx, _)) = nearest {
                masks[idx].set(x, y, true);
            }
        }
    }
    subject.pair.regions.iter().copied().zip(masks).collect()
}

/// Points that stand for a region: its seen keypoints, and points along its long bones.
fn region_points(skeleton: &Skeleton, region: Region) -> Vec<Point> {
    let seen = |range: std::ops::Range<usize>| range.filter_map(|idx| skeleton.seen(idx)).collect::<Vec<_>>();
    let chain = |joints: &[usize], side: Side| {
        let ends: Vec<Point> = joints
            .iter()
            .filter_map(|&left| skeleton.seen(on_side(left, side)))
            .collect();
        let steps = |pair: &[Point]| [0.1, 0.35, 0.6, 0.9].map(|t| pair[0].lerp(pair[1], t));
        ends.windows(2).flat_map(steps).collect::<Vec<_>>()
    };
    let arm = [joint::LEFT_SHOULDER, joint::LEFT_ELBOW, joint::LEFT_WRIST];
    let leg = [joint::LEFT_HIP, joint::LEFT_KNEE, joint::LEFT_ANKLE];
    let hand = |side| {
        let start = asap_core::skeleton::hand_start(side);
        seen(start..start + asap_core::skeleton::N_HAND)
    };
    match region {
        Region::LeftHand => hand(Side::Left),
        Region::RightHand => hand(Side::Right),
        Region::Face => [
            seen(0..joint::LEFT_SHOULDER),
            seen(FACE_START..FACE_START + N_FACE),
        ]
        .concat(),
        Region::LeftArm => chain(&arm, Side::Left),
        Region::RightArm => chain(&arm, Side::Right),
        Region::LeftLeg => chain(&leg, Side::Left),
        Region::RightLeg => chain(&leg, Side::Right),
        Region::LeftFoot => seen(joint::LEFT_BIG_TOE..joint::RIGHT_BIG_TOE),
        Region::RightFoot => seen(joint::RIGHT_BIG_TOE..joint::RIGHT_BIG_TOE + 3),
        Region::Torso => {
            let Some(neck) = skeleton.neck() else {
                return seen(joint::LEFT_HIP..joint::LEFT_HIP + 2);
            };
            let hips = seen(joint::LEFT_HIP..joint::LEFT_HIP + 2);
            let down = hips
                .iter()
                .flat_map(|&hip| [0.1, 0.4, 0.7, 1.0].map(|t| neck.lerp(hip, t)));
            std::iter::once(neck).chain(down).collect()
        }
    }
}
