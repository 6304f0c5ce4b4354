//! Which item a rater gets next, and on which side the model is.

use std::time::Duration;

use sqlx::Row as _;

use super::lease::{self, Lease};
use crate::ballot::{Secret, Side};
use crate::campaign::{self, Campaign, number};
use crate::db::Tx;
use crate::error::{Doing as _, Result};
use crate::id::{CampaignId, ItemId, RaterId};
use crate::item::Item;
use crate::refusal::Refusal;
use crate::time::UnixMs;
use asap_core::Stream;

/// Items in a rater's hands at once: one that is looked at, one that is loaded ahead.
const N_AT_ONCE: usize = 2;
/// How long an item is kept for a rater.
pub(super) const LEASE: Duration = Duration::from_secs(15 * 60);
/// The chance of the side that was shown less often (Efron, "Forcing a sequential experiment to be balanced",
/// Biometrika 58, 1971): sides stay even, and nobody can tell the next one for sure.
const P_RARER_SIDE: f64 = 2.0 / 3.0;
/// After so many items the surplus of gold items that a newcomer gets has halved.
const GOLD_HALF_LIFE: f64 = 20.0;

/// An item in a rater's hands.
#[derive(Clone, Debug, PartialEq)]
pub struct Assignment {
    /// What the vote must come with.
    pub ballot: String,
    /// The item: for the server alone, as it says which images to show and whether the answer is known.
    pub item: Item,
    /// Its name.
    pub item_id: ItemId,
    /// Where the first image is.
    pub side: Side,
    /// Until when a vote is taken.
    pub expires: UnixMs,
}

/// A rater as the assignment sees them.
struct Standing {
    campaign: Campaign,
    n_assigned: u32,
    side_balance: i64,
}

/// Fills a rater's hands. What is in them already is given again, under the same ballots.
pub(super) async fn assign(
    tx: &mut Tx,
    secret: &Secret,
    stream: &mut Stream,
    rater: &RaterId,
    now: UnixMs,
) -> Result<Vec<Assignment>, Refusal> {
    let mut standing = standing(tx, rater).await?;
    if !standing.campaign.is_open {
        return Err(Refusal::Closed);
    }
    lease::expire(tx, &standing.campaign.id, now).await?;
    let mut found = lease::live_of(tx, secret, rater).await?;
    while found.len() < N_AT_ONCE {
        let Some(item) = choose(tx, &standing, rater, stream).await? else {
            break;
        };
        let (side, propensity) = choose_side(item.side_balance + standing.side_balance, stream);
        let lease = Lease {
            nth: standing.n_assigned,
            ..Lease::new(
                &standing.campaign,
                &item.id,
                rater,
                (side, propensity),
                now.plus(LEASE),
            )
        };
        lease.store(tx, now).await?;
        let step = if side == Side::Left { 1 } else { -1 };
        count(tx, &item.id, rater, step).await?;
        standing.side_balance += step;
        standing.n_assigned += 1;
        found.push(lease.assignment(secret, item.spec));
    }
    Ok(found)
}

struct Candidate {
    id: ItemId,
    spec: Item,
    side_balance: i64,
}

async fn standing(tx: &mut Tx, rater: &RaterId) -> Result<Standing, Refusal> {
    let row = sqlx::query("SELECT campaign, n_assigned, side_balance, is_excluded FROM raters WHERE id = $1")
        .bind(rater.as_str())
        .fetch_optional(tx.on())
        .await
        .doing("find a rater")?;
    let Some(row) = row else {
        return Err(Refusal::unknown("rater", rater.as_str()));
    };
    if number(&row, "is_excluded")? == 1 {
        return Err(Refusal::Excluded);
    }
    let campaign: String = row.try_get("campaign").doing("read a rater")?;
    Ok(Standing {
        campaign: campaign::find(tx, &CampaignId::of(&campaign)).await?,
        n_assigned: number(&row, "n_assigned")?,
        side_balance: row.try_get("side_balance").doing("read a rater")?,
    })
}

/// A gold item by its chance, else the item that needs votes most. Gold items are not given for their own sake: where
/// nothing else is left, the rater is done.
async fn choose(
    tx: &mut Tx,
    standing: &Standing,
    rater: &RaterId,
    stream: &mut Stream,
) -> Result<Option<Candidate>> {
    let settings = &standing.campaign.settings;
    let plain = candidate(tx, standing, rater, Some(settings.votes_per_item)).await?;
    if plain.is_some() && stream.chance(gold_chance(settings.gold_share, standing.n_assigned)) {
        let gold = candidate(tx, standing, rater, None).await?;
        return Ok(gold.or(plain));
    }
    Ok(plain)
}

