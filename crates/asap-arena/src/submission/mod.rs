//! Submissions: received, queued, judged, scored.
//!
//! ```text
//! received -> queued -> judging -> scored -> superseded
//!    |          |          |-> queued (again, later) -> failed
//!    +----------+----------+-> withdrawn
//! ```
//!
//! A draft is filled file by file ([`add_file`]), so an upload goes on where it broke off, and is sealed
//! ([`seal`]) when the validator finds nothing. Every change of state is one transaction with its line in the
//! submission's log and its entry in the chain.

mod draft;
mod queue;

use serde::Serialize;
use sqlx::Row as _;
use sqlx::any::AnyRow;

use crate::account::{Account, Role};
use crate::blob::BlobError;
use crate::db::{Database, Tx};
use crate::error::{Doing as _, Error, Result};
use crate::intake::Refusal;
use crate::log::{Log, NewEntry};
use crate::time::UnixMs;

pub use draft::{Draft, Quota, add_file, files, open, seal, seal_archive};
pub use queue::{Lease, MAX_ATTEMPTS, claim, finish, give_back, heartbeat, judgements, position, record};

/// Where a submission is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// A draft that takes files.
    Received,
    /// Waits for a worker.
    Queued,
    /// A worker has it.
    Judging,
    /// It has a score.
    Scored,
    /// Its owner took it back.
    Withdrawn,
    /// The judge failed too often.
    Failed,
    /// A later one of its owner stands in its place.
    Superseded,
}

impl State {
    const ALL: [Self; 7] = [
        Self::Received,
        Self::Queued,
        Self::Judging,
        Self::Scored,
        Self::Withdrawn,
        Self::Failed,
        Self::Superseded,
    ];

    /// The name in the database and on pages.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Received => "received",
            Self::Queued => "queued",
            Self::Judging => "judging",
            Self::Scored => "scored",
            Self::Withdrawn => "withdrawn",
            Self::Failed => "failed",
            Self::Superseded => "superseded",
        }
    }
}

/// Who stands for the numbers of a submission.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Badge {
    /// Its submitter alone.
    SelfReported,
    /// The server judged the images that were sent.
    ReScored,
    /// An administrator drew images with the model, and they are judged alike.
    Reproduced,
}

impl Badge {
    const fn name(self) -> &'static str {
        match self {
            Self::SelfReported => "self_reported",
            Self::ReScored => "re_scored",
            Self::Reproduced => "reproduced",
        }
    }
}

/// A submission as its owner sees it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Submission {
    /// Opaque.
    pub id: String,
    /// The account that answers for it.
    pub account: String,
    /// Where it is.
    pub state: State,
    /// Who stands for its numbers.
    pub badge: Badge,
    /// Why it failed or goes again; empty where there is nothing to say.
    pub reason: String,
    /// The one that it stands in for; empty without.
    pub supersedes: String,
    /// How often a worker began since the last judgement.
    pub attempts: i64,
    /// An [`AerReport`](asap_bench::stats::aer::AerReport) as JSON; empty before.
    pub score: String,
}

