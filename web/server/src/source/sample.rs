//! A small dataset that is made up on the spot: for tests, benchmarks, and a look at the pages.

use asap_core::{
    Assessment, BoxPx, Criterion, Curation, Decision, Degradation, Evidence, Kind, Mask, Mechanism, Pair,
    PairId, PairSummary, Part, Positive, PositiveId, Provenance, Region, RegionStats, Rejected, Rejection,
    Scope, Severity, Source, SourceKind, Split, StatRegion, Stream,
};
use image::{ImageEncoder, Rgb, RgbImage};

use super::Memory;

const WIDTH_PX: u32 = 192;
const HEIGHT_PX: u32 = 144;
const PAIRS_PER_POSITIVE: usize = 4;

/// Rows of made-up pairs, the same for the same number.
pub fn sample_rows(n_pairs: usize) -> Vec<PairSummary> {
    (0..n_pairs).map(row).collect()
}

/// A dataset of made-up pairs with images.
///
/// # Panics
/// Never in practice: encoding an image into memory does not fail.
pub fn sample(n_pairs: usize) -> Memory {
    let memory = Memory::default();
    for (positive_idx, rows) in sample_rows(n_pairs).chunks(PAIRS_PER_POSITIVE).enumerate() {
        let image = image(positive_idx);
        memory.add_positive(positive(&rows[0], &image));
        for (row, pair_idx) in rows.iter().zip(positive_idx * PAIRS_PER_POSITIVE..) {
            let budget = budget(pair_idx);
            let pair = pair(row, pair_idx, budget, &turned(&image, budget));
            let assessment = assessment(row, &pair);
            memory.add_pair(row.clone(), Some(pair), Some(assessment));
        }
    }
    memory
}

fn row(pair_idx: usize) -> PairSummary {
    let mut stream = Stream::new(pair_idx as u64, "sample row");
    let positive_idx = pair_idx / PAIRS_PER_POSITIVE;
    let mut pick = |n: usize| stream.below(n);
    let is_figure = positive_idx.is_multiple_of(3);
    let source_name = if is_figure {
        format!("figure/7/{positive_idx}")
    } else {
        format!("person_{positive_idx:05}.jpg")
    };
    let (part, kind) = (Part::ALL[pick(Part::ALL.len())], Kind::ALL[pick(Kind::ALL.len())]);
    let operator = format!("{}.{}@1", part.name(), kind.name());
    let decision = Decision::ALL[[1, 1, 1, 2, 0][pick(5)]];
    let positive_id = PositiveId::new(&source_name, "sample");
    let prompts = [
        "a dancer on a stage",
        "two friends at a table",
        "a climber on a red wall",
        "a cook with a pan",
    ];
    let regions = vec![Region::ALL[pick(Region::ALL.len())]];
    let ssim_inside = 0.2 + 0.7 * stream.unit();
    PairSummary {
        id: PairId::new(positive_id, &operator, "{}", pair_idx as u64),
        positive_id,
        width: WIDTH_PX,
        height: HEIGHT_PX,
        prompt: format!("{}, number {positive_idx}", prompts[positive_idx % prompts.len()]),
        source_kind: if is_figure {
            SourceKind::Figure
        } else {
            SourceKind::Photograph
        },
        source_name,
        mechanism: if is_figure {
            Mechanism::SkeletonSpace
        } else {
            Mechanism::ImageSpace
        },
        operators: vec![operator],
        degradations: vec![Degradation {
            part,
            kind,
            scope: Scope::Local,
            severity: Severity::Clear,
        }],
        regions,
        split: Split::ALL[[0, 0, 0, 1, 2][positive_idx % 5]],
        decision,
        rejections: if decision == Decision::Rejected {
            vec!["visible_degradation/ssim_edit_max".to_owned()]
        } else {
            Vec::new()
        },
        ssim_inside: (!pair_idx.is_multiple_of(29)).then_some(ssim_inside),
        ssim_outside: Some(1.0 - 0.03 * stream.unit().powi(3)),
        lpips_inside: None,
        lpips_outside: None,
        mask_share: Some(0.01 + 0.1 * stream.unit()),
    }
}

fn budget(pair_idx: usize) -> BoxPx {
    let mut stream = Stream::new(pair_idx as u64, "sample budget");
    let (x0, y0) = (10 + stream.below(120) as u32, 10 + stream.below(80) as u32);
    BoxPx {
        x0,
        y0,
        x1: x0 + 48,
        y1: y0 + 40,
    }
}

