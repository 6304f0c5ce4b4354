//! Workers with judges whose answers are known.

use std::sync::atomic::{AtomicUsize, Ordering};

use asap_bench::stats::aer::AerReport;

use super::*;
use crate::account::Role;
use crate::account::testing::account;
use crate::db::testing::databases;
use crate::manifest::testing::prompts;
use crate::submission::State;
use crate::submission::tests::{blobs, queued};

/// Fails images of prompt `one`; breaks down on its first `n_failures` calls; hangs where it is told to.
struct Known {
    n_calls: AtomicUsize,
    n_failures: usize,
    hangs_at: usize,
}

impl Known {
    fn new(n_failures: usize, hangs_at: usize) -> Arc<Self> {
        Arc::new(Self {
            n_calls: AtomicUsize::new(0),
            n_failures,
            hangs_at,
        })
    }
}

impl Judge for Known {
    fn protocol(&self) -> &str {
        "aer.v1"
    }

    fn who(&self) -> Who {
        Who::Known
    }

    fn judge<'a>(&'a self, image: &'a [u8], prompt: &'a Prompt) -> BoxFuture<'a, Result<Verdict, String>> {
        Box::pin(async move {
            let call = self.n_calls.fetch_add(1, Ordering::SeqCst) + 1;
            assert!(image.starts_with(b"\x89PNG"));
            if call <= self.n_failures {
                return Err("away".to_owned());
            }
            if call == self.hangs_at {
                std::future::pending::<()>().await;
            }
            Ok(match prompt.id.as_str() {
                "one" => Verdict::Fail,
                _ => Verdict::Pass,
            })
        })
    }
}

fn worker(db: &Database, blobs: &Blobs, judge: Arc<Known>) -> Worker {
    Worker {
        db: db.clone(),
        blobs: blobs.clone(),
        prompts: prompts(),
        judge,
        timing: Timing {
            lease: Duration::from_millis(600),
            poll: Duration::from_millis(20),
            back_off: Duration::from_millis(1),
        },
    }
}

