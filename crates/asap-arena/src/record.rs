//! What voting tells the log: each kind of entry and its body.

use serde::{Deserialize, Serialize};

use crate::ballot::Side;
use crate::campaign::{Cohort, Settings};
use crate::error::Result;
use crate::id::{CampaignId, ItemId, RaterId};
use crate::item::Item;
use crate::log::NewEntry;
use crate::vote::Vote;

/// A campaign was made; it is open, in round 0.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct CampaignMade {
    pub(crate) campaign: CampaignId,
    pub(crate) settings: Settings,
}

/// A campaign was opened or closed, or a round began.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct CampaignSet {
    pub(crate) campaign: CampaignId,
    pub(crate) is_open: bool,
    pub(crate) round: u32,
}

/// An item was added.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct ItemAdded {
    pub(crate) campaign: CampaignId,
    pub(crate) item: ItemId,
    pub(crate) spec: Item,
}

/// A rater joined.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct RaterJoined {
    pub(crate) campaign: CampaignId,
    pub(crate) rater: RaterId,
    pub(crate) cohort: Cohort,
}

/// A vote, what replaces one, or a withdrawal.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct VoteCast {
    pub(crate) campaign: CampaignId,
    pub(crate) item: ItemId,
    pub(crate) rater: RaterId,
    pub(crate) round: u32,
    /// 0 for the first; each supersedes the one before.
    pub(crate) revision: u32,
    pub(crate) ballot: String,
    pub(crate) side: Side,
    /// The chance that this side had.
    pub(crate) propensity: f64,
    /// `None` withdraws.
    pub(crate) vote: Option<Vote>,
}

/// A rater's votes count no more, or do again.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct RaterExcluded {
    pub(crate) rater: RaterId,
    pub(crate) is_excluded: bool,
    pub(crate) reason: String,
}

/// Kinds of entries.
pub(crate) mod kind {
    pub(crate) const CAMPAIGN: &str = "campaign";
    pub(crate) const CAMPAIGN_SET: &str = "campaign_set";
    pub(crate) const ITEM: &str = "item";
    pub(crate) const RATER: &str = "rater";
    pub(crate) const VOTE: &str = "vote";
    pub(crate) const EXCLUSION: &str = "exclusion";
}

impl VoteCast {
    pub(crate) fn entry(&self) -> Result<NewEntry> {
        NewEntry::of(kind::VOTE, self)
    }
}
