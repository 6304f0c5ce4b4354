//! Sets of prompts: reading, checks, counts.

mod balance;
mod checks;
mod load;
mod shipped;
mod stats;
mod tokens;

use std::collections::BTreeSet;
use std::path::PathBuf;

use asap_bench::prompts::{Finding, Options, Report, Rules, Tokenizers, read, validate};
use serde_json::{Value, json};

/// A row that passes every check, with `changes` laid over it.
fn row(changes: Value) -> Value {
    let mut row = json!({
        "id": "haf-bas-0001",
        "category": "basic_anatomy",
        "subcategory": "hand_pose",
        "factors": [],
        "prompt": "A bearded potter raises one open hand beside a sunlit kiln, fingers spread wide.",
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
    for (key, value) in changes.as_object().unwrap() {
        row[key] = value.clone();
    }
    row
}

/// Rows that differ in nothing but their ids and texts.
fn rows<'a>(texts: impl IntoIterator<Item = &'a str>) -> Vec<Value> {
    let numbered = (1..).zip(texts);
    numbered
        .map(|(number, text)| row(json!({"id": format!("haf-bas-{number:04}"), "prompt": text})))
        .collect()
}

fn jsonl(rows: &[Value]) -> String {
    rows.iter().map(|row| format!("{row}\n")).collect()
}

/// Writes rows as a lone file.
fn file(dir: &tempfile::TempDir, rows: &[Value]) -> PathBuf {
    let path = dir.path().join("prompts.jsonl");
    fs_err::write(&path, jsonl(rows)).unwrap();
    path
}

/// Validates rows with the embedded rules, against `captions`.
fn report(rows: &[Value], captions: &[&str]) -> Report {
    let dir = tempfile::tempdir().unwrap();
    let reading = read(&file(&dir, rows)).unwrap();
    assert_eq!(
        reading.faults,
        [],
        "the rows of this test have no faults of format"
    );
    let captions: BTreeSet<String> = captions.iter().map(|&it| it.to_owned()).collect();
    let options = Options {
        rules: &Rules::embedded(),
        tokenizers: &Tokenizers::estimates(),
        captions: Some(&captions),
    };
    validate(&reading, &options)
}

/// `check prompt: evidence` of each finding.
fn told(findings: &[Finding]) -> Vec<String> {
    findings
        .iter()
        .map(|it| {
            let prompt = it.prompt.as_ref().map_or("set", |id| id.as_str());
            format!("{} {prompt}: {}", it.check, it.evidence)
        })
        .collect()
}
