//! Is the log whole, and do the tables say what it says?

use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead, Write};

use serde::Serialize;
use sqlx::Row as _;

use super::replay::Replay;
use crate::campaign::{self, number};
use crate::db::Database;
use crate::error::{Doing as _, Result};
use crate::id::ItemId;
use crate::log::{Break, Chain, Entry, Head, Log};

/// A log that is whole.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Whole {
    /// Its end.
    pub head: Head,
    /// The number of the entry with the hash that was asked for; `None` where no entry has it, or none was asked for.
    pub published_seq: Option<u64>,
}

/// A log that is followed, with a look-out for one hash.
struct Following<'a> {
    chain: Chain,
    published: Option<&'a str>,
    published_seq: Option<u64>,
}

impl<'a> Following<'a> {
    const fn new(published: Option<&'a str>) -> Self {
        Self {
            chain: Chain::new(),
            published,
            published_seq: None,
        }
    }

    fn follow(&mut self, entry: &Entry) -> std::result::Result<(), Break> {
        self.chain.follow(entry)?;
        if self.published == Some(entry.hash.as_str()) {
            self.published_seq = Some(entry.seq);
        }
        Ok(())
    }

    fn whole(&self) -> Whole {
        Whole {
            head: self.chain.head().clone(),
            published_seq: self.published_seq,
        }
    }
}

/// Follows the log from its first entry to its head, and says where it first breaks.
///
/// Entries that were cut from the end together with the head cannot be seen from inside: `published` is the hash of a
/// head that was written down elsewhere, and a log that still leads to it has an entry with this hash.
///
/// # Errors
/// [`crate::Error::Database`] where it does not answer.
pub async fn verify(db: &Database, published: Option<&str>) -> Result<std::result::Result<Whole, Break>> {
    // Before the entries, so that those that are added meanwhile are not missed.
    let stored = Log::head(db).await?;
    let mut following = Following::new(published);
    let mut first_break = None;
    let mut at_stored = (stored.seq == 0).then(|| Head::start().hash);
    Log::read(db, 0, |entry| {
        if first_break.is_none() {
            first_break = following.follow(&entry).err();
        }
        if entry.seq == stored.seq {
            at_stored = Some(entry.hash);
        }
        Ok(())
    })
    .await?;
    Ok(match (first_break, at_stored) {
        (Some(found), _) => Err(found),
        (None, None) => Err(Break::Number {
            expected: following.chain.head().seq + 1,
            got: stored.seq,
        }),
        (None, Some(hash)) if hash != stored.hash => Err(Break::Content {
            seq: stored.seq,
            expected: hash,
            got: stored.hash,
        }),
        (None, Some(_)) => Ok(following.whole()),
    })
}

/// Writes the log, one entry as JSON on each line. It has pseudonyms only; the answers of gold items are in it, so
/// it is for publishing once a campaign is closed.
///
/// # Errors
/// [`crate::Error::Database`]; the inner result is that of writing.
pub async fn write_lines(db: &Database, out: &mut impl Write) -> Result<std::io::Result<()>> {
    let mut written = Ok(());
    Log::read(db, 0, |entry| {
        if written.is_ok() {
            let line = campaign::to_json("entry of the log", &entry)?;
            written = writeln!(out, "{line}");
        }
        Ok(())
    })
    .await?;
    Ok(written.and_then(|()| out.flush()))
}

