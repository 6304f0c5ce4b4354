//! `asap bench report` and `asap bench verify` on small made-up runs, as a user runs them.

use serde_json::{Value, json};

use crate::harness::{Sandbox, check, images};

const MODELS: [&str; 2] = ["asap", "base"];

fn prompts_jsonl(n: usize) -> String {
    let row = |idx: usize| {
        let category = ["basic_anatomy", "object_interaction"][idx % 2];
        format!(
            r#"{{"id":"haf-{idx:04}","category":"{category}","subcategory":"s","factors":[],"prompt":"Prompt number {idx}.","regions":["hands"],"persons":1,"hands_expected":{{"min":1,"max":2}},"framing":"half_body","difficulty":1,"lang":"en","source":"human","license":"CC0-1.0","added":"1.0.0"}}"#
        )
    };
    (0..n).map(|idx| row(idx) + "\n").collect()
}

/// Two runs of `n` prompts, judged by known answers: every image of `base` whose number can be divided by 2 fails,
/// and every fourth one of `asap`.
fn judged(n: usize) -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.write("prompts.jsonl", prompts_jsonl(n));
    for (model, every) in MODELS.into_iter().zip([4, 2]) {
        let mut labels = String::new();
        for idx in 0..n {
            let shade = [idx as u8, every as u8 * 40, 90];
            let picture = images::png(image::RgbImage::from_pixel(24, 16, image::Rgb(shade)));
            let verdict = if idx % every == 0 { "fail" } else { "pass" };
            labels.push_str(&format!(
                "{}\n",
                json!({"image_sha256": sha256(&picture), "verdict": verdict})
            ));
            sandbox.write(&format!("{model}/images/haf-{idx:04}/0.png"), picture);
        }
        sandbox.write(&format!("{model}.jsonl"), labels);
        sandbox.ok(&format!(
            "bench adopt {model} --model {model} --prompts prompts.jsonl"
        ));
        sandbox.ok(&format!(
            "bench judge {model} --protocol aer.v1 --judge known:{model}.jsonl"
        ));
    }
    sandbox
}

fn sha256(bytes: &[u8]) -> String {
    use sha2::Digest as _;
    sha2::Sha256::digest(bytes)
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

#[test]
fn a_report_is_made_and_verified_and_a_changed_vote_is_found() {
    let sandbox = judged(40);
    check(
        &sandbox,
        "bench report asap base --out report --replicates 200",
        "
        exit 0
        --- stdout
        judge `known answers`, baseline `base`

        model  AER %      interval   n  status       RSI  interval  n
        asap    25.0  14.2 to 40.2  40  preliminary    -         -  -
        base    50.0  35.2 to 64.8  40  preliminary    -         -  -

        83 figures in `report/index.html`
        ",
    );
    let told = sandbox.ok("bench verify report");
    assert!(
        told.contains("computed 83 figures again; differences: 0"),
        "{told}"
    );
    let log = String::from_utf8(sandbox.read("report/judgements.jsonl")).unwrap();
    sandbox.write("report/judgements.jsonl", log.replacen("\"fail\"", "\"pass\"", 1));
    let run = sandbox.asap("bench verify report");
    assert_eq!(run.code, Some(1), "{}", run.snapshot());
    for told in [
        "`judgements.jsonl`: its bytes are not those that were written\n",
        "`report.json`: aer of asap, overall: the logs give 0.225 [",
        "`tables/aer.csv`: is not what the logs give\n",
    ] {
        assert!(run.stdout.contains(told), "{told}\n{}", run.stdout);
    }
    assert!(run.stderr.starts_with("error: `report` has "), "{}", run.stderr);
}

#[test]
fn the_figures_are_those_of_the_labels() {
    let sandbox = judged(40);
    let made = sandbox.json("bench report asap base --out report --replicates 200 --date today");
    let figure = |measure: &str| -> Value {
        let figures = made["figures"].as_array().unwrap();
        let is_it = |figure: &&Value| {
            figure["measure"] == measure && figure["model"] == "asap" && figure["scope"] == "overall"
        };
        figures.iter().find(is_it).unwrap().clone()
    };
    assert_eq!(figure("aer")["value"], 0.25);
    assert_eq!(figure("aer_difference")["value"], -0.25);
    assert_eq!(figure("aer_only_model_fails")["value"], 0.0);
    assert_eq!(figure("aer_only_baseline_fails")["value"], 10.0);
    // Ten discordant pairs, all in favour of one side: 2 / 2^10.
    let p = figure("aer_difference_p")["value"].as_f64().unwrap();
    assert!((p - 2.0 / 1024.0).abs() < 1e-15, "{p}");
    let page = String::from_utf8(sandbox.read("report/index.html")).unwrap();
    assert!(page.contains("<h1>asap against base</h1>"));
    assert!(page.contains("today"));
    assert!(page.contains("href=\"../asap/images/haf-"));
    assert!(sandbox.read("report/plots/aer.png").starts_with(b"\x89PNG"));
}

#[test]
fn what_cannot_be_reported_is_told_in_one_line() {
    let sandbox = judged(4);
    check(
        &sandbox,
        "bench report asap base --out report --judge gemini:gemini-3",
        "
        exit 1
        --- stderr
        error: no verdicts of judge `gemini:gemini-3`; there are those of `known`
        ",
    );
    check(
        &sandbox,
        "bench report asap asap --out report",
        "
        exit 1
        --- stderr
        error: `asap` against `asap`: two runs have this model's name; give each model its own
        ",
    );
    sandbox.write("mine/letter.txt", "dear");
    check(
        &sandbox,
        "bench report asap base --out mine",
        "
        exit 1
        --- stderr
        error: `mine`: has files in it that are no report; choose another folder
        ",
    );
    sandbox.write("votes.jsonl", "{\"verdict\":\"pass\"}\n");
    let run = sandbox.asap("bench report asap base --out report --human votes.jsonl");
    assert_eq!(run.code, Some(1));
    assert!(
        run.stderr
            .starts_with("error: `votes.jsonl` line 1: missing field"),
        "{}",
        run.stderr
    );
    check(
        &sandbox,
        "bench verify asap",
        "
        exit 1
        --- stderr
        error: `asap`: expected a report, got a folder without `SHA256SUMS`
        ",
    );
}
