//! Items: what a rater sees at once, one image or two.

use asap_core::{PromptId, Sha256, Topic};
use serde::{Deserialize, Serialize};
use sqlx::Row as _;

use crate::campaign::{self, LOCK, Protocol, Settings, from_json, to_json};
use crate::db::Database;
use crate::error::{Doing as _, Result};
use crate::id::{CampaignId, ItemId};
use crate::log::{Log, NewEntry};
use crate::random::random_bytes;
use crate::record::{ItemAdded, kind};
use crate::refusal::Refusal;
use crate::time::UnixMs;

/// What a rater sees at once.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Item {
    /// The model of the first image.
    pub model: String,
    /// The prompt of the images.
    pub prompt_id: PromptId,
    /// Its place in the taxonomy.
    pub topic: Topic,
    /// The seed of the images.
    pub seed: u64,
    /// The stored bytes: the model's image; for RSI the baseline's after it.
    pub images: Vec<Sha256>,
    /// Its known answer, where there is one.
    pub gold: Option<Gold>,
}

/// A known answer: one image is the other with an error made into it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Gold {
    /// The answer.
    pub known: Known,
    /// How hard it is to see, 1 for the easiest.
    pub grade: u8,
}

/// The answer that an item has by construction.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Known {
    /// The first of two images is better.
    FirstBetter,
    /// The second is.
    SecondBetter,
    /// The image has no error.
    Pass,
    /// It has one.
    Fail,
}

impl Item {
    fn check(&self, settings: &Settings) -> Result<(), Refusal> {
        let refuse = |what, expected, got: String| Err(Refusal::Invalid { what, expected, got });
        let n_images = match settings.protocol {
            Protocol::Aer => 1,
            Protocol::Rsi => 2,
        };
        if self.images.len() != n_images {
            let expected = if n_images == 1 { "one" } else { "two" };
            return refuse("images of an item", expected, self.images.len().to_string());
        }
        let Some(gold) = &self.gold else {
            if !settings.models.contains(&self.model) {
                return refuse("model of an item", "a model of the campaign", self.model.clone());
            }
            if !settings.prompts.contains(&self.prompt_id) {
                return refuse(
                    "prompt of an item",
                    "a prompt of the campaign",
                    self.prompt_id.to_string(),
                );
            }
            return Ok(());
        };
        if gold.grade == 0 {
            return refuse("grade of a gold item", "1 or more", gold.grade.to_string());
        }
        let is_pair = matches!(gold.known, Known::FirstBetter | Known::SecondBetter);
        if is_pair != (settings.protocol == Protocol::Rsi) {
            let expected = "an answer that the campaign asks for";
            return refuse("answer of a gold item", expected, format!("{:?}", gold.known));
        }
        Ok(())
    }
}

/// Adds items to a campaign, all or none.
///
/// # Errors
/// [`Refusal::Unknown`] without the campaign, [`Refusal::Invalid`] for items that do not belong to it,
/// [`Refusal::Arena`].
pub async fn add(
    db: &Database,
    campaign: &CampaignId,
    items: &[Item],
    now: UnixMs,
) -> Result<Vec<ItemId>, Refusal> {
    let mut tx = db.write().await?;
    tx.lock(LOCK).await?;
    let settings = campaign::find(&mut tx, campaign).await?.settings;
    let (mut ids, mut entries) = (Vec::new(), Vec::new());
    for item in items {
        item.check(&settings)?;
        let id = ItemId::random();
        sqlx::query(
            "INSERT INTO items (id, campaign, spec, is_gold, place, n_taken, side_balance) \
             VALUES ($1, $2, $3, $4, $5, 0, 0)",
        )
        .bind(id.as_str())
        .bind(campaign.as_str())
        .bind(to_json("item", item)?)
        .bind(i64::from(item.gold.is_some()))
        .bind(i64::from_le_bytes(random_bytes::<8>()))
        .execute(tx.on())
        .await
        .doing("store an item")?;
        let record = ItemAdded {
            campaign: campaign.clone(),
            item: id.clone(),
            spec: item.clone(),
        };
        entries.push(NewEntry::of(kind::ITEM, &record)?);
        ids.push(id);
    }
    Log::append(&mut tx, &entries, now).await?;
    tx.commit().await?;
    Ok(ids)
}

/// How far a campaign has come in its round.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// Items without a known answer.
    pub n_items: u64,
    /// Those that have all of their votes, or have them in raters' hands.
    pub n_full: u64,
}

/// Counts a campaign's items.
///
/// # Errors
/// [`Refusal::Unknown`], [`Refusal::Arena`].
pub async fn progress(db: &Database, id: &CampaignId) -> Result<Progress, Refusal> {
    let campaign = campaign::get(db, id).await?;
    let row = sqlx::query(
        "SELECT COUNT(*) AS n_items, COUNT(CASE WHEN n_taken >= $2 THEN 1 END) AS n_full \
         FROM items WHERE campaign = $1 AND is_gold = 0",
    )
    .bind(id.as_str())
    .bind(i64::from(campaign.settings.votes_per_item))
    .fetch_one(db.pool())
    .await
    .doing("count the items")?;
    let count = |column| row.try_get::<i64, _>(column).doing("count the items");
    Ok(Progress {
        n_items: count("n_items")?.cast_unsigned(),
        n_full: count("n_full")?.cast_unsigned(),
    })
}

pub(crate) fn parse(spec: &str) -> Result<Item> {
    from_json("item", spec)
}
