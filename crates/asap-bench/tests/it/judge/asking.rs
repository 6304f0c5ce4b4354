//! Asking about single images: what is paid for, what is kept, and what it comes to.

use asap_bench::Error;
use asap_bench::judge::{AnswerLog, Mode, Stop, verdicts};
use asap_bench::run::{Depth, Run};
use asap_core::chat::{ChatFailureKind, Finish};

use super::fixture::{
    FAIL, How, JUDGE, PASS, Script, failure, finished, judge_images, png, reply, run, texts, words,
};

#[tokio::test]
async fn every_image_is_asked_once_and_never_again() {
    let dir = tempfile::tempdir().unwrap();
    let run = run(dir.path(), "flux", 0);
    let script = Script::new(|_, n| Ok(reply(if n == 1 { FAIL } else { PASS })));
    let how = How {
        concurrency: 3,
        ..How::default()
    };
    let summary = judge_images(&script, &run, &how).await.unwrap();
    assert_eq!((summary.n_calls, summary.n_left, summary.stop), (4, 0, None));
    assert_eq!(summary.verdicts, [("fail", 1), ("pass", 3)].into());
    // 1000 tokens in and 200 out at 0.75 and 4.50 USD for a million.
    assert!((summary.usd - 4.0 * (1000.0 * 0.75 + 200.0 * 4.5) * 1e-6).abs() < 1e-12);
    let again = judge_images(&script, &run, &how).await.unwrap();
    assert_eq!((script.n_asked(), again.n_calls), (4, 0));
    assert_eq!(again.verdicts, summary.verdicts);
    assert_eq!(again.spent_usd, summary.spent_usd);
    let shown: Vec<_> = verdicts(&run).unwrap().judgements();
    assert_eq!(shown.len(), 4);
    assert!(
        shown
            .iter()
            .all(|row| row.image_sha256.is_some() && row.protocol == "aer.v1")
    );
}

#[tokio::test]
async fn unreadable_answers_are_asked_for_twice_more_with_a_reminder() {
    let dir = tempfile::tempdir().unwrap();
    let run = run(dir.path(), "flux", 0);
    // The first image never gets a readable answer, the second one at the second try.
    let script = Script::new(|_, n| Ok(reply(if n < 4 { "I think it is fine" } else { PASS })));
    judge_images(&script, &run, &How::default()).await.unwrap();
    assert_eq!(
        words(&run),
        [
            "haf-bas-0001/0 parse",
            "haf-bas-0001/1 pass",
            "haf-obj-0002/0 pass",
            "haf-obj-0002/1 pass"
        ]
    );
    assert_eq!(script.n_asked(), 3 + 2 + 1 + 1);
    let asked = script.asked.lock().unwrap().clone();
    let reminded: Vec<bool> = asked
        .iter()
        .map(|request| texts(request).iter().any(|text| text.contains("previous answer")))
        .collect();
    assert_eq!(reminded, [false, true, true, false, true, false, false]);
    // What cannot be read was paid for: it is not asked again, and a better reader would find it in the log.
    judge_images(&script, &run, &How::default()).await.unwrap();
    assert_eq!(script.n_asked(), 7);
}

#[tokio::test]
async fn cut_answers_get_twice_the_room_up_to_the_limit() {
    let dir = tempfile::tempdir().unwrap();
    let run = run(dir.path(), "flux", 0);
    let script = Script::new(|_, n| match n {
        0..=2 => Ok(finished(Finish::Truncated)),
        _ => Ok(reply(PASS)),
    });
    judge_images(&script, &run, &How::default()).await.unwrap();
    let rooms = |script: &Script<'_>| -> Vec<u32> {
        let asked = script.asked.lock().unwrap();
        asked
            .iter()
            .map(|request| request.sampling.max_output_tokens)
            .collect()
    };
    assert_eq!(rooms(&script), [8192, 16384, 32768, 8192, 8192, 8192]);
    assert_eq!(words(&run)[0], "haf-bas-0001/0 truncated");
    // The next run begins where the room ended.
    let next = Script::new(|_, _| Ok(reply(FAIL)));
    judge_images(&next, &run, &How::default()).await.unwrap();
    assert_eq!(rooms(&next), [32768]);
    assert_eq!(words(&run)[0], "haf-bas-0001/0 fail");
}

