//! Batches: what is submitted stands in the log before anything else, and answers have the keys of live calls.

use std::collections::BTreeSet;

use asap_bench::judge::{
    AnswerLog, BatchLog, Runs, batch_calls, batch_request, image_questions, keep_batch_answer, verdicts,
};
use asap_core::chat::ChatFailureKind;
use serde_json::json;

use super::fixture::{
    FAIL, How, JUDGE, PASS, Script, failure, judge_images, price, protocol, reply, run, texts,
};

fn now() -> String {
    "2026-01-02T03:04:05Z".to_owned()
}

#[tokio::test]
async fn a_batch_fills_the_same_log_and_can_be_finished_live() {
    let dir = tempfile::tempdir().unwrap();
    let run = run(dir.path(), "flux", 0);
    let protocol = protocol("aer.v1");
    let questions = image_questions(&run, &protocol, JUDGE, 1);
    let runs = Runs {
        run: &run,
        baseline: None,
    };
    let mut log = AnswerLog::open(&run, JUDGE).unwrap();
    let mut batches = BatchLog::open(&run, JUDGE).unwrap();
    let nothing = BTreeSet::new();
    let calls = batch_calls(&questions, &mut log, &batches, &protocol, &nothing, &now).unwrap();
    assert_eq!(calls.len(), 4);
    let request = batch_request(runs, calls[0].1, &calls[0].0, &protocol).unwrap();
    assert_eq!((request.parts.len(), request.model.as_str()), (2, "stub"));
    let submitted: Vec<_> = calls.iter().map(|(call, _)| call.clone()).collect();
    batches.submitted(submitted, json!({"id": "b1"}), now()).unwrap();
    drop((batches, log));

    // Another process goes on: what is under way is not asked again.
    let mut log = AnswerLog::open(&run, JUDGE).unwrap();
    let mut batches = BatchLog::open(&run, JUDGE).unwrap();
    assert_eq!(batches.pending()[0].job, json!({"id": "b1"}));
    assert!(
        batch_calls(&questions, &mut log, &batches, &protocol, &nothing, &now)
            .unwrap()
            .is_empty()
    );
    let pending = batches.pending()[0].clone();
    let answers = [
        Ok(reply(FAIL)),
        Ok(reply("what?")),
        Err(failure(ChatFailureKind::Server)),
        Ok(reply(PASS)),
    ];
    for (call, answer) in pending.calls.iter().zip(answers) {
        keep_batch_answer(&mut log, call, answer, Some(&price()), now()).unwrap();
    }
    batches.ended(&pending.job, now()).unwrap();
    assert!(batches.pending().is_empty());
    // Half the price.
    let usd: f64 = log.records().iter().filter_map(|record| record.usd).sum();
    assert!((usd - 3.0 * (1000.0 * 0.75 + 200.0 * 4.5) * 1e-6 * 0.5).abs() < 1e-12);

    // The unreadable answer is asked for again with a reminder; the failure only by another command.
    let given_up: BTreeSet<_> = pending.calls.iter().map(|call| call.key).collect();
    let next = batch_calls(&questions, &mut log, &batches, &protocol, &given_up, &now).unwrap();
    assert_eq!(next.len(), 1);
    assert_eq!((next[0].0.ask, next[0].0.has_reminder), (1, true));
    let request = batch_request(runs, next[0].1, &next[0].0, &protocol).unwrap();
    assert!(texts(&request).last().unwrap().contains("previous answer"));
    drop((batches, log));

    let script = Script::new(|_, _| Ok(reply(PASS)));
    judge_images(&script, &run, &How::default()).await.unwrap();
    assert_eq!(script.n_asked(), 2);
    assert_eq!(verdicts(&run).unwrap().judgements().len(), 4);
}
