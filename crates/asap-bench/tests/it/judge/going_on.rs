//! What stays true when a run is stopped, renamed, replayed, or loses an image for a while.

use asap_bench::cost::Tariff;
use asap_bench::judge::{AnswerLog, Mode, image_questions, plan};
use asap_bench::run::{Depth, Run, read_manifest, write_manifest};
use asap_core::chat::{ChatFailureKind, Finish};

use super::fixture::{
    FAIL, How, JUDGE, PASS, Script, adopted, bare_folder, failure, finished, judge_images, png, price,
    protocol, reply, run, words,
};

fn mode(mode: Mode) -> How {
    How {
        mode,
        ..How::default()
    }
}

#[tokio::test]
async fn an_answer_outlives_a_time_without_the_image() {
    let dir = tempfile::tempdir().unwrap();
    let whole = run(dir.path(), "flux", 0);
    let script = Script::new(|_, _| Ok(reply(FAIL)));
    judge_images(&script, &whole, &How::default()).await.unwrap();
    let (path, away) = (
        dir.path().join("images/haf-obj-0002/1.png"),
        dir.path().join("away.png"),
    );
    std::fs::rename(&path, &away).unwrap();
    let gapped = Run::load(dir.path(), Depth::Pixels).unwrap();
    judge_images(&script, &gapped, &How::default()).await.unwrap();
    std::fs::rename(&away, &path).unwrap();
    let again = Run::load(dir.path(), Depth::Pixels).unwrap();
    judge_images(&script, &again, &How::default()).await.unwrap();
    assert_eq!(
        (script.n_asked(), words(&again)[3].as_str()),
        (4, "haf-obj-0002/1 fail")
    );
}

#[tokio::test]
async fn a_renamed_run_has_each_verdict_once_and_pays_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let before = run(dir.path(), "flux", 0);
    let script = Script::new(|_, _| Ok(reply(PASS)));
    judge_images(&script, &before, &How::default()).await.unwrap();
    let mut manifest = read_manifest(dir.path()).unwrap();
    manifest.model = "flux-asap".to_owned();
    write_manifest(dir.path(), &manifest).unwrap();
    let renamed = Run::load(dir.path(), Depth::Pixels).unwrap();
    assert_eq!(words(&renamed).len(), 0);
    judge_images(&script, &renamed, &How::default()).await.unwrap();
    assert_eq!((script.n_asked(), words(&renamed).len()), (4, 4));
}

#[tokio::test]
async fn a_replay_shows_events_without_an_answer_and_asks_nobody() {
    let dir = tempfile::tempdir().unwrap();
    let run = run(dir.path(), "flux", 0);
    let script = Script::new(|_, n| match n {
        0 => Ok(finished(Finish::Blocked {
            reason: "SAFETY".to_owned(),
        })),
        1 => Err(failure(ChatFailureKind::Server)),
        _ => Ok(reply(PASS)),
    });
    judge_images(&script, &run, &How::default()).await.unwrap();
    let replay = judge_images(&script, &run, &mode(Mode::ReplayOnly))
        .await
        .unwrap();
    assert_eq!((script.n_asked(), replay.n_calls), (4, 0));
    assert_eq!(replay.unscored, [("blocked", 1), ("http", 1)].into());
}

#[tokio::test]
async fn equal_questions_side_by_side_are_paid_for_once() {
    let dir = tempfile::tempdir().unwrap();
    bare_folder(dir.path(), 0);
    for name in ["haf-bas-0001/1", "haf-obj-0002/0", "haf-obj-0002/1"] {
        std::fs::write(dir.path().join(format!("images/{name}.png")), png(0)).unwrap();
    }
    adopted(dir.path(), "flux").unwrap();
    let run = Run::load(dir.path(), Depth::Pixels).unwrap();
    let script = Script::new(|_, _| Ok(reply(FAIL)));
    let how = How {
        concurrency: 4,
        ..How::default()
    };
    judge_images(&script, &run, &how).await.unwrap();
    assert_eq!((script.n_asked(), words(&run).len()), (1, 4));
}

#[tokio::test]
async fn asking_again_goes_on_where_it_was_stopped() {
    let dir = tempfile::tempdir().unwrap();
    let run = run(dir.path(), "flux", 0);
    let first = Script::new(|_, _| Ok(reply(PASS)));
    judge_images(&first, &run, &How::default()).await.unwrap();
    let stopped = Script::new(|_, n| match n {
        2 => Err(failure(ChatFailureKind::DailyQuota)),
        _ => Ok(reply(FAIL)),
    });
    judge_images(&stopped, &run, &mode(Mode::Refresh)).await.unwrap();
    assert_eq!(stopped.n_asked(), 3);
    let rest = Script::new(|_, _| Ok(reply(FAIL)));
    judge_images(&rest, &run, &mode(Mode::Refresh)).await.unwrap();
    assert_eq!(rest.n_asked(), 2, "the one that failed and the one that was left");
    assert!(
        words(&run).iter().all(|word| word.ends_with("fail")),
        "{:?}",
        words(&run)
    );
    // It is over: the next one asks everything.
    judge_images(&rest, &run, &mode(Mode::Refresh)).await.unwrap();
    assert_eq!(rest.n_asked(), 2 + 4);
}

#[tokio::test]
async fn a_plan_knows_what_its_mode_will_ask() {
    let dir = tempfile::tempdir().unwrap();
    let run = run(dir.path(), "flux", 0);
    let script = Script::new(|_, _| Ok(reply(PASS)));
    judge_images(&script, &run, &How::default()).await.unwrap();
    let protocol = protocol("aer.v1");
    let questions = image_questions(&run, &protocol, JUDGE, 1);
    let log = AnswerLog::replay(&run, JUDGE).unwrap();
    let n_calls = |mode| plan(&questions, &log, mode, &protocol, Some(&price()), Tariff::Live).n_calls;
    let modes = [Mode::Record, Mode::ReplayOnly, Mode::Refresh, Mode::Live];
    assert_eq!(modes.map(n_calls), [0, 0, 4, 4]);
}

#[tokio::test]
async fn the_inside_of_a_cut_object_is_no_answer() {
    let dir = tempfile::tempdir().unwrap();
    let run = run(dir.path(), "flux", 0);
    let script = Script::new(|_, _| Ok(reply(r#"{"image_1":{"verdict":"pass"},"verdict":"fail""#)));
    let summary = judge_images(&script, &run, &How::default()).await.unwrap();
    assert_eq!((summary.verdicts.len(), summary.unscored["parse"]), (0, 4));
}
