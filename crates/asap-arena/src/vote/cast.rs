//! Voting, taking back, correcting: each is a new record, nothing is changed or deleted.

use std::time::Duration;

use sqlx::Row as _;

use super::answer::Vote;
use super::assign::{Assignment, LEASE};
use super::lease::{self, Lease, State};
use crate::ballot::Secret;
use crate::campaign::{self, Campaign, from_json, to_json};
use crate::db::Tx;
use crate::error::{Doing as _, Error, Result};
use crate::id::RaterId;
use crate::item::Item;
use crate::log::NewEntry;
use crate::random_hex;
use crate::record::VoteCast;
use crate::refusal::Refusal;
use crate::time::UnixMs;

/// How long a vote can be undone.
const UNDO: Duration = Duration::from_secs(10);
/// What stands for a withdrawal in the column of votes.
const WITHDRAWN: &str = "null";

/// What is stored on a ballot.
#[derive(Clone, Debug, PartialEq)]
pub struct Receipt {
    /// The vote that the ballot stands for.
    pub vote: Vote,
    /// When it was stored.
    pub at: UnixMs,
    /// Whether it was stored now or had been before.
    pub outcome: Outcome,
}

/// Whether a vote was stored now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It was.
    Stored,
    /// The ballot had been used: what was stored first is returned, what came now is not looked at.
    Repeated,
}

/// A vote that came with a ballot in a rater's session.
#[derive(Clone, Debug)]
pub(super) struct Paper {
    pub(super) rater: RaterId,
    pub(super) ballot: String,
    pub(super) now: UnixMs,
}

/// Stores a vote, or returns the one that the ballot had.
pub(super) async fn cast(
    tx: &mut Tx,
    secret: &Secret,
    paper: &Paper,
    vote: &Vote,
    log: &mut Vec<NewEntry>,
) -> Result<Receipt, Refusal> {
    let (lease, item) = lease::of_ballot(tx, secret, &paper.rater, &paper.ballot).await?;
    if matches!(lease.state, State::Cast | State::Undone) {
        return Ok(stored(tx, &lease, Which::First).await?);
    }
    let campaign = open_campaign(tx, &lease).await?;
    if lease.state == State::Expired || lease.expires <= paper.now {
        return Err(Refusal::Expired);
    }
    vote.check(campaign.settings.protocol)?;
    lease.end(tx, State::Cast).await?;
    let record = record(&lease, lease.revision, Some(vote.clone()));
    store(tx, &record, &item, paper.now).await?;
    log.push(record.entry()?);
    Ok(receipt(vote, paper.now))
}

/// Replaces the vote of a ballot while the round lasts. The same vote again changes nothing.
pub(super) async fn correct(
    tx: &mut Tx,
    secret: &Secret,
    paper: &Paper,
    vote: &Vote,
    log: &mut Vec<NewEntry>,
) -> Result<Receipt, Refusal> {
    let (lease, item) = lease::of_ballot(tx, secret, &paper.rater, &paper.ballot).await?;
    let campaign = open_campaign(tx, &lease).await?;
    refuse_excluded(tx, &paper.rater).await?;
    if lease.state != State::Cast {
        return Err(Refusal::NotCast);
    }
    vote.check(campaign.settings.protocol)?;
    let last = stored(tx, &lease, Which::Last).await?;
    if last.vote == *vote {
        return Ok(last);
    }
    let record = record(&lease, last_revision(tx, &lease).await? + 1, Some(vote.clone()));
    store(tx, &record, &item, paper.now).await?;
    log.push(record.entry()?);
    Ok(receipt(vote, paper.now))
}

/// Takes a vote back and puts its item into the rater's hands again, under a new ballot.
pub(super) async fn undo(
    tx: &mut Tx,
    secret: &Secret,
    paper: &Paper,
    log: &mut Vec<NewEntry>,
) -> Result<Assignment, Refusal> {
    let (lease, item) = lease::of_ballot(tx, secret, &paper.rater, &paper.ballot).await?;
    open_campaign(tx, &lease).await?;
    refuse_excluded(tx, &paper.rater).await?;
    if lease.state != State::Cast {
        return Err(Refusal::NotCast);
    }
    let age = paper.now.since(stored(tx, &lease, Which::Last).await?.at);
    if age > UNDO {
        return Err(Refusal::TooLate {
            limit_secs: UNDO.as_secs(),
            age_secs: age.as_secs(),
        });
    }
    let withdrawal = record(&lease, last_revision(tx, &lease).await? + 1, None);
    store(tx, &withdrawal, &item, paper.now).await?;
    log.push(withdrawal.entry()?);
    lease.end(tx, State::Undone).await?;
    // The place that the vote had goes to the new lease, so nobody else gets the item in between.
    let again = Lease {
        nonce: random_hex::<16>(),
        revision: withdrawal.revision + 1,
        expires: paper.now.plus(LEASE),
        state: State::Live,
        ..lease
    };
    again.store(tx, paper.now).await?;
    Ok(again.assignment(secret, item))
}

