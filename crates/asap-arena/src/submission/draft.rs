//! Drafts: opened under a quota, filled file by file, sealed.

use std::collections::BTreeMap;
use std::io::Read;
use std::sync::Arc;
use std::time::Duration;

use asap_bench::prompts::PromptSet;
use asap_core::Sha256;
use bytes::Bytes;
use sqlx::Row as _;

use super::{Refused, State, tell, why_not};
use crate::account::Account;
use crate::blob::Blobs;
use crate::db::{Database, Tx};
use crate::error::{Doing as _, Error};
use crate::intake::{self, Limits, Refusal};
use crate::manifest::Manifest;
use crate::random::random_hex;
use crate::time::UnixMs;

const DAY: Duration = Duration::from_secs(86_400);

/// How much an account may submit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Quota {
    /// In the last 24 hours, withdrawn ones too.
    pub per_day: i64,
    /// That are not yet scored or over.
    pub at_once: i64,
    /// Ever.
    pub in_all: i64,
}

impl Quota {
    /// What an account has unless an administrator says otherwise.
    pub const STANDARD: Self = Self {
        per_day: 5,
        at_once: 2,
        in_all: 200,
    };
}

/// A draft, and who may fill it.
#[derive(Clone, Copy, Debug)]
pub struct Draft<'a> {
    /// The id of the submission.
    pub id: &'a str,
    /// The id of its account.
    pub account: &'a str,
}

/// Opens a draft. Counting and opening are one transaction that no other of the account goes beside, on whatever server.
///
/// # Errors
/// [`Refused::Quota`], [`Refused::Unknown`] where what it supersedes is not the account's, and a failing database.
pub async fn open(
    db: &Database,
    account: &Account,
    supersedes: Option<&str>,
    quota: Quota,
    now: UnixMs,
) -> Result<String, Refused> {
    let mut tx = db.write().await?;
    tx.lock(&format!("quota {}", account.id)).await?;
    check_quota(&mut tx, account, quota, now).await?;
    if let Some(older) = supersedes {
        let own: i64 =
            sqlx::query_scalar("SELECT COUNT(*) FROM submissions WHERE id = $1 AND account_id = $2")
                .bind(older)
                .bind(&account.id)
                .fetch_one(tx.on())
                .await?;
        if own == 0 {
            return Err(Refused::Unknown { id: older.to_owned() });
        }
    }
    let id = random_hex::<8>();
    sqlx::query(
        "INSERT INTO submissions (id, account_id, state, badge, made_ms, changed_ms, prompts, manifest, reason,
         supersedes, queued_ms, not_before_ms, attempts, lease, lease_until_ms, score)
         VALUES ($1, $2, 'received', 'self_reported', $3, $4, '', '', '', $5, 0, 0, 0, '', 0, '')",
    )
    .bind(&id)
    .bind(&account.id)
    .bind(now.0)
    .bind(now.0)
    .bind(supersedes.unwrap_or_default())
    .execute(tx.on())
    .await?;
    tell(&mut tx, &id, State::Received, "opened", now).await?;
    tx.commit().await?;
    Ok(id)
}

async fn check_quota(tx: &mut Tx, account: &Account, quota: Quota, now: UnixMs) -> Result<(), Refused> {
    let day = i64::try_from(DAY.as_millis()).unwrap_or(i64::MAX);
    let row = sqlx::query(
        "SELECT COUNT(*) AS in_all, COUNT(CASE WHEN made_ms > $1 THEN 1 END) AS per_day,
         COUNT(CASE WHEN state IN ('received', 'queued', 'judging') THEN 1 END) AS at_once
         FROM submissions WHERE account_id = $2",
    )
    .bind(now.0.saturating_sub(day))
    .bind(&account.id)
    .fetch_one(tx.on())
    .await?;
    for (column, most, span) in [
        ("per_day", quota.per_day, "in 24 hours"),
        ("at_once", quota.at_once, "at once"),
        ("in_all", quota.in_all, "in all"),
    ] {
        let got: i64 = row.try_get(column)?;
        if got >= most {
            return Err(Refused::Quota { most, span, got });
        }
    }
    Ok(())
}

/// Puts a file into a draft, or another in its place. What is returned is the hash of what was sent, for the sender to
/// compare.
///
/// # Errors
/// [`Refused::Upload`] where it is no image that is allowed, [`Refused::State`] once the draft is sealed.
pub async fn add_file(
    db: &Database,
    blobs: &Blobs,
    draft: Draft<'_>,
    name: &str,
    bytes: Bytes,
    now: UnixMs,
) -> Result<Sha256, Refused> {
    let limits = Limits::STANDARD;
    intake::check_name(name, &limits)?;
    let owned = name.to_owned();
    let picture = intake::in_turn(Duration::from_secs(60), move || {
        intake::decode(&owned, &bytes, &limits)
    })
    .await?;
    let stored = blobs.put(Bytes::from(picture.png)).await?;
    let mut tx = db.write().await?;
    hold(&mut tx, draft, now).await?;
    let kept = Kept {
        file: name.to_owned(),
        original: picture.original,
        stored,
    };
    put_file(&mut tx, draft, &kept).await?;
    tx.commit().await?;
    Ok(picture.original)
}

/// Holds the row of a draft until the transaction ends.
async fn hold(tx: &mut Tx, draft: Draft<'_>, now: UnixMs) -> Result<(), Refused> {
    let held = sqlx::query(
        "UPDATE submissions SET changed_ms = $1 WHERE id = $2 AND account_id = $3 AND state = 'received'",
    )
    .bind(now.0)
    .bind(draft.id)
    .bind(draft.account)
    .execute(tx.on())
    .await?;
    match held.rows_affected() {
        0 => Err(why_not(tx, draft.id, draft.account, "received").await?),
        _ => Ok(()),
    }
}

