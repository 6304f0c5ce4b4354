//! `asap bench prompts`: validate and stats.

use serde_json::{Value, json};

use crate::harness::{Sandbox, check};

fn row(id: &str, prompt: &str) -> String {
    let row = json!({
        "id": id,
        "category": "basic_anatomy",
        "subcategory": "hand_pose",
        "factors": [],
        "prompt": prompt,
        "regions": ["hands"],
        "persons": 1,
        "hands_expected": {"min": 1, "max": 2},
        "framing": "half_body",
        "difficulty": 1,
        "lang": "en",
        "source": "human",
        "license": "CC-BY-4.0",
        "added": "1.0.0",
    });
    format!("{row}\n")
}

const GOOD: &str = "A bearded potter raises one open hand beside a sunlit kiln.";
const BAD: &str = "A cellist with several strings and no bow lifts one hand on stage.";

fn sandbox() -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.write("good.jsonl", row("haf-bas-0001", GOOD));
    sandbox.write("bad.jsonl", row("haf-bas-0001", GOOD) + &row("haf-bas-0002", BAD));
    sandbox
}

#[test]
fn findings_are_told_logged_and_counted() {
    let sandbox = sandbox();
    let run = sandbox.asap("bench prompts validate bad.jsonl --log log.jsonl");
    assert_eq!(run.code, Some(1), "{}", run.snapshot());
    assert_eq!(
        run.stderr,
        "error [ambiguous.quantity]: `haf-bas-0002`: a vague word: \"several\"; say the number or the thing\n\
         error [wording.negation]: `haf-bas-0002`: a negation, which text encoders pass over: \"no\"; say what is there\n\
         error: `bad.jsonl` breaks the rules: errors: 2 in 1 prompts, warnings: 0\n\
         hint: change the prompts that are named above; `--log FILE` writes them down\n"
    );
    assert!(run.stdout.starts_with("check "), "{}", run.stdout);
    assert!(
        run.stdout
            .contains("\nleak.ngram            error      not run\n"),
        "{}",
        run.stdout
    );
    let log = String::from_utf8(sandbox.read("log.jsonl")).unwrap();
    let log: Vec<Value> = log
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(
        log[0],
        json!({
            "check": "ambiguous.quantity",
            "severity": "error",
            "prompt": "haf-bas-0002",
            "line": 2,
            "others": [],
            "evidence": "\"several\"",
            "message": "`haf-bas-0002`: a vague word: \"several\"; say the number or the thing",
        })
    );
    assert_eq!(log.len(), 2);
}

#[test]
fn a_good_set_passes() {
    let report = sandbox().json("bench prompts validate good.jsonl");
    assert_eq!(
        (&report["n_errors"], &report["n_prompts"]),
        (&json!(0), &json!(1)),
        "{report}"
    );
    assert_eq!(report["findings"], json!([]));
}

#[test]
fn faults_of_the_file_are_findings_with_their_line() {
    let sandbox = sandbox();
    let mut bytes = row("haf-bas-0001", GOOD).into_bytes();
    bytes.extend(b"{\xff}\n");
    sandbox.write("torn.jsonl", bytes);
    let run = sandbox.asap("bench prompts validate torn.jsonl");
    assert_eq!(run.code, Some(1));
    assert!(
        run.stderr
            .starts_with("error [format]: torn.jsonl:2: not UTF-8: bad byte at column 2\n"),
        "{}",
        run.stderr
    );
    check(
        &sandbox,
        "bench prompts stats torn.jsonl",
        "
        exit 1
        --- stderr
        error: `torn.jsonl` cannot be used: torn.jsonl:2: not UTF-8: bad byte at column 2
        ",
    );
}

#[test]
fn rules_are_written_changed_and_used() {
    let sandbox = sandbox();
    sandbox.ok("bench prompts validate good.jsonl --write-rules rules.toml --quiet");
    let rules = String::from_utf8(sandbox.read("rules.toml")).unwrap();
    sandbox.write("strict.toml", rules.replace("words_min = 6", "words_min = 20"));
    let run = sandbox.asap("bench prompts validate good.jsonl --rules strict.toml");
    assert_eq!(run.code, Some(1));
    assert!(
        run.stderr.contains("expected 20 to 60 words, got 11"),
        "{}",
        run.stderr
    );
    sandbox.write(
        "wrong.toml",
        rules.replace("near_jaccard_max = 0.6", "near_jaccard_max = 6"),
    );
    let run = sandbox.asap("bench prompts validate good.jsonl --rules wrong.toml");
    assert_eq!(
        run.stderr,
        "error: rule `duplicates.near_jaccard_max` of `wrong.toml`: expected a share between 0 and 1, got 6\n"
    );
}

