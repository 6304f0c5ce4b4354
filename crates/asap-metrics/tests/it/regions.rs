//! Region rules, floors and the plain differences.

use asap_core::{BoxPx, Mask, RegionStats, StatRegion};
use asap_metrics::{
    Error, RegionJob, RegionRule, RgbView, laplacian_variance, psnr, region_stats, region_stats_many, ssim,
};

use crate::images::{Picture, mask};

fn stats(first: &Picture, second: &Picture, mask: &Mask, rule: RegionRule) -> RegionStats {
    region_stats(first.view(), second.view(), mask, StatRegion::Edit, rule).expect("sizes are equal")
}

fn pair(width: u32, height: u32, change: &str, mask: &Mask) -> (Picture, Picture) {
    let first = Picture::named(width, height, "waves", 0);
    let second = first.changed(mask, change, 3);
    (first, second)
}

/// Marked pixels 5 or more away from the edge.
fn averaged(mask: &Mask) -> f64 {
    let (width, height) = (mask.width(), mask.height());
    let inner = Mask::from_fn(width, height, |x, y| {
        (5..width - 5).contains(&x) && (5..height - 5).contains(&y)
    });
    mask.intersection(&inner).area_px() as f64
}

#[test]
fn both_sides_of_the_map_make_up_the_whole() {
    for (width, height, name) in [
        (90, 60, "disc"),
        (150, 70, "edge"),
        (200, 64, "corner"),
        (60, 60, "line"),
    ] {
        let mask = mask(width, height, name);
        let (first, second) = pair(width, height, "repainted", &mask);
        let stats = stats(&first, &second, &mask, RegionRule::Map);
        let (inside_px, outside_px) = (averaged(&mask), averaged(&mask.complement()));
        let whole = (stats.ssim_inside.unwrap() * inside_px + stats.ssim_outside.unwrap() * outside_px)
            / (inside_px + outside_px);
        let expected = ssim(first.view(), second.view()).unwrap();
        assert!((whole - expected).abs() < 1e-12, "{name}: {whole} != {expected}");
    }
}

#[test]
fn the_composite_outside_of_a_pasted_change_is_exactly_one() {
    for name in ["disc", "edge", "corner", "line"] {
        let mask = mask(150, 90, name);
        let (first, second) = pair(150, 90, "painted", &mask);
        let composite = stats(&first, &second, &mask, RegionRule::Composite);
        assert_eq!(composite.ssim_outside, Some(1.0), "{name}");
        assert_eq!(composite.changed_outside_px, 0);
        assert_eq!(composite.max_abs_diff_outside, 0);
        assert_eq!(composite.psnr_outside_db, None);
        let map = stats(&first, &second, &mask, RegionRule::Map);
        assert!(map.ssim_outside < Some(1.0), "{name}: the map leaks");
        assert_eq!(
            map.ssim_inside, composite.ssim_inside,
            "{name}: the images are the composite"
        );
        let far = stats(&first, &second, &mask, RegionRule::Eroded(8));
        assert_eq!(far.ssim_outside, Some(1.0), "{name}: no window sees both sides");
    }
}

#[test]
fn the_composite_inside_does_not_see_the_outside() {
    let mask = mask(90, 90, "disc");
    let (first, repainted) = pair(90, 90, "repainted", &mask);
    let painted = first.changed(&mask, "painted", 0);
    let of_both = stats(&first, &repainted, &mask, RegionRule::Composite);
    let of_inside = stats(&first, &painted, &mask, RegionRule::Composite);
    assert_eq!(of_both.ssim_inside, of_inside.ssim_inside);
    assert!(of_both.ssim_outside < Some(1.0));
}

#[test]
fn profiles_name_their_rule() {
    let mask = mask(40, 40, "disc");
    let (first, second) = pair(40, 40, "painted", &mask);
    for (rule, profile) in [
        (RegionRule::Composite, "ssim/wang11-rgb-valid/v1+composite"),
        (RegionRule::Map, "ssim/wang11-rgb-valid/v1+map"),
        (RegionRule::Eroded(8), "ssim/wang11-rgb-valid/v1+eroded8"),
    ] {
        assert_eq!(stats(&first, &second, &mask, rule).profile, profile);
    }
}