/// The campaign of a lease, if it is in the lease's round and takes votes.
async fn open_campaign(tx: &mut Tx, lease: &Lease) -> Result<Campaign, Refusal> {
    let campaign = campaign::find(tx, &lease.campaign).await?;
    if lease.round != campaign.round {
        return Err(Refusal::OldRound {
            expected: campaign.round,
            got: lease.round,
        });
    }
    if !campaign.is_open {
        return Err(Refusal::Closed);
    }
    Ok(campaign)
}

/// A vote of an excluded rater has no place in its item's count, so it cannot change: leases are ended when a rater is
/// excluded, and this is for what they cast before.
async fn refuse_excluded(tx: &mut Tx, rater: &RaterId) -> Result<(), Refusal> {
    let is_excluded: i64 = sqlx::query_scalar("SELECT is_excluded FROM raters WHERE id = $1")
        .bind(rater.as_str())
        .fetch_one(tx.on())
        .await
        .doing("find a rater")?;
    (is_excluded == 0).then_some(()).ok_or(Refusal::Excluded)
}

fn record(lease: &Lease, revision: u32, vote: Option<Vote>) -> VoteCast {
    VoteCast {
        campaign: lease.campaign.clone(),
        item: lease.item.clone(),
        rater: lease.rater.clone(),
        round: lease.round,
        revision,
        ballot: lease.nonce.clone(),
        side: lease.side,
        propensity: lease.propensity,
        vote,
    }
}

const fn receipt_of(vote: Vote, at: UnixMs, outcome: Outcome) -> Receipt {
    Receipt { vote, at, outcome }
}

fn receipt(vote: &Vote, at: UnixMs) -> Receipt {
    receipt_of(vote.clone(), at, Outcome::Stored)
}

/// Adds a record; the one before is current no more.
async fn store(tx: &mut Tx, record: &VoteCast, item: &Item, now: UnixMs) -> Result<()> {
    if record.revision > 0 {
        sqlx::query("UPDATE votes SET is_current = 0 WHERE rater = $1 AND item = $2 AND round = $3")
            .bind(record.rater.as_str())
            .bind(record.item.as_str())
            .bind(i64::from(record.round))
            .execute(tx.on())
            .await
            .doing("supersede a vote")?;
    }
    let mark = match (&record.vote, &item.gold) {
        (Some(vote), Some(gold)) => vote.mark(gold.known, record.side).name(),
        _ => "",
    };
    sqlx::query(
        "INSERT INTO votes (ballot, revision, campaign, item, rater, round, vote, gold, at_ms, is_current) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
    )
    .bind(&record.ballot)
    .bind(i64::from(record.revision))
    .bind(record.campaign.as_str())
    .bind(record.item.as_str())
    .bind(record.rater.as_str())
    .bind(i64::from(record.round))
    .bind(to_json("vote", &record.vote)?)
    .bind(mark)
    .bind(now.0)
    .bind(i64::from(record.vote.is_some()))
    .execute(tx.on())
    .await
    .doing("store a vote")?;
    Ok(())
}

#[derive(Clone, Copy)]
enum Which {
    First,
    Last,
}

/// The first or the last vote on a ballot.
async fn stored(tx: &mut Tx, lease: &Lease, which: Which) -> Result<Receipt> {
    let sql = match which {
        Which::First => {
            "SELECT vote, at_ms FROM votes WHERE ballot = $1 AND vote <> $2 ORDER BY revision LIMIT 1"
        }
        Which::Last => {
            "SELECT vote, at_ms FROM votes WHERE ballot = $1 AND vote <> $2 ORDER BY revision DESC LIMIT 1"
        }
    };
    let row = sqlx::query(sql)
        .bind(&lease.nonce)
        .bind(WITHDRAWN)
        .fetch_one(tx.on())
        .await
        .doing("find the vote of a ballot")?;
    let text: String = row.try_get("vote").doing("read a vote")?;
    let at = UnixMs(row.try_get("at_ms").doing("read a vote")?);
    Ok(receipt_of(from_json("vote", &text)?, at, Outcome::Repeated))
}

async fn last_revision(tx: &mut Tx, lease: &Lease) -> Result<u32> {
    let last: i64 = sqlx::query_scalar("SELECT MAX(revision) FROM votes WHERE ballot = $1")
        .bind(&lease.nonce)
        .fetch_one(tx.on())
        .await
        .doing("find the vote of a ballot")?;
    u32::try_from(last).map_err(|_error| Error::Broken {
        what: "revision of a vote",
        got: last.to_string(),
        expected: "a number from 0",
    })
}