/// Why something cannot be done with a submission.
#[derive(Debug, thiserror::Error)]
pub enum Refused {
    /// There is none of that id that belongs to the account.
    #[error("submission `{id}` is unknown: expected one of yours")]
    Unknown {
        /// What was asked for.
        id: String,
    },
    /// It is not in the state for that.
    #[error("submission `{id}` is {}: expected {expected}", got.name())]
    State {
        /// Which one.
        id: String,
        /// Where it should be.
        expected: &'static str,
        /// Where it is.
        got: State,
    },
    /// The account has used up what it may submit.
    #[error("quota: expected at most {most} submissions {span}, got {got} before this one")]
    Quota {
        /// How many are allowed.
        most: i64,
        /// In which span.
        span: &'static str,
        /// How many there are.
        got: i64,
    },
    /// The lease ended, or the submission was withdrawn: the work is somebody else's, or nobody's.
    #[error("the lease of submission `{id}` has ended")]
    Lease {
        /// Which one.
        id: String,
    },
    /// Only an administrator may do that.
    #[error("account `{name}` is no administrator: ask one")]
    NotAdmin {
        /// Who asked.
        name: String,
    },
    /// The upload is not good.
    #[error(transparent)]
    Upload(#[from] Refusal),
    /// The images could not be stored.
    #[error(transparent)]
    Blob(#[from] BlobError),
    /// The score could not be computed.
    #[error("the score of submission `{id}` could not be computed")]
    Score {
        /// Which one.
        id: String,
        /// Why not.
        #[source]
        source: asap_bench::stats::Error,
    },
    /// The database failed.
    #[error(transparent)]
    Arena(#[from] Error),
}

impl From<sqlx::Error> for Refused {
    fn from(source: sqlx::Error) -> Self {
        let doing = "change a submission";
        Self::Arena(Error::Database { doing, source })
    }
}

/// A submission by its id.
///
/// # Errors
/// A failing database.
pub async fn find(db: &Database, id: &str) -> Result<Option<Submission>> {
    found_on(db.pool(), id).await
}

async fn found_on(on: impl sqlx::AnyExecutor<'_>, id: &str) -> Result<Option<Submission>> {
    sqlx::query(
        "SELECT id, account_id, state, badge, reason, supersedes, attempts, score FROM submissions WHERE id = $1",
    )
    .bind(id)
    .fetch_optional(on)
    .await
    .doing("find a submission")?
    .map(|row| submission_of(&row))
    .transpose()
}

/// The log of a submission: when, and what; oldest first.
///
/// # Errors
/// A failing database.
pub async fn log(db: &Database, id: &str) -> Result<Vec<(UnixMs, String)>> {
    let doing = "read the log of a submission";
    let rows = sqlx::query("SELECT at_ms, line FROM submission_log WHERE submission_id = $1 ORDER BY seq")
        .bind(id)
        .fetch_all(db.pool())
        .await
        .doing(doing)?;
    rows.iter()
        .map(|row| {
            Ok((
                UnixMs(row.try_get("at_ms").doing(doing)?),
                row.try_get("line").doing(doing)?,
            ))
        })
        .collect()
}

/// Takes a submission back. A worker that has it loses its lease.
///
/// # Errors
/// [`Refused::Unknown`], [`Refused::State`] once it is scored or over, and a failing database.
pub async fn withdraw(db: &Database, id: &str, account: &str, now: UnixMs) -> Result<(), Refused> {
    let mut tx = db.write().await?;
    let moved = sqlx::query(
        "UPDATE submissions SET state = 'withdrawn', lease = '', changed_ms = $1
         WHERE id = $2 AND account_id = $3 AND state IN ('received', 'queued', 'judging')",
    )
    .bind(now.0)
    .bind(id)
    .bind(account)
    .execute(tx.on())
    .await?;
    if moved.rows_affected() == 0 {
        return Err(why_not(&mut tx, id, account, "received, queued or judging").await?);
    }
    tell(&mut tx, id, State::Withdrawn, "withdrawn by its owner", now).await?;
    Ok(tx.commit().await?)
}

/// Marks a scored submission as reproduced.
///
/// # Errors
/// [`Refused::NotAdmin`], [`Refused::Unknown`], [`Refused::State`] before it is scored, and a failing database.
pub async fn reproduced(db: &Database, id: &str, admin: &Account, now: UnixMs) -> Result<(), Refused> {
    if admin.role != Role::Admin || admin.disabled.is_some() {
        return Err(Refused::NotAdmin {
            name: admin.name.clone(),
        });
    }
    let mut tx = db.write().await?;
    let marked = sqlx::query(
        "UPDATE submissions SET badge = 'reproduced', changed_ms = $1 WHERE id = $2 AND state = 'scored'",
    )
    .bind(now.0)
    .bind(id)
    .execute(tx.on())
    .await?;
    if marked.rows_affected() == 0 {
        let owner = found_on(tx.on(), id)
            .await?
            .map_or_else(String::new, |found| found.account);
        return Err(why_not(&mut tx, id, &owner, "scored").await?);
    }
    let line = format!("reproduced by {}", admin.id);
    tell(&mut tx, id, State::Scored, &line, now).await?;
    Ok(tx.commit().await?)
}

/// Why a statement changed no row. Asked on its own connection: another might have to be waited for.
async fn why_not(tx: &mut Tx, id: &str, account: &str, expected: &'static str) -> Result<Refused> {
    let found = found_on(tx.on(), id)
        .await?
        .filter(|found| found.account == account);
    let id = id.to_owned();
    Ok(match found {
        Some(found) => Refused::State {
            id,
            expected,
            got: found.state,
        },
        None => Refused::Unknown { id },
    })
}

/// One entry of the chain.
#[derive(Serialize)]
struct Told<'a> {
    submission: &'a str,
    state: State,
    line: &'a str,
}

/// Tells the submission's log and the chain. The submission's row is held by the transaction already, so numbers of
/// its lines do not clash; the chain comes last, so no two transactions wait for each other.
async fn tell(tx: &mut Tx, id: &str, state: State, line: &str, now: UnixMs) -> Result<()> {
    sqlx::query(
        "INSERT INTO submission_log (submission_id, seq, at_ms, line)
         SELECT $1, COUNT(*) + 1, $2, $3 FROM submission_log WHERE submission_id = $4",
    )
    .bind(id)
    .bind(now.0)
    .bind(line)
    .bind(id)
    .execute(tx.on())
    .await
    .doing("write the log of a submission")?;
    let told = Told {
        submission: id,
        state,
        line,
    };
    Log::append(tx, &[NewEntry::of("submission", &told)?], now).await?;
    Ok(())
}

fn submission_of(row: &AnyRow) -> Result<Submission> {
    let doing = "read a submission";
    let state: String = row.try_get("state").doing(doing)?;
    let badge: String = row.try_get("badge").doing(doing)?;
    let badge = [Badge::SelfReported, Badge::ReScored, Badge::Reproduced]
        .into_iter()
        .find(|known| known.name() == badge)
        .ok_or(Error::Broken {
            what: "badge",
            got: badge,
            expected: "`self_reported`, `re_scored` or `reproduced`",
        })?;
    let state = State::ALL
        .into_iter()
        .find(|known| known.name() == state)
        .ok_or(Error::Broken {
            what: "state",
            got: state,
            expected: "a state of a submission",
        })?;
    Ok(Submission {
        id: row.try_get("id").doing(doing)?,
        account: row.try_get("account_id").doing(doing)?,
        state,
        badge,
        reason: row.try_get("reason").doing(doing)?,
        supersedes: row.try_get("supersedes").doing(doing)?,
        attempts: row.try_get("attempts").doing(doing)?,
        score: row.try_get("score").doing(doing)?,
    })
}

#[cfg(test)]
pub(crate) mod tests;
