//! `asap bench score`: tiny random networks, laid out as the real ones, look at the images of a run.

use std::path::{Path, PathBuf};

use asap_metrics::RgbView;
use asap_metrics::scorers::{Precision, ScoreItem, Scorers};
use serde_json::Value;

use crate::harness::{Sandbox, images};

const LONG: &str = "a crowd of people who hold hands and wave with the other hand, each of them with five fingers, \
    in a garden with a fountain and roses, and behind them a house with a red roof and nine windows, in each of \
    which somebody looks out and waves back with both hands, late in the afternoon of a warm day in September";

/// The tiny networks of the golden numbers, without their configurations' neighbours.
fn weights() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../crates/asap-metrics/tests/golden/scorers")
}

fn picture(idx: u32) -> image::RgbImage {
    image::RgbImage::from_fn(48 + 9 * idx, 40, |x, y| {
        image::Rgb([(5 * x + 40 * idx) as u8, (6 * y) as u8, 90])
    })
}

/// A run with an image for each prompt.
fn make_run(sandbox: &Sandbox, prompts: &[&str]) {
    let row = |(idx, prompt): (usize, &&str)| {
        format!(
            r#"{{"id":"haf-{idx:04}","category":"full_body","subcategory":"s","factors":[],"prompt":"{prompt}","regions":["hands"],"persons":1,"hands_expected":{{"min":1,"max":2}},"framing":"half_body","difficulty":1,"lang":"en","source":"human","license":"CC0-1.0","added":"1.0.0"}}"#
        ) + "\n"
    };
    let rows: String = prompts.iter().enumerate().map(row).collect();
    sandbox.write("prompts.jsonl", rows);
    for idx in 0..prompts.len() {
        sandbox.write(
            &format!("flux/images/haf-{idx:04}/0.png"),
            images::png(picture(idx as u32)),
        );
    }
    sandbox.ok("bench adopt flux --model flux --prompts prompts.jsonl");
}

fn score_line(rest: &str) -> String {
    format!("bench score flux --weights {} {rest}", weights().display())
}

