//! Records made by code: small, full of every optional field, and the same on every run.

use asap_core::{
    Assessment, BoxPx, Criterion, Curation, Decision, Degradation, Evidence, Keypoint, Kind, Mask, Mechanism,
    Pair, PairId, Part, Positive, PositiveId, Provenance, Region, RegionStats, Rejected, Rejection, Scope,
    Severity, Skeleton, Source, SourceKind, Split, StatRegion, Stream,
};
use asap_store::Group;
use image::{ImageFormat, Rgb, RgbImage};

pub(crate) const WIDTH: u32 = 48;
pub(crate) const HEIGHT: u32 = 40;

/// Encodes as PNG.
pub(crate) fn png(image: &RgbImage) -> Vec<u8> {
    let mut bytes = std::io::Cursor::new(Vec::new());
    image.write_to(&mut bytes, ImageFormat::Png).unwrap();
    bytes.into_inner()
}

/// Noise: does not compress, so the bytes of an image differ everywhere.
pub(crate) fn noise(seed: u64, width: u32, height: u32) -> RgbImage {
    let mut stream = Stream::new(seed, "fixture noise");
    RgbImage::from_fn(width, height, |_, _| {
        let bits = stream.bits().to_le_bytes();
        Rgb([bits[0], bits[1], bits[2]])
    })
}

/// The positive of that number.
pub(crate) fn positive(number: u64) -> Positive {
    let mut skeleton = Skeleton::default();
    for idx in 0..asap_core::skeleton::N_KEYPOINTS {
        skeleton[idx] = Keypoint {
            x: idx as f32 / 3.0,
            y: -(number as f32) - 0.1,
            score: 0.9,
        };
    }
    Positive {
        id: PositiveId::new(&format!("positive {number}"), "{}"),
        image_png: png(&noise(number, WIDTH, HEIGHT)),
        width: WIDTH,
        height: HEIGHT,
        prompt: format!("A person waves, number {number} – “quoted”, 手"),
        skeletons: if number.is_multiple_of(3) {
            Vec::new()
        } else {
            vec![skeleton; 1 + (number % 2) as usize]
        },
        source: Source {
            kind: if number.is_multiple_of(2) {
                SourceKind::Photograph
            } else {
                SourceKind::Figure
            },
            name: format!("{number:04}.jpg"),
            sha256: "0123456789abcdef".repeat(4),
            licence: "CC BY 4.0".to_owned(),
        },
    }
}

/// Pair number `slot` of a positive: patches, with every third one whole.
pub(crate) fn pair(positive: &Positive, slot: u64) -> Pair {
    let seed = slot.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let budget = BoxPx {
        x0: 8,
        y0: 4,
        x1: 24,
        y1: 20,
    };
    let patch = noise(seed ^ 0xabcd, budget.width(), budget.height());
    let rejected = if slot % 3 == 2 {
        let mut whole = image::load_from_memory(&positive.image_png).unwrap().into_rgb8();
        image::imageops::replace(&mut whole, &patch, i64::from(budget.x0), i64::from(budget.y0));
        Rejected::Whole { png: png(&whole) }
    } else {
        Rejected::Patch {
            budget,
            png: png(&patch),
        }
    };
    let operator = if slot.is_multiple_of(2) {
        "hand.extra_finger@1"
    } else {
        "face.melt@2"
    };
    let parameters = format!("{{\"slot\":{slot}}}");
    let mask_edit = Mask::from_fn(WIDTH, HEIGHT, |x, y| budget.contains(x, y));
    let mask_part = mask_edit.dilated(3);
    Pair {
        id: PairId::new(positive.id, operator, &parameters, seed),
        positive_id: positive.id,
        rejected,
        mask_edit,
        mask_part,
        regions: vec![Region::LeftHand, Region::Face],
        degradations: vec![
            Degradation {
                part: Part::Finger,
                kind: Kind::Extra,
                scope: Scope::Local,
                severity: Severity::Clear,
            },
            Degradation {
                part: Part::Face,
                kind: Kind::Fused,
                scope: Scope::Global,
                severity: Severity::Gross,
            },
        ],
        mechanism: if slot.is_multiple_of(2) {
            Mechanism::ImageSpace
        } else {
            Mechanism::SkeletonSpace
        },
        rejected_skeletons: if slot.is_multiple_of(2) {
            Vec::new()
        } else {
            positive.skeletons.clone()
        },
        provenance: Provenance {
            operators: vec![operator.to_owned()],
            parameters,
            seed,
            code_version: "0.1.0".to_owned(),
        },
    }
}

/// Statistics over one mask, with values that binary floats do not hold exactly.
pub(crate) fn stats(region: StatRegion, ssim_inside: Option<f64>) -> RegionStats {
    RegionStats {
        region,
        profile: "ssim/wang11-rgb-valid/v1+composite".to_owned(),
        area_px: 256,
        ssim_inside,
        ssim_outside: Some(0.1 + 0.2),
        lpips_inside: None,
        lpips_outside: None,
        psnr_outside_db: None,
        mean_abs_diff_inside: Some(85.333_333_333_333_33),
        max_abs_diff_outside: 0,
        changed_outside_px: 0,
    }
}

/// The assessment of a pair; pairs with an even slot are kept.
pub(crate) fn assessment(pair: &Pair, slot: u64) -> Assessment {
    let is_kept = slot.is_multiple_of(2);
    let rejection = Rejection {
        criterion: Criterion::VisibleDegradation,
        rule: "ssim_edit_max".to_owned(),
        measured: Some(0.97),
        threshold: 0.85,
    };
    let unmeasured = Rejection {
        criterion: Criterion::PositiveQuality,
        rule: "pose_score_min".to_owned(),
        measured: None,
        threshold: 0.5,
    };
    Assessment {
        pair_id: pair.id,
        stats: vec![
            stats(StatRegion::Edit, Some(0.5 + slot as f64 / 1000.0)),
            stats(StatRegion::Part, Some(1.0 / 3.0)),
            stats(StatRegion::Body(Region::LeftHand), None),
        ],
        evidence: Evidence {
            short_side_px: HEIGHT,
            part_sharpness: 123.456,
            pose_score: is_kept.then_some(0.87),
            part_side_px: 16,
            edit_px: 256,
            edit_share_of_part: 0.25,
            containment: 1.0,
            mean_color_shift: 12.5,
            mask_share: pair.mask_edit.area_share(),
            mask_components: 1,
            is_patch: matches!(pair.rejected, Rejected::Patch { .. }),
            positive_phash: u64::MAX - slot,
            positive_dhash: 1 << 63,
            part_phash: slot,
            rejected_part_phash: !slot,
        },
        curation: Curation {
            decision: if is_kept {
                Decision::Kept
            } else {
                Decision::Rejected
            },
            rejections: if is_kept {
                Vec::new()
            } else {
                vec![rejection, unmeasured]
            },
            split: Split::ALL[(slot % 3) as usize],
            cluster: 7,
            thresholds: "ab".repeat(32),
        },
    }
}

/// A positive with pairs of slots `0..n_pairs`, all assessed.
pub(crate) fn group(number: u64, n_pairs: u64) -> Group {
    let positive = positive(number);
    let pairs: Vec<Pair> = (0..n_pairs).map(|slot| pair(&positive, slot)).collect();
    let assessments = pairs
        .iter()
        .zip(0..)
        .map(|(pair, slot)| assessment(pair, slot))
        .collect();
    Group {
        positive,
        pairs,
        assessments,
    }
}
