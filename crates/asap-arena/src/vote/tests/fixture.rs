//! A campaign with items and raters.

use asap_core::{Category, Sha256, Topic};

use crate::ballot::{Secret, Side};
use crate::campaign::{self, Cohort, Protocol, Settings};
use crate::db::Database;
use crate::id::{CampaignId, RaterId};
use crate::item::{self, Gold, Item, Known};
use crate::rater::{self, Consent};
use crate::time::UnixMs;
use crate::vote::{Answer, Assignment, PairChoice, Vote, Votes};

pub(super) const NOON: UnixMs = UnixMs(1_700_000_000_000);

pub(super) struct Fixture {
    pub(super) db: Database,
    pub(super) votes: Votes,
    pub(super) campaign: CampaignId,
    pub(super) raters: Vec<RaterId>,
}

#[derive(Clone, Copy)]
pub(super) struct Size {
    pub(super) items: usize,
    pub(super) gold: usize,
    pub(super) raters: usize,
    pub(super) votes_per_item: u32,
}

pub(super) fn secret() -> Secret {
    Secret::new(&[42; 32]).unwrap()
}

pub(super) fn settings(votes_per_item: u32) -> Settings {
    Settings {
        name: "hands".to_owned(),
        protocol: Protocol::Rsi,
        models: vec!["ours".to_owned()],
        baseline: Some("base".to_owned()),
        prompts: vec!["haf-bas-0001".parse().unwrap()],
        cohort: Cohort::Open,
        votes_per_item,
        gold_share: 0.3,
        consent: "I agree".to_owned(),
        instructions: "Look at the hands".to_owned(),
    }
}

pub(super) fn pair(seed: u64, gold: Option<Gold>) -> Item {
    Item {
        model: "ours".to_owned(),
        prompt_id: "haf-bas-0001".parse().unwrap(),
        topic: Topic {
            category: Category::BasicAnatomy,
            subcategory: "hands".to_owned(),
        },
        seed,
        images: vec![Sha256::from_bytes([1; 32]), Sha256::from_bytes([2; 32])],
        gold,
    }
}

pub(super) async fn fixture(db: &Database, size: Size) -> Fixture {
    let campaign = campaign::create(db, &settings(size.votes_per_item), NOON)
        .await
        .unwrap();
    let gold = Gold {
        known: Known::FirstBetter,
        grade: 1,
    };
    let items: Vec<Item> = (0..size.items as u64)
        .map(|seed| pair(seed, None))
        .chain((0..size.gold as u64).map(|seed| pair(1000 + seed, Some(gold.clone()))))
        .collect();
    item::add(db, &campaign, &items, NOON).await.unwrap();
    let mut raters = Vec::new();
    for _ in 0..size.raters {
        let joined = rater::join(db, &campaign, None, Consent::Given, NOON)
            .await
            .unwrap();
        raters.push(joined.rater.id);
    }
    Fixture {
        db: db.clone(),
        votes: Votes::start(db.clone(), secret()),
        campaign,
        raters,
    }
}

pub(super) fn says(choice: PairChoice) -> Vote {
    Vote {
        answer: Answer::Rsi(choice),
        response_ms: 1500,
        is_zoomed: false,
    }
}

/// For the first image, wherever it is.
pub(super) fn for_model(assignment: &Assignment) -> PairChoice {
    match assignment.side {
        Side::Left => PairChoice::Left,
        Side::Right => PairChoice::Right,
    }
}

pub(super) fn for_baseline(assignment: &Assignment) -> PairChoice {
    match assignment.side {
        Side::Left => PairChoice::Right,
        Side::Right => PairChoice::Left,
    }
}

/// Votes until nothing is left for the rater; the number of votes.
pub(super) async fn vote_on_all(
    votes: &Votes,
    rater: &RaterId,
    mut choose: impl FnMut(&Assignment) -> PairChoice,
) -> usize {
    let mut n_votes = 0;
    loop {
        let assigned = votes.assign(rater, NOON).await.unwrap();
        if assigned.is_empty() {
            return n_votes;
        }
        for assignment in assigned {
            let vote = says(choose(&assignment));
            votes.cast(rater, &assignment.ballot, vote, NOON).await.unwrap();
            n_votes += 1;
        }
    }
}