/// Why written lines are not a log.
#[derive(Debug, thiserror::Error)]
pub enum LinesError {
    /// The lines could not be read.
    #[error("line {line} of the log could not be read")]
    Read {
        /// From 1.
        line: u64,
        /// Why not.
        #[source]
        source: std::io::Error,
    },
    /// A line is no entry.
    #[error("line {line} of the log is no entry: expected JSON as it is exported")]
    Parse {
        /// From 1.
        line: u64,
        /// Why not.
        #[source]
        source: serde_json::Error,
    },
    /// The chain is broken.
    #[error(transparent)]
    Break(#[from] Break),
}

/// Follows an exported log, as [`verify`] follows that of a database.
///
/// # Errors
/// [`LinesError`], at the first line that does not follow.
pub fn verify_lines(lines: impl BufRead, published: Option<&str>) -> std::result::Result<Whole, LinesError> {
    let mut following = Following::new(published);
    for (number, text) in (1..).zip(lines.lines()) {
        let text = text.map_err(|source| LinesError::Read { line: number, source })?;
        let entry: Entry =
            serde_json::from_str(&text).map_err(|source| LinesError::Parse { line: number, source })?;
        following.follow(&entry)?;
    }
    Ok(following.whole())
}

/// Derives everything from the log again and says, one sentence each, where the tables differ. For a time when nothing is
/// written.
///
/// # Errors
/// [`crate::Error::Database`], [`crate::Error::Broken`].
pub async fn differences(db: &Database) -> Result<Vec<String>> {
    let replay = Replay::of(db).await?;
    let mut found = Vec::new();
    for (derived, stored) in [
        (campaigns_of(&replay), campaigns_in(db).await?),
        (raters_of(&replay), raters_in(db).await?),
        (votes_of(&replay)?, votes_in(db).await?),
        (counts_of(&replay), counts_in(db).await?),
    ] {
        found.extend(
            derived
                .difference(&stored)
                .map(|fact| format!("in the log only: {fact}")),
        );
        found.extend(
            stored
                .difference(&derived)
                .map(|fact| format!("in the tables only: {fact}")),
        );
    }
    Ok(found)
}

type Facts = BTreeSet<String>;

fn campaigns_of(replay: &Replay) -> Facts {
    let fact =
        |(id, state): (&_, &super::replay::CampaignState)| campaign_fact(id, state.is_open, state.round);
    replay.campaigns.iter().map(fact).collect()
}

async fn campaigns_in(db: &Database) -> Result<Facts> {
    let campaigns = campaign::list(db).await?;
    let fact = |found: &campaign::Campaign| campaign_fact(&found.id, found.is_open, found.round);
    Ok(campaigns.iter().map(fact).collect())
}

fn campaign_fact(id: &crate::id::CampaignId, is_open: bool, round: u32) -> String {
    format!("campaign {id}, open: {is_open}, round {round}")
}

fn raters_of(replay: &Replay) -> Facts {
    let fact = |(id, state): (&crate::id::RaterId, &super::replay::RaterState)| {
        format!(
            "rater {id} ({}), excluded: {}",
            state.cohort.name(),
            state.is_excluded
        )
    };
    replay.raters.iter().map(fact).collect()
}

async fn raters_in(db: &Database) -> Result<Facts> {
    let rows = sqlx::query("SELECT id, cohort, is_excluded FROM raters")
        .fetch_all(db.pool())
        .await
        .doing("list the raters")?;
    let fact = |row: &sqlx::any::AnyRow| {
        let (id, cohort) = (text(row, "id")?, text(row, "cohort")?);
        Ok(format!(
            "rater {id} ({cohort}), excluded: {}",
            number(row, "is_excluded")? == 1
        ))
    };
    rows.iter().map(fact).collect()
}

fn votes_of(replay: &Replay) -> Result<Facts> {
    let standing = replay.last.iter().filter(|(_, cast)| cast.vote.is_some());
    let fact = |((item, rater, round), cast): (&(ItemId, _, u32), &crate::record::VoteCast)| {
        let vote = campaign::to_json("vote", &cast.vote)?;
        Ok(vote_fact(item.as_str(), &format!("{rater}"), *round, &vote))
    };
    standing.map(fact).collect()
}

async fn votes_in(db: &Database) -> Result<Facts> {
    let rows = sqlx::query("SELECT item, rater, round, vote FROM votes WHERE is_current = 1")
        .fetch_all(db.pool())
        .await
        .doing("list the votes")?;
    let fact = |row: &sqlx::any::AnyRow| {
        let (item, rater) = (text(row, "item")?, text(row, "rater")?);
        Ok(vote_fact(
            &item,
            &rater,
            number(row, "round")?,
            &text(row, "vote")?,
        ))
    };
    rows.iter().map(fact).collect()
}

fn vote_fact(item: &str, rater: &str, round: u32, vote: &str) -> String {
    format!("vote of rater {rater} on item {item} in round {round}: {vote}")
}

fn counts_of(replay: &Replay) -> Facts {
    let mut counts: BTreeMap<&ItemId, u32> = replay.items.keys().map(|item| (item, 0)).collect();
    for campaign in replay.campaigns.keys() {
        counts.extend(replay.counts(campaign));
    }
    counts
        .iter()
        .map(|(item, n)| format!("item {item} has {n} votes"))
        .collect()
}

async fn counts_in(db: &Database) -> Result<Facts> {
    let rows = sqlx::query(
        "SELECT id, n_taken - (SELECT COUNT(*) FROM leases WHERE leases.item = items.id AND leases.state = 'live') \
         AS n_votes FROM items",
    )
    .fetch_all(db.pool())
    .await
    .doing("count the votes")?;
    let fact = |row: &sqlx::any::AnyRow| {
        Ok(format!(
            "item {} has {} votes",
            text(row, "id")?,
            number(row, "n_votes")?
        ))
    };
    rows.iter().map(fact).collect()
}

fn text(row: &sqlx::any::AnyRow, column: &'static str) -> Result<String> {
    row.try_get(column).doing("read a row")
}
