//! Leases: an item in a rater's hands, until it is voted on or its time is over.
//!
//! An item's `n_taken` counts its live leases and its votes, so it never gets more votes than it needs: a lease that is
//! over gives its place back, and a ballot whose lease is over is worth nothing, in one and the same transaction.

use sqlx::Row as _;
use sqlx::any::AnyRow;

use super::assign::Assignment;
use crate::ballot::{Ballot, Secret, Side, Terms};
use crate::campaign::{Campaign, number};
use crate::db::Tx;
use crate::error::{Doing as _, Error, Result};
use crate::id::{CampaignId, ItemId, RaterId};
use crate::item::{self, Item};
use crate::random_hex;
use crate::refusal::Refusal;
use crate::time::UnixMs;

/// What became of a lease.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    /// A vote is awaited.
    Live,
    /// It was voted on.
    Cast,
    /// The vote was taken back; another lease has its place.
    Undone,
    /// Its time was over.
    Expired,
}

/// An item in a rater's hands.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Lease {
    pub(super) nonce: String,
    pub(super) campaign: CampaignId,
    pub(super) item: ItemId,
    pub(super) rater: RaterId,
    pub(super) round: u32,
    pub(super) side: Side,
    pub(super) propensity: f64,
    /// The number of the record that its vote becomes.
    pub(super) revision: u32,
    /// Which of the rater's items it is.
    pub(super) nth: u32,
    pub(super) expires: UnixMs,
    pub(super) state: State,
}

const COLUMNS: &str = "SELECT l.nonce, l.campaign, l.item, l.rater, l.round, l.side, l.propensity, l.revision, \
                       l.nth, l.expires_ms, l.state, i.spec FROM leases l JOIN items i ON i.id = l.item";

impl Lease {
    pub(super) fn new(
        campaign: &Campaign,
        item: &ItemId,
        rater: &RaterId,
        (side, propensity): (Side, f64),
        expires: UnixMs,
    ) -> Self {
        Self {
            nonce: random_hex::<16>(),
            campaign: campaign.id.clone(),
            item: item.clone(),
            rater: rater.clone(),
            round: campaign.round,
            side,
            propensity,
            revision: 0,
            nth: 0,
            expires,
            state: State::Live,
        }
    }

    fn terms(&self) -> Terms {
        Terms {
            item: self.item.as_str().to_owned(),
            rater: self.rater.as_str().to_owned(),
            side: self.side,
            nonce: self.nonce.clone(),
            expires: self.expires,
            round: self.round,
        }
    }

    pub(super) fn assignment(&self, secret: &Secret, item: Item) -> Assignment {
        Assignment {
            ballot: secret.sign(&self.terms()),
            item,
            item_id: self.item.clone(),
            side: self.side,
            expires: self.expires,
        }
    }

    pub(super) async fn store(&self, tx: &mut Tx, now: UnixMs) -> Result<()> {
        sqlx::query(
            "INSERT INTO leases (nonce, campaign, item, rater, round, side, propensity, revision, nth, \
             issued_ms, expires_ms, state) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, 'live')",
        )
        .bind(&self.nonce)
        .bind(self.campaign.as_str())
        .bind(self.item.as_str())
        .bind(self.rater.as_str())
        .bind(i64::from(self.round))
        .bind(self.side.name())
        .bind(self.propensity)
        .bind(i64::from(self.revision))
        .bind(i64::from(self.nth))
        .bind(now.0)
        .bind(self.expires.0)
        .execute(tx.on())
        .await
        .doing("store a lease")?;
        Ok(())
    }

    /// Says what became of it.
    pub(super) async fn end(&self, tx: &mut Tx, state: State) -> Result<()> {
        sqlx::query("UPDATE leases SET state = $2 WHERE nonce = $1")
            .bind(&self.nonce)
            .bind(name(state))
            .execute(tx.on())
            .await
            .doing("end a lease")?;
        Ok(())
    }
}

