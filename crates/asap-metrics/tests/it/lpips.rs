//! LPIPS: equality with the package `lpips` on the numbers of `../golden/lpips/distances.json`, and properties.

use asap_core::Mask;
use asap_metrics::weights::WeightsDir;
use asap_metrics::{Error, Lpips, LpipsNet, LpipsRule, RgbView};
use serde::Deserialize;

use crate::images::{Picture, mask};
use crate::made;

/// Both sides compute in single precision.
const TOLERANCE: f64 = 1e-5;

#[derive(Deserialize)]
struct Case {
    name: String,
    net: String,
    width: u32,
    height: u32,
    change: Recipe,
    mask: String,
    taps: Vec<Tap>,
    total: f64,
    layers: [f64; 5],
    map_mean: f64,
    points: Vec<(u32, u32, f64)>,
    composite: (Option<f64>, Option<f64>),
    map: (Option<f64>, Option<f64>),
    crop: Option<f64>,
}

/// A name and perhaps a number.
#[derive(Deserialize)]
#[serde(untagged)]
enum Recipe {
    Named((String,)),
    Numbered(String, i64),
}

#[derive(Deserialize)]
struct Tap {
    shape: [usize; 3],
    mean: f64,
    rms: f64,
    largest: f64,
    values: Vec<(usize, usize, usize, f64)>,
}

impl Case {
    fn images(&self) -> (Picture, Picture, Mask) {
        let mask = mask(self.width, self.height, &self.mask);
        let first = Picture::named(self.width, self.height, "waves", 0);
        let (change, amount) = match &self.change {
            Recipe::Named((name,)) => (name, 0),
            Recipe::Numbered(name, amount) => (name, *amount),
        };
        let second = first.changed(&mask, change, amount);
        (first, second, mask)
    }
}

fn cases(net: LpipsNet) -> Vec<Case> {
    let cases: Vec<Case> =
        serde_json::from_str(include_str!("../golden/lpips/distances.json")).expect("the file fits `Case`");
    cases.into_iter().filter(|case| case.net == net.name()).collect()
}

/// A network with made-up weights.
fn load(net: LpipsNet) -> Lpips {
    let dir = tempfile::tempdir().unwrap();
    made::write_lpips(dir.path(), net.name());
    Lpips::load(&WeightsDir::open(dir.path()).unwrap(), net).unwrap()
}

#[track_caller]
fn assert_near(what: &str, got: f64, expected: f64, scale: f64) {
    let error = (got - expected).abs() / scale.max(f64::MIN_POSITIVE);
    assert!(
        error < TOLERANCE,
        "{what}: expected {expected}, got {got}, off by {error:.1e}"
    );
}

fn assert_means(what: &str, got: (Option<f64>, Option<f64>), expected: (Option<f64>, Option<f64>)) {
    for (got, expected) in [(got.0, expected.0), (got.1, expected.1)] {
        match (got, expected) {
            (Some(got), Some(expected)) => assert_near(what, got, expected, expected),
            (got, expected) => assert_eq!(got, expected, "{what}"),
        }
    }
}

fn check_taps(lpips: &Lpips, case: &Case, image: RgbView<'_>) {
    let taps = lpips.features(image).unwrap();
    assert_eq!(taps.len(), case.taps.len());
    for (idx, (tap, expected)) in taps.iter().zip(&case.taps).enumerate() {
        let what = format!("{}, tap {}", case.name, idx + 1);
        assert_eq!(tap.shape, expected.shape, "{what}");
        let values = || tap.values.iter().map(|&value| f64::from(value));
        let n = tap.values.len() as f64;
        assert_near(&what, values().sum::<f64>() / n, expected.mean, expected.mean);
        let rms = (values().map(|value| value * value).sum::<f64>() / n).sqrt();
        assert_near(&what, rms, expected.rms, expected.rms);
        assert_near(
            &what,
            values().fold(0.0, f64::max),
            expected.largest,
            expected.largest,
        );
        let [_, height, width] = tap.shape;
        for &(channel, row, column, value) in &expected.values {
            let got = tap.values[(channel * height + row) * width + column];
            // What is near 0 is a difference of numbers of the size of the others.
            assert_near(&what, got.into(), value, expected.rms);
        }
    }
}

