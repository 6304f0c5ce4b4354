//! Comparing two runs: both orders, and whose image was which.

use asap_bench::judge::{Runs, limited, pair_questions, verdicts};
use asap_core::chat::ChatPart;
use asap_core::judgement::{Order, Outcome};
use asap_core::{Choice, Sha256};

use super::fixture::{How, JUDGE, Script, judge, protocol, reply, run};

#[tokio::test]
async fn both_orders_are_asked_and_outcomes_are_the_models() {
    let dir = tempfile::tempdir().unwrap();
    let ours = run(&dir.path().join("ours"), "flux", 0);
    let theirs = run(&dir.path().join("theirs"), "base", 100);
    let protocol = protocol("rsi.v1");
    let questions = pair_questions(&ours, &theirs, &protocol, JUDGE, 1).unwrap();
    assert_eq!(questions.len(), 8);
    let is_ours = |sha256: Sha256| ours.manifest().images.iter().any(|image| image.sha256 == sha256);
    // A judge that always finds the image of `flux`.
    let script = Script::new(|request, _| {
        let shown = request.parts.iter().find_map(|part| match part {
            ChatPart::Image(image) => Some(image.sha256),
            ChatPart::Text(_) => None,
        });
        let word = if is_ours(shown.unwrap()) {
            "first"
        } else {
            "second"
        };
        Ok(reply(&format!("{{\"verdict\":\"{word}\"}}")))
    });
    let runs = Runs {
        run: &ours,
        baseline: Some(&theirs),
    };
    judge(&script, runs, &questions, &protocol, &How::default())
        .await
        .unwrap();
    let rows = verdicts(&ours).unwrap().comparisons();
    assert_eq!(rows.len(), 8);
    for row in &rows {
        assert_eq!(row.outcome(), Some(Outcome::Win), "{row:?}");
        let expected = if row.order == Order::ModelFirst {
            Choice::First
        } else {
            Choice::Second
        };
        assert_eq!(
            (row.choice, row.model.as_str(), row.baseline.as_str()),
            (expected, "flux", "base")
        );
    }
    assert_eq!(
        rows.iter()
            .filter(|row| row.order == Order::BaselineFirst)
            .count(),
        4
    );
    let asked = script.asked.lock().unwrap();
    let form = |part: &ChatPart| match part {
        ChatPart::Text(text) => text.lines().next().unwrap_or("").chars().take(8).collect(),
        ChatPart::Image(_) => "image".to_owned(),
    };
    let forms: Vec<String> = asked[0].parts.iter().map(form).collect();
    assert_eq!(forms, ["Image 1:", "image", "Image 2:", "image", "Compare "]);
    assert!(
        !asked[0]
            .parts
            .iter()
            .any(|part| matches!(part, ChatPart::Text(text) if text.contains("Text of")))
    );
}

#[test]
fn a_limit_takes_whole_pairs_from_all_over_the_run() {
    let dir = tempfile::tempdir().unwrap();
    let ours = run(&dir.path().join("ours"), "flux", 0);
    let theirs = run(&dir.path().join("theirs"), "base", 100);
    let questions = pair_questions(&ours, &theirs, &protocol("rsi.v1"), JUDGE, 1).unwrap();
    let chosen: Vec<String> = limited(questions, 2)
        .iter()
        .map(|question| question.asked.subject.to_string())
        .collect();
    assert_eq!(
        chosen,
        [
            "`haf-bas-0001` seed 0, `flux` before `base`",
            "`haf-bas-0001` seed 0, `base` before `flux`",
            "`haf-obj-0002` seed 0, `flux` before `base`",
            "`haf-obj-0002` seed 0, `base` before `flux`",
        ]
    );
}

#[test]
fn runs_that_cannot_be_compared_say_why() {
    let dir = tempfile::tempdir().unwrap();
    let ours = run(&dir.path().join("ours"), "flux", 0);
    let same = run(&dir.path().join("same"), "flux", 100);
    let protocol = protocol("rsi.v1");
    let error = pair_questions(&ours, &same, &protocol, JUDGE, 1)
        .unwrap_err()
        .to_string();
    assert!(
        error.ends_with("both are runs of `flux`; expected two names of models"),
        "{error}"
    );
    let other = dir.path().join("other");
    super::fixture::bare_folder(&other, 50);
    let text = std::fs::read_to_string(other.join("source.jsonl"))
        .unwrap()
        .replace("Text of", "Words of");
    std::fs::write(other.join("source.jsonl"), text).unwrap();
    let other = super::fixture::adopted(&other, "base").unwrap();
    let error = pair_questions(&ours, &other, &protocol, JUDGE, 1)
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("expected the same prompts, got `source` 1.0.0 (SHA-256 "),
        "{error}"
    );
}