/// The item with the fewest votes that this rater has not had in this round: under `limit`, or a gold item without one.
async fn candidate(
    tx: &mut Tx,
    standing: &Standing,
    rater: &RaterId,
    limit: Option<u32>,
) -> Result<Option<Candidate>> {
    let row = sqlx::query(
        "SELECT id, spec, side_balance FROM items WHERE campaign = $1 AND is_gold = $2 AND n_taken < $3 \
         AND NOT EXISTS (SELECT 1 FROM leases WHERE leases.rater = $4 AND leases.item = items.id \
         AND leases.round = $5 AND leases.state <> 'expired') ORDER BY n_taken, place LIMIT 1",
    )
    .bind(standing.campaign.id.as_str())
    .bind(i64::from(limit.is_none()))
    .bind(limit.map_or(i64::MAX, i64::from))
    .bind(rater.as_str())
    .bind(i64::from(standing.campaign.round))
    .fetch_optional(tx.on())
    .await
    .doing("find an item for a rater")?;
    let Some(row) = row else { return Ok(None) };
    let text = |column| row.try_get::<String, _>(column).doing("read an item");
    Ok(Some(Candidate {
        id: ItemId::of(&text("id")?),
        spec: crate::item::parse(&text("spec")?)?,
        side_balance: row.try_get("side_balance").doing("read an item")?,
    }))
}

/// The chance that a rater's next item is a gold one: three times the share for a newcomer, half of it in the end, so a
/// rater is known soon and honest ones lose little time. Never above one half.
fn gold_chance(share: f64, n_assigned: u32) -> f64 {
    let surplus = 2.5 * (-f64::from(n_assigned) / GOLD_HALF_LIFE).exp2();
    (share * (0.5 + surplus)).min(0.5)
}

/// The side for the model, and the chance that it had.
fn choose_side(balance: i64, stream: &mut Stream) -> (Side, f64) {
    let p_left = match balance.signum() {
        1 => 1.0 - P_RARER_SIDE,
        -1 => P_RARER_SIDE,
        _ => 0.5,
    };
    match stream.chance(p_left) {
        true => (Side::Left, p_left),
        false => (Side::Right, 1.0 - p_left),
    }
}

async fn count(tx: &mut Tx, item: &ItemId, rater: &RaterId, step: i64) -> Result<()> {
    sqlx::query("UPDATE items SET n_taken = n_taken + 1, side_balance = side_balance + $2 WHERE id = $1")
        .bind(item.as_str())
        .bind(step)
        .execute(tx.on())
        .await
        .doing("count an assignment")?;
    sqlx::query(
        "UPDATE raters SET n_assigned = n_assigned + 1, side_balance = side_balance + $2 WHERE id = $1",
    )
    .bind(rater.as_str())
    .bind(step)
    .execute(tx.on())
    .await
    .doing("count an assignment")?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn newcomers_meet_more_gold() {
        assert!((gold_chance(0.1, 0) - 0.3).abs() < 1e-12);
        assert!((gold_chance(0.1, 20) - 0.175).abs() < 1e-12);
        assert!((gold_chance(0.1, 10_000) - 0.05).abs() < 1e-12);
        assert!(gold_chance(0.0, 0) == 0.0 && gold_chance(0.5, 0) == 0.5);
        // Among the first 60 of a campaign with a share of .1: enough for a decision, which takes about 8.
        let expected: f64 = (0..60).map(|n| gold_chance(0.1, n)).sum();
        assert!((8.0..12.0).contains(&expected), "{expected}");
    }

    #[test]
    fn sides_stay_even_and_unforeseeable() {
        for seed in 0..20 {
            let mut stream = Stream::new(seed, "sides");
            let (mut balance, mut largest, mut n_rarer) = (0_i64, 0, 0);
            for _ in 0..1000 {
                let (side, propensity) = choose_side(balance, &mut stream);
                n_rarer += u32::from(balance != 0 && propensity > 0.6);
                balance += if side == Side::Left { 1 } else { -1 };
                largest = largest.max(balance.abs());
            }
            // A fair coin would wander to about 25 and more.
            assert!(largest < 16, "seed {seed}: {largest}");
            assert!((300..700).contains(&n_rarer), "seed {seed}: {n_rarer}");
        }
    }
}