fn check_case(lpips: &Lpips, case: &Case) {
    let (first, second, mask) = case.images();
    let (first, second) = (first.view(), second.view());
    let name = &case.name;
    check_taps(lpips, case, second);
    let distance = lpips.distance(first, second).unwrap();
    assert_near(name, distance.total, case.total, case.total);
    for (got, expected) in distance.layers.iter().zip(case.layers) {
        assert_near(name, *got, expected, expected);
    }
    let map = lpips.map(first, second).unwrap();
    assert_near(name, map.mean(), case.map_mean, case.map_mean);
    for &(x, y, expected) in &case.points {
        let got = map.values()[(y * case.width + x) as usize];
        assert_near(name, got.into(), expected, case.map_mean);
    }
    for (rule, expected) in [
        (LpipsRule::Composite, case.composite),
        (LpipsRule::Map, case.map),
        (LpipsRule::Crop, (case.crop, None)),
    ] {
        let region = lpips.region(first, second, &mask, rule).unwrap();
        assert_eq!(region.profile, lpips.profile(rule));
        assert_means(
            &format!("{name}, {rule:?}"),
            (region.inside, region.outside),
            expected,
        );
    }
}

#[test]
fn alex_equals_the_reference() {
    let lpips = load(LpipsNet::Alex);
    let cases = cases(LpipsNet::Alex);
    assert_eq!(cases.len(), 6);
    cases.iter().for_each(|case| check_case(&lpips, case));
}

#[test]
fn vgg_equals_the_reference() {
    let lpips = load(LpipsNet::Vgg);
    let cases = cases(LpipsNet::Vgg);
    assert_eq!(cases.len(), 4);
    cases.iter().for_each(|case| check_case(&lpips, case));
}

#[test]
fn a_distance_is_a_distance() {
    let lpips = load(LpipsNet::Alex);
    let mask = mask(80, 61, "disc");
    let first = Picture::named(80, 61, "waves", 0);
    for (change, amount) in [("noisy", 9), ("inverted", 0), ("painted", 0), ("other", 0)] {
        let second = first.changed(&mask, change, amount);
        let there = lpips.distance(first.view(), second.view()).unwrap();
        let back = lpips.distance(second.view(), first.view()).unwrap();
        assert!(there.total > 0.0 && there.layers.iter().all(|&layer| layer >= 0.0));
        assert_eq!(there.total, there.layers.iter().sum::<f64>());
        assert_eq!(there, back);
    }
    let same = lpips.distance(first.view(), first.view()).unwrap();
    assert_eq!((same.total, same.layers), (0.0, [0.0; 5]));
    assert!(
        lpips
            .map(first.view(), first.view())
            .unwrap()
            .values()
            .iter()
            .all(|&v| v == 0.0)
    );
}

#[test]
fn composite_outside_is_exactly_0_where_nothing_outside_was_changed() {
    let lpips = load(LpipsNet::Alex);
    let mask = mask(120, 90, "disc");
    let first = Picture::named(120, 90, "waves", 0);
    let second = first.changed(&mask, "painted", 0);
    let region = |rule| lpips.region(first.view(), second.view(), &mask, rule).unwrap();
    let composite = region(LpipsRule::Composite);
    assert_eq!(composite.outside, Some(0.0));
    assert!(composite.inside > Some(0.0));
    // The rule that is kept for comparison leaks.
    assert!(region(LpipsRule::Map).outside > Some(1e-3));
    assert_eq!(region(LpipsRule::Crop).outside, None);
    // A name that tells network, rule and weights.
    let (name, tag) = composite.profile.split_once('@').unwrap();
    assert_eq!((name, tag.len()), ("lpips/alex-v0.1/v1+composite", 8));
}

/// Masks that share a map have the numbers that each has alone, and that a changed outside does not alter.
#[test]
fn masks_of_one_pair_are_measured_together_as_alone() {
    let lpips = load(LpipsNet::Alex);
    let (small, large) = (mask(120, 90, "disc"), mask(120, 90, "full"));
    let first = Picture::named(120, 90, "waves", 0);
    let second = first.changed(&small, "painted", 0);
    let both = lpips
        .regions(
            first.view(),
            second.view(),
            &[&small, &large],
            LpipsRule::Composite,
        )
        .unwrap();
    for (together, mask) in both.iter().zip([&small, &large]) {
        let alone = lpips
            .region(first.view(), second.view(), mask, LpipsRule::Composite)
            .unwrap();
        assert_eq!(*together, alone);
    }
    assert_eq!((both[0].outside, both[1].outside), (Some(0.0), None));
    // One changed pixel outside takes the other way to the same inside.
    let mut third = second.clone();
    third.bytes[0] ^= 64;
    let region = lpips
        .region(first.view(), third.view(), &small, LpipsRule::Composite)
        .unwrap();
    assert_eq!(region.inside, both[0].inside);
    assert!(region.outside > Some(0.0));
}