#[tokio::test]
async fn blocks_and_failures_are_events_and_refusals_are_answers() {
    let dir = tempfile::tempdir().unwrap();
    let run = run(dir.path(), "flux", 0);
    let script = Script::new(|_, n| match n {
        0 => Ok(finished(Finish::Blocked {
            reason: "SAFETY".to_owned(),
        })),
        1 => Err(failure(ChatFailureKind::Server)),
        2 => Ok(finished(Finish::Refused {
            message: "no".to_owned(),
        })),
        _ => Ok(reply(r#"{"verdict":"unscorable"}"#)),
    });
    let summary = judge_images(&script, &run, &How::default()).await.unwrap();
    assert_eq!(
        summary.unscored,
        [("blocked", 1), ("declined", 1), ("http", 1), ("refused", 1)].into()
    );
    assert!(summary.verdicts.is_empty());
    let next = Script::new(|_, _| Ok(reply(PASS)));
    judge_images(&next, &run, &How::default()).await.unwrap();
    assert_eq!(next.n_asked(), 2, "the block and the failure");
    assert_eq!(
        words(&run),
        [
            "haf-bas-0001/0 pass",
            "haf-bas-0001/1 pass",
            "haf-obj-0002/0 refused",
            "haf-obj-0002/1 declined"
        ]
    );
}

#[tokio::test]
async fn a_failure_never_replaces_an_answer() {
    let dir = tempfile::tempdir().unwrap();
    let run = run(dir.path(), "flux", 0);
    judge_images(&Script::new(|_, _| Ok(reply(PASS))), &run, &How::default())
        .await
        .unwrap();
    let refresh = How {
        mode: Mode::Refresh,
        ..How::default()
    };
    let script = Script::new(|_, n| match n {
        0 => Err(failure(ChatFailureKind::Network)),
        _ => Ok(reply(FAIL)),
    });
    judge_images(&script, &run, &refresh).await.unwrap();
    assert_eq!(
        words(&run),
        [
            "haf-bas-0001/0 pass",
            "haf-bas-0001/1 fail",
            "haf-obj-0002/0 fail",
            "haf-obj-0002/1 fail"
        ]
    );
}

#[tokio::test]
async fn the_quota_of_the_day_ends_the_run_and_the_next_one_goes_on() {
    let dir = tempfile::tempdir().unwrap();
    let run = run(dir.path(), "flux", 0);
    let script = Script::new(|_, n| match n {
        0 | 1 => Ok(reply(PASS)),
        _ => Err(failure(ChatFailureKind::DailyQuota)),
    });
    let summary = judge_images(&script, &run, &How::default()).await.unwrap();
    assert!(
        matches!(summary.stop, Some(Stop::DailyQuota { .. })),
        "{:?}",
        summary.stop
    );
    assert_eq!((script.n_asked(), summary.n_left), (3, 1));
    let next = Script::new(|_, _| Ok(reply(PASS)));
    let summary = judge_images(&next, &run, &How::default()).await.unwrap();
    assert_eq!((next.n_asked(), summary.verdicts["pass"]), (2, 4));
}

#[tokio::test]
async fn a_server_that_only_fails_is_not_asked_for_ever() {
    let dir = tempfile::tempdir().unwrap();
    let run = run(dir.path(), "flux", 0);
    let script = Script::new(|_, _| Err(failure(ChatFailureKind::Denied)));
    let summary = judge_images(&script, &run, &How::default()).await.unwrap();
    assert!(matches!(summary.stop, Some(Stop::Denied { .. })));
    assert_eq!(script.n_asked(), 1);
}

#[tokio::test]
async fn no_call_is_made_that_could_pass_the_limit() {
    let dir = tempfile::tempdir().unwrap();
    let run = run(dir.path(), "flux", 0);
    let script = Script::new(|_, _| Ok(reply(PASS)));
    // 8192 tokens out at 4.50 USD for a million are 0.0369 USD, the question a little more; an answer costs 0.00165.
    let how = |most_usd| How {
        concurrency: 4,
        most_usd: Some(most_usd),
        ..How::default()
    };
    let summary = judge_images(&script, &run, &how(0.0435)).await.unwrap();
    assert!(
        matches!(summary.stop, Some(Stop::Budget { .. })),
        "{:?}",
        summary.stop
    );
    let n_first = script.n_asked();
    assert!((1..4).contains(&n_first), "{n_first}");
    assert!(summary.spent_usd.unwrap() <= 0.0435);
    // What was spent before counts: nothing more can be asked.
    judge_images(&script, &run, &how(0.0435)).await.unwrap();
    assert_eq!(script.n_asked(), n_first);
    let summary = judge_images(&script, &run, &how(1.0)).await.unwrap();
    assert_eq!((script.n_asked(), summary.stop), (4, None));
}

#[tokio::test]
async fn modes_do_what_they_say() {
    let dir = tempfile::tempdir().unwrap();
    let run = run(dir.path(), "flux", 0);
    let script = Script::new(|_, _| Ok(reply(PASS)));
    let mode = |mode| How {
        mode,
        ..How::default()
    };
    let error = judge_images(&script, &run, &mode(Mode::ReplayOnly))
        .await
        .unwrap_err();
    assert!(
        matches!(
            error,
            Error::NotRecorded {
                n_missing: 4,
                n_questions: 4,
                ..
            }
        ),
        "{error}"
    );
    judge_images(&script, &run, &mode(Mode::Live)).await.unwrap();
    assert_eq!((script.n_asked(), words(&run).len()), (4, 0));
    judge_images(&script, &run, &mode(Mode::Record)).await.unwrap();
    judge_images(&script, &run, &mode(Mode::ReplayOnly))
        .await
        .unwrap();
    assert_eq!((script.n_asked(), words(&run).len()), (8, 4));
    judge_images(&script, &run, &mode(Mode::Refresh)).await.unwrap();
    assert_eq!((script.n_asked(), words(&run).len()), (12, 4));
}

#[tokio::test]
async fn a_silent_change_of_the_model_is_told() {
    let dir = tempfile::tempdir().unwrap();
    let run = run(dir.path(), "flux", 0);
    let script = Script::new(|_, n| {
        let mut reply = reply(PASS);
        reply.model_version = Some(if n < 2 { "stub-1" } else { "stub-2" }.to_owned());
        Ok(reply)
    });
    let summary = judge_images(&script, &run, &How::default()).await.unwrap();
    let [change] = &summary.model_changes[..] else {
        panic!("{:?}", summary.model_changes)
    };
    assert_eq!((change.from.as_str(), change.to.as_str()), ("stub-1", "stub-2"));
    let totals = &verdicts(&run).unwrap().calls[&("aer.v1".to_owned(), JUDGE.to_owned())];
    assert_eq!(
        totals.model_versions,
        [("stub-1".to_owned(), 2), ("stub-2".to_owned(), 2)].into()
    );
}

#[tokio::test]
async fn the_same_bytes_are_paid_for_once_and_judged_everywhere() {
    let dir = tempfile::tempdir().unwrap();
    super::fixture::bare_folder(dir.path(), 0);
    // A generator that ignores its seed.
    std::fs::write(dir.path().join("images/haf-bas-0001/1.png"), png(0)).unwrap();
    super::fixture::adopted(dir.path(), "flux").unwrap();
    let run = Run::load(dir.path(), Depth::Pixels).unwrap();
    let script = Script::new(|_, n| Ok(reply(if n == 0 { FAIL } else { PASS })));
    judge_images(&script, &run, &How::default()).await.unwrap();
    assert_eq!(script.n_asked(), 3);
    assert_eq!(
        words(&run),
        [
            "haf-bas-0001/0 fail",
            "haf-bas-0001/1 fail",
            "haf-obj-0002/0 pass",
            "haf-obj-0002/1 pass"
        ]
    );
}

#[tokio::test]
async fn a_missing_image_is_unscored_until_it_is_there() {
    let dir = tempfile::tempdir().unwrap();
    run(dir.path(), "flux", 0);
    let path = dir.path().join("images/haf-obj-0002/1.png");
    std::fs::rename(&path, dir.path().join("away.png")).unwrap();
    let script = Script::new(|_, _| Ok(reply(PASS)));
    let gapped = Run::load(dir.path(), Depth::Pixels).unwrap();
    assert_eq!(gapped.gaps().len(), 1);
    let summary = judge_images(&script, &gapped, &How::default()).await.unwrap();
    assert_eq!((script.n_asked(), summary.unscored["no_image"]), (3, 1));
    assert_eq!(words(&gapped)[3], "haf-obj-0002/1 no_image");
    std::fs::rename(dir.path().join("away.png"), &path).unwrap();
    let whole = Run::load(dir.path(), Depth::Pixels).unwrap();
    judge_images(&script, &whole, &How::default()).await.unwrap();
    assert_eq!(
        (script.n_asked(), words(&whole)[3].as_str()),
        (4, "haf-obj-0002/1 pass")
    );
}

#[tokio::test]
async fn a_torn_line_costs_one_answer_and_corruption_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let run = run(dir.path(), "flux", 0);
    let script = Script::new(|_, _| Ok(reply(PASS)));
    judge_images(&script, &run, &How::default()).await.unwrap();
    let path = AnswerLog::path_of(&run, JUDGE);
    let whole = std::fs::read(&path).unwrap();
    std::fs::write(&path, &whole[..whole.len() - 10]).unwrap();
    let log = AnswerLog::open(&run, JUDGE).unwrap();
    assert_eq!((log.records().len(), log.torn().unwrap().line), (3, 4));
    drop(log);
    judge_images(&script, &run, &How::default()).await.unwrap();
    assert_eq!((script.n_asked(), words(&run).len()), (5, 4));
    let broken = [b"{\"key\":\n", &whole[..]].concat();
    std::fs::write(&path, &broken).unwrap();
    let error = verdicts(&run).unwrap_err().to_string();
    assert!(error.contains(" line 1: EOF while parsing"), "{error}");
    assert_eq!(std::fs::read(&path).unwrap(), broken);
}

#[tokio::test]
async fn an_image_that_changes_meanwhile_ends_the_run_and_keeps_the_rest() {
    let dir = tempfile::tempdir().unwrap();
    let run = run(dir.path(), "flux", 0);
    std::fs::write(dir.path().join("images/haf-obj-0002/0.png"), png(200)).unwrap();
    let script = Script::new(|_, _| Ok(reply(PASS)));
    let error = judge_images(&script, &run, &How::default())
        .await
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("0.png`: its bytes changed since the run was checked"),
        "{error}"
    );
    assert_eq!(words(&run).len(), 2);
}
