//! Equality with scikit-image on the numbers of `../golden/ssim.json`.

use asap_core::{Mask, StatRegion};
use asap_metrics::{RegionRule, region_stats, ssim, ssim_map};
use serde::Deserialize;

use crate::images::{Picture, mask};

/// All is computed in f64 and the file has twelve decimals.
const TOLERANCE: f64 = 1e-9;
/// The map is stored in f32.
const MAP_TOLERANCE: f64 = 1e-6;

#[derive(Deserialize)]
struct Case {
    name: String,
    width: u32,
    height: u32,
    first: Recipe,
    change: Recipe,
    mask: String,
    ssim: f64,
    points: Vec<(u32, u32, f64)>,
    map: (Option<f64>, Option<f64>),
    composite: (Option<f64>, Option<f64>),
    eroded_px: u32,
    eroded: (Option<f64>, Option<f64>),
}

/// A name and perhaps a number.
#[derive(Deserialize)]
#[serde(untagged)]
enum Recipe {
    Named((String,)),
    Numbered(String, i64),
}

impl Recipe {
    fn parts(&self) -> (&str, i64) {
        match self {
            Self::Named((name,)) => (name, 0),
            Self::Numbered(name, number) => (name, *number),
        }
    }
}

impl Case {
    fn images(&self) -> (Picture, Picture, Mask) {
        let mask = mask(self.width, self.height, &self.mask);
        let (name, value) = self.first.parts();
        let first = Picture::named(self.width, self.height, name, value);
        let (change, amount) = self.change.parts();
        let second = first.changed(&mask, change, amount);
        (first, second, mask)
    }
}

fn cases() -> Vec<Case> {
    let cases: Vec<Case> =
        serde_json::from_str(include_str!("../golden/ssim.json")).expect("the file fits `Case`");
    assert!(
        cases.len() >= 20,
        "expected at least 20 pairs, got {}",
        cases.len()
    );
    cases
}

#[test]
fn whole_images_equal_scikit_image() {
    for case in cases() {
        let (first, second, _) = case.images();
        let got = ssim(first.view(), second.view()).unwrap();
        assert!(
            (got - case.ssim).abs() < TOLERANCE,
            "{}: {got} != {}",
            case.name,
            case.ssim
        );
    }
}

#[test]
fn maps_equal_scikit_image_up_to_the_corners() {
    for case in cases() {
        let (first, second, _) = case.images();
        let map = ssim_map(first.view(), second.view()).unwrap();
        assert_eq!((map.width(), map.height()), (case.width, case.height));
        for &(x, y, expected) in &case.points {
            let got = f64::from(map.get(x, y).unwrap());
            assert!(
                (got - expected).abs() < MAP_TOLERANCE,
                "{} at ({x}, {y}): {got} != {expected}",
                case.name
            );
        }
    }
}

#[test]
fn regions_equal_masked_means_of_scikit_image() {
    let mut n_values = 0;
    for case in cases() {
        let (first, second, mask) = case.images();
        for (rule, (inside, outside)) in [
            (RegionRule::Map, case.map),
            (RegionRule::Composite, case.composite),
            (RegionRule::Eroded(case.eroded_px), case.eroded),
        ] {
            let stats = region_stats(first.view(), second.view(), &mask, StatRegion::Edit, rule).unwrap();
            for (side, got, expected) in [
                ("inside", stats.ssim_inside, inside),
                ("outside", stats.ssim_outside, outside),
            ] {
                let equal = match (got, expected) {
                    (Some(got), Some(expected)) => (got - expected).abs() < TOLERANCE,
                    (got, expected) => got == expected,
                };
                assert!(equal, "{}, {rule:?}, {side}: {got:?} != {expected:?}", case.name);
                n_values += usize::from(expected.is_some());
            }
        }
    }
    assert!(n_values > 100, "only {n_values} of the golden means are numbers");
}