/// The lease of a ballot, once its signature and its owner are known to be right, with its item.
pub(super) async fn of_ballot(
    tx: &mut Tx,
    secret: &Secret,
    rater: &RaterId,
    ballot: &str,
) -> Result<(Lease, Item), Refusal> {
    let ballot = Ballot::parse(ballot)?;
    let row = sqlx::query(sqlx::AssertSqlSafe(format!("{COLUMNS} WHERE l.nonce = $1")))
        .bind(&ballot.nonce)
        .fetch_optional(tx.on())
        .await
        .doing("find a ballot")?;
    let (lease, item) = read(&row.ok_or(Refusal::Forged)?)?;
    secret.check(&ballot, &lease.terms())?;
    if lease.rater != *rater {
        return Err(Refusal::Foreign);
    }
    Ok((lease, item))
}

/// What a rater has in hand, oldest first.
pub(super) async fn live_of(tx: &mut Tx, secret: &Secret, rater: &RaterId) -> Result<Vec<Assignment>> {
    let sql = format!("{COLUMNS} WHERE l.rater = $1 AND l.state = 'live' ORDER BY l.nth");
    let rows = sqlx::query(sqlx::AssertSqlSafe(sql))
        .bind(rater.as_str())
        .fetch_all(tx.on())
        .await
        .doing("list a rater's leases")?;
    let assignment = |row| read(row).map(|(lease, item)| lease.assignment(secret, item));
    rows.iter().map(assignment).collect()
}

/// Ends the leases of a campaign whose time is over.
pub(super) async fn expire(tx: &mut Tx, campaign: &CampaignId, now: UnixMs) -> Result<()> {
    let rows = sqlx::query(
        "UPDATE leases SET state = 'expired' WHERE campaign = $1 AND state = 'live' AND expires_ms <= $2 \
         RETURNING item",
    )
    .bind(campaign.as_str())
    .bind(now.0)
    .fetch_all(tx.on())
    .await
    .doing("end leases")?;
    give_back(tx, &rows).await
}

/// Ends all leases of one rater.
pub(crate) async fn expire_of(tx: &mut Tx, rater: &RaterId) -> Result<()> {
    let rows =
        sqlx::query("UPDATE leases SET state = 'expired' WHERE rater = $1 AND state = 'live' RETURNING item")
            .bind(rater.as_str())
            .fetch_all(tx.on())
            .await
            .doing("end a rater's leases")?;
    give_back(tx, &rows).await
}

async fn give_back(tx: &mut Tx, rows: &[AnyRow]) -> Result<()> {
    for row in rows {
        let item: String = row.try_get("item").doing("read a lease")?;
        sqlx::query("UPDATE items SET n_taken = n_taken - 1 WHERE id = $1")
            .bind(item)
            .execute(tx.on())
            .await
            .doing("give an item back")?;
    }
    Ok(())
}

fn read(row: &AnyRow) -> Result<(Lease, Item)> {
    let text = |column: &'static str| row.try_get::<String, _>(column).doing("read a lease");
    let lease = Lease {
        nonce: text("nonce")?,
        campaign: CampaignId::of(&text("campaign")?),
        item: ItemId::of(&text("item")?),
        rater: RaterId::of(&text("rater")?),
        round: number(row, "round")?,
        side: match text("side")?.as_str() {
            "left" => Side::Left,
            "right" => Side::Right,
            other => return Err(broken("side of a lease", other, "`left` or `right`")),
        },
        propensity: row.try_get("propensity").doing("read a lease")?,
        revision: number(row, "revision")?,
        nth: number(row, "nth")?,
        expires: UnixMs(row.try_get("expires_ms").doing("read a lease")?),
        state: match text("state")?.as_str() {
            "live" => State::Live,
            "cast" => State::Cast,
            "undone" => State::Undone,
            "expired" => State::Expired,
            other => {
                return Err(broken(
                    "state of a lease",
                    other,
                    "a state that this version writes",
                ));
            }
        },
    };
    Ok((lease, item::parse(&text("spec")?)?))
}

fn broken(what: &'static str, got: &str, expected: &'static str) -> Error {
    Error::Broken {
        what,
        got: got.to_owned(),
        expected,
    }
}

const fn name(state: State) -> &'static str {
    match state {
        State::Live => "live",
        State::Cast => "cast",
        State::Undone => "undone",
        State::Expired => "expired",
    }
}