#[test]
fn a_mean_over_few_pixels_is_not_given() {
    let lpips = load(LpipsNet::Alex);
    let (first, second) = (
        Picture::named(64, 64, "waves", 0),
        Picture::named(64, 64, "noise", 3),
    );
    let few = Mask::from_fn(64, 64, |x, y| x < 12 && y < 10);
    for rule in [LpipsRule::Composite, LpipsRule::Map, LpipsRule::Crop] {
        assert_eq!(
            lpips
                .region(first.view(), second.view(), &few, rule)
                .unwrap()
                .inside,
            None
        );
        let outside = lpips
            .region(first.view(), second.view(), &few.complement(), rule)
            .unwrap()
            .outside;
        assert_eq!(outside, None);
    }
    let empty = Mask::new(64, 64);
    assert_eq!(
        lpips
            .region(first.view(), second.view(), &empty, LpipsRule::Crop)
            .unwrap()
            .inside,
        None
    );
}

/// Equal features are not computed; what is computed is the same as without that.
#[test]
fn leaving_out_equal_features_changes_no_bit() {
    let lpips = load(LpipsNet::Alex);
    let first = Picture::named(150, 131, "waves", 0);
    for name in ["disc", "corner", "line"] {
        let mask = mask(150, 131, name);
        let second = first.changed(&mask, "painted", 0);
        let quick = lpips.map(first.view(), second.view()).unwrap();
        // One differing pixel in each of two corners makes the box the whole image, and every feature is computed.
        let with_corners = |picture: &Picture, value: u8| {
            let mut picture = picture.clone();
            let last = picture.bytes.len() - 1;
            picture.bytes[0] = value;
            picture.bytes[last] = value;
            picture
        };
        let (a, b) = (with_corners(&first, 10), with_corners(&second, 10));
        let same_corners = lpips.map(a.view(), b.view()).unwrap();
        let whole = lpips.map(a.view(), with_corners(&second, 11).view()).unwrap();
        assert!(quick.values().iter().any(|&value| value > 0.0));
        // Far from both corners (half of the last tap's field and the enlargement) the maps are the same.
        let is_far = |idx: usize| {
            let (x, y) = (idx % 150, idx / 150);
            x.max(y) >= 110 && (150 - x).max(131 - y) >= 110
        };
        let compared = (0..150 * 131).filter(|&idx| is_far(idx));
        let mut n_compared = 0;
        for idx in compared {
            assert_eq!(
                same_corners.values()[idx],
                whole.values()[idx],
                "{name}, pixel {idx}"
            );
            n_compared += 1;
        }
        assert!(n_compared > 100, "{n_compared}");
    }
}

#[test]
fn bits_do_not_depend_on_the_number_of_threads() {
    let lpips = load(LpipsNet::Alex);
    let first = Picture::named(101, 77, "waves", 0);
    let second = Picture::named(101, 77, "noise", 4);
    let with_threads = |n| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(n).build().unwrap();
        pool.install(|| lpips.map(first.view(), second.view()).unwrap())
    };
    let one = with_threads(1);
    assert_eq!(one, with_threads(2));
    assert_eq!(one, with_threads(5));
    // One network serves many callers at once.
    std::thread::scope(|scope| {
        let maps: Vec<_> = (0..3)
            .map(|_| scope.spawn(|| lpips.map(first.view(), second.view()).unwrap()))
            .collect();
        for map in maps {
            assert_eq!(map.join().unwrap(), one);
        }
    });
}

#[test]
fn small_and_unequal_images_are_refused() {
    let lpips = load(LpipsNet::Alex);
    assert_eq!((LpipsNet::Alex.least_px(), LpipsNet::Vgg.least_px()), (31, 16));
    let small = Picture::named(200, 30, "waves", 0);
    let error = lpips.distance(small.view(), small.view()).unwrap_err();
    assert_eq!(
        error.to_string(),
        "LPIPS (alex) of a 200x30 image: expected at least 31x31, what its layers need"
    );
    let (a, b) = (
        Picture::named(64, 64, "waves", 0),
        Picture::named(64, 65, "waves", 0),
    );
    assert!(matches!(
        lpips.map(a.view(), b.view()),
        Err(Error::SizesDiffer { .. })
    ));
    let mask = Mask::new(65, 64);
    let region = lpips.region(a.view(), a.view(), &mask, LpipsRule::Map);
    assert!(matches!(region, Err(Error::SizesDiffer { .. })));
}
