//! Every item gets exactly its votes, whoever votes at once.

use std::collections::BTreeMap;

use futures::future::{join_all, try_join_all};

use super::fixture::{NOON, Size, fixture, for_model, says, secret, vote_on_all};
use crate::db::Database;
use crate::db::testing::databases;
use crate::export::{Replay, differences, verify};
use crate::vote::{Outcome, PairChoice, Votes};

#[tokio::test]
async fn thirty_two_raters_at_once_keep_exact_overlap() {
    for test in databases().await {
        let size = Size {
            items: 20,
            gold: 3,
            raters: 32,
            votes_per_item: 3,
        };
        let fixture = fixture(&test.db, size).await;
        let voting = fixture.raters.iter().cloned().map(|rater| {
            let votes = fixture.votes.clone();
            tokio::spawn(async move { vote_on_all(&votes, &rater, for_model).await })
        });
        try_join_all(voting).await.unwrap();

        let replay = Replay::of(&fixture.db).await.unwrap();
        let plain = replay
            .counted(&fixture.campaign)
            .filter(|counted| counted.item.gold.is_none());
        let mut counts: BTreeMap<u64, u32> = BTreeMap::new();
        plain.for_each(|counted| *counts.entry(counted.item.seed).or_default() += 1);
        let expected: BTreeMap<u64, u32> = (0..20).map(|seed| (seed, 3)).collect();
        assert_eq!(counts, expected, "{:?}", test.db.kind());
        assert_eq!(differences(&fixture.db).await.unwrap(), Vec::<String>::new());
        verify(&fixture.db, None).await.unwrap().unwrap();
        test.end().await;
    }
}

#[tokio::test]
async fn two_servers_on_one_database_store_one_vote_for_a_ballot() {
    for test in databases().await {
        let size = Size {
            items: 4,
            gold: 0,
            raters: 1,
            votes_per_item: 1,
        };
        let fixture = fixture(&test.db, size).await;
        let other = Database::open(&test.url).await.unwrap();
        let servers = [fixture.votes.clone(), Votes::start(other.clone(), secret())];
        let rater = &fixture.raters[0];
        let assigned = fixture.votes.assign(rater, NOON).await.unwrap();
        let ballot = &assigned[0].ballot;
        let casts = (0..20).map(|number| {
            let choice = if number % 3 == 0 {
                PairChoice::Left
            } else {
                PairChoice::Right
            };
            servers[number % 2].cast(rater, ballot, says(choice), NOON)
        });
        let receipts: Vec<_> = join_all(casts).await.into_iter().map(Result::unwrap).collect();
        let stored = receipts
            .iter()
            .filter(|receipt| receipt.outcome == Outcome::Stored)
            .count();
        assert_eq!(stored, 1, "{:?}", test.db.kind());
        assert!(receipts.iter().all(|receipt| receipt.vote == receipts[0].vote));
        let replay = Replay::of(&fixture.db).await.unwrap();
        assert_eq!(replay.counted(&fixture.campaign).count(), 1);
        verify(&fixture.db, None).await.unwrap().unwrap();
        other.close().await;
        test.end().await;
    }
}

#[tokio::test]
async fn any_order_of_deeds_leaves_tables_that_the_log_tells() {
    for test in databases().await {
        for seed in 0..4 {
            let size = Size {
                items: 6,
                gold: 2,
                raters: 4,
                votes_per_item: 2,
            };
            let fixture = fixture(&test.db, size).await;
            let mut stream = asap_core::Stream::new(seed, "deeds");
            let (mut now, mut ballots) = (NOON, Vec::new());
            for _ in 0..60 {
                now.0 += 1000 * stream.below(200) as i64;
                let rater = stream.choose(&fixture.raters).clone();
                let votes = &fixture.votes;
                // Refusals are part of the game: what counts is that nothing is left half done.
                match stream.below(8) {
                    0..=2 => {
                        for assignment in votes.assign(&rater, now).await.unwrap_or_default() {
                            ballots.push((rater.clone(), assignment.ballot));
                        }
                    }
                    3 => drop(votes.exclude(&rater, "a test", now).await),
                    4 => drop(votes.readmit(&rater, "a test", now).await),
                    deed if !ballots.is_empty() => {
                        let (rater, ballot) = stream.choose(&ballots).clone();
                        match deed {
                            5 => drop(votes.undo(&rater, &ballot, now).await),
                            6 => drop(
                                votes
                                    .correct(&rater, &ballot, says(PairChoice::BothBad), now)
                                    .await,
                            ),
                            _ => drop(votes.cast(&rater, &ballot, says(PairChoice::Left), now).await),
                        }
                    }
                    _ => {}
                }
            }
            let found = differences(&fixture.db).await.unwrap();
            assert_eq!(found, Vec::<String>::new(), "seed {seed}, {:?}", test.db.kind());
        }
        verify(&test.db, None).await.unwrap().unwrap();
        test.end().await;
    }
}