async fn until_scored(db: &Database, id: &str) -> submission::Submission {
    loop {
        let found = submission::find(db, id).await.unwrap().unwrap();
        if found.state == State::Scored {
            return found;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test]
async fn a_judge_that_comes_back_is_asked_again_and_the_score_is_wilsons() {
    for test in databases().await {
        let (folder, blobs) = blobs();
        let anna = account(&test.db, "anna", Role::Submitter).await;
        let id = queued(&test.db, &blobs, &anna, None, UnixMs(1)).await;
        let worker = worker(&test.db, &blobs, Known::new(2, 0));
        let scored = tokio::select! {
            ended = worker.run(std::future::pending()) => panic!("the worker ended: {ended:?}"),
            scored = until_scored(&test.db, &id) => scored,
            () = tokio::time::sleep(Duration::from_secs(60)) => panic!("no score"),
        };
        let report: AerReport = serde_json::from_str(&scored.score).unwrap();
        let rate = report.table.overall.aer.unwrap();
        // By hand: z = 1.959964, n = 2, p = 1/2; z / (n + z^2) * sqrt(n / 4 + z^2 / 4) = 0.405469.
        assert!((rate.interval.low - 0.094_531).abs() < 1e-5, "{rate:?}");
        assert!((rate.interval.high - 0.905_469).abs() < 1e-5, "{rate:?}");
        assert_eq!(report.model, "Anna-1");
        let lines = submission::log(&test.db, &id).await.unwrap();
        let has = |wanted: &str| lines.iter().any(|(_, line)| line == wanted);
        assert!(
            has("attempt 2 failed: `1.png`: away") && has("judging, attempt 3"),
            "{lines:?}"
        );
        drop(folder);
        test.end().await;
    }
}

#[tokio::test]
async fn a_killed_worker_is_followed_by_one_that_asks_only_about_the_rest() {
    for test in databases().await {
        let (_folder, blobs) = blobs();
        let anna = account(&test.db, "anna", Role::Submitter).await;
        let id = queued(&test.db, &blobs, &anna, None, UnixMs(1)).await;
        let hanging = Known::new(0, 2);
        let first = worker(&test.db, &blobs, hanging.clone());
        let running =
            tokio::spawn(async move { first.run(std::future::pending()).await.map_err(|_error| ()) });
        while submission::judgements(&test.db, &id).await.unwrap().is_empty() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        // It lives, so its lease goes on although the judge takes longer than one.
        tokio::time::sleep(Duration::from_millis(1_500)).await;
        let second = Known::new(0, 0);
        let next = worker(&test.db, &blobs, second.clone());
        assert!(next.step().await.unwrap().is_none());
        running.abort();
        let scored = tokio::select! {
            ended = next.run(std::future::pending()) => panic!("the worker ended: {ended:?}"),
            scored = until_scored(&test.db, &id) => scored,
            () = tokio::time::sleep(Duration::from_secs(60)) => panic!("no score"),
        };
        assert_eq!(scored.attempts, 1, "it counts from the last judgement on");
        assert_eq!(second.n_calls.load(Ordering::SeqCst), 1);
        test.end().await;
    }
}

#[tokio::test]
async fn a_blob_that_was_changed_is_never_judged() {
    for test in databases().await {
        let (folder, blobs) = blobs();
        let anna = account(&test.db, "anna", Role::Submitter).await;
        let id = queued(&test.db, &blobs, &anna, None, UnixMs(1)).await;
        for shelf in std::fs::read_dir(folder.path()).unwrap() {
            for file in std::fs::read_dir(shelf.unwrap().path()).unwrap() {
                std::fs::write(file.unwrap().path(), b"\x89PNG other").unwrap();
            }
        }
        let judge = Known::new(0, 0);
        worker(&test.db, &blobs, judge.clone()).step().await.unwrap();
        assert_eq!(judge.n_calls.load(Ordering::SeqCst), 0);
        let found = submission::find(&test.db, &id).await.unwrap().unwrap();
        assert!(found.reason.contains("was changed"), "{}", found.reason);
        test.end().await;
    }
}

/// Set in the process that is killed: the database and the folder of blobs.
const CHILD: &str = "ASAP_ARENA_TEST_CHILD";

#[tokio::test]
async fn nothing_is_lost_when_the_process_is_killed() {
    if let Ok(places) = std::env::var(CHILD) {
        let (url, folder) = places.split_once('\n').unwrap();
        let db = Database::open(url).await.unwrap();
        let blobs = Blobs::open(folder.as_ref()).unwrap();
        worker(&db, &blobs, Known::new(0, 2))
            .run(std::future::pending())
            .await
            .unwrap();
        return;
    }
    for test in databases().await {
        let (folder, blobs) = blobs();
        let anna = account(&test.db, "anna", Role::Submitter).await;
        let id = queued(&test.db, &blobs, &anna, None, UnixMs(1)).await;
        let name = "worker::tests::nothing_is_lost_when_the_process_is_killed";
        let mut child = std::process::Command::new(std::env::current_exe().unwrap())
            .args([name, "--exact"])
            .env(CHILD, format!("{}\n{}", test.url, folder.path().display()))
            .stdout(std::process::Stdio::null())
            .spawn()
            .unwrap();
        while submission::judgements(&test.db, &id).await.unwrap().is_empty() {
            assert!(child.try_wait().unwrap().is_none(), "the other process ended");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        child.kill().unwrap();
        child.wait().unwrap();
        let judge = Known::new(0, 0);
        let next = worker(&test.db, &blobs, judge.clone());
        tokio::select! {
            ended = next.run(std::future::pending()) => panic!("the worker ended: {ended:?}"),
            _ = until_scored(&test.db, &id) => {}
            () = tokio::time::sleep(Duration::from_secs(60)) => panic!("no score"),
        };
        assert_eq!(
            judge.n_calls.load(Ordering::SeqCst),
            1,
            "one image was judged before"
        );
        test.end().await;
    }
}