fn rows(sandbox: &Sandbox, scorer: &str) -> Vec<Value> {
    let text = String::from_utf8(sandbox.read(&format!("flux/scores/{scorer}.jsonl"))).unwrap();
    text.lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

#[test]
fn scores_are_those_of_the_library_and_are_written_once() {
    let sandbox = Sandbox::new();
    let prompts = ["a man waves", LONG, "two hands"];
    make_run(&sandbox, &prompts);
    let line = score_line("--scorers pickscore,aesthetic,hpsv2.1 --batch 2");
    let report = sandbox.json(&line);

    let scorers = Scorers::open(&weights(), Precision::F32).unwrap();
    for (place, name) in ["pickscore", "aesthetic", "hpsv2.1"].into_iter().enumerate() {
        let scorer = scorers.load(name).unwrap();
        let rows = rows(&sandbox, name);
        assert_eq!(rows.len(), prompts.len());
        let mut sum = 0.0;
        for (idx, (row, prompt)) in rows.iter().zip(prompts).enumerate() {
            let picture = picture(idx as u32);
            let image = RgbView::new(picture.width(), picture.height(), picture.as_raw()).unwrap();
            let item = ScoreItem {
                image,
                prompt: Some(prompt),
            };
            let expected = scorer.score(&[item]).unwrap()[0];
            let got = row["value"].as_f64().unwrap();
            assert!(
                (got - expected.value).abs() < 1e-5,
                "{name}: {got} != {}",
                expected.value
            );
            assert_eq!(row["is_truncated"], expected.is_truncated);
            assert_eq!(row["profile"], scorer.info().profile);
            sum += got;
        }
        let line = &report[place];
        assert_eq!(line["scorer"], name);
        assert_eq!(line["n_images"], 3);
        assert!((line["mean"].as_f64().unwrap() - sum / 3.0).abs() < 1e-12);
        let cut = if name == "aesthetic" {
            Value::Null
        } else {
            1.into()
        };
        assert_eq!(line["n_prompts_truncated"], cut, "{name}");
    }

    let before = sandbox.read("flux/scores/pickscore.jsonl");
    assert_eq!(sandbox.json(&line), report);
    assert_eq!(
        sandbox.read("flux/scores/pickscore.jsonl"),
        before,
        "nothing is scored twice"
    );
}

#[test]
fn a_run_goes_on_where_its_log_ends() {
    let sandbox = Sandbox::new();
    make_run(&sandbox, &["a man waves", "two hands"]);
    let line = score_line("--scorers aesthetic --batch 1");
    sandbox.ok(&line);
    let whole = String::from_utf8(sandbox.read("flux/scores/aesthetic.jsonl")).unwrap();
    let first = whole.lines().next().unwrap();
    sandbox.write(
        "flux/scores/aesthetic.jsonl",
        format!("{first}\n{{\"prompt_id\":\"haf"),
    );
    let run = sandbox.asap(&line);
    assert_eq!(run.code, Some(0), "{}", run.snapshot());
    assert!(run.stderr.contains("repaired: "), "{}", run.stderr);
    assert_eq!(
        String::from_utf8(sandbox.read("flux/scores/aesthetic.jsonl")).unwrap(),
        whole
    );
}

#[test]
fn half_precision_is_another_score() {
    let sandbox = Sandbox::new();
    make_run(&sandbox, &["a man waves"]);
    sandbox.ok(&score_line("--scorers hpsv2.1"));
    let report = sandbox.json(&score_line("--scorers hpsv2.1 --dtype bf16"));
    let rows = rows(&sandbox, "hpsv2.1");
    let dtypes: Vec<&Value> = rows.iter().map(|row| &row["dtype"]).collect();
    assert_eq!(dtypes, ["f32", "bf16"]);
    assert_eq!(
        report[0]["mean"], rows[1]["value"],
        "means are over one number type"
    );
}

#[test]
fn a_scorer_without_weights_is_not_computed() {
    let sandbox = Sandbox::new();
    make_run(&sandbox, &["a man waves"]);
    for file in [
        "clip-vit-l-14.safetensors",
        "clip-vit-l-14.config.json",
        "aesthetic.safetensors",
    ] {
        sandbox.write(
            &format!("some/{file}"),
            fs_err::read(weights().join(file)).unwrap(),
        );
    }
    let text = sandbox.ok("bench score flux --weights some --scorers aesthetic,pickscore");
    let lines: Vec<&str> = text.lines().collect();
    assert!(lines[0].starts_with("scorer"), "{text}");
    assert!(
        lines[1].starts_with("aesthetic") && !lines[1].contains("not computed"),
        "{text}"
    );
    assert!(
        lines[2].starts_with("pickscore  not computed       0            -  no `some/pickscore.safetensors`"),
        "{text}"
    );
    assert!(!sandbox.path("flux/scores/pickscore.jsonl").exists());

    let run = sandbox.asap("bench score flux --weights some --scorers pickscore");
    assert_eq!(run.code, Some(1));
    assert!(
        run.stderr
            .starts_with("error: no scorer has its weights: there is no `some/pickscore.safetensors`"),
        "{}",
        run.stderr
    );
}

#[test]
fn wrong_names_and_folders_are_told() {
    let sandbox = Sandbox::new();
    make_run(&sandbox, &["a man waves"]);
    for (line, expected) in [
        (
            score_line("--scorers clipscore"),
            "error: no scorer `clipscore`: expected one of `aesthetic`",
        ),
        (
            "bench score flux --scorers aesthetic --weights nowhere".to_owned(),
            "error: weights `nowhere`: expected a folder of weights",
        ),
        (
            format!(
                "bench score prompts.jsonl --scorers aesthetic --weights {}",
                weights().display()
            ),
            "error: ",
        ),
    ] {
        let run = sandbox.asap(&line);
        assert_eq!(run.code, Some(1), "{}", run.snapshot());
        assert!(run.stderr.starts_with(expected), "{}", run.stderr);
    }
}

/// With the real networks, photographs of people have scores of the known ranges.
#[test]
fn real_weights_give_scores_of_the_known_ranges() {
    let (Some(weights), Some(shared)) = (std::env::var_os("ASAP_WEIGHTS"), std::env::var_os("ASAP_SHARED"))
    else {
        println!("skipped: ASAP_WEIGHTS and ASAP_SHARED name no folders of weights and photographs");
        return;
    };
    let scorers = Scorers::open(Path::new(&weights), Precision::F32).unwrap();
    let mut photographs: Vec<PathBuf> = fs_err::read_dir(Path::new(&shared).join("people"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|end| end == "jpg"))
        .collect();
    photographs.sort();
    photographs.truncate(8);
    assert!(!photographs.is_empty());
    for (name, low, high) in [
        ("aesthetic", 3.0, 8.0),
        ("pickscore", 16.0, 26.0),
        ("hpsv2.1", 0.12, 0.42),
    ] {
        let missing = scorers.missing(name).unwrap();
        if !missing.is_empty() {
            println!("skipped: {name} lacks {missing:?}");
            continue;
        }
        let scorer = scorers.load(name).unwrap();
        for path in &photographs {
            let picture = image::open(path).unwrap().to_rgb8();
            let image = RgbView::new(picture.width(), picture.height(), picture.as_raw()).unwrap();
            let item = |prompt| ScoreItem {
                image,
                prompt: Some(prompt),
            };
            let scores = scorer
                .score(&[
                    item("a photograph of a person"),
                    item("a diagram of a steam engine"),
                ])
                .unwrap();
            let (right, wrong) = (scores[0].value, scores[1].value);
            assert!(
                (low..high).contains(&right),
                "{name} of {}: {right}",
                path.display()
            );
            assert!(
                !scorer.info().needs_prompt || right > wrong,
                "{name} of {}",
                path.display()
            );
        }
    }
}
