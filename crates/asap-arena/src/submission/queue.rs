//! The queue: one worker has a submission for as long as its lease lasts.
//!
//! Why no queue of a library (apalis, fang): there a job and its lease live in tables of the library's own, changed in
//! its own transactions. Here a lease has to end in the very transaction in which its owner withdraws the submission,
//! and a judgement may be stored only while it holds, on SQLite and on PostgreSQL alike. That is one column.

use std::time::Duration;

use asap_bench::stats::Level;
use asap_bench::stats::aer::{HeadlinePolicy, aer_report};
use asap_core::{Judgement, Sha256};
use sqlx::Row as _;

use super::draft::hashes;
use super::{Refused, State, tell};
use crate::db::{Database, Tx};
use crate::error::{Doing as _, Error, Result};
use crate::manifest::Manifest;
use crate::random::random_hex;
use crate::time::UnixMs;

/// A submission whose workers failed or died so often is given up: it may be what kills them.
pub const MAX_ATTEMPTS: i64 = 5;

/// The right to judge a submission for some time.
#[derive(Clone, Debug, PartialEq)]
pub struct Lease {
    /// The submission.
    pub id: String,
    /// What it lists.
    pub manifest: Manifest,
    /// Its files and the blobs of their images.
    pub blobs: std::collections::BTreeMap<String, Sha256>,
    /// 1 for the first time.
    pub attempt: i64,
    secret: String,
    lasts: Duration,
}

/// Gives the first submission that waits, or whose worker is gone, to who asks; `None` where there is none. Only those
/// that were checked against these prompts count.
///
/// # Errors
/// A failing database, or a broken row in it.
pub async fn claim(db: &Database, prompts: Sha256, lasts: Duration, now: UnixMs) -> Result<Option<Lease>> {
    let mut tx = db.write().await?;
    tx.lock("queue").await?;
    give_up_the_hopeless(&mut tx, now).await?;
    let secret = random_hex::<16>();
    let row = sqlx::query(
        "UPDATE submissions SET state = 'judging', attempts = attempts + 1, lease = $1, lease_until_ms = $2,
         changed_ms = $3 WHERE id = (SELECT id FROM submissions WHERE prompts = $4
         AND ((state = 'queued' AND not_before_ms <= $5) OR (state = 'judging' AND lease_until_ms <= $6))
         ORDER BY queued_ms, id LIMIT 1)
         AND state IN ('queued', 'judging') RETURNING id, manifest, attempts",
    )
    .bind(&secret)
    .bind(now.plus(lasts).0)
    .bind(now.0)
    .bind(prompts.to_string())
    .bind(now.0)
    .bind(now.0)
    .fetch_optional(tx.on())
    .await
    .doing("claim a submission")?;
    let Some(row) = row else {
        tx.commit().await?;
        return Ok(None);
    };
    let doing = "read a submission";
    let id: String = row.try_get("id").doing(doing)?;
    let attempt: i64 = row.try_get("attempts").doing(doing)?;
    let body: String = row.try_get("manifest").doing(doing)?;
    let files = sqlx::query("SELECT file, stored AS hash FROM submission_files WHERE submission_id = $1")
        .bind(&id)
        .fetch_all(tx.on())
        .await
        .doing("list files")?;
    tell(
        &mut tx,
        &id,
        State::Judging,
        &format!("judging, attempt {attempt}"),
        now,
    )
    .await?;
    tx.commit().await?;
    let manifest = serde_json::from_str(&body).map_err(|error| Error::Broken {
        what: "manifest of submission",
        got: format!("{id}: {error}"),
        expected: "a manifest as JSON",
    })?;
    Ok(Some(Lease {
        manifest,
        blobs: hashes(&files)?,
        id,
        attempt,
        secret,
        lasts,
    }))
}

/// Ends what was tried too often: a worker that died told nobody why.
async fn give_up_the_hopeless(tx: &mut Tx, now: UnixMs) -> Result<()> {
    let line = "failed: its workers ended too often";
    let rows = sqlx::query(
        "UPDATE submissions SET state = 'failed', lease = '', reason = $1, changed_ms = $2
         WHERE state = 'judging' AND lease_until_ms <= $3 AND attempts >= $4 RETURNING id",
    )
    .bind(line)
    .bind(now.0)
    .bind(now.0)
    .bind(MAX_ATTEMPTS)
    .fetch_all(tx.on())
    .await
    .doing("give up submissions")?;
    for row in rows {
        let id: String = row.try_get("id").doing("read a submission")?;
        tell(tx, &id, State::Failed, line, now).await?;
    }
    Ok(())
}

/// Holds the row while the lease is the worker's, and makes it last from now on. A lease that ran out and that nobody
/// took is still its worker's. What is returned is the number of the attempt.
async fn renew(tx: &mut Tx, lease: &Lease, now: UnixMs) -> Result<i64, Refused> {
    let held: Option<i64> = sqlx::query_scalar(
        "UPDATE submissions SET lease_until_ms = $1 WHERE id = $2 AND lease = $3 AND state = 'judging'
         RETURNING attempts",
    )
    .bind(now.plus(lease.lasts).0)
    .bind(&lease.id)
    .bind(&lease.secret)
    .fetch_optional(tx.on())
    .await?;
    held.ok_or_else(|| Refused::Lease { id: lease.id.clone() })
}

/// Says that the worker lives.
///
/// # Errors
/// [`Refused::Lease`] where the submission is another's by now, or withdrawn.
pub async fn heartbeat(db: &Database, lease: &Lease, now: UnixMs) -> Result<(), Refused> {
    let mut tx = db.write().await?;
    renew(&mut tx, lease, now).await?;
    Ok(tx.commit().await?)
}