#[test]
fn differences_equal_a_plain_count() {
    let mask = mask(70, 45, "disc");
    let (first, second) = pair(70, 45, "repainted", &mask);
    let got = stats(&first, &second, &mask, RegionRule::Composite);
    let (mut inside_sum, mut squared, mut most, mut changed) = (0u64, 0u64, 0u8, 0u64);
    for (i, inside) in mask.bits().iter().enumerate() {
        let gaps = [0, 1, 2].map(|c| first.bytes[i * 3 + c].abs_diff(second.bytes[i * 3 + c]));
        if *inside {
            inside_sum += gaps.iter().map(|&gap| u64::from(gap)).sum::<u64>();
        } else {
            squared += gaps.iter().map(|&gap| u64::from(gap).pow(2)).sum::<u64>();
            most = most.max(*gaps.iter().max().unwrap());
            changed += u64::from(gaps != [0; 3]);
        }
    }
    let outside_px = mask.complement().area_px();
    let mse = squared as f64 / (3 * outside_px) as f64;
    assert_eq!(got.area_px, mask.area_px());
    assert_eq!(
        got.mean_abs_diff_inside,
        Some(inside_sum as f64 / (3 * mask.area_px()) as f64)
    );
    assert_eq!(
        (got.max_abs_diff_outside, got.changed_outside_px),
        (most, changed)
    );
    assert!(changed > 0 && most <= 2);
    assert!((got.psnr_outside_db.unwrap() - 10.0 * (65025.0 / mse).log10()).abs() < 1e-9);
    assert_eq!((got.lpips_inside, got.lpips_outside), (None, None));
}

#[test]
fn under_121_pixels_there_is_no_mean() {
    let (first, second) = pair(60, 60, "noisy", &mask(60, 60, "full"));
    let square = |x0: u32, side: u32| {
        Mask::from_fn(60, 60, |x, y| {
            (x0..x0 + side).contains(&x) && (20..20 + side).contains(&y)
        })
    };
    let exact = stats(&first, &second, &square(20, 11), RegionRule::Composite);
    assert!(exact.ssim_inside.is_some() && exact.mean_abs_diff_inside.is_some());
    let mut smaller = square(20, 11);
    smaller.set(25, 25, false);
    let under = stats(&first, &second, &smaller, RegionRule::Composite);
    assert_eq!((under.ssim_inside, under.mean_abs_diff_inside), (None, None));
    assert_eq!(under.area_px, 120);
    assert!(under.ssim_outside.is_some());
    // The same square within 5 px of the edge: its pixels count, their windows do not.
    let touching = stats(&first, &second, &square(3, 11), RegionRule::Composite);
    assert_eq!(touching.ssim_inside, None);
    assert!(touching.mean_abs_diff_inside.is_some());
    let whole = stats(&first, &second, &mask(60, 60, "full"), RegionRule::Map);
    assert_eq!((whole.ssim_outside, whole.psnr_outside_db), (None, None));
    assert_eq!(
        whole.ssim_inside,
        Some(ssim(first.view(), second.view()).unwrap())
    );
}

#[test]
fn images_smaller_than_a_window_have_no_ssim_but_the_rest() {
    for (width, height) in [(10, 40), (40, 10), (1, 200), (13, 10)] {
        let whole = mask(width, height, "full");
        let (first, second) = pair(width, height, "noisy", &whole);
        for rule in [RegionRule::Composite, RegionRule::Map, RegionRule::Eroded(2)] {
            let stats = stats(&first, &second, &whole, rule);
            assert_eq!((stats.ssim_inside, stats.ssim_outside), (None, None));
            assert!(stats.mean_abs_diff_inside.is_some());
        }
    }
    let nothing = RgbView::new(0, 0, &[]).unwrap();
    let stats = region_stats(
        nothing,
        nothing,
        &Mask::new(0, 0),
        StatRegion::Part,
        RegionRule::Composite,
    )
    .unwrap();
    assert_eq!((stats.area_px, stats.ssim_outside), (0, None));
}

#[test]
fn sizes_that_differ_are_refused_by_name() {
    let (first, second) = pair(30, 20, "noisy", &mask(30, 20, "full"));
    let error = |rejected: &Picture, mask: &Mask| {
        region_stats(
            first.view(),
            rejected.view(),
            mask,
            StatRegion::Edit,
            RegionRule::Map,
        )
        .unwrap_err()
        .to_string()
    };
    assert_eq!(
        error(&Picture::named(20, 30, "waves", 0), &mask(30, 20, "disc")),
        "rejected image: expected 30x20 like the first image, got 20x30"
    );
    assert_eq!(
        error(&second, &mask(30, 21, "disc")),
        "mask: expected 30x20 like the first image, got 30x21"
    );
}

