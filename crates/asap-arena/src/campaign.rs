//! Campaigns: which models are voted on, by whom, how often.

use asap_core::PromptId;
use serde::{Deserialize, Serialize};
use sqlx::Row as _;

use crate::db::{Database, Tx};
use crate::error::{Doing as _, Error, Result};
use crate::id::CampaignId;
use crate::log::{Log, NewEntry};
use crate::record::{CampaignMade, CampaignSet, kind};
use crate::refusal::Refusal;
use crate::time::UnixMs;

/// The name of the lock that every change of campaigns, items, raters and votes holds: taken first and alone, so no two
/// transactions wait for each other.
pub(crate) const LOCK: &str = "votes";

/// What raters are asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Protocol {
    /// Is there an anatomical error in this image?
    Aer,
    /// Which of two images is anatomically better?
    Rsi,
}

/// Who may vote.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Cohort {
    /// Whoever has an invitation.
    Invite,
    /// Everybody. Such votes stay off the headline board.
    Open,
}

impl Cohort {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Invite => "invite",
            Self::Open => "open",
        }
    }
}

/// What a campaign is; fixed once it is made.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// For people.
    pub name: String,
    /// What is asked.
    pub protocol: Protocol,
    /// The models that are voted on.
    pub models: Vec<String>,
    /// What they are compared with; RSI only.
    pub baseline: Option<String>,
    /// The prompts of the images.
    pub prompts: Vec<PromptId>,
    /// Who may vote.
    pub cohort: Cohort,
    /// Votes that each item gets in a round.
    pub votes_per_item: u32,
    /// The share of items with a known answer that a rater meets in the middle of a campaign; 0 to 0.5.
    pub gold_share: f64,
    /// What a rater agrees to.
    pub consent: String,
    /// What a rater is told.
    pub instructions: String,
}

impl Settings {
    fn check(&self) -> Result<(), Refusal> {
        let refuse = |what, expected, got: String| Err(Refusal::Invalid { what, expected, got });
        if self.name.trim().is_empty() {
            return refuse("name", "a name", self.name.clone());
        }
        if self.models.is_empty() {
            return refuse("models", "at least one", "none".to_owned());
        }
        if self.consent.trim().is_empty() {
            return refuse("consent", "a text that raters agree to", self.consent.clone());
        }
        if !(1..=1000).contains(&self.votes_per_item) {
            return refuse("votes_per_item", "1 to 1000", self.votes_per_item.to_string());
        }
        if !(0.0..=0.5).contains(&self.gold_share) {
            return refuse("gold_share", "0 to 0.5", self.gold_share.to_string());
        }
        match (self.protocol, &self.baseline) {
            (Protocol::Rsi, None) => refuse(
                "baseline",
                "the model that others are compared with",
                "none".to_owned(),
            ),
            (Protocol::Aer, Some(name)) => {
                refuse("baseline", "none where single images are judged", name.clone())
            }
            (Protocol::Rsi, Some(name)) if self.models.contains(name) => {
                refuse("baseline", "a model that is not among the others", name.clone())
            }
            _ => Ok(()),
        }
    }
}

/// A campaign as it is now.
#[derive(Clone, Debug, PartialEq)]
pub struct Campaign {
    /// Its name.
    pub id: CampaignId,
    /// What it is.
    pub settings: Settings,
    /// Whether votes are taken.
    pub is_open: bool,
    /// 0 at first. In each round every rater may vote on every item once.
    pub round: u32,
}

/// Makes a campaign, open and without items.
///
/// # Errors
/// [`Refusal::Invalid`] for settings that contradict each other, [`Refusal::Arena`].
pub async fn create(db: &Database, settings: &Settings, now: UnixMs) -> Result<CampaignId, Refusal> {
    settings.check()?;
    let id = CampaignId::random();
    let json = to_json("settings", settings)?;
    let entry = NewEntry::of(
        kind::CAMPAIGN,
        &CampaignMade {
            campaign: id.clone(),
            settings: settings.clone(),
        },
    )?;
    let mut tx = db.write().await?;
    tx.lock(LOCK).await?;
    sqlx::query("INSERT INTO campaigns (id, settings, round, is_open) VALUES ($1, $2, 0, 1)")
        .bind(id.as_str())
        .bind(json)
        .execute(tx.on())
        .await
        .doing("store a campaign")?;
    Log::append(&mut tx, &[entry], now).await?;
    tx.commit().await?;
    Ok(id)
}

/// All campaigns, by id.
///
/// # Errors
/// [`Error::Database`], [`Error::Broken`].
pub async fn list(db: &Database) -> Result<Vec<Campaign>> {
    let rows = sqlx::query("SELECT id, settings, round, is_open FROM campaigns ORDER BY id")
        .fetch_all(db.pool())
        .await
        .doing("list the campaigns")?;
    rows.iter().map(campaign).collect()
}

