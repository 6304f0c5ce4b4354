//! Raters: joining by invitation or freely, under a pseudonym; sessions.

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use sqlx::Row as _;

use crate::campaign::{self, Cohort, LOCK};
use crate::db::{Database, Tx};
use crate::error::{Doing as _, Result};
use crate::id::{CampaignId, RaterId};
use crate::log::{Log, NewEntry};
use crate::random::hex;
use crate::random_hex;
use crate::record::{RaterJoined, kind};
use crate::refusal::Refusal;
use crate::time::UnixMs;

/// Somebody who votes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rater {
    /// The pseudonym.
    pub id: RaterId,
    /// Where they vote.
    pub campaign: CampaignId,
}

/// What a rater has after joining.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Joined {
    /// Who they are from now on.
    pub rater: Rater,
    /// The secret that shows it; the database has its hash alone.
    pub session: String,
}

/// Whether a rater agreed to the campaign's text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Consent {
    /// They did.
    Given,
    /// They did not.
    Withheld,
}

/// Makes an invitation code for `n_raters` raters, valid until `expires`. It is shown once: its hash alone is stored.
///
/// # Errors
/// [`Refusal::Unknown`] without the campaign, [`Refusal::Arena`].
pub async fn invite(
    db: &Database,
    campaign: &CampaignId,
    n_raters: u32,
    expires: UnixMs,
) -> Result<String, Refusal> {
    let code = random_hex::<16>();
    let mut tx = db.write().await?;
    campaign::find(&mut tx, campaign).await?;
    sqlx::query("INSERT INTO invitations (code_hash, campaign, n_left, expires_ms) VALUES ($1, $2, $3, $4)")
        .bind(hash(&code))
        .bind(campaign.as_str())
        .bind(i64::from(n_raters))
        .bind(expires.0)
        .execute(tx.on())
        .await
        .doing("store an invitation")?;
    tx.commit().await?;
    Ok(code)
}

/// Joins a campaign. An open one takes a code too: whoever was invited belongs to the invited cohort.
///
/// # Errors
/// [`Refusal::Invalid`] without consent, [`Refusal::Closed`], [`Refusal::Invitation`] where a code is needed or not
/// valid, [`Refusal::Unknown`], [`Refusal::Arena`].
pub async fn join(
    db: &Database,
    campaign: &CampaignId,
    code: Option<&str>,
    consent: Consent,
    now: UnixMs,
) -> Result<Joined, Refusal> {
    if consent == Consent::Withheld {
        return Err(Refusal::Invalid {
            what: "consent",
            expected: "agreement to the campaign's text",
            got: "none".to_owned(),
        });
    }
    let mut tx = db.write().await?;
    tx.lock(LOCK).await?;
    let found = campaign::find(&mut tx, campaign).await?;
    if !found.is_open {
        return Err(Refusal::Closed);
    }
    let cohort = match (code, found.settings.cohort) {
        (Some(code), _) => use_code(&mut tx, campaign, code, now).await?,
        (None, Cohort::Open) => Cohort::Open,
        (None, Cohort::Invite) => return Err(Refusal::Invitation),
    };
    let session = random_hex::<32>();
    let rater = Rater {
        id: RaterId::random(),
        campaign: campaign.clone(),
    };
    sqlx::query(
        "INSERT INTO raters (id, campaign, cohort, session_hash, consented_ms, n_assigned, side_balance, is_excluded) \
         VALUES ($1, $2, $3, $4, $5, 0, 0, 0)",
    )
    .bind(rater.id.as_str())
    .bind(campaign.as_str())
    .bind(cohort.name())
    .bind(hash(&session))
    .bind(now.0)
    .execute(tx.on())
    .await
    .doing("store a rater")?;
    let record = RaterJoined {
        campaign: campaign.clone(),
        rater: rater.id.clone(),
        cohort,
    };
    Log::append(&mut tx, &[NewEntry::of(kind::RATER, &record)?], now).await?;
    tx.commit().await?;
    Ok(Joined { rater, session })
}

/// Takes one use of a code, in one statement: two that join at once cannot share the last.
async fn use_code(tx: &mut Tx, campaign: &CampaignId, code: &str, now: UnixMs) -> Result<Cohort, Refusal> {
    let used = sqlx::query(
        "UPDATE invitations SET n_left = n_left - 1 \
         WHERE code_hash = $1 AND campaign = $2 AND n_left > 0 AND expires_ms > $3 RETURNING n_left",
    )
    .bind(hash(code))
    .bind(campaign.as_str())
    .bind(now.0)
    .fetch_optional(tx.on())
    .await
    .doing("use an invitation")?;
    used.map(|_row| Cohort::Invite).ok_or(Refusal::Invitation)
}

/// Whose session it is; `None` where it is nobody's.
///
/// # Errors
/// [`crate::Error::Database`].
pub async fn of_session(db: &Database, session: &str) -> Result<Option<Rater>> {
    let row = sqlx::query("SELECT id, campaign FROM raters WHERE session_hash = $1")
        .bind(hash(session))
        .fetch_optional(db.pool())
        .await
        .doing("find a session")?;
    let Some(row) = row else { return Ok(None) };
    let text = |column| row.try_get::<String, _>(column).doing("read a rater");
    Ok(Some(Rater {
        id: RaterId::of(&text("id")?),
        campaign: CampaignId::of(&text("campaign")?),
    }))
}

/// Codes and sessions have 128 bits and more of randomness, so a plain hash keeps them.
fn hash(secret: &str) -> String {
    hex(&Sha256::digest(secret))
}