/// A scene of soft discs.
fn image(positive_idx: usize) -> RgbImage {
    let mut stream = Stream::new(positive_idx as u64, "sample image");
    let discs: Vec<[f64; 6]> = (0..9)
        .map(|_| {
            let mut unit = || stream.unit();
            [
                unit() * f64::from(WIDTH_PX),
                unit() * f64::from(HEIGHT_PX),
                10.0 + 24.0 * unit(),
                unit(),
                unit(),
                unit(),
            ]
        })
        .collect();
    RgbImage::from_fn(WIDTH_PX, HEIGHT_PX, |x, y| {
        let mut color = [200.0 - f64::from(y) * 0.3, 190.0 - f64::from(y) * 0.2, 175.0];
        for &[cx, cy, radius, r, g, b] in &discs {
            let cover = (radius - (f64::from(x) - cx).hypot(f64::from(y) - cy)).clamp(0.0, 1.5) / 1.5;
            for (channel, paint) in color.iter_mut().zip([r, g, b]) {
                *channel += cover * (60.0 + 180.0 * paint - *channel);
            }
        }
        Rgb(color.map(|channel| channel as u8))
    })
}

/// What stands in the box, upside down.
fn turned(image: &RgbImage, budget: BoxPx) -> RgbImage {
    let patch = image::imageops::crop_imm(image, budget.x0, budget.y0, budget.width(), budget.height());
    image::imageops::rotate180(&patch.to_image())
}

fn png(image: &RgbImage) -> Vec<u8> {
    let mut bytes = Vec::new();
    image::codecs::png::PngEncoder::new(&mut bytes)
        .write_image(
            image,
            image.width(),
            image.height(),
            image::ExtendedColorType::Rgb8,
        )
        .expect("a vector takes every byte");
    bytes
}

fn positive(row: &PairSummary, image: &RgbImage) -> Positive {
    Positive {
        id: row.positive_id,
        image_png: png(image),
        width: WIDTH_PX,
        height: HEIGHT_PX,
        prompt: row.prompt.clone(),
        skeletons: Vec::new(),
        source: Source {
            kind: row.source_kind,
            name: row.source_name.clone(),
            sha256: String::new(),
            licence: "made up".to_owned(),
        },
    }
}

fn pair(row: &PairSummary, pair_idx: usize, budget: BoxPx, patch: &RgbImage) -> Pair {
    let inside = |x: u32, y: u32| (budget.x0..budget.x1).contains(&x) && (budget.y0..budget.y1).contains(&y);
    let mask_edit = Mask::from_fn(WIDTH_PX, HEIGHT_PX, inside);
    Pair {
        id: row.id,
        positive_id: row.positive_id,
        rejected: Rejected::Patch {
            budget,
            png: png(patch),
        },
        mask_part: mask_edit.dilated(8),
        mask_edit,
        regions: row.regions.clone(),
        degradations: row.degradations.clone(),
        mechanism: row.mechanism,
        rejected_skeletons: Vec::new(),
        provenance: Provenance {
            operators: row.operators.clone(),
            parameters: "{}".to_owned(),
            seed: pair_idx as u64,
            code_version: env!("CARGO_PKG_VERSION").to_owned(),
        },
    }
}

fn assessment(row: &PairSummary, pair: &Pair) -> Assessment {
    let stats = |region: StatRegion, mask: &Mask| RegionStats {
        region,
        profile: "ssim/wang11-rgb-valid/v1+composite".to_owned(),
        area_px: mask.area_px(),
        ssim_inside: row.ssim_inside,
        ssim_outside: row.ssim_outside,
        lpips_inside: None,
        lpips_outside: None,
        psnr_outside_db: None,
        mean_abs_diff_inside: Some(31.4),
        max_abs_diff_outside: 0,
        changed_outside_px: 0,
    };
    let rejection = Rejection {
        criterion: Criterion::VisibleDegradation,
        rule: "ssim_edit_max".to_owned(),
        measured: row.ssim_inside,
        threshold: 0.85,
    };
    let is_rejected = row.decision == Decision::Rejected;
    Assessment {
        pair_id: row.id,
        stats: vec![
            stats(StatRegion::Edit, &pair.mask_edit),
            stats(StatRegion::Part, &pair.mask_part),
        ],
        evidence: evidence(pair),
        curation: Curation {
            decision: row.decision,
            rejections: is_rejected.then_some(rejection).into_iter().collect(),
            split: row.split,
            ..Curation::pending()
        },
    }
}

fn evidence(pair: &Pair) -> Evidence {
    Evidence {
        short_side_px: HEIGHT_PX,
        part_sharpness: 120.0,
        pose_score: None,
        part_side_px: 40,
        edit_px: pair.mask_edit.area_px(),
        edit_share_of_part: 0.6,
        containment: 1.0,
        mean_color_shift: 4.0,
        mask_share: pair.mask_edit.area_share(),
        mask_components: 1,
        is_patch: true,
        positive_phash: 0,
        positive_dhash: 0,
        part_phash: 0,
        rejected_part_phash: 0,
    }
}
