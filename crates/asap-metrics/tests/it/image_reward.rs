//! ImageReward: a tiny random network against the reference, `../golden/scorers_blip/image_reward.json`, and what
//! is said about files that do not fit.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use asap_metrics::scorers::{Precision, Score, ScoreItem, Scorer, Scorers};
use serde::Deserialize;

use crate::images::Picture;

/// All is f32; the largest scores are about 14.
const TOLERANCE: f64 = 1e-4;

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
    score: f64,
    truncated: bool,
    confused: BTreeMap<String, f64>,
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/scorers_blip")
}

fn cases() -> Vec<Case> {
    let text = include_str!("../golden/scorers_blip/image_reward.json");
    let golden: Golden = serde_json::from_str(text).unwrap();
    assert!(golden.cases.len() >= 20);
    golden.cases
}

fn load(dir: &Path, precision: Precision) -> Box<dyn Scorer> {
    let scorers = Scorers::open(dir, precision).unwrap();
    scorers.load("imagereward").unwrap()
}

/// Scores all cases, `n_batch` at a time.
fn score(scorer: &dyn Scorer, cases: &[Case], n_batch: usize) -> Vec<Score> {
    let picture = |case: &Case| Picture::named(case.width, case.height, &case.picture.0, case.picture.1);
    let pictures: Vec<Picture> = cases.iter().map(picture).collect();
    let items: Vec<ScoreItem<'_>> = cases
        .iter()
        .zip(&pictures)
        .map(|(case, picture)| ScoreItem {
            image: picture.view(),
            prompt: Some(&case.prompt),
        })
        .collect();
    items
        .chunks(n_batch)
        .flat_map(|items| scorer.score(items).unwrap())
        .collect()
}

#[test]
fn scores_equal_the_reference() {
    let cases = cases();
    let scores = score(load(&folder(), Precision::F32).as_ref(), &cases, 7);
    assert_eq!(scores.len(), cases.len());
    let mut worst: f64 = 0.0;
    for (score, case) in scores.iter().zip(&cases) {
        worst = worst.max((score.value - case.score).abs());
        assert_eq!(score.is_truncated, case.truncated, "`{}`", case.prompt);
        assert_eq!(score.sigma, None);
    }
    assert!(worst <= TOLERANCE, "off by {worst}");
    let n_truncated = cases.iter().filter(|case| case.truncated).count();
    assert!(n_truncated > 0 && n_truncated < cases.len());
}

/// A mistake may change nothing where it has no occasion: a text that is cut has no padding, noise of the
/// network's own size is not resized.
#[test]
fn known_mistakes_give_other_scores() {
    let cases = cases();
    let scores = score(load(&folder(), Precision::F32).as_ref(), &cases, 7);
    let n_long = cases.iter().filter(|case| case.truncated).count();
    for (mistake, n_least) in [
        ("first token [ENC]", cases.len()),
        ("causal text", cases.len()),
        ("padding seen", cases.len() - n_long),
        ("more than 35 tokens", n_long),
        ("relu in the head", cases.len()),
        ("not normalised", cases.len()),
        ("resized as a tensor", cases.len() / 2),
    ] {
        let differs =
            |(score, case): &(&Score, &Case)| (score.value - case.confused[mistake]).abs() > 4.0 * TOLERANCE;
        let n = scores.iter().zip(&cases).filter(differs).count();
        assert!(
            n >= n_least,
            "{mistake}: {n} of {}, expected {n_least}",
            cases.len()
        );
    }
}

#[test]
fn texts_of_other_lengths_in_a_batch_change_nothing() {
    let cases = cases();
    let scorer = load(&folder(), Precision::F32);
    let alone = score(scorer.as_ref(), &cases, 1);
    for (alone, together) in alone.iter().zip(score(scorer.as_ref(), &cases, cases.len())) {
        assert!(
            (alone.value - together.value).abs() < 2e-5,
            "{alone:?}, {together:?}"
        );
        assert_eq!(alone.is_truncated, together.is_truncated);
    }
    assert_eq!(scorer.score(&[]).unwrap(), Vec::new());
}

#[test]
fn half_precision_is_near() {
    let cases = cases();
    let scorer = load(&folder(), Precision::Bf16);
    assert_eq!(scorer.info().dtype, "bf16");
    let spread = cases.iter().map(|case| case.score.abs()).fold(0.0, f64::max);
    for (score, case) in score(scorer.as_ref(), &cases, 5).iter().zip(&cases) {
        let off = (score.value - case.score).abs() / spread;
        assert!(off < 0.15, "off by {off} of the spread");
    }
}

/// What loading says after `spoil` of a copy.
fn refusal(spoil: impl FnOnce(&Path)) -> String {
    let copy = copied();
    spoil(copy.path());
    let scorers = Scorers::open(copy.path(), Precision::F32).unwrap();
    let error = scorers
        .load("imagereward")
        .err()
        .expect("the spoilt folder is refused");
    error
        .to_string()
        .replace(&format!("{}/", copy.path().display()), "")
}

fn copied() -> tempfile::TempDir {
    let copy = tempfile::tempdir().unwrap();
    fs_err::create_dir(copy.path().join("bert-tokenizer")).unwrap();
    for name in [
        "imagereward.safetensors",
        "imagereward.config.json",
        "bert-tokenizer/vocab.txt",
    ] {
        fs_err::copy(folder().join(name), copy.path().join(name)).unwrap();
    }
    copy
}