#[test]
fn many_pairs_keep_their_order_on_any_number_of_threads() {
    let masks: Vec<Mask> = ["disc", "edge", "line", "corner"]
        .map(|name| mask(140, 50, name))
        .into();
    let pairs: Vec<_> = masks
        .iter()
        .map(|mask| pair(140, 50, "repainted", mask))
        .collect();
    let small = Picture::named(9, 9, "ramp", 0);
    let mut jobs: Vec<RegionJob<'_>> = Vec::new();
    for (mask, (first, second)) in masks.iter().zip(&pairs) {
        for rule in [RegionRule::Composite, RegionRule::Map, RegionRule::Eroded(3)] {
            jobs.push(RegionJob {
                preferred: first.view(),
                rejected: second.view(),
                mask,
                region: StatRegion::Part,
                rule,
            });
        }
    }
    jobs[5].rejected = small.view();
    let on_threads = |n_threads| {
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(n_threads)
            .build()
            .unwrap();
        pool.install(|| region_stats_many(&jobs))
    };
    let one = on_threads(1);
    assert_eq!(one, on_threads(4));
    for (job, got) in jobs.iter().zip(&one) {
        assert_eq!(
            *got,
            region_stats(job.preferred, job.rejected, job.mask, job.region, job.rule)
        );
    }
    assert!(matches!(one[5], Err(Error::SizesDiffer { .. })));
}

#[test]
fn psnr_is_that_of_a_known_error() {
    let first = Picture::from_fn(8, 5, |_, _, _| 100);
    let second = Picture::from_fn(8, 5, |_, _, _| 105);
    let got = psnr(first.view(), second.view()).unwrap().unwrap();
    assert!((got - 34.151_403_521_958_73).abs() < 1e-9, "{got}");
    assert_eq!(psnr(first.view(), first.view()), Ok(None));
    assert!(psnr(first.view(), Picture::named(5, 8, "ramp", 0).view()).is_err());
}

#[test]
fn sharpness_of_stripes_and_planes_is_known() {
    let whole = BoxPx {
        x0: 0,
        y0: 0,
        x1: 12,
        y1: 9,
    };
    let inner = BoxPx {
        x0: 1,
        y0: 1,
        x1: 11,
        y1: 8,
    };
    // A plane has no curvature but at the mirrored border.
    let plane = Picture::from_fn(12, 9, |x, y, _| 4 * x + 7 * y);
    assert_eq!(laplacian_variance(plane.view(), inner), Ok(Some(0.0)));
    assert!(laplacian_variance(plane.view(), whole).unwrap().unwrap() > 1.0);
    // Columns of 0 and 50: the Laplacian is 100 and -100, everywhere.
    let stripes = Picture::from_fn(12, 9, |x, _, _| 50 * (x % 2));
    assert_eq!(laplacian_variance(stripes.view(), whole), Ok(Some(10_000.0)));
    // Luma weighs the channels: green alone counts 0.587.
    let green = Picture::from_fn(12, 9, |x, _, c| if c == 1 { 100 * (x % 2) } else { 0 });
    let got = laplacian_variance(green.view(), whole).unwrap().unwrap();
    assert!((got - 117.4f64.powi(2)).abs() < 1e-6, "{got}");
    let dot = Picture::from_fn(1, 1, |_, _, _| 9);
    assert_eq!(
        laplacian_variance(
            dot.view(),
            BoxPx {
                x0: 0,
                y0: 0,
                x1: 1,
                y1: 1
            }
        ),
        Ok(Some(0.0))
    );
}

#[test]
fn sharpness_refuses_a_box_beyond_the_image() {
    let image = Picture::named(12, 9, "waves", 0);
    let error = laplacian_variance(
        image.view(),
        BoxPx {
            x0: 3,
            y0: 0,
            x1: 13,
            y1: 9,
        },
    )
    .unwrap_err();
    assert_eq!(
        error.to_string(),
        "box (3, 0)-(13, 9): expected a box inside the 12x9 image"
    );
    let empty = BoxPx {
        x0: 4,
        y0: 4,
        x1: 4,
        y1: 9,
    };
    assert_eq!(laplacian_variance(image.view(), empty), Ok(None));
}
