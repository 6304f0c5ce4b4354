//! What is refused, taken back, corrected, left out and exported.

use std::time::Duration;

use asap_bench::stats::{Bootstrap, Level};
use asap_core::{Choice, Outcome as ForModel, RsiCounts};

use super::fixture::{Fixture, NOON, Size, fixture, for_model, says, settings, vote_on_all};
use crate::campaign::{self, Cohort};
use crate::db::testing::databases;
use crate::export::{LinesError, Replay, Voters, differences, verify, verify_lines, write_lines};
use crate::log::Break;
use crate::rater::{self, Consent};
use crate::refusal::Refusal;
use crate::time::UnixMs;
use crate::vote::{Outcome, PairChoice};

const SMALL: Size = Size {
    items: 3,
    gold: 0,
    raters: 2,
    votes_per_item: 1,
};

fn later(secs: u64) -> UnixMs {
    NOON.plus(Duration::from_secs(secs))
}

async fn n_standing(fixture: &Fixture) -> usize {
    let replay = Replay::of(&fixture.db).await.unwrap();
    replay.counted(&fixture.campaign).count()
}

#[tokio::test]
async fn ballots_are_refused_by_their_reason() {
    for test in databases().await {
        let fixture = fixture(&test.db, SMALL).await;
        let (votes, [one, other]) = (&fixture.votes, &fixture.raters[..]) else {
            panic!("two raters");
        };
        let assigned = votes.assign(one, NOON).await.unwrap();
        assert_eq!(assigned.len(), 2);
        // The same two again: a page that is reloaded shows what it showed.
        assert_eq!(votes.assign(one, later(1)).await.unwrap(), assigned);
        let [first, second] = &assigned[..] else {
            panic!("two at once");
        };
        assert_ne!(first.item_id, second.item_id);

        let vote = says(PairChoice::Left);
        let foreign = votes.cast(other, &first.ballot, vote.clone(), NOON).await;
        assert!(matches!(foreign, Err(Refusal::Foreign)), "{foreign:?}");
        let expired = votes.cast(one, &first.ballot, vote.clone(), first.expires).await;
        assert!(matches!(expired, Err(Refusal::Expired)), "{expired:?}");
        let forged = votes.cast(one, &"A".repeat(64), vote.clone(), NOON).await;
        assert!(matches!(forged, Err(Refusal::Forged)), "{forged:?}");
        votes.cast(one, &first.ballot, vote.clone(), NOON).await.unwrap();

        campaign::close(&fixture.db, &fixture.campaign, NOON)
            .await
            .unwrap();
        let closed = votes.cast(one, &second.ballot, vote.clone(), NOON).await;
        assert!(matches!(closed, Err(Refusal::Closed)), "{closed:?}");
        assert!(matches!(votes.assign(one, NOON).await, Err(Refusal::Closed)));
        let again = votes.cast(one, &first.ballot, vote.clone(), NOON).await.unwrap();
        assert_eq!(again.outcome, Outcome::Repeated);
        campaign::open(&fixture.db, &fixture.campaign, NOON)
            .await
            .unwrap();
        campaign::next_round(&fixture.db, &fixture.campaign, NOON)
            .await
            .unwrap();
        let old = votes.cast(one, &second.ballot, vote, NOON).await;
        assert!(
            matches!(old, Err(Refusal::OldRound { expected: 1, got: 0 })),
            "{old:?}"
        );
        // In a new round the rater sees the items again.
        assert_eq!(vote_on_all(votes, one, for_model).await, 3);
        assert_eq!(n_standing(&fixture).await, 4);
        assert_eq!(differences(&fixture.db).await.unwrap(), Vec::<String>::new());
        test.end().await;
    }
}

#[tokio::test]
async fn an_expired_lease_gives_its_item_to_another() {
    for test in databases().await {
        let size = Size { items: 2, ..SMALL };
        let fixture = fixture(&test.db, size).await;
        let [one, other] = &fixture.raters[..] else {
            panic!("two raters");
        };
        let held = fixture.votes.assign(one, NOON).await.unwrap();
        assert!(fixture.votes.assign(other, NOON).await.unwrap().is_empty());
        let after = held[0].expires;
        let taken = fixture.votes.assign(other, after).await.unwrap();
        assert_eq!(taken.len(), 2);
        // Even with a clock that is behind, the first has lost it.
        let late = fixture
            .votes
            .cast(one, &held[0].ballot, says(PairChoice::Left), NOON)
            .await;
        assert!(matches!(late, Err(Refusal::Expired)), "{late:?}");
        test.end().await;
    }
}

