//! Equality of image preparation with Pillow, torchvision and `transformers` on `../golden/scorers/preprocess.json`.

use asap_metrics::scorers::{Antialias, Preparation};
use serde::Deserialize;
use sha2::{Digest as _, Sha256};

use crate::images::Picture;

/// torch has its weights in f32, and adds in another order; values reach 2.7.
const TOLERANCE: f32 = 5e-5;

const MEAN: [f32; 3] = [0.481_454_66, 0.457_827_5, 0.408_210_73];
const STD: [f32; 3] = [0.268_629_54, 0.261_302_6, 0.275_777_1];

#[derive(Deserialize)]
struct Golden {
    side: u32,
    cases: Vec<Case>,
}

#[derive(Deserialize)]
struct Case {
    picture: (String, i64),
    width: u32,
    height: u32,
    processor_sha256: String,
    torchvision_sha256: String,
    letterbox_off: Option<Floats>,
    letterbox_on: Option<Floats>,
}

#[derive(Deserialize)]
struct Floats {
    mean: f64,
    places: Vec<(usize, usize, usize, f32)>,
}

impl Case {
    fn prepared(&self, preparation: Preparation, side: u32) -> Vec<f32> {
        let picture = Picture::named(self.width, self.height, &self.picture.0, self.picture.1);
        preparation.apply(picture.view(), side).unwrap()
    }

    fn name(&self) -> String {
        format!("{} {}x{}", self.picture.0, self.width, self.height)
    }
}

fn golden() -> Golden {
    let golden: Golden = serde_json::from_str(include_str!("../golden/scorers/preprocess.json")).unwrap();
    assert!(golden.cases.len() >= 30);
    golden
}

/// The bytes that were normalised, and their hash: a byte step is 1/255, so rounding finds them exactly.
fn digest(values: &[f32]) -> String {
    let n_pixels = values.len() / 3;
    let bytes: Vec<u8> = (0..n_pixels)
        .flat_map(|pixel| (0..3).map(move |c| (pixel, c)))
        .map(|(pixel, c)| ((values[c * n_pixels + pixel] * STD[c] + MEAN[c]) * 255.0).round() as u8)
        .collect();
    Sha256::digest(bytes)
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

#[test]
fn crops_equal_pillow_byte_for_byte() {
    let golden = golden();
    for case in &golden.cases {
        for (preparation, expected) in [
            (Preparation::Processor, &case.processor_sha256),
            (Preparation::Torchvision, &case.torchvision_sha256),
        ] {
            let got = digest(&case.prepared(preparation, golden.side));
            assert_eq!(&got, expected, "{preparation:?} of {}", case.name());
        }
    }
}

#[test]
fn letterboxes_equal_torchvision() {
    let golden = golden();
    let side = golden.side as usize;
    let mut n_compared = 0;
    for case in &golden.cases {
        for (antialias, expected) in [
            (Antialias::Off, &case.letterbox_off),
            (Antialias::On, &case.letterbox_on),
        ] {
            let Some(expected) = expected else { continue };
            let got = case.prepared(Preparation::Letterbox(antialias), golden.side);
            for &(c, y, x, value) in &expected.places {
                let got = got[(c * side + y) * side + x];
                assert!(
                    (got - value).abs() < TOLERANCE,
                    "{antialias:?} of {} at {c}, {y}, {x}: {got} != {value}",
                    case.name()
                );
            }
            let mean = got.iter().map(|value| f64::from(*value)).sum::<f64>() / got.len() as f64;
            assert!(
                (mean - expected.mean).abs() < f64::from(TOLERANCE),
                "{antialias:?} of {}: {mean} != {}",
                case.name(),
                expected.mean
            );
            n_compared += 1;
        }
    }
    assert!(n_compared >= 50, "{n_compared}");
}

#[test]
fn the_crops_of_transformers_and_torchvision_differ_where_half_a_pixel_is_left() {
    let golden = golden();
    let differ: Vec<_> = golden
        .cases
        .iter()
        .filter(|case| case.processor_sha256 != case.torchvision_sha256)
        .collect();
    assert!(!differ.is_empty());
    assert!(differ.iter().all(|case| case.width != case.height));
}

#[test]
fn letterbox_and_crop_agree_on_squares_only() {
    let of = |width, height, preparation: Preparation| {
        let picture = Picture::named(width, height, "waves", 0);
        preparation.apply(picture.view(), 64).unwrap()
    };
    let letterbox = Preparation::Letterbox(Antialias::On);
    // At its own size nothing is resized, so all bits agree.
    assert_eq!(of(64, 64, letterbox), of(64, 64, Preparation::Processor));
    // A resized square differs by the rounding to bytes only, a half step of 1/255 and overshoot that is cut.
    let largest = |width, height| {
        let pairs = of(width, height, letterbox)
            .into_iter()
            .zip(of(width, height, Preparation::Processor));
        pairs.map(|(a, b)| (a - b).abs()).fold(0.0_f32, f32::max)
    };
    assert!(largest(100, 100) < 0.02, "{}", largest(100, 100));
    assert!(largest(100, 80) > 1.0);
}

#[test]
fn an_image_already_as_long_as_the_square_gets_its_borders() {
    let picture = Picture::named(64, 20, "constant", 255);
    let got = Preparation::Letterbox(Antialias::Off)
        .apply(picture.view(), 64)
        .unwrap();
    let white = got.iter().take(64 * 64).filter(|value| **value > 1.0).count();
    assert_eq!(white, 64 * 20);
}

#[test]
fn an_image_without_pixels_is_refused() {
    let view = asap_metrics::RgbView::new(0, 7, &[]).unwrap();
    let error = Preparation::Processor.apply(view, 64).unwrap_err();
    assert_eq!(
        error.to_string(),
        "image to score: expected at least one pixel, got 0x7"
    );
}
