//! What SSIM is by its formula, whatever the images.

use asap_metrics::{Error, RgbView, SsimMap, ssim, ssim_map};

use crate::images::{Picture, noise};

const SIZES: [(u32, u32); 4] = [(11, 11), (139, 12), (33, 150), (266, 23)];

fn unrelated(width: u32, height: u32) -> (Picture, Picture) {
    let first = Picture::named(width, height, "noise", 11);
    let second = Picture::named(width, height, "waves", 0);
    (first, second)
}

#[test]
fn equal_images_have_exactly_one() {
    for (width, height) in SIZES {
        for name in ["noise", "blocks", "constant"] {
            let image = Picture::named(width, height, name, 255);
            assert_eq!(ssim(image.view(), image.view()), Ok(1.0));
        }
    }
}

#[test]
fn the_order_of_the_images_changes_no_bit() {
    for (width, height) in SIZES {
        let (a, b) = unrelated(width, height);
        assert_eq!(ssim(a.view(), b.view()), ssim(b.view(), a.view()));
        assert_eq!(ssim_map(a.view(), b.view()), ssim_map(b.view(), a.view()));
    }
}

#[test]
fn constant_images_follow_the_luminance_term() {
    for (a, b) in [(0u8, 255u8), (155, 255), (3, 4), (100, 0)] {
        let first = Picture::from_fn(30, 20, |_, _, _| i64::from(a));
        let second = Picture::from_fn(30, 20, |_, _, _| i64::from(b));
        let (a, b, c1) = (f64::from(a), f64::from(b), (0.01f64 * 255.0).powi(2));
        let expected = (2.0 * a * b + c1) / (a * a + b * b + c1);
        let got = ssim(first.view(), second.view()).unwrap();
        assert!((got - expected).abs() < 1e-12, "{got} != {expected}");
    }
}

#[test]
fn a_shift_of_all_values_leaves_structure_alone() {
    // With y = x + k the second factor is 1, so only the means of each window count.
    let first = Picture::from_fn(40, 26, |x, y, c| noise(x, y, c, 4) / 2);
    let second = Picture::from_fn(40, 26, |x, y, c| noise(x, y, c, 4) / 2 + 90);
    let map = ssim_map(first.view(), second.view()).unwrap();
    let taps: Vec<f64> = (-5..=5).map(|k| (-f64::from(k * k) / 4.5).exp()).collect();
    let total = taps.iter().sum::<f64>().powi(2);
    let (x, y, c1) = (17usize, 12usize, (0.01f64 * 255.0).powi(2));
    let mut expected = 0.0;
    for channel in 0..3 {
        let mut mean = 0.0;
        for (j, v) in taps.iter().enumerate() {
            for (i, u) in taps.iter().enumerate() {
                let at = ((y + j - 5) * 40 + x + i - 5) * 3 + channel;
                mean += u * v * f64::from(first.bytes[at]) / total;
            }
        }
        let shifted = mean + 90.0;
        expected += (2.0 * mean * shifted + c1) / (mean * mean + shifted * shifted + c1) / 3.0;
    }
    let got = f64::from(map.get(17, 12).unwrap());
    assert!((got - expected).abs() < 1e-6, "{got} != {expected}");
}

#[test]
fn the_mean_of_the_map_without_its_border_is_the_value() {
    for (width, height) in SIZES {
        let (a, b) = unrelated(width, height);
        let map: SsimMap = ssim_map(a.view(), b.view()).unwrap();
        let inner = (5..height - 5).flat_map(|y| (5..width - 5).map(move |x| (x, y)));
        let values: Vec<f64> = inner.map(|(x, y)| f64::from(map.get(x, y).unwrap())).collect();
        let mean = values.iter().sum::<f64>() / values.len() as f64;
        assert!((mean - ssim(a.view(), b.view()).unwrap()).abs() < 1e-7);
        assert_eq!(map.get(width, 0), None);
    }
}

#[test]
fn one_changed_pixel_reaches_as_far_as_the_window() {
    let first = Picture::named(60, 50, "waves", 0);
    let mut second = first.clone();
    second.bytes[(20 * 60 + 30) * 3 + 1] ^= 255;
    let map = ssim_map(first.view(), second.view()).unwrap();
    for y in 0..map.height() {
        for x in 0..map.width() {
            let reached = x.abs_diff(30) <= 5 && y.abs_diff(20) <= 5;
            assert_eq!(map.get(x, y).unwrap() < 1.0, reached, "at ({x}, {y})");
        }
    }
}

#[test]
fn sizes_that_have_no_value_are_refused_with_both_numbers() {
    let small = Picture::named(10, 40, "waves", 0);
    let error = ssim(small.view(), small.view()).unwrap_err();
    assert_eq!(
        error.to_string(),
        "SSIM of a 10x40 image: expected at least 11x11, the size of its window"
    );
    assert_eq!(ssim_map(small.view(), small.view()), Err(error));
    let nothing = RgbView::new(0, 0, &[]).unwrap();
    assert!(matches!(ssim(nothing, nothing), Err(Error::TooSmall { .. })));
    let other = Picture::named(40, 10, "waves", 0);
    let error = ssim(small.view(), other.view()).unwrap_err();
    assert_eq!(
        error.to_string(),
        "second image: expected 10x40 like the first image, got 40x10"
    );
}
