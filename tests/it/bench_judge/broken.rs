//! Runs and prompts that are not whole: each fault is a clear line.

use asap_remote::stub::Rules;

use super::{PASS, Server, failed_with, judge_line, make_run, picture, prompts_jsonl, verdicts};
use crate::harness::Sandbox;

#[test]
fn broken_runs_are_told_line_by_line() {
    let sandbox = Sandbox::new();
    make_run(&sandbox, "flux", 3, 0);
    let server = Server::start(Rules::always(PASS));
    std::fs::remove_file(sandbox.path("flux/images/haf-0001/0.png")).unwrap();
    let run = sandbox.asap(&judge_line(&server, ""));
    assert_eq!(
        run.snapshot(),
        "exit 1\n--- stderr\nmissing in `flux`: `images/haf-0001/0.png` is missing\n\
         error: 1 images are missing or broken\n\
         hint: draw them with `asap bench generate`, or leave them unscored with `--allow-missing`\n"
    );
    let report = sandbox.json(&judge_line(&server, "--allow-missing"));
    assert_eq!(
        (&report["unscored"]["no_image"], server.n_requests()),
        (&1.into(), 2)
    );
    sandbox.write("flux/images/haf-0000/0.png", picture(77));
    sandbox.write("flux/images/haf-0001/0.png", b"no image");
    let run = sandbox.asap(&judge_line(&server, ""));
    failed_with(&run, "error: run `flux` is not whole: 2 problems");
    assert_eq!(
        run.stderr
            .lines()
            .filter(|line| line.starts_with("problem: "))
            .count(),
        2,
        "{}",
        run.stderr
    );
    assert_eq!(verdicts(&sandbox).len(), 3, "verdicts that are there stay");
}

#[test]
fn bad_prompts_and_folders_get_one_line() {
    let sandbox = Sandbox::new();
    sandbox.write("flux/haf-0000/0.png", picture(0));
    sandbox.write("latin1.jsonl", b"{\"id\":\"caf\xe9\"}\n");
    let adopt = |prompts: &str| {
        sandbox
            .asap(&format!("bench adopt flux --model flux --prompts {prompts}"))
            .stderr
    };
    assert_eq!(
        adopt("latin1.jsonl"),
        "error: `latin1.jsonl` line 1: expected UTF-8, byte 11 is not; save the file as UTF-8\n"
    );
    let twice = prompts_jsonl(1).repeat(2);
    sandbox.write("twice.jsonl", twice);
    assert_eq!(
        adopt("twice.jsonl"),
        "error: `twice.jsonl` line 2: `haf-0000` is the id of line 1 already; ids are unique\n"
    );
    let server = Server::start(Rules::always(PASS));
    failed_with(
        &sandbox.asap(&judge_line(&server, "")),
        "error: `flux` is no run: it has no run.json\nhint: make it one with `asap bench adopt flux --model NAME --prompts FILE`",
    );
    sandbox.write("good.jsonl", prompts_jsonl(1));
    sandbox.write("flux/haf-0000/0.jpg", picture(1));
    let error = adopt("good.jsonl");
    assert!(
        error.contains(
            "problem: two images of `haf-0000` with seed 0: `haf-0000/0.jpg` and `haf-0000/0.png`\n"
        ),
        "{error}"
    );
}