#[tokio::test]
async fn votes_are_undone_and_corrected_by_new_records() {
    for test in databases().await {
        let fixture = fixture(&test.db, SMALL).await;
        let (votes, rater) = (&fixture.votes, &fixture.raters[0]);
        let [first, second] = &votes.assign(rater, NOON).await.unwrap()[..] else {
            panic!("two at once");
        };
        let nothing = votes.undo(rater, &first.ballot, NOON).await;
        assert!(matches!(nothing, Err(Refusal::NotCast)), "{nothing:?}");
        for assignment in [first, second] {
            votes
                .cast(rater, &assignment.ballot, says(PairChoice::Left), NOON)
                .await
                .unwrap();
        }
        let again = votes.undo(rater, &first.ballot, later(10)).await.unwrap();
        assert_eq!((&again.item_id, again.side), (&first.item_id, first.side));
        assert_ne!(again.ballot, first.ballot);
        assert_eq!(n_standing(&fixture).await, 1);
        let late = votes.undo(rater, &second.ballot, later(11)).await;
        assert!(
            matches!(
                late,
                Err(Refusal::TooLate {
                    limit_secs: 10,
                    age_secs: 11
                })
            ),
            "{late:?}"
        );

        // A late copy of the first request does not vote again; the new ballot does.
        let copy = votes
            .cast(rater, &first.ballot, says(PairChoice::Right), later(12))
            .await
            .unwrap();
        assert_eq!(
            (copy.outcome, copy.vote),
            (Outcome::Repeated, says(PairChoice::Left))
        );
        assert_eq!(n_standing(&fixture).await, 1);
        votes
            .cast(rater, &again.ballot, says(PairChoice::BothBad), later(13))
            .await
            .unwrap();
        let corrected = says(PairChoice::CantTell);
        for outcome in [Outcome::Stored, Outcome::Repeated] {
            let receipt = votes
                .correct(rater, &second.ballot, corrected.clone(), later(99))
                .await
                .unwrap();
            assert_eq!(receipt.outcome, outcome);
        }
        assert_eq!(n_standing(&fixture).await, 2);
        let replay = Replay::of(&fixture.db).await.unwrap();
        let choices = replay.comparisons(&fixture.campaign, Voters::Everyone);
        let unscored =
            |comparison: &&asap_core::Comparison| matches!(comparison.choice, Choice::Unscored { .. });
        assert_eq!(choices.iter().filter(unscored).count(), 1);
        assert_eq!(
            choices
                .iter()
                .filter(|comparison| comparison.choice == Choice::Tie)
                .count(),
            1
        );
        assert_eq!(differences(&fixture.db).await.unwrap(), Vec::<String>::new());
        test.end().await;
    }
}

#[tokio::test]
async fn excluded_votes_leave_the_count_and_come_back() {
    for test in databases().await {
        let fixture = fixture(&test.db, SMALL).await;
        let [one, other] = &fixture.raters[..] else {
            panic!("two raters");
        };
        assert_eq!(vote_on_all(&fixture.votes, one, for_model).await, 3);
        assert_eq!(vote_on_all(&fixture.votes, other, for_model).await, 0);
        fixture
            .votes
            .exclude(one, "answers at random", NOON)
            .await
            .unwrap();
        assert!(matches!(
            fixture.votes.assign(one, NOON).await,
            Err(Refusal::Excluded)
        ));
        assert_eq!(n_standing(&fixture).await, 0);
        assert_eq!(vote_on_all(&fixture.votes, other, for_model).await, 3);
        fixture.votes.readmit(one, "was a mistake", NOON).await.unwrap();
        assert_eq!(n_standing(&fixture).await, 6);
        let silent = fixture.votes.exclude(one, " ", NOON).await;
        assert!(
            matches!(silent, Err(Refusal::Invalid { what: "reason", .. })),
            "{silent:?}"
        );
        assert_eq!(differences(&fixture.db).await.unwrap(), Vec::<String>::new());
        test.end().await;
    }
}

