//! A report that was tampered with is told from one that was not.

use std::path::Path;

use asap_bench::report::verify;

use super::fixture::{Plan, Runs, runs, wishes};
use super::making::report;

fn made() -> Runs {
    let made = runs(Plan {
        prompts_per_category: 6,
        unscored: 0.0,
    });
    report(&made.inputs(), wishes(), &made.dir.path().join("report"));
    made
}

/// Verifies a report after a change; gives all differences.
fn after(change: impl FnOnce(&Path)) -> Vec<String> {
    let made = made();
    let dir = made.dir.path().join("report");
    change(&dir);
    let verified = verify(&dir).unwrap();
    verified.differences.iter().map(ToString::to_string).collect()
}

fn edit(path: &Path, from: &str, to: &str) {
    let text = std::fs::read_to_string(path).unwrap();
    assert!(text.contains(from), "{from}");
    std::fs::write(path, text.replacen(from, to, 1)).unwrap();
}

#[test]
fn a_report_follows_from_its_logs_without_the_runs() {
    let made = made();
    std::fs::remove_dir_all(made.dir.path().join("runs")).unwrap();
    let verified = verify(&made.dir.path().join("report")).unwrap();
    assert_eq!(verified.differences, []);
    assert!(verified.n_files > 50 && verified.n_figures > 500, "{verified:?}");
}

#[test]
fn a_changed_vote_shows_in_its_log_and_in_every_figure_it_touches() {
    let found = after(|dir| {
        edit(
            &dir.join("judgements.jsonl"),
            "\"verdict\":\"fail\"",
            "\"verdict\":\"pass\"",
        )
    });
    assert!(found.contains(&"`judgements.jsonl`: its bytes are not those that were written".to_owned()));
    assert!(found.contains(&"`judgements.jsonl`: is not the log whose hash `config.json` has".to_owned()));
    assert!(
        found
            .iter()
            .any(|line| line.contains("aer of flux-asap, overall: the logs give")),
        "{found:#?}"
    );
    assert!(found.contains(&"`tables/aer.csv`: is not what the logs give".to_owned()));
    assert!(found.contains(&"`index.html`: is not what the logs give".to_owned()));
}

#[test]
fn a_changed_figure_is_named_though_its_hash_was_changed_too() {
    let found = after(|dir| {
        let path = dir.join("report.json");
        let before = std::fs::read(&path).unwrap();
        let mut report: serde_json::Value = serde_json::from_slice(&before).unwrap();
        let value = report["figures"][0]["value"].as_f64().unwrap();
        // The next number that there is: one bit.
        report["figures"][0]["value"] = value.next_up().into();
        let mut text = serde_json::to_string_pretty(&report).unwrap();
        text.push('\n');
        std::fs::write(&path, &text).unwrap();
        let hash = |bytes: &[u8]| asap_bench::run::sha256(bytes).to_string();
        edit(&dir.join("SHA256SUMS"), &hash(&before), &hash(text.as_bytes()));
    });
    assert!(
        found[0].starts_with("`report.json`: aer of flux-asap, overall: the logs give"),
        "{found:#?}"
    );
}

#[test]
fn changed_missing_and_added_files_are_listed() {
    let mut gone = String::new();
    let found = after(|dir| {
        let picture = std::fs::read_dir(dir.join("images"))
            .unwrap()
            .next()
            .unwrap()
            .unwrap();
        gone = format!("images/{}", picture.file_name().to_str().unwrap());
        std::fs::remove_file(picture.path()).unwrap();
        std::fs::write(dir.join("plots/aer.png"), "no picture").unwrap();
        std::fs::write(dir.join("more.txt"), "more").unwrap();
    });
    assert_eq!(
        found,
        [
            format!("`{gone}`: is missing"),
            "`plots/aer.png`: its bytes are not those that were written".to_owned(),
            "`more.txt`: does not belong to the report".to_owned(),
        ]
    );
}

#[test]
fn logs_that_are_no_logs_are_told() {
    let found = after(|dir| edit(&dir.join("scores.jsonl"), "{", "["));
    assert!(
        found
            .iter()
            .any(|line| line.contains("no figure was computed again") && line.contains("line 1")),
        "{found:#?}"
    );
}

#[test]
fn a_folder_without_list_is_no_report() {
    let dir = tempfile::tempdir().unwrap();
    let message = verify(dir.path()).unwrap_err().to_string();
    assert!(
        message.ends_with("expected a report, got a folder without `SHA256SUMS`"),
        "{message}"
    );
}