/// Stores a judgement; an image that has one keeps the first. Attempts count from the last judgement on: a judge that
/// fails now and then must not end a submission of thousands of images.
///
/// # Errors
/// [`Refused::Lease`], and a failing database.
pub async fn record(db: &Database, lease: &Lease, judgement: &Judgement, now: UnixMs) -> Result<(), Refused> {
    let body = serde_json::to_string(judgement).map_err(|source| Error::Json {
        what: "judgement",
        source,
    })?;
    let mut tx = db.write().await?;
    renew(&mut tx, lease, now).await?;
    sqlx::query(
        "INSERT INTO submission_judgements (submission_id, prompt_id, seed, body) VALUES ($1, $2, $3, $4)
         ON CONFLICT (submission_id, prompt_id, seed) DO NOTHING",
    )
    .bind(&lease.id)
    .bind(judgement.sample.prompt_id.as_str())
    .bind(judgement.sample.seed.to_string())
    .bind(body)
    .execute(tx.on())
    .await?;
    sqlx::query("UPDATE submissions SET attempts = 1 WHERE id = $1")
        .bind(&lease.id)
        .execute(tx.on())
        .await?;
    Ok(tx.commit().await?)
}

/// The judgements of a submission, by prompt and seed.
///
/// # Errors
/// A failing database, or a broken row in it.
pub async fn judgements(db: &Database, id: &str) -> Result<Vec<Judgement>> {
    let rows = sqlx::query(
        "SELECT body FROM submission_judgements WHERE submission_id = $1 ORDER BY prompt_id, seed",
    )
    .bind(id)
    .fetch_all(db.pool())
    .await
    .doing("read judgements")?;
    rows.iter()
        .map(|row| {
            let body: String = row.try_get("body").doing("read judgements")?;
            serde_json::from_str(&body).map_err(|error| Error::Broken {
                what: "judgement of submission",
                got: format!("{id}: {error}"),
                expected: "a judgement as JSON",
            })
        })
        .collect()
}

/// Computes the score and ends the submission. The one that it supersedes leaves the board in the same moment.
///
/// # Errors
/// [`Refused::Lease`], [`Refused::Score`], and a failing database.
pub async fn finish(db: &Database, lease: &Lease, now: UnixMs) -> Result<(), Refused> {
    let judged = judgements(db, &lease.id).await?;
    let report =
        aer_report(&judged, Level::P95, HeadlinePolicy::Guarded).map_err(|source| Refused::Score {
            id: lease.id.clone(),
            source,
        })?;
    let score = serde_json::to_string(&report).map_err(|source| Error::Json {
        what: "score",
        source,
    })?;
    let mut tx = db.write().await?;
    renew(&mut tx, lease, now).await?;
    let row = sqlx::query(
        "UPDATE submissions SET state = 'scored', badge = 're_scored', score = $1, lease = '', reason = '',
         changed_ms = $2 WHERE id = $3 RETURNING supersedes",
    )
    .bind(score)
    .bind(now.0)
    .bind(&lease.id)
    .fetch_one(tx.on())
    .await?;
    let older: String = row.try_get("supersedes")?;
    let replaced = sqlx::query(
        "UPDATE submissions SET state = 'superseded', changed_ms = $1 WHERE id = $2 AND state = 'scored'",
    )
    .bind(now.0)
    .bind(&older)
    .execute(tx.on())
    .await?;
    let line = format!("scored: {} images judged", judged.len());
    tell(&mut tx, &lease.id, State::Scored, &line, now).await?;
    if replaced.rows_affected() > 0 {
        let line = format!("superseded by {}", lease.id);
        tell(&mut tx, &older, State::Superseded, &line, now).await?;
    }
    Ok(tx.commit().await?)
}

/// Gives a submission back after a failure: it waits twice as long each time, and fails after [`MAX_ATTEMPTS`].
///
/// # Errors
/// [`Refused::Lease`], and a failing database.
pub async fn give_back(
    db: &Database,
    lease: &Lease,
    reason: &str,
    wait: Duration,
    now: UnixMs,
) -> Result<State, Refused> {
    let mut tx = db.write().await?;
    let attempt = renew(&mut tx, lease, now).await?;
    let state = match attempt < MAX_ATTEMPTS {
        true => State::Queued,
        false => State::Failed,
    };
    let doublings = u32::try_from(attempt.clamp(1, 20) - 1).unwrap_or(0);
    let not_before = now.plus(wait.saturating_mul(1 << doublings));
    sqlx::query(
        "UPDATE submissions SET state = $1, lease = '', reason = $2, not_before_ms = $3, changed_ms = $4
         WHERE id = $5",
    )
    .bind(state.name())
    .bind(reason)
    .bind(not_before.0)
    .bind(now.0)
    .bind(&lease.id)
    .execute(tx.on())
    .await?;
    let line = format!("attempt {attempt} failed: {reason}");
    tell(&mut tx, &lease.id, state, &line, now).await?;
    tx.commit().await?;
    Ok(state)
}

/// How many are before it in the queue, from 1 for the next; `None` where it does not wait.
///
/// # Errors
/// A failing database.
pub async fn position(db: &Database, id: &str) -> Result<Option<u64>> {
    let n: i64 = sqlx::query_scalar(
        "SELECT COUNT(*) FROM submissions a JOIN submissions b ON b.id = $1 AND b.state = 'queued'
         WHERE a.state = 'queued' AND (a.queued_ms < b.queued_ms OR (a.queued_ms = b.queued_ms AND a.id <= b.id))",
    )
    .bind(id)
    .fetch_one(db.pool())
    .await
    .doing("find the place in the queue")?;
    Ok((n > 0).then(|| n.cast_unsigned()))
}