/// One campaign.
///
/// # Errors
/// [`Refusal::Unknown`], [`Refusal::Arena`].
pub async fn get(db: &Database, id: &CampaignId) -> Result<Campaign, Refusal> {
    let row = sqlx::query("SELECT id, settings, round, is_open FROM campaigns WHERE id = $1")
        .bind(id.as_str())
        .fetch_optional(db.pool())
        .await
        .doing("find a campaign")?;
    let row = row.ok_or_else(|| unknown(id))?;
    Ok(campaign(&row)?)
}

/// Takes votes from now on.
///
/// # Errors
/// [`Refusal::Unknown`], [`Refusal::Arena`].
pub async fn open(db: &Database, id: &CampaignId, now: UnixMs) -> Result<(), Refusal> {
    set(db, id, |campaign| (true, campaign.round), now).await
}

/// Takes no more votes.
///
/// # Errors
/// [`Refusal::Unknown`], [`Refusal::Arena`].
pub async fn close(db: &Database, id: &CampaignId, now: UnixMs) -> Result<(), Refusal> {
    set(db, id, |campaign| (false, campaign.round), now).await
}

/// Begins the next round: every item needs all of its votes again, ballots of this round are worth nothing.
///
/// # Errors
/// [`Refusal::Unknown`], [`Refusal::Arena`].
pub async fn next_round(db: &Database, id: &CampaignId, now: UnixMs) -> Result<(), Refusal> {
    set(db, id, |campaign| (campaign.is_open, campaign.round + 1), now).await
}

async fn set(
    db: &Database,
    id: &CampaignId,
    next: impl Fn(&Campaign) -> (bool, u32) + Send,
    now: UnixMs,
) -> Result<(), Refusal> {
    let mut tx = db.write().await?;
    tx.lock(LOCK).await?;
    let campaign = find(&mut tx, id).await?;
    let (is_open, round) = next(&campaign);
    sqlx::query("UPDATE campaigns SET is_open = $2, round = $3 WHERE id = $1")
        .bind(id.as_str())
        .bind(i64::from(is_open))
        .bind(i64::from(round))
        .execute(tx.on())
        .await
        .doing("change a campaign")?;
    if round != campaign.round {
        for statement in [
            "UPDATE leases SET state = 'expired' WHERE campaign = $1 AND state = 'live'",
            "UPDATE items SET n_taken = 0 WHERE campaign = $1",
        ] {
            sqlx::query(statement)
                .bind(id.as_str())
                .execute(tx.on())
                .await
                .doing("begin a round")?;
        }
    }
    let record = CampaignSet {
        campaign: id.clone(),
        is_open,
        round,
    };
    Log::append(&mut tx, &[NewEntry::of(kind::CAMPAIGN_SET, &record)?], now).await?;
    tx.commit().await?;
    Ok(())
}

/// One campaign, inside of a transaction.
pub(crate) async fn find(tx: &mut Tx, id: &CampaignId) -> Result<Campaign, Refusal> {
    let row = sqlx::query("SELECT id, settings, round, is_open FROM campaigns WHERE id = $1")
        .bind(id.as_str())
        .fetch_optional(tx.on())
        .await
        .doing("find a campaign")?;
    let row = row.ok_or_else(|| unknown(id))?;
    Ok(campaign(&row)?)
}

fn unknown(id: &CampaignId) -> Refusal {
    Refusal::unknown("campaign", id.as_str())
}

fn campaign(row: &sqlx::any::AnyRow) -> Result<Campaign> {
    let text: String = row.try_get("settings").doing("read a campaign")?;
    let id: String = row.try_get("id").doing("read a campaign")?;
    Ok(Campaign {
        id: CampaignId::of(&id),
        settings: from_json("settings of a campaign", &text)?,
        is_open: row.try_get::<i64, _>("is_open").doing("read a campaign")? == 1,
        round: number(row, "round")?,
    })
}

/// A count of a row.
pub(crate) fn number(row: &sqlx::any::AnyRow, column: &'static str) -> Result<u32> {
    let stored: i64 = row.try_get(column).doing("read a number")?;
    u32::try_from(stored).map_err(|_error| Error::Broken {
        what: column,
        got: stored.to_string(),
        expected: "a number from 0",
    })
}

/// A column of JSON.
pub(crate) fn from_json<T: serde::de::DeserializeOwned>(what: &'static str, text: &str) -> Result<T> {
    serde_json::from_str(text).map_err(|error| Error::Broken {
        what,
        got: format!("{} ({error})", text.chars().take(200).collect::<String>()),
        expected: "JSON as this version writes it",
    })
}

/// A value for a column of JSON.
pub(crate) fn to_json(what: &'static str, value: &impl Serialize) -> Result<String> {
    serde_json::to_string(value).map_err(|source| Error::Json { what, source })
}
