//! Drafts, quotas, states and leases, on both databases.

use std::time::Duration;

use asap_core::judgement::{Judge, Sample, Topic};
use asap_core::{Category, Judgement, Verdict};
use bytes::Bytes;

use super::*;
use crate::account::testing::account;
use crate::account::{Account, Role};
use crate::blob::{Blobs, sha256};
use crate::db::testing::databases;
use crate::manifest::testing::{MODEL, prompts, row};

const MINUTE: Duration = Duration::from_secs(60);

pub(crate) fn png(shade: u8) -> Bytes {
    let mut bytes = std::io::Cursor::new(Vec::new());
    let picture = image::RgbImage::from_pixel(4, 4, image::Rgb([shade; 3]));
    picture.write_to(&mut bytes, image::ImageFormat::Png).unwrap();
    bytes.into_inner().into()
}

pub(crate) fn blobs() -> (tempfile::TempDir, Blobs) {
    let folder = tempfile::tempdir().unwrap();
    let blobs = Blobs::open(folder.path()).unwrap();
    (folder, blobs)
}

fn manifest() -> String {
    let rows = [
        row("one", 0, "1.png", sha256(&png(1))),
        row("two", 0, "2.png", sha256(&png(2))),
    ];
    format!("{MODEL}\n{}", rows.join("\n"))
}

/// A submission that waits in the queue since `now`.
pub(crate) async fn queued(
    db: &Database,
    blobs: &Blobs,
    owner: &Account,
    older: Option<&str>,
    now: UnixMs,
) -> String {
    let id = open(db, owner, older, Quota::STANDARD, now).await.unwrap();
    let draft = Draft {
        id: &id,
        account: &owner.id,
    };
    add_file(db, blobs, draft, "1.png", png(1), now).await.unwrap();
    add_file(db, blobs, draft, "2.png", png(2), now).await.unwrap();
    seal(db, draft, &manifest(), &prompts(), now).await.unwrap();
    id
}

async fn claimed(db: &Database, now: UnixMs) -> Option<Lease> {
    claim(db, prompts().sha256(), MINUTE, now).await.unwrap()
}

async fn state(db: &Database, id: &str) -> State {
    find(db, id).await.unwrap().unwrap().state
}

fn judgement(prompt: &str, verdict: Verdict) -> Judgement {
    Judgement {
        protocol: "aer.v1".to_owned(),
        judge: Judge::Known,
        sample: Sample {
            model: "Anna-1".to_owned(),
            prompt_id: prompt.parse().unwrap(),
            seed: 0,
        },
        topic: Topic {
            category: Category::BasicAnatomy,
            subcategory: "hands".to_owned(),
        },
        image_sha256: None,
        repeat: 0,
        verdict,
    }
}

#[tokio::test]
async fn a_draft_goes_on_where_it_broke_off_and_is_mended_before_it_is_sealed() {
    for test in databases().await {
        let (db, (_folder, blobs)) = (&test.db, blobs());
        let anna = account(db, "anna", Role::Submitter).await;
        let otto = account(db, "otto", Role::Submitter).await;
        let id = open(db, &anna, None, Quota::STANDARD, UnixMs(1)).await.unwrap();
        let draft = Draft {
            id: &id,
            account: &anna.id,
        };
        let hash = add_file(db, &blobs, draft, "1.png", png(1), UnixMs(2))
            .await
            .unwrap();
        assert_eq!(hash, sha256(&png(1)));
        add_file(db, &blobs, draft, "2.png", png(9), UnixMs(2))
            .await
            .unwrap();
        let told = seal(db, draft, &manifest(), &prompts(), UnixMs(3))
            .await
            .unwrap_err()
            .to_string();
        assert!(told.starts_with("line 3: `sha256`: expected"), "{told}");
        assert_eq!(files(db, &id).await.unwrap()["2.png"], sha256(&png(9)));

        let foreign = Draft {
            id: &id,
            account: &otto.id,
        };
        let refused = add_file(db, &blobs, foreign, "2.png", png(2), UnixMs(4)).await;
        assert!(matches!(refused, Err(Refused::Unknown { .. })));
        let refused = add_file(db, &blobs, draft, "../2.png", png(2), UnixMs(4)).await;
        assert!(matches!(refused, Err(Refused::Upload(_))));
        let refused = add_file(db, &blobs, draft, "2.png", Bytes::from_static(b"no"), UnixMs(4)).await;
        assert!(matches!(refused, Err(Refused::Upload(_))));
        add_file(db, &blobs, draft, "2.png", png(2), UnixMs(4))
            .await
            .unwrap();
        seal(db, draft, &manifest(), &prompts(), UnixMs(5)).await.unwrap();
        assert_eq!(state(db, &id).await, State::Queued);
        let late = add_file(db, &blobs, draft, "3.png", png(3), UnixMs(6)).await;
        assert!(matches!(
            late,
            Err(Refused::State {
                got: State::Queued,
                ..
            })
        ));
        let lines = log(db, &id).await.unwrap();
        assert_eq!(lines.len(), 2, "{lines:?}");
        assert_eq!(lines[1], (UnixMs(5), "sealed with 2 images".to_owned()));
        test.end().await;
    }
}

