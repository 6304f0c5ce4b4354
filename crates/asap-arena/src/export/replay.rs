//! Everything about votes, from the log alone.

use std::collections::BTreeMap;

use crate::campaign::{Cohort, Settings, from_json};
use crate::db::Database;
use crate::error::Result;
use crate::id::{CampaignId, ItemId, RaterId};
use crate::item::Item;
use crate::log::{Entry, Log};
use crate::record::{CampaignMade, CampaignSet, ItemAdded, RaterExcluded, RaterJoined, VoteCast, kind};
use crate::vote::Vote;

/// What the log comes to. Nothing of it is read from another table.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Replay {
    pub(super) campaigns: BTreeMap<CampaignId, CampaignState>,
    pub(super) items: BTreeMap<ItemId, (CampaignId, Item)>,
    pub(super) raters: BTreeMap<RaterId, RaterState>,
    /// The last record for each item, rater and round; a withdrawal is one too.
    pub(super) last: BTreeMap<(ItemId, RaterId, u32), VoteCast>,
}

#[derive(Clone, Debug, PartialEq)]
pub(super) struct CampaignState {
    pub(super) settings: Settings,
    pub(super) is_open: bool,
    pub(super) round: u32,
}

#[derive(Clone, Debug, PartialEq)]
pub(super) struct RaterState {
    pub(super) cohort: Cohort,
    pub(super) is_excluded: bool,
}

/// A vote that stands, with what it is about.
#[derive(Clone, Copy, Debug)]
pub struct Counted<'a> {
    /// What the rater saw.
    pub item: &'a Item,
    /// Its name.
    pub item_id: &'a ItemId,
    /// Who voted.
    pub rater: &'a RaterId,
    /// In which round.
    pub round: u32,
    /// Where the first image was.
    pub side: crate::ballot::Side,
    /// The chance that this side had.
    pub propensity: f64,
    /// What was said.
    pub vote: &'a Vote,
}

impl Replay {
    /// Reads the whole log of a database.
    ///
    /// # Errors
    /// [`crate::Error::Database`], [`crate::Error::Broken`] for an entry that this version does not understand.
    pub async fn of(db: &Database) -> Result<Self> {
        let mut replay = Self::default();
        Log::read(db, 0, |entry| replay.take(&entry)).await?;
        Ok(replay)
    }

    /// Takes the next entry. Entries that are not about votes are passed over.
    ///
    /// # Errors
    /// [`crate::Error::Broken`].
    pub fn take(&mut self, entry: &Entry) -> Result<()> {
        match entry.kind.as_str() {
            kind::CAMPAIGN => {
                let made: CampaignMade = from_json("entry `campaign` of the log", &entry.body)?;
                let state = CampaignState {
                    settings: made.settings,
                    is_open: true,
                    round: 0,
                };
                self.campaigns.insert(made.campaign, state);
            }
            kind::CAMPAIGN_SET => {
                let set: CampaignSet = from_json("entry `campaign_set` of the log", &entry.body)?;
                if let Some(campaign) = self.campaigns.get_mut(&set.campaign) {
                    (campaign.is_open, campaign.round) = (set.is_open, set.round);
                }
            }
            kind::ITEM => {
                let added: ItemAdded = from_json("entry `item` of the log", &entry.body)?;
                self.items.insert(added.item, (added.campaign, added.spec));
            }
            kind::RATER => {
                let joined: RaterJoined = from_json("entry `rater` of the log", &entry.body)?;
                let state = RaterState {
                    cohort: joined.cohort,
                    is_excluded: false,
                };
                self.raters.insert(joined.rater, state);
            }
            kind::VOTE => {
                let cast: VoteCast = from_json("entry `vote` of the log", &entry.body)?;
                let key = (cast.item.clone(), cast.rater.clone(), cast.round);
                self.last.insert(key, cast);
            }
            kind::EXCLUSION => {
                let change: RaterExcluded = from_json("entry `exclusion` of the log", &entry.body)?;
                if let Some(rater) = self.raters.get_mut(&change.rater) {
                    rater.is_excluded = change.is_excluded;
                }
            }
            _ => {}
        }
        Ok(())
    }

    /// The votes of a campaign that stand, gold items among them, without excluded raters; by item, rater and round.
    pub fn counted<'a>(&'a self, campaign: &'a CampaignId) -> impl Iterator<Item = Counted<'a>> {
        self.last
            .iter()
            .filter_map(move |((item_id, rater, round), cast)| {
                let (of, item) = self.items.get(item_id)?;
                let counts = of == campaign && !self.raters.get(rater)?.is_excluded;
                let vote = cast.vote.as_ref().filter(|_| counts)?;
                Some(Counted {
                    item,
                    item_id,
                    rater,
                    round: *round,
                    side: cast.side,
                    propensity: cast.propensity,
                    vote,
                })
            })
    }

    /// How many votes of a campaign's present round stand on each item that has any.
    pub fn counts<'a>(&'a self, campaign: &'a CampaignId) -> BTreeMap<&'a ItemId, u32> {
        let round = self.campaigns.get(campaign).map_or(0, |campaign| campaign.round);
        let mut counts = BTreeMap::new();
        for counted in self.counted(campaign).filter(|counted| counted.round == round) {
            *counts.entry(counted.item_id).or_default() += 1;
        }
        counts
    }
}