#[test]
fn prompts_are_compared_with_captions_of_a_dataset_and_of_a_text() {
    let sandbox = sandbox();
    sandbox.write(
        "captions.txt",
        "In May a bearded potter raises one open hand beside an oven\n",
    );
    let run = sandbox.asap("bench prompts validate good.jsonl --against-text captions.txt");
    assert_eq!(run.code, Some(1));
    assert!(
        run.stderr.contains("error [leak.ngram]: `haf-bas-0001`: a run of words of a training caption: \"a bearded potter raises one open hand beside\""),
        "{}",
        run.stderr
    );
    sandbox.ok("synth figures --n 2 --seed 4 --size 256 --out a.lance --quiet");
    let captions = sandbox.json("data list a.lance");
    let caption = captions[0]["prompt"].as_str().unwrap();
    sandbox.write("leaked.jsonl", row("haf-bas-0001", caption));
    let run = sandbox.asap("bench prompts validate leaked.jsonl --against a.lance");
    assert_eq!(run.code, Some(1));
    assert!(
        run.stderr.contains("error [leak.near]: `haf-bas-0001`: "),
        "{}",
        run.stderr
    );
}

#[test]
fn stats_are_tables_and_json() {
    let sandbox = sandbox();
    let text = sandbox.ok("bench prompts stats bad.jsonl");
    assert!(
        text.starts_with("`bad` version 1.0.0: 2 prompts, SHA-256 "),
        "{text}"
    );
    assert!(
        text.contains("basic_anatomy  hand_pose          2  1: 2        half_body: 2\n"),
        "{text}"
    );
    let stats = sandbox.json("bench prompts stats bad.jsonl");
    assert_eq!(stats["words"]["bins"], json!({"10": 2}));
}

/// The tiny tokenizers of the golden numbers, in the layout of a folder of weights.
fn tokenizers(sandbox: &Sandbox) {
    let golden = concat!(env!("CARGO_MANIFEST_DIR"), "/../crates/asap-metrics/tests/golden");
    for (from, to) in [
        (
            "scorers/clip-tokenizer/vocab.json",
            "weights/clip-tokenizer/vocab.json",
        ),
        (
            "scorers/clip-tokenizer/merges.txt",
            "weights/clip-tokenizer/merges.txt",
        ),
        (
            "scorers_blip/bert-tokenizer/vocab.txt",
            "weights/bert-tokenizer/vocab.txt",
        ),
    ] {
        let to = sandbox.path(to);
        fs_err::create_dir_all(to.parent().unwrap()).unwrap();
        fs_err::copy(format!("{golden}/{from}"), to).unwrap();
    }
}

/// A tiny vocabulary cuts words into more tokens than the real one: enough to break the limits.
#[test]
fn tokenizers_count_exactly() {
    let sandbox = sandbox();
    tokenizers(&sandbox);
    let text = sandbox.ok("bench prompts stats good.jsonl");
    assert!(text.contains("CLIP tokens, at most"), "{text}");
    let text = sandbox.ok("bench prompts stats good.jsonl --tokenizers weights");
    assert!(text.contains("CLIP tokens  "), "{text}");
    assert!(!text.contains("at most"), "{text}");
    let estimated = sandbox.json("bench prompts stats good.jsonl");
    let counted = sandbox.json("bench prompts stats good.jsonl --tokenizers weights");
    assert_ne!(estimated["clip_tokens"], counted["clip_tokens"]);

    let long = format!("{GOOD} {}", "Unquestionably photorealistic. ".repeat(12));
    sandbox.write("long.jsonl", row("haf-bas-0001", &long));
    let run = sandbox.asap("bench prompts validate long.jsonl --tokenizers weights");
    assert_eq!(run.code, Some(1));
    assert!(run.stderr.contains(" tokens"), "{}", run.stderr);
    assert!(!run.stderr.contains("estimate"), "{}", run.stderr);
}

#[test]
fn a_folder_without_tokenizers_is_told() {
    let sandbox = sandbox();
    let run = sandbox.asap("bench prompts validate good.jsonl --tokenizers .");
    assert_eq!(run.code, Some(1));
    assert!(run.stderr.contains("clip-tokenizer"), "{}", run.stderr);
}
