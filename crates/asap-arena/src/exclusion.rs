//! Exclusions: a rater's votes are left out, with a reason, and can come back. Nothing is deleted.

use sqlx::Row as _;

use crate::campaign::{self, number};
use crate::db::Tx;
use crate::error::Doing as _;
use crate::id::{CampaignId, RaterId};
use crate::log::NewEntry;
use crate::record::{RaterExcluded, kind};
use crate::refusal::Refusal;
use crate::time::UnixMs;
use crate::vote::lease;

/// Whether a rater goes or comes back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Direction {
    Out,
    In,
}

/// A change of whose votes count.
#[derive(Clone, Debug)]
pub(crate) struct Change {
    pub(crate) rater: RaterId,
    pub(crate) reason: String,
    pub(crate) direction: Direction,
    pub(crate) now: UnixMs,
}

/// Excludes or readmits. What is so already stays so, without an entry.
pub(crate) async fn apply(tx: &mut Tx, change: &Change, log: &mut Vec<NewEntry>) -> Result<(), Refusal> {
    if change.reason.trim().is_empty() {
        return Err(Refusal::Invalid {
            what: "reason",
            expected: "why the rater is excluded or readmitted",
            got: change.reason.clone(),
        });
    }
    let row = sqlx::query("SELECT campaign, is_excluded FROM raters WHERE id = $1")
        .bind(change.rater.as_str())
        .fetch_optional(tx.on())
        .await
        .doing("find a rater")?;
    let Some(row) = row else {
        return Err(Refusal::unknown("rater", change.rater.as_str()));
    };
    let is_excluded = change.direction == Direction::Out;
    if number(&row, "is_excluded")? == u32::from(is_excluded) {
        return Ok(());
    }
    let campaign: String = row.try_get("campaign").doing("read a rater")?;
    let round = campaign::find(tx, &CampaignId::of(&campaign)).await?.round;
    lease::expire_of(tx, &change.rater).await?;
    sqlx::query("UPDATE raters SET is_excluded = $2 WHERE id = $1")
        .bind(change.rater.as_str())
        .bind(i64::from(is_excluded))
        .execute(tx.on())
        .await
        .doing("exclude a rater")?;
    let step: i64 = if is_excluded { -1 } else { 1 };
    // A rater has one current vote on an item in a round, so each item changes by one.
    sqlx::query(
        "UPDATE items SET n_taken = n_taken + $3 WHERE id IN \
         (SELECT item FROM votes WHERE rater = $1 AND round = $2 AND is_current = 1)",
    )
    .bind(change.rater.as_str())
    .bind(i64::from(round))
    .bind(step)
    .execute(tx.on())
    .await
    .doing("count an excluded rater's votes")?;
    let record = RaterExcluded {
        rater: change.rater.clone(),
        is_excluded,
        reason: change.reason.clone(),
    };
    log.push(NewEntry::of(kind::EXCLUSION, &record)?);
    Ok(())
}
