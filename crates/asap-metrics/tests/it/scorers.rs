//! Scores of tiny random networks against the references, `../golden/scorers/scorers.json`.

use std::path::{Path, PathBuf};

use asap_metrics::scorers::{Precision, Score, ScoreItem, Scorer, Scorers};
use serde::Deserialize;

use crate::images::Picture;

/// All is f32; the largest scores are about 6.
const TOLERANCE: f64 = 1e-4;
/// 16 bits have 8 of mantissa, and two blocks add up several roundings.
const BF16_TOLERANCE: f64 = 0.15;

const NAMES: [&str; 4] = ["aesthetic", "pickscore", "hpsv2.1", "hpsv2.1-antialias"];

#[derive(Deserialize)]
struct Golden {
    cases: Vec<Case>,
}

#[derive(Deserialize)]
struct Case {
    picture: (String, i64),
    width: u32,
    height: u32,
    prompt: String,
    scores: std::collections::BTreeMap<String, f64>,
    truncated: std::collections::BTreeMap<String, bool>,
    confused: std::collections::BTreeMap<String, (String, f64)>,
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/scorers")
}

fn cases() -> Vec<Case> {
    let text = include_str!("../golden/scorers/scorers.json");
    let golden: Golden = serde_json::from_str(text).unwrap();
    assert!(golden.cases.len() >= 20);
    golden.cases
}

fn load(name: &str, precision: Precision) -> Box<dyn Scorer> {
    Scorers::open(&folder(), precision).unwrap().load(name).unwrap()
}

/// Scores all cases, `n_batch` at a time.
fn score(scorer: &dyn Scorer, cases: &[Case], n_batch: usize) -> Vec<Score> {
    let pictures: Vec<Picture> = cases
        .iter()
        .map(|case| Picture::named(case.width, case.height, &case.picture.0, case.picture.1))
        .collect();
    let items: Vec<ScoreItem<'_>> = cases
        .iter()
        .zip(&pictures)
        .map(|(case, picture)| ScoreItem {
            image: picture.view(),
            prompt: scorer.info().needs_prompt.then_some(case.prompt.as_str()),
        })
        .collect();
    items
        .chunks(n_batch)
        .flat_map(|items| scorer.score(items).unwrap())
        .collect()
}

#[test]
fn scores_equal_the_references() {
    let cases = cases();
    for name in NAMES {
        let scores = score(load(name, Precision::F32).as_ref(), &cases, 7);
        assert_eq!(scores.len(), cases.len());
        for (score, case) in scores.iter().zip(&cases) {
            let expected = case.scores[name];
            assert!(
                (score.value - expected).abs() <= TOLERANCE,
                "{name} of {} {}x{}, `{}`: {} != {expected}",
                case.picture.0,
                case.width,
                case.height,
                case.prompt,
                score.value
            );
            assert_eq!(
                score.is_truncated, case.truncated[name],
                "{name}, `{}`",
                case.prompt
            );
            assert_eq!(score.sigma, None);
        }
    }
    let n_truncated = cases.iter().filter(|case| case.truncated["pickscore"]).count();
    assert!(n_truncated > 0 && n_truncated < cases.len());
}

#[test]
fn known_mistakes_give_other_scores() {
    let cases = cases();
    for name in NAMES {
        let scores = score(load(name, Precision::F32).as_ref(), &cases, 8);
        for (mistake, n_expected) in [
            ("wrong gelu", cases.len()),
            ("with logit scale", cases.len()),
            // Equal where nothing is resized.
            ("resized as a tensor", cases.len() / 2),
            // Equal on squares.
            ("cropped, not letterboxed", cases.len() / 2),
        ] {
            let differs = |(score, case): &(&Score, &Case)| {
                let (scorer, wrong) = &case.confused[mistake];
                scorer == name && (score.value - wrong).abs() > 4.0 * TOLERANCE
            };
            let is_about_it = cases[0].confused[mistake].0 == name;
            let n = scores.iter().zip(&cases).filter(differs).count();
            assert!(
                !is_about_it || n >= n_expected,
                "{name}, {mistake}: {n} of {}",
                cases.len()
            );
        }
    }
}

#[test]
fn letterbox_and_crop_give_one_score_on_squares() {
    let cases: Vec<Case> = cases()
        .into_iter()
        .filter(|case| case.width == case.height)
        .collect();
    assert!(!cases.is_empty());
    for (score, case) in score(load("hpsv2.1", Precision::F32).as_ref(), &cases, 4)
        .iter()
        .zip(&cases)
    {
        let (_, cropped) = case.confused["cropped, not letterboxed"];
        assert!(
            (score.value - cropped).abs() <= TOLERANCE,
            "{} != {cropped}",
            score.value
        );
    }
}

#[test]
fn a_batch_changes_nothing() {
    let cases = cases();
    for name in NAMES {
        let scorer = load(name, Precision::F32);
        let alone = score(scorer.as_ref(), &cases, 1);
        for (alone, together) in alone.iter().zip(score(scorer.as_ref(), &cases, cases.len())) {
            assert!((alone.value - together.value).abs() < 1e-5, "{name}");
            assert_eq!(alone.is_truncated, together.is_truncated);
        }
        assert_eq!(scorer.score(&[]).unwrap(), Vec::new());
    }
}

#[test]
fn half_precision_is_near() {
    let cases = cases();
    for name in NAMES {
        let scorer = load(name, Precision::Bf16);
        assert_eq!(scorer.info().dtype, "bf16");
        let spread = cases
            .iter()
            .map(|case| case.scores[name].abs())
            .fold(0.0, f64::max);
        for (score, case) in score(scorer.as_ref(), &cases, 5).iter().zip(&cases) {
            let off = (score.value - case.scores[name]).abs() / spread;
            assert!(off < BF16_TOLERANCE, "{name}: off by {off} of the spread");
        }
    }
}

#[test]
fn a_scorer_says_what_it_is() {
    let scorer = load("aesthetic", Precision::F32);
    let info = scorer.info();
    assert_eq!(
        (info.name, info.needs_prompt, info.dtype),
        ("aesthetic", false, "f32")
    );
    let files: Vec<&str> = info
        .weights_sha256
        .iter()
        .map(|(file, _)| file.as_str())
        .collect();
    assert_eq!(files, ["clip-vit-l-14.safetensors", "aesthetic.safetensors"]);
    assert!(info.weights_sha256.iter().all(|(_, sha256)| sha256.len() == 64));
    let profiles: std::collections::BTreeSet<_> = NAMES
        .iter()
        .map(|name| load(name, Precision::F32).info().profile)
        .collect();
    assert_eq!(profiles.len(), NAMES.len(), "two scorers share a profile");
}

#[test]
fn a_missing_prompt_is_refused() {
    let picture = Picture::named(8, 8, "ramp", 0);
    let item = ScoreItem {
        image: picture.view(),
        prompt: None,
    };
    let error = load("pickscore", Precision::F32).score(&[item]).unwrap_err();
    assert_eq!(
        error.to_string(),
        "`pickscore` looks at the prompt, and item 0 has none"
    );
    assert!(load("aesthetic", Precision::F32).score(&[item]).is_ok());
}