#[tokio::test]
async fn no_quota_is_passed_by_those_who_come_at_once_to_two_servers() {
    for test in databases().await {
        let anna = account(&test.db, "anna", Role::Submitter).await;
        // SQLite has one server, but a second handle races as well.
        let other = Database::open(&test.url).await.unwrap();
        let quota = Quota {
            per_day: 9,
            at_once: 3,
            in_all: 4,
        };
        let tries = (0..20).map(|n| {
            let db = if n % 2 == 0 {
                test.db.clone()
            } else {
                other.clone()
            };
            let anna = anna.clone();
            tokio::spawn(async move { open(&db, &anna, None, quota, UnixMs(n)).await })
        });
        let tried = futures::future::try_join_all(tries).await.unwrap();
        let opened: Vec<&String> = tried.iter().filter_map(|it| it.as_ref().ok()).collect();
        assert_eq!(opened.len(), 3, "{:?}", test.db.kind());
        assert!(
            tried
                .iter()
                .flat_map(|it| it.as_ref().err())
                .all(|it| matches!(it, Refused::Quota { .. }))
        );
        for id in opened {
            withdraw(&test.db, id, &anna.id, UnixMs(30)).await.unwrap();
        }
        open(&test.db, &anna, None, quota, UnixMs(31)).await.unwrap();
        let told = open(&test.db, &anna, None, quota, UnixMs(32))
            .await
            .unwrap_err()
            .to_string();
        assert_eq!(
            told,
            "quota: expected at most 4 submissions in all, got 4 before this one"
        );
        let daily = Quota {
            per_day: 4,
            at_once: 9,
            in_all: 9,
        };
        let told = open(&test.db, &anna, None, daily, UnixMs(33))
            .await
            .unwrap_err()
            .to_string();
        assert!(told.contains("in 24 hours"), "{told}");
        open(&test.db, &anna, None, daily, UnixMs(86_400_000 + 31))
            .await
            .unwrap();
        other.close().await;
        test.end().await;
    }
}

#[tokio::test]
async fn each_submission_has_one_worker_and_the_queue_has_an_order() {
    for test in databases().await {
        let (db, (_folder, blobs)) = (&test.db, blobs());
        let anna = account(db, "anna", Role::Submitter).await;
        let first = queued(db, &blobs, &anna, None, UnixMs(1)).await;
        let second = queued(db, &blobs, &anna, None, UnixMs(2)).await;
        assert_eq!(position(db, &first).await.unwrap(), Some(1));
        assert_eq!(position(db, &second).await.unwrap(), Some(2));
        let tries = (0..6).map(|_| claimed(db, UnixMs(10)));
        let leases: Vec<Lease> = futures::future::join_all(tries)
            .await
            .into_iter()
            .flatten()
            .collect();
        let ids: std::collections::BTreeSet<&str> = leases.iter().map(|lease| lease.id.as_str()).collect();
        assert_eq!((leases.len(), ids.len()), (2, 2), "{:?}", db.kind());
        assert_eq!(position(db, &first).await.unwrap(), None);
        let other_set = claim(db, sha256(b"other"), MINUTE, UnixMs(10).plus(MINUTE))
            .await
            .unwrap();
        assert!(
            other_set.is_none(),
            "judged against the prompts that it was checked against"
        );
        test.end().await;
    }
}

