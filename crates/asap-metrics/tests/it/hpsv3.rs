//! HPSv3: a tiny random network against the reference, `../golden/scorers_blip/hpsv3_reward.json`, and what is said
//! about files that do not fit.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use asap_metrics::scorers::{Precision, Score, ScoreItem, Scorer, Scorers};
use serde::Deserialize;

use crate::images::Picture;

/// All is f32.
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
    mu: f64,
    log_sigma: f64,
    confused: BTreeMap<String, f64>,
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/scorers_blip")
}

fn cases() -> Vec<Case> {
    let text = include_str!("../golden/scorers_blip/hpsv3_reward.json");
    let golden: Golden = serde_json::from_str(text).unwrap();
    assert!(golden.cases.len() >= 12);
    golden.cases
}

fn load(precision: Precision) -> Box<dyn Scorer> {
    Scorers::open(&folder(), precision)
        .unwrap()
        .load("hpsv3")
        .unwrap()
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

/// The reference's batches are of three; neither those of four nor single items may differ from them.
#[test]
fn mean_and_deviation_equal_the_reference_in_any_batch() {
    let cases = cases();
    let scorer = load(Precision::F32);
    for n_batch in [1, 4] {
        let scores = score(scorer.as_ref(), &cases, n_batch);
        assert_eq!(scores.len(), cases.len());
        let mut worst: f64 = 0.0;
        for (score, case) in scores.iter().zip(&cases) {
            let sigma = score.sigma.expect("HPSv3 tells its doubt");
            worst = worst.max((score.value - case.mu).abs());
            worst = worst.max((sigma.ln() - case.log_sigma).abs());
            assert!(!score.is_truncated);
        }
        assert!(worst <= TOLERANCE, "off by {worst} in batches of {n_batch}");
    }
    assert_eq!(scorer.score(&[]).unwrap(), Vec::new());
}

/// A mistake may change nothing where it has no occasion: squares are square already.
#[test]
fn known_mistakes_give_other_scores() {
    let cases = cases();
    let scores = score(load(Precision::F32).as_ref(), &cases, 3);
    let n_oblong = cases.iter().filter(|case| case.width != case.height).count();
    for (mistake, n_least) in [
        ("position of three axes", cases.len()),
        ("last token", cases.len()),
        ("blanks cut", cases.len()),
        ("always square", n_oblong),
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
    // The second output is the logarithm of sigma: sigma itself cannot be below zero, the output is.
    assert!(cases.iter().any(|case| case.log_sigma < 0.0));
    assert!(scores.iter().all(|score| score.sigma > Some(0.0)));
}

#[test]
fn half_precision_is_near() {
    let cases = cases();
    let scorer = load(Precision::Bf16);
    assert_eq!(scorer.info().dtype, "bf16");
    let spread = cases.iter().map(|case| case.mu.abs()).fold(0.0, f64::max);
    for (score, case) in score(scorer.as_ref(), &cases, 5).iter().zip(&cases) {
        let off = (score.value - case.mu).abs() / spread;
        assert!(off < 0.15, "off by {off} of the spread");
    }
}

#[test]
fn the_hash_of_the_instruction_goes_with_the_scores() {
    let scorer = load(Precision::F32);
    let info = scorer.info();
    assert_eq!(info.profile, "hpsv3/7b+pillow11-smart200704+chat-template1/v1");
    let files: Vec<&str> = info
        .weights_sha256
        .iter()
        .map(|(file, _)| file.as_str())
        .collect();
    assert_eq!(files, ["hpsv3.safetensors", "instruction.txt"]);
    assert!(info.weights_sha256.iter().all(|(_, sha256)| sha256.len() == 64));
}

/// What loading says after `spoil` of a copy.
fn refusal(spoil: impl FnOnce(&Path)) -> String {
    let copy = tempfile::tempdir().unwrap();
    fs_err::create_dir(copy.path().join("hpsv3")).unwrap();
    for name in [
        "hpsv3.safetensors",
        "hpsv3.config.json",
        "hpsv3/tokenizer.json",
        "hpsv3/instruction.txt",
    ] {
        fs_err::copy(folder().join(name), copy.path().join(name)).unwrap();
    }
    spoil(copy.path());
    let scorers = Scorers::open(copy.path(), Precision::F32).unwrap();
    let error = scorers.load("hpsv3").err().expect("the spoilt folder is refused");
    error
        .to_string()
        .replace(&format!("{}/", copy.path().display()), "")
}

#[test]
fn files_that_do_not_fit_are_refused() {
    const INSTRUCTION: &str = "hpsv3/instruction.txt";
    const CONFIG: &str = "hpsv3.config.json";
    for (text, spoil) in [
        (
            "weights `hpsv3/instruction.txt`: no such file; it must hold the instruction of the HPSv3 project, which \
             is not part of this toolkit: `INSTRUCTION + prompt_with_special_token` of \
             `hpsv3/dataset/data_collator_qwen.py`",
            (|dir| fs_err::remove_file(dir.join(INSTRUCTION)).unwrap()) as fn(&Path),
        ),
        (
            "weights `hpsv3/instruction.txt`: expected `<|Reward|>` once in the instruction, got it 2 times",
            |dir| fs_err::write(dir.join(INSTRUCTION), "{text_prompt} <|Reward|><|Reward|>").unwrap(),
        ),
        (
            "weights `hpsv3/instruction.txt`: expected `{text_prompt}` once in the instruction, got it 0 times",
            |dir| fs_err::write(dir.join(INSTRUCTION), "<|Reward|>").unwrap(),
        ),
        (
            "weights `hpsv3.config.json`: expected the activation `quick_gelu` in the image tower, got `gelu`: it is \
             of another network",
            |dir| fs_err::write(dir.join(CONFIG), r#"{"vision_config": {"hidden_act": "gelu"}}"#).unwrap(),
        ),
        (
            "weights `hpsv3.safetensors`: no tensor tells the number of heads of the decoder of width 32, and the \
             published network has another width: put its configuration beside it",
            |dir| fs_err::remove_file(dir.join(CONFIG)).unwrap(),
        ),
        (
            "weights `hpsv3.config.json`: expected heads of the decoder of a multiple of 4 wide, got 16 of its width \
             32",
            |dir| fs_err::write(dir.join(CONFIG), r#"{"num_attention_heads": 16}"#).unwrap(),
        ),
    ] {
        assert_eq!(refusal(spoil), text);
    }
    let text = refusal(|dir| fs_err::remove_file(dir.join("hpsv3/tokenizer.json")).unwrap());
    assert!(text.starts_with("weights `hpsv3/tokenizer.json`: "), "{text}");
}

/// The network's table has a row for each token and `<|Reward|>`, and no reserve as that of Qwen2-VL.
#[test]
fn the_tokens_are_counted_in_the_file() {
    let text = refusal(|dir| {
        let path = dir.join("hpsv3/tokenizer.json");
        let mut json: serde_json::Value = serde_json::from_slice(&fs_err::read(&path).unwrap()).unwrap();
        let added = json["added_tokens"].as_array_mut().unwrap();
        let mut one_more = added.last().unwrap().clone();
        one_more["id"] = (one_more["id"].as_u64().unwrap() + 1).into();
        one_more["content"] = "<|more|>".into();
        added.push(one_more);
        fs_err::write(&path, json.to_string()).unwrap();
    });
    assert_eq!(
        text,
        "weights `hpsv3/tokenizer.json`: expected at most the 309 tokens of the text tower, got 310: it is of another \
         network"
    );
}