/// The files of a submission with the hashes of what was sent: what an upload that broke off need not send again.
///
/// # Errors
/// A failing database.
pub async fn files(db: &Database, id: &str) -> Result<BTreeMap<String, Sha256>, Error> {
    let rows = sqlx::query("SELECT file, original AS hash FROM submission_files WHERE submission_id = $1")
        .bind(id)
        .fetch_all(db.pool())
        .await
        .doing("list files")?;
    hashes(&rows)
}

pub(super) fn hashes(rows: &[sqlx::any::AnyRow]) -> Result<BTreeMap<String, Sha256>, Error> {
    rows.iter()
        .map(|row| {
            let hash: String = row.try_get("hash").doing("read a file")?;
            let parsed = hash
                .parse()
                .map_err(|error: asap_core::id::ParseIdError| Error::Broken {
                    what: "hash of a file",
                    got: format!("{hash}: {error}"),
                    expected: "64 hexadecimal digits",
                })?;
            Ok((row.try_get("file").doing("read a file")?, parsed))
        })
        .collect()
}

/// Ends a draft and puts it into the queue. Where the validator finds a fault, the draft stays open to be mended.
///
/// # Errors
/// [`Refused::Upload`] with all faults, [`Refused::State`] where it is sealed already.
pub async fn seal(
    db: &Database,
    draft: Draft<'_>,
    manifest: &str,
    prompts: &PromptSet,
    now: UnixMs,
) -> Result<(), Refused> {
    let mut tx = db.write().await?;
    hold(&mut tx, draft, now).await?;
    let rows = sqlx::query("SELECT file, original AS hash FROM submission_files WHERE submission_id = $1")
        .bind(draft.id)
        .fetch_all(tx.on())
        .await?;
    let manifest = intake::settle(manifest, &hashes(&rows)?, prompts)?;
    enqueue(&mut tx, draft, &manifest, prompts, now).await?;
    Ok(tx.commit().await?)
}

/// Moves a draft whose row is held into the queue.
async fn enqueue(
    tx: &mut Tx,
    draft: Draft<'_>,
    manifest: &Manifest,
    prompts: &PromptSet,
    now: UnixMs,
) -> Result<(), Refused> {
    let body = serde_json::to_string(manifest).map_err(|source| Error::Json {
        what: "manifest",
        source,
    })?;
    sqlx::query(
        "UPDATE submissions SET state = 'queued', manifest = $1, prompts = $2, queued_ms = $3 WHERE id = $4",
    )
    .bind(body)
    .bind(prompts.sha256().to_string())
    .bind(now.0)
    .bind(draft.id)
    .execute(tx.on())
    .await?;
    let line = format!("sealed with {} images", manifest.images.len());
    Ok(tell(tx, draft.id, State::Queued, &line, now).await?)
}

/// Fills and seals a draft from one archive, in place of all files that it has. Where the archive is refused, the draft
/// is what it was; images that were stored by then are blobs that nothing names.
///
/// # Errors
/// Those of [`seal`], and [`Refused::Upload`] for a hostile or broken archive.
pub async fn seal_archive(
    db: &Database,
    blobs: &Blobs,
    draft: Draft<'_>,
    archive: impl Read + Send + 'static,
    prompts: Arc<PromptSet>,
    now: UnixMs,
) -> Result<(), Refused> {
    // Nobody makes the server unpack an archive for a draft that is not theirs.
    let mut tx = db.write().await?;
    hold(&mut tx, draft, now).await?;
    tx.commit().await?;
    let (manifest, kept) = keep_archive(blobs.clone(), archive, Arc::clone(&prompts)).await?;
    let mut tx = db.write().await?;
    hold(&mut tx, draft, now).await?;
    sqlx::query("DELETE FROM submission_files WHERE submission_id = $1")
        .bind(draft.id)
        .execute(tx.on())
        .await?;
    for kept in &kept {
        put_file(&mut tx, draft, kept).await?;
    }
    enqueue(&mut tx, draft, &manifest, &prompts, now).await?;
    Ok(tx.commit().await?)
}

/// A file whose image is in the store.
struct Kept {
    file: String,
    original: Sha256,
    stored: Sha256,
}

async fn keep_archive(
    blobs: Blobs,
    archive: impl Read + Send + 'static,
    prompts: Arc<PromptSet>,
) -> Result<(Manifest, Vec<Kept>), Refusal> {
    let limits = Limits::STANDARD;
    let runtime = tokio::runtime::Handle::current();
    intake::in_turn(limits.time, move || {
        let mut kept = Vec::new();
        let manifest = intake::examine(archive, &prompts, &limits, &mut |name, picture| {
            let stored = runtime.block_on(blobs.put(Bytes::from(picture.png)));
            kept.push(Kept {
                file: name.to_owned(),
                original: picture.original,
                stored: stored.map_err(|error| Refusal::Keep {
                    name: name.to_owned(),
                    cause: error.to_string(),
                })?,
            });
            Ok(())
        })?;
        Ok((manifest, kept))
    })
    .await
}

async fn put_file(tx: &mut Tx, draft: Draft<'_>, kept: &Kept) -> Result<(), Refused> {
    sqlx::query(
        "INSERT INTO submission_files (submission_id, file, original, stored) VALUES ($1, $2, $3, $4)
         ON CONFLICT (submission_id, file) DO UPDATE SET original = excluded.original, stored = excluded.stored",
    )
    .bind(draft.id)
    .bind(&kept.file)
    .bind(kept.original.to_string())
    .bind(kept.stored.to_string())
    .execute(tx.on())
    .await?;
    Ok(())
}