#[tokio::test]
async fn a_worker_that_died_loses_its_lease_and_what_it_stored_stays() {
    for test in databases().await {
        let (db, (_folder, blobs)) = (&test.db, blobs());
        let anna = account(db, "anna", Role::Submitter).await;
        let id = queued(db, &blobs, &anna, None, UnixMs(1)).await;
        let dead = claimed(db, UnixMs(10)).await.unwrap();
        record(db, &dead, &judgement("one", Verdict::Fail), UnixMs(11))
            .await
            .unwrap();
        let until = UnixMs(11).plus(MINUTE);
        assert!(claimed(db, UnixMs(until.0 - 1)).await.is_none());
        let alive = claimed(db, until).await.unwrap();
        assert_eq!((alive.id.as_str(), alive.attempt), (id.as_str(), 2));
        // The dead one wakes up.
        for late in [
            record(db, &dead, &judgement("two", Verdict::Fail), until).await,
            heartbeat(db, &dead, until).await,
            finish(db, &dead, until).await,
            give_back(db, &dead, "late", MINUTE, until).await.map(|_| ()),
        ] {
            assert!(matches!(late, Err(Refused::Lease { .. })), "{late:?}");
        }
        record(db, &alive, &judgement("one", Verdict::Pass), until)
            .await
            .unwrap();
        record(db, &alive, &judgement("two", Verdict::Pass), until)
            .await
            .unwrap();
        finish(db, &alive, until).await.unwrap();
        let found = find(db, &id).await.unwrap().unwrap();
        assert_eq!((found.state, found.badge), (State::Scored, Badge::ReScored));
        let report: asap_bench::stats::aer::AerReport = serde_json::from_str(&found.score).unwrap();
        let counts = report.table.overall.counts;
        assert_eq!(
            (counts.failures, counts.passes),
            (1, 1),
            "the first judgement of an image stays"
        );
        test.end().await;
    }
}

#[tokio::test]
async fn failures_wait_longer_each_time_and_end() {
    for test in databases().await {
        let (db, (_folder, blobs)) = (&test.db, blobs());
        let anna = account(db, "anna", Role::Submitter).await;
        let id = queued(db, &blobs, &anna, None, UnixMs(1)).await;
        let mut now = UnixMs(1_000);
        for attempt in 1..MAX_ATTEMPTS {
            let lease = claimed(db, now).await.unwrap();
            give_back(db, &lease, "the judge is away", MINUTE, now)
                .await
                .unwrap();
            let wait = MINUTE * 2_u32.pow(u32::try_from(attempt).unwrap() - 1);
            assert!(claimed(db, UnixMs(now.plus(wait).0 - 1)).await.is_none());
            now = now.plus(wait);
        }
        let lease = claimed(db, now).await.unwrap();
        let ended = give_back(db, &lease, "the judge is away", MINUTE, now)
            .await
            .unwrap();
        assert_eq!((ended, state(db, &id).await), (State::Failed, State::Failed));

        let slow = queued(db, &blobs, &anna, None, UnixMs(2)).await;
        for _ in 1..MAX_ATTEMPTS {
            now = now.plus(MINUTE);
            assert!(claimed(db, now).await.is_some());
        }
        now = now.plus(MINUTE);
        let lease = claimed(db, now).await.unwrap();
        record(db, &lease, &judgement("one", Verdict::Pass), now)
            .await
            .unwrap();
        let goes_on = give_back(db, &lease, "the judge is away", MINUTE, now)
            .await
            .unwrap();
        assert_eq!(
            goes_on,
            State::Queued,
            "attempts count from the last judgement on"
        );
        withdraw(db, &slow, &anna.id, now).await.unwrap();

        let killer = queued(db, &blobs, &anna, None, UnixMs(2)).await;
        for _ in 0..MAX_ATTEMPTS {
            assert!(claimed(db, now).await.is_some());
            now = now.plus(MINUTE);
        }
        assert!(claimed(db, now).await.is_none());
        assert_eq!(
            state(db, &killer).await,
            State::Failed,
            "what kills its workers ends too"
        );
        test.end().await;
    }
}