#[test]
fn files_that_do_not_fit_are_refused() {
    const CONFIG: &str = "imagereward.config.json";
    for (text, spoil) in [
        (
            "weights `imagereward.safetensors`: no tensor tells the number of heads of the image tower of width 32, \
             and no published network has that width: put its configuration beside it",
            (|dir| fs_err::remove_file(dir.join(CONFIG)).unwrap()) as fn(&Path),
        ),
        (
            "weights `imagereward.config.json`: expected `hidden_act` `gelu`, got `relu`: it is of another network",
            |dir| fs_err::write(dir.join(CONFIG), r#"{"hidden_act": "relu"}"#).unwrap(),
        ),
        (
            "weights `imagereward.config.json`: expected a number of heads of the text tower that divides its width \
             24, got 5",
            |dir| {
                let heads = r#"{"num_attention_heads": 5, "vision_num_attention_heads": 4}"#;
                fs_err::write(dir.join(CONFIG), heads).unwrap();
            },
        ),
        (
            "weights `bert-tokenizer/vocab.txt`: expected `tokenizer.json` or `vocab.txt` there",
            |dir| fs_err::remove_file(dir.join("bert-tokenizer/vocab.txt")).unwrap(),
        ),
        (
            "weights `bert-tokenizer/vocab.txt`: no token `[CLS]`: expected the tokenizer of BERT",
            |dir| fs_err::write(dir.join("bert-tokenizer/vocab.txt"), "[UNK]\na\n").unwrap(),
        ),
        (
            "weights `bert-tokenizer/vocab.txt`: expected at most the 104 tokens of the text tower, got 207: it is of \
             another network",
            |dir| {
                // Two more come with the network: [DEC] and [ENC].
                let words: String = (0..200).map(|idx| format!("w{idx}\n")).collect();
                let text = format!("[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\n{words}");
                fs_err::write(dir.join("bert-tokenizer/vocab.txt"), text).unwrap();
            },
        ),
    ] {
        assert_eq!(refusal(spoil), text);
    }
}

#[test]
fn the_scorer_says_what_it_is_and_needs_a_prompt() {
    let scorer = load(&folder(), Precision::F32);
    let info = scorer.info();
    assert_eq!(info.profile, "imagereward/v1.0+pillow11-center224+bert35/v1");
    assert_eq!(info.weights_sha256.len(), 1);
    assert_eq!(info.weights_sha256[0].0, "imagereward.safetensors");
    let picture = Picture::named(8, 8, "ramp", 0);
    let item = ScoreItem {
        image: picture.view(),
        prompt: None,
    };
    let error = scorer.score(&[item]).unwrap_err();
    assert_eq!(
        error.to_string(),
        "`imagereward` looks at the prompt, and item 0 has none"
    );
}

/// The authors' own four pictures have the scores that their README gives, to the digits of its other runs.
#[test]
fn real_weights_give_the_published_scores() {
    const PROMPT: &str = "a painting of an ocean with clouds and birds, day time, low depth field effect";
    let Some(weights) = std::env::var_os("ASAP_WEIGHTS").map(PathBuf::from) else {
        println!("skipped: ASAP_WEIGHTS names no folder of weights");
        return;
    };
    // `assets/images/N.webp` of the repository of ImageReward, as binary PPM.
    let path = |n: usize| weights.join(format!("known/imagereward/{n}.ppm"));
    let missing = Scorers::open(&weights, Precision::F32)
        .unwrap()
        .missing("imagereward")
        .unwrap();
    if !missing.is_empty() || !path(1).is_file() {
        println!("skipped: missing {missing:?} or `{}`", path(1).display());
        return;
    }
    let scorer = load(&weights, Precision::F32);
    for (idx, expected) in [0.5811, 0.2745, -1.4131, -2.0298].into_iter().enumerate() {
        let picture = ppm(&fs_err::read(path(idx + 1)).unwrap());
        let item = ScoreItem {
            image: picture.view(),
            prompt: Some(PROMPT),
        };
        let score = scorer.score(&[item]).unwrap()[0];
        // Two published runs differ by 0.003.
        assert!(
            (score.value - expected).abs() < 0.01,
            "{}: {score:?} != {expected}",
            idx + 1
        );
        assert!(!score.is_truncated);
    }
}

/// A binary PPM with 8 bits a channel and no comments.
fn ppm(file: &[u8]) -> Picture {
    // Magic, width, height, largest value; one blank after each.
    let mut parts = file.splitn(5, u8::is_ascii_whitespace);
    let header: [&str; 4] =
        std::array::from_fn(|_| std::str::from_utf8(parts.next().expect("a whole header")).unwrap());
    assert_eq!((header[0], header[3]), ("P6", "255"));
    Picture {
        width: header[1].parse().unwrap(),
        height: header[2].parse().unwrap(),
        bytes: parts.next().expect("pixels").to_vec(),
    }
}

#[test]
fn a_ppm_is_read() {
    let picture = ppm(b"P6\n2 1\n255\n\n\x00 abc");
    assert_eq!(
        (picture.width, picture.height, &picture.bytes[..]),
        (2, 1, &b"\n\x00 abc"[..])
    );
}