#[tokio::test]
async fn invitations_are_used_up_and_open_votes_stay_off_the_headline() {
    for test in databases().await {
        let fixture = fixture(
            &test.db,
            Size {
                votes_per_item: 9,
                ..SMALL
            },
        )
        .await;
        let (db, campaign) = (&fixture.db, &fixture.campaign);
        let code = rater::invite(db, campaign, 1, later(60)).await.unwrap();
        let join = |code, now| rater::join(db, campaign, code, Consent::Given, now);
        let wrong = join(Some("guess"), NOON).await;
        assert!(matches!(wrong, Err(Refusal::Invitation)), "{wrong:?}");
        let late = join(Some(&code), later(60)).await;
        assert!(matches!(late, Err(Refusal::Invitation)), "{late:?}");
        let joined = join(Some(&code), NOON).await.unwrap();
        let used_up = join(Some(&code), NOON).await;
        assert!(matches!(used_up, Err(Refusal::Invitation)), "{used_up:?}");
        let silent = rater::join(db, campaign, None, Consent::Withheld, NOON).await;
        assert!(
            matches!(silent, Err(Refusal::Invalid { what: "consent", .. })),
            "{silent:?}"
        );
        assert_eq!(
            rater::of_session(db, &joined.session).await.unwrap(),
            Some(joined.rater.clone())
        );
        assert_eq!(
            rater::of_session(db, joined.rater.id.as_str()).await.unwrap(),
            None
        );

        vote_on_all(&fixture.votes, &joined.rater.id, for_model).await;
        vote_on_all(&fixture.votes, &fixture.raters[0], |_| PairChoice::BothGood).await;
        let replay = Replay::of(db).await.unwrap();
        let counts = |voters| {
            let comparisons = replay.comparisons(campaign, voters);
            RsiCounts::of(comparisons.iter().filter_map(asap_core::Comparison::outcome))
        };
        let expected = |wins, ties| RsiCounts {
            wins,
            ties,
            losses: 0,
        };
        assert_eq!(counts(Voters::Invited), expected(3, 0));
        assert_eq!(counts(Voters::Everyone), expected(3, 3));
        let bootstrap = Bootstrap {
            seed: 1,
            replicates: 50,
            level: Level::P95,
        };
        // By hand: 3 items with one win and one tie each; alpha = 1 - 5 * 6 / 18.
        let alpha = replay.agreement(campaign, Voters::Everyone, &bootstrap).unwrap();
        assert!(
            (alpha.value.unwrap() - (1.0 - 5.0 * 6.0 / 18.0)).abs() < 1e-12,
            "{alpha:?}"
        );
        let outcomes = replay.comparisons(campaign, Voters::Invited);
        assert!(
            outcomes
                .iter()
                .all(|comparison| comparison.outcome() == Some(ForModel::Win))
        );
        test.end().await;
    }
}

#[tokio::test]
async fn every_changed_line_of_an_export_is_found() {
    for test in databases().await {
        let fixture = fixture(&test.db, SMALL).await;
        vote_on_all(&fixture.votes, &fixture.raters[0], for_model).await;
        let head = verify(&fixture.db, None).await.unwrap().unwrap();
        let mut bytes = Vec::new();
        write_lines(&fixture.db, &mut bytes).await.unwrap().unwrap();
        assert_eq!(verify_lines(&bytes[..], None).unwrap(), head);
        let text = String::from_utf8(bytes).unwrap();
        let lines: Vec<&str> = text.lines().collect();
        for place in 0..lines.len() - 1 {
            let mut removed = lines.clone();
            removed.remove(place);
            let found = verify_lines(removed.join("\n").as_bytes(), None);
            assert!(
                matches!(found, Err(LinesError::Break(Break::Number { .. }))),
                "{found:?}"
            );
        }
        let changed = text.replacen("ours", "hers", 1);
        assert!(verify_lines(changed.as_bytes(), None).is_err());
        let torn = &text[..text.len() - 20];
        let found = verify_lines(torn.as_bytes(), None).unwrap_err();
        assert!(
            matches!(found, LinesError::Parse { line, .. } if line == lines.len() as u64),
            "{found}"
        );

        sqlx::query("UPDATE log SET body = '{}' WHERE seq = 3")
            .execute(fixture.db.pool())
            .await
            .unwrap();
        let found = verify(&fixture.db, None).await.unwrap();
        assert!(matches!(found, Err(Break::Content { seq: 3, .. })), "{found:?}");
        sqlx::query("DELETE FROM log WHERE seq > 2")
            .execute(fixture.db.pool())
            .await
            .unwrap();
        let found = verify(&fixture.db, None).await.unwrap();
        assert!(
            matches!(found, Err(Break::Number { expected: 3, .. })),
            "{found:?}"
        );
        test.end().await;
    }
}

#[tokio::test]
async fn settings_that_contradict_each_other_are_refused() {
    for test in databases().await {
        let mut without = settings(1);
        without.baseline = None;
        let mut greedy = settings(1);
        greedy.gold_share = f64::NAN;
        let mut none = settings(0);
        none.cohort = Cohort::Invite;
        for (settings, what) in [
            (without, "baseline"),
            (greedy, "gold_share"),
            (none, "votes_per_item"),
        ] {
            let refused = campaign::create(&test.db, &settings, NOON).await.unwrap_err();
            assert!(refused.to_string().starts_with(what), "{refused}");
        }
        assert_eq!(campaign::list(&test.db).await.unwrap(), Vec::new());
        test.end().await;
    }
}