#[tokio::test]
async fn withdrawing_ends_the_work_and_superseding_leaves_one_on_the_board() {
    for test in databases().await {
        let (db, (_folder, blobs)) = (&test.db, blobs());
        let anna = account(db, "anna", Role::Submitter).await;
        let otto = account(db, "otto", Role::Submitter).await;
        let id = queued(db, &blobs, &anna, None, UnixMs(1)).await;
        let lease = claimed(db, UnixMs(2)).await.unwrap();
        let refused = withdraw(db, &id, &otto.id, UnixMs(3)).await;
        assert!(matches!(refused, Err(Refused::Unknown { .. })));
        withdraw(db, &id, &anna.id, UnixMs(3)).await.unwrap();
        assert!(matches!(
            heartbeat(db, &lease, UnixMs(4)).await,
            Err(Refused::Lease { .. })
        ));
        let twice = withdraw(db, &id, &anna.id, UnixMs(5)).await;
        assert!(matches!(
            twice,
            Err(Refused::State {
                got: State::Withdrawn,
                ..
            })
        ));

        let mut scored = Vec::new();
        for at in [10, 20] {
            let older = scored.first().map(String::as_str);
            let id = queued(db, &blobs, &anna, older, UnixMs(at)).await;
            let lease = claimed(db, UnixMs(at)).await.unwrap();
            for prompt in ["one", "two"] {
                record(db, &lease, &judgement(prompt, Verdict::Pass), UnixMs(at))
                    .await
                    .unwrap();
            }
            finish(db, &lease, UnixMs(at)).await.unwrap();
            scored.push(id);
        }
        assert_eq!(state(db, &scored[0]).await, State::Superseded);
        assert_eq!(state(db, &scored[1]).await, State::Scored);
        let root = account(db, "root", Role::Admin).await;
        let refused = reproduced(db, &scored[1], &anna, UnixMs(25)).await;
        assert!(matches!(refused, Err(Refused::NotAdmin { .. })));
        let refused = reproduced(db, &scored[0], &root, UnixMs(25)).await;
        assert!(matches!(
            refused,
            Err(Refused::State {
                got: State::Superseded,
                ..
            })
        ));
        reproduced(db, &scored[1], &root, UnixMs(25)).await.unwrap();
        assert_eq!(
            find(db, &scored[1]).await.unwrap().unwrap().badge,
            Badge::Reproduced
        );
        let foreign = open(db, &otto, Some(&scored[1]), Quota::STANDARD, UnixMs(30)).await;
        assert!(matches!(foreign, Err(Refused::Unknown { .. })));
        test.end().await;
    }
}

fn tar_of(files: &[(&str, &[u8])]) -> std::io::Cursor<Vec<u8>> {
    let mut tar = tar::Builder::new(Vec::new());
    for (name, bytes) in files {
        let mut header = tar::Header::new_gnu();
        header.set_size(bytes.len() as u64);
        tar.append_data(&mut header, name, *bytes).unwrap();
    }
    std::io::Cursor::new(tar.into_inner().unwrap())
}

#[tokio::test]
async fn an_archive_fills_a_draft_whole_or_not_at_all() {
    for test in databases().await {
        let (db, (_folder, blobs)) = (&test.db, blobs());
        let anna = account(db, "anna", Role::Submitter).await;
        let id = open(db, &anna, None, Quota::STANDARD, UnixMs(1)).await.unwrap();
        let draft = Draft {
            id: &id,
            account: &anna.id,
        };
        let prompts = std::sync::Arc::new(prompts());
        let (manifest, one, two) = (manifest(), png(1), png(2));
        let lacking = tar_of(&[("manifest.jsonl", manifest.as_bytes()), ("1.png", &one)]);
        let refused = seal_archive(db, &blobs, draft, lacking, prompts.clone(), UnixMs(2)).await;
        assert!(matches!(refused, Err(Refused::Upload(_))), "{refused:?}");
        assert_eq!(
            (state(db, &id).await, files(db, &id).await.unwrap().len()),
            (State::Received, 0)
        );

        let whole = [
            ("manifest.jsonl", manifest.as_bytes()),
            ("1.png", &one),
            ("2.png", &two),
        ];
        let foreign = Draft {
            id: &id,
            account: "x",
        };
        let refused = seal_archive(db, &blobs, foreign, tar_of(&whole), prompts.clone(), UnixMs(3)).await;
        assert!(matches!(refused, Err(Refused::Unknown { .. })));
        seal_archive(db, &blobs, draft, tar_of(&whole), prompts.clone(), UnixMs(3))
            .await
            .unwrap();
        let lease = claimed(db, UnixMs(4)).await.unwrap();
        assert_eq!(lease.blobs.len(), 2);
        for stored in lease.blobs.values() {
            blobs.get(*stored).await.unwrap();
        }
        let again = seal_archive(db, &blobs, draft, tar_of(&whole), prompts, UnixMs(5)).await;
        assert!(matches!(
            again,
            Err(Refused::State {
                got: State::Judging,
                ..
            })
        ));
        test.end().await;
    }
}
