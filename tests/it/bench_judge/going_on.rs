//! Runs that are killed, cut off or put off, and go on without a second paid call.

use std::time::Duration;

use asap_remote::stub::{Misbehaviour, Reply, Rules};

use super::{PASS, Server, failed_with, judge_line, lines, make_run, verdicts};
use crate::harness::{Sandbox, wait_until};
use crate::resume::interrupt;

#[test]
fn a_killed_run_goes_on_without_a_second_paid_call() {
    let sandbox = Sandbox::new();
    let n = 8;
    make_run(&sandbox, "flux", n, 0);
    let slow = Duration::from_millis(150);
    let server = Server::start(Rules::new(move |_| {
        Reply::Misbehave(Misbehaviour::Late(slow, PASS.to_owned()))
    }));
    let mut running = sandbox.start(&judge_line(&server, "--concurrency 1"));
    wait_until("the program asks nothing", || server.n_requests() >= 4);
    // SIGKILL: nothing is tidied up.
    running.child.kill().unwrap();
    running.child.wait().unwrap();
    let n_kept = lines(&sandbox, "flux/answers/openai-stub.jsonl").len();
    let n_asked = server.n_requests();
    assert!(
        (3..=4).contains(&n_kept) && n_asked - n_kept <= 1,
        "{n_kept} of {n_asked}"
    );
    sandbox.ok(&judge_line(&server, ""));
    assert_eq!(
        server.n_requests(),
        n_asked + n - n_kept,
        "what was kept is not asked again"
    );
    assert_eq!(verdicts(&sandbox).len(), n);
}

#[test]
fn a_torn_line_is_repaired_and_told() {
    let sandbox = Sandbox::new();
    make_run(&sandbox, "flux", 3, 0);
    let server = Server::start(Rules::always(PASS));
    sandbox.ok(&judge_line(&server, ""));
    let whole = sandbox.read("flux/answers/openai-stub.jsonl");
    sandbox.write("flux/answers/openai-stub.jsonl", &whole[..whole.len() - 20]);
    let run = sandbox.asap(&judge_line(&server, ""));
    assert_eq!(run.code, Some(0), "{}", run.snapshot());
    assert!(
        run.stderr
            .starts_with("repaired: `flux/answers/openai-stub.jsonl` line 3: the last line is torn"),
        "{}",
        run.stderr
    );
    assert_eq!((server.n_requests(), verdicts(&sandbox).len()), (4, 3));
    // In the middle of the file it is no crash, and nothing is touched.
    let broken = [b"{\"key\"\n", &whole[..]].concat();
    sandbox.write("flux/answers/openai-stub.jsonl", &broken);
    failed_with(
        &sandbox.asap(&judge_line(&server, "")),
        "error: `flux/answers/openai-stub.jsonl` line 1: EOF while parsing",
    );
    assert_eq!(sandbox.read("flux/answers/openai-stub.jsonl"), broken);
}

#[test]
fn the_quota_of_the_day_is_a_checkpoint() {
    let sandbox = Sandbox::new();
    make_run(&sandbox, "flux", 4, 0);
    let server = Server::start(Rules::always(PASS));
    server.stub.script([
        Misbehaviour::Late(Duration::ZERO, PASS.to_owned()),
        Misbehaviour::DailyQuota,
    ]);
    let run = sandbox.asap(&judge_line(&server, "--concurrency 1"));
    failed_with(&run, "error: the quota of the day is used up: ");
    assert!(
        run.stderr
            .contains("hint: every answer so far is kept; run the same command again tomorrow"),
        "{}",
        run.stderr
    );
    assert!(
        run.stdout.contains("1 of 4 answers have a verdict"),
        "{}",
        run.stdout
    );
    sandbox.ok(&judge_line(&server, ""));
    assert_eq!((server.n_requests(), verdicts(&sandbox).len()), (2 + 3, 4));
}

#[test]
fn a_batch_is_submitted_once_and_fetched_later() {
    let sandbox = Sandbox::new();
    make_run(&sandbox, "flux", 3, 0);
    let server = Server::start(Rules::always(PASS).with_polls(2));
    // Ended by force while the batch is under way.
    let mut running = sandbox.start(&judge_line(&server, "--batch --poll-secs 600"));
    let log = sandbox.path("flux/batches/openai-stub.jsonl");
    // The first row says that it is about to be submitted, the second one that it is.
    wait_until("no batch was submitted", || {
        std::fs::read_to_string(&log)
            .is_ok_and(|text| text.contains("{\"submitted\":") && text.ends_with('\n'))
    });
    running.child.kill().unwrap();
    running.child.wait().unwrap();
    failed_with(
        &sandbox.asap(&judge_line(&server, "")),
        "error: a batch with some of these questions is under way since ",
    );
    let report = sandbox.json(&judge_line(&server, "--batch --poll-secs 1"));
    assert_eq!(
        (&report["verdicts"]["pass"], &report["n_calls"]),
        (&3.into(), &3.into())
    );
    let n_submitted = server
        .stub
        .received()
        .iter()
        .filter(|request| request.path == "/v1/batches" && request.method == "POST")
        .count();
    assert_eq!(n_submitted, 1);
    sandbox.ok(&judge_line(&server, ""));
    assert_eq!(verdicts(&sandbox).len(), 3);
}

#[test]
fn a_batch_that_may_be_on_the_server_is_told_before_anything_is_paid() {
    let sandbox = Sandbox::new();
    make_run(&sandbox, "flux", 3, 0);
    let server = Server::start(Rules::always(PASS));
    // What a command leaves that ends between the two rows.
    std::fs::create_dir_all(sandbox.path("flux/batches")).unwrap();
    sandbox.write(
        "flux/batches/openai-stub.jsonl",
        "{\"submitting\":{\"time\":\"2026-01-02T03:04:05Z\",\"n_calls\":3}}\n",
    );
    for line in ["", "--batch --poll-secs 1"] {
        let got = sandbox.asap(&judge_line(&server, line));
        failed_with(
            &got,
            "error: a command ended while it submitted a batch of 3 questions at 2026-01-02T03:04:05Z",
        );
        assert!(got.stderr.contains("--forget-batch"), "{}", got.stderr);
    }
    assert_eq!(server.stub.n_requests(), 0);
    sandbox.ok(&judge_line(&server, "--batch --poll-secs 1 --forget-batch"));
    assert_eq!(verdicts(&sandbox).len(), 3);
}

#[test]
fn ctrl_c_waits_for_answers_under_way_and_keeps_them() {
    let sandbox = Sandbox::new();
    make_run(&sandbox, "flux", 6, 0);
    let slow = Duration::from_millis(400);
    let server = Server::start(Rules::new(move |_| {
        Reply::Misbehave(Misbehaviour::Late(slow, PASS.to_owned()))
    }));
    let running = sandbox.start(&judge_line(&server, "--concurrency 2"));
    wait_until("the program asks nothing", || server.n_requests() >= 2);
    interrupt(&running);
    let run = running.wait();
    failed_with(
        &run,
        "error: stopped before all was asked\nhint: every answer so far is kept; the same command goes on\n",
    );
    let n_kept = lines(&sandbox, "flux/answers/openai-stub.jsonl").len();
    assert_eq!(
        n_kept,
        server.n_requests(),
        "what was asked is paid for, and kept"
    );
    assert!(n_kept < 6, "{n_kept}");
    sandbox.ok(&judge_line(&server, ""));
    assert_eq!((server.n_requests(), verdicts(&sandbox).len()), (6, 6));
}
