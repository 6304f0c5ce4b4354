//! `asap bench from-hap` and `rehearse`: a HAP dataset as two runs, judged by known answers and by made-up raters.

use serde_json::Value;

use crate::harness::Sandbox;

fn runs() -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.ok("synth figures --n 6 --seed 4 --size 384 --out a.lance --quiet");
    sandbox.ok("bench from-hap a.lance --all --out runs --quiet");
    sandbox
}

fn figure<'a>(report: &'a Value, measure: &str, model: &str) -> &'a Value {
    let figures = report["figures"].as_array().unwrap();
    let is_it = |figure: &&Value| {
        figure["measure"] == measure && figure["model"] == model && figure["scope"] == "overall"
    };
    figures
        .iter()
        .find(is_it)
        .unwrap_or_else(|| panic!("no `{measure}` of `{model}` in {report:#}"))
}

#[test]
fn known_answers_give_the_extreme_scores() {
    let sandbox = runs();
    for model in ["hap-preferred", "hap-rejected"] {
        sandbox.ok(&format!(
            "bench judge runs/{model} --protocol aer.v1 --judge known:runs/known.jsonl --quiet"
        ));
    }
    sandbox.ok(
        "bench judge runs/hap-preferred --against runs/hap-rejected --protocol rsi.v1 \
         --judge known:runs/known.jsonl --quiet",
    );
    sandbox.ok("bench report runs/hap-preferred runs/hap-rejected --out report --quiet");
    let report: Value = serde_json::from_slice(&sandbox.read("report/report.json")).unwrap();
    assert_eq!(figure(&report, "aer", "hap-preferred")["value"], 0.0);
    assert_eq!(figure(&report, "aer", "hap-rejected")["value"], 1.0);
    sandbox.ok("bench verify report");
}

#[test]
fn a_run_that_is_there_is_left_as_it_is() {
    let sandbox = runs();
    let before = sandbox.read("runs/hap-rejected/run.json");
    sandbox.ok("bench from-hap a.lance --all --out runs --quiet");
    assert_eq!(sandbox.read("runs/hap-rejected/run.json"), before);
}

#[test]
fn pairs_that_nobody_kept_are_told() {
    let sandbox = Sandbox::new();
    sandbox.ok("synth figures --n 2 --seed 4 --size 256 --out a.lance --quiet");
    let got = sandbox.asap("bench from-hap a.lance --out runs");
    assert_eq!(got.code, Some(1), "{}", got.snapshot());
    assert!(
        got.stderr.contains("asap curate") && got.stderr.contains("--all"),
        "{}",
        got.stderr
    );
}

#[test]
fn a_rehearsal_is_the_same_every_time_and_can_be_taken_over() {
    let sandbox = runs();
    let rehearse = "bench rehearse runs/hap-rejected --protocol aer.v1 --known runs/known.jsonl --votes 4";
    let made = sandbox.json(&format!("{rehearse} --out votes.jsonl"));
    let n_prompts = String::from_utf8(sandbox.read("runs/hap-pairs.jsonl"))
        .unwrap()
        .lines()
        .count();
    assert_eq!(made["n_votes"], n_prompts * 4);
    sandbox.ok(&format!("{rehearse} --out again.jsonl --quiet"));
    assert_eq!(sandbox.read("votes.jsonl"), sandbox.read("again.jsonl"));
    let votes = String::from_utf8(sandbox.read("votes.jsonl")).unwrap();
    assert!(votes.lines().all(|line| line.contains("simulated-")), "{votes}");
    let taken = sandbox.json("bench judge runs/hap-rejected --protocol aer.v1 --judge human:votes.jsonl");
    assert_eq!(taken["n_verdicts"], made["n_votes"]);
    // Pairs too, each vote in an order of its own.
    sandbox.ok(
        "bench rehearse runs/hap-preferred --against runs/hap-rejected --protocol rsi.v1 --known runs/known.jsonl \
         --out pairs.jsonl --quiet",
    );
    let pairs = String::from_utf8(sandbox.read("pairs.jsonl")).unwrap();
    assert!(
        pairs.contains("model_first") && pairs.contains("baseline_first"),
        "{pairs}"
    );
    sandbox.ok(
        "bench judge runs/hap-preferred --against runs/hap-rejected --protocol rsi.v1 --judge human:pairs.jsonl --quiet",
    );
}
