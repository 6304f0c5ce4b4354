//! What is asked of a judge, and what its answers come to.

use asap_remote::stub::{Misbehaviour, Question, Reply, Rules};

use super::{FAIL, PASS, Server, failed_with, judge_line, lines, make_run, picture, sha256, verdicts};
use crate::harness::Sandbox;

#[test]
fn aer_from_images_to_judgements() {
    let sandbox = Sandbox::new();
    make_run(&sandbox, "flux", 4, 0);
    let server = Server::start(Rules::new(|question: &Question| {
        assert_eq!(question.images.len(), 1);
        assert!(question.schema["properties"]["verdict"].is_object());
        let is_last = question.images[0].to_string() == sha256(&picture(3));
        Reply::Text(if is_last { FAIL } else { PASS }.to_owned())
    }));
    let report = sandbox.json(&judge_line(&server, ""));
    assert_eq!(
        (
            &report["n_calls"],
            &report["verdicts"]["pass"],
            &report["verdicts"]["fail"]
        ),
        (&4.into(), &3.into(), &1.into())
    );
    assert_eq!(
        verdicts(&sandbox),
        [r#""pass""#, r#""pass""#, r#""pass""#, r#""fail""#]
    );
    let first = sandbox.read("flux/judgements.jsonl");
    let text = sandbox.ok(&judge_line(&server, ""));
    assert_eq!(
        text,
        "4 of 4 answers have a verdict: fail 1, pass 3\n0 calls, 0 tokens in and 0 out\n\
         answers: `flux/answers/openai-stub.jsonl`; all verdicts of the run: `flux/judgements.jsonl`\n"
    );
    assert_eq!(server.n_requests(), 4, "nothing is paid for twice");
    let replay = judge_line(&server, "--mode replay-only");
    drop(server);
    sandbox.ok(&replay);
    assert_eq!(
        sandbox.read("flux/judgements.jsonl"),
        first,
        "the same verdicts give the same bytes"
    );
}

#[test]
fn rsi_asks_both_orders() {
    let sandbox = Sandbox::new();
    make_run(&sandbox, "flux", 3, 0);
    make_run(&sandbox, "base", 3, 100);
    // A judge that always takes the first image: the two orders contradict each other.
    let server = Server::start(Rules::new(|question: &Question| {
        assert_eq!(question.images.len(), 2);
        assert_eq!(&question.texts[..2], ["Image 1:", "Image 2:"]);
        Reply::Text(r#"{"reason":"r","verdict":"first"}"#.to_owned())
    }));
    let line = format!(
        "bench judge flux --against base --protocol rsi.v1 --judge {}",
        server.judge()
    );
    sandbox.ok(&line);
    let rows = lines(&sandbox, "flux/judgements.jsonl");
    assert_eq!((rows.len(), server.n_requests()), (6, 6));
    let orders: Vec<&str> = rows.iter().map(|row| row["order"].as_str().unwrap()).collect();
    assert_eq!(orders, ["model_first", "baseline_first"].repeat(3));
    failed_with(
        &sandbox.asap(&format!(
            "bench judge flux --protocol rsi.v1 --judge {}",
            server.judge()
        )),
        "error: `rsi.v1` compares two runs, and there is one\nhint: name the other one with `--against BASE`\n",
    );
}

#[test]
fn wrong_answers_end_as_what_they_are() {
    let sandbox = Sandbox::new();
    make_run(&sandbox, "flux", 4, 0);
    let of = |idx: usize| sha256(&picture(idx));
    let [first, second, third] = [of(0), of(1), of(2)];
    let server = Server::start(Rules::new(move |question: &Question| {
        let image = question.images[0].to_string();
        if image == first {
            return Reply::Text(r#"{"verdict":"maybe"}"#.to_owned());
        }
        if image == second {
            return Reply::Misbehave(Misbehaviour::Truncated("{\"bodies\":[".to_owned()));
        }
        if image == third {
            return Reply::Misbehave(Misbehaviour::Refusal("I will not".to_owned()));
        }
        Reply::Text(format!("Here you are:\n```json\n{FAIL}\n```"))
    }));
    let report = sandbox.json(&judge_line(&server, "--concurrency 1"));
    assert_eq!(
        report["unscored"],
        serde_json::json!({"invalid_enum": 1, "refused": 1, "truncated": 1})
    );
    assert_eq!(report["verdicts"], serde_json::json!({"fail": 1}));
    // Three questions about the wrong word, three with more room, one refusal, one answer.
    assert_eq!(server.n_requests(), 3 + 3 + 1 + 1);
}

#[test]
fn a_blocked_image_is_unscored_and_the_others_are_judged() {
    let sandbox = Sandbox::new();
    make_run(&sandbox, "flux", 3, 0);
    let blocked = sha256(&picture(1));
    let server = Server::start(Rules::new(move |question: &Question| {
        if question.images[0].to_string() == blocked {
            return Reply::Misbehave(Misbehaviour::BlockedAnswer);
        }
        Reply::Text(PASS.to_owned())
    }));
    let report = sandbox.json(&judge_line(&server, ""));
    assert_eq!(
        (&report["unscored"]["blocked"], &report["verdicts"]["pass"]),
        (&1.into(), &2.into())
    );
    assert_eq!(
        verdicts(&sandbox),
        [r#""pass""#, r#"{"unscored":{"reason":"blocked"}}"#, r#""pass""#]
    );
}

#[test]
fn live_mode_keeps_nothing_and_replay_asks_nobody() {
    let sandbox = Sandbox::new();
    make_run(&sandbox, "flux", 2, 0);
    let server = Server::start(Rules::always(FAIL));
    failed_with(
        &sandbox.asap(&judge_line(&server, "--mode replay-only")),
        "error: no answer for `haf-0000` seed 0 of `flux` in `flux/answers/openai-stub.jsonl`: replay-only asks nobody, and 2 of 2 answers are missing",
    );
    assert_eq!(server.n_requests(), 0);
    let run = sandbox.asap(&judge_line(&server, "--mode live --limit 1"));
    assert_eq!(
        (run.code, server.n_requests()),
        (Some(0), 1),
        "{}",
        run.snapshot()
    );
    assert!(
        run.stderr.contains("`haf-0000` seed 0 of `flux`: fail"),
        "{}",
        run.stderr
    );
    assert!(!sandbox.path("flux/answers").exists());
}

#[test]
fn people_and_known_answers_are_judges_too() {
    let sandbox = Sandbox::new();
    make_run(&sandbox, "flux", 2, 0);
    make_run(&sandbox, "base", 2, 100);
    let labels: String = [(0, "pass"), (1, "pass"), (100, "fail"), (101, "pass")]
        .map(|(shade, word)| {
            format!(
                "{{\"image_sha256\":\"{}\",\"verdict\":\"{word}\"}}\n",
                sha256(&picture(shade))
            )
        })
        .concat();
    sandbox.write("labels.jsonl", labels);
    sandbox.write(
        "votes.csv",
        "rater,prompt_id,seed,verdict\nana,haf-0000,0,pass\nana,haf-0001,0,fail\n",
    );
    let line = |rest: &str| format!("bench judge flux {rest}");
    assert_eq!(
        sandbox.ok(&line("--protocol aer.v1 --judge human:votes.csv")),
        "2 verdicts from `votes.csv`: fail 1, pass 1\nall verdicts of the run: `flux/judgements.jsonl`\n"
    );
    sandbox.ok(&line("--protocol aer.v1 --judge known:labels.jsonl"));
    let known = sandbox.json(&line(
        "--against base --protocol rsi.v1 --judge known:labels.jsonl",
    ));
    assert_eq!(
        known["verdicts"],
        serde_json::json!({"first": 1, "second": 1, "tie": 2})
    );
    assert_eq!(lines(&sandbox, "flux/judgements.jsonl").len(), 2 + 2 + 4);
    sandbox.write("votes.csv", "rater,prompt_id,seed,verdict\nana,haf-0009,0,pass\n");
    let run = sandbox.asap(&line("--protocol aer.v1 --judge human:votes.csv"));
    assert_eq!(
        run.snapshot(),
        "exit 1\n--- stderr\nerror: `votes.csv` line 2: the run has no prompt `haf-0009`\n"
    );
    assert_eq!(
        lines(&sandbox, "flux/judgements.jsonl").len(),
        8,
        "nothing is lost"
    );
}
