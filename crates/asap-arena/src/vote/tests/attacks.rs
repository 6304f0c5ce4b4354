//! The attack simulator: what gets in, and by how much RSI moves.
//!
//! Attackers join an open campaign beside invited raters who look. The table that it prints has RSI of all votes, of what
//! is left when flagged raters are excluded and their items voted on again, and of the invited alone.

use asap_core::{Comparison, RsiCounts, Stream};
use futures::future::join_all;

use super::fixture::{Fixture, NOON, Size, fixture, for_baseline, for_model, says, vote_on_all};
use crate::ballot::{Secret, Terms};
use crate::db::Database;
use crate::db::testing::databases;
use crate::export::{Replay, Voters, differences, verify};
use crate::gold::{Attention, attention};
use crate::id::RaterId;
use crate::random_hex;
use crate::rater::{self, Consent};
use crate::refusal::Refusal;
use crate::time::UnixMs;
use crate::vote::{Assignment, Outcome, PairChoice};

/// Attackers who can tell the model by its style, which is the worst case: nothing in a ballot tells it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Attack {
    /// Left or right, at random.
    Clickers,
    /// For the model wherever they see it, without looking at bodies.
    Colluders,
    /// The same, with a list of the gold items' answers.
    Memorisers,
}

const N_HONEST: usize = 12;
const N_ATTACKERS: usize = 6;

fn honest(assignment: &Assignment, stream: &mut Stream) -> PairChoice {
    if assignment.item.gold.is_some() {
        return match stream.chance(0.97) {
            true => for_model(assignment),
            false => for_baseline(assignment),
        };
    }
    match stream.unit() {
        share if share < 0.4 => for_model(assignment),
        share if share < 0.65 => for_baseline(assignment),
        _ => PairChoice::BothGood,
    }
}

fn click(stream: &mut Stream) -> PairChoice {
    *stream.choose(&[PairChoice::Left, PairChoice::Right])
}

impl Attack {
    fn choose(self, assignment: &Assignment, stream: &mut Stream) -> PairChoice {
        match (self, assignment.item.gold.is_some()) {
            (Self::Clickers, _) | (Self::Colluders, true) => click(stream),
            (Self::Colluders, false) | (Self::Memorisers, _) => for_model(assignment),
        }
    }
}

/// Everybody votes at once until nothing is left.
async fn all_vote(fixture: &Fixture, honest_raters: &[RaterId], attackers: &[RaterId], attack: Attack) {
    let votes = &fixture.votes;
    let honest_voting = honest_raters.iter().enumerate().map(|(seed, rater)| async move {
        let mut stream = Stream::new(seed as u64, "honest");
        vote_on_all(votes, rater, |assignment| honest(assignment, &mut stream)).await
    });
    let attacking = attackers.iter().enumerate().map(|(seed, rater)| async move {
        let mut stream = Stream::new(seed as u64, "attack");
        vote_on_all(votes, rater, |assignment| attack.choose(assignment, &mut stream)).await
    });
    futures::future::join(join_all(honest_voting), join_all(attacking)).await;
}

async fn rsi(fixture: &Fixture, voters: Voters) -> f64 {
    let replay = Replay::of(&fixture.db).await.unwrap();
    let comparisons = replay.comparisons(&fixture.campaign, voters);
    RsiCounts::of(comparisons.iter().filter_map(Comparison::outcome))
        .rsi()
        .unwrap()
}

struct Report {
    n_flagged: usize,
    n_honest_flagged: usize,
    attacked: f64,
    cleaned: f64,
    invited: f64,
}

async fn simulate(db: &Database, attack: Attack) -> Report {
    let size = Size {
        items: 100,
        gold: 60,
        raters: N_ATTACKERS,
        votes_per_item: 5,
    };
    let fixture = fixture(db, size).await;
    let code = rater::invite(db, &fixture.campaign, N_HONEST as u32, UnixMs(i64::MAX))
        .await
        .unwrap();
    let mut honest_raters = Vec::new();
    for _ in 0..N_HONEST {
        let joined = rater::join(db, &fixture.campaign, Some(&code), Consent::Given, NOON)
            .await
            .unwrap();
        honest_raters.push(joined.rater.id);
    }
    all_vote(&fixture, &honest_raters, &fixture.raters, attack).await;
    let attacked = rsi(&fixture, Voters::Everyone).await;
    let flagged: Vec<RaterId> = attention(db, &fixture.campaign)
        .await
        .unwrap()
        .into_iter()
        .filter(|(_, state, _)| *state == Attention::Flagged)
        .map(|(rater, _, _)| rater)
        .collect();
    for rater in &flagged {
        fixture
            .votes
            .exclude(rater, "flagged by gold items", NOON)
            .await
            .unwrap();
    }
    let remaining: Vec<RaterId> = honest_raters
        .iter()
        .filter(|rater| !flagged.contains(rater))
        .cloned()
        .collect();
    all_vote(&fixture, &remaining, &[], attack).await;
    let report = Report {
        n_flagged: flagged
            .iter()
            .filter(|rater| fixture.raters.contains(rater))
            .count(),
        n_honest_flagged: N_HONEST - remaining.len(),
        attacked,
        cleaned: rsi(&fixture, Voters::Everyone).await,
        invited: rsi(&fixture, Voters::Invited).await,
    };
    eprintln!(
        "{:?} {attack:?}: {} of {N_ATTACKERS} attackers and {} of {N_HONEST} honest raters flagged; RSI of all {:.2}, \
         without the flagged {:.2}, of the invited {:.2}",
        db.kind(),
        report.n_flagged,
        report.n_honest_flagged,
        report.attacked,
        report.cleaned,
        report.invited
    );
    assert_eq!(differences(db).await.unwrap(), Vec::<String>::new());
    report
}

#[tokio::test]
async fn crowds_of_attackers_move_rsi_by_so_much() {
    for test in databases().await {
        let clickers = simulate(&test.db, Attack::Clickers).await;
        assert!(clickers.n_flagged >= N_ATTACKERS / 2, "{}", clickers.n_flagged);
        assert!(clickers.n_honest_flagged <= 2, "{}", clickers.n_honest_flagged);

        let colluders = simulate(&test.db, Attack::Colluders).await;
        assert!(colluders.n_flagged >= N_ATTACKERS / 2, "{}", colluders.n_flagged);
        let moved = |rsi: f64| (rsi - colluders.invited).abs();
        assert!(moved(colluders.attacked) > 0.3, "{}", colluders.attacked);
        assert!(
            moved(colluders.cleaned) < 0.6 * moved(colluders.attacked),
            "{}",
            colluders.cleaned
        );

        // Who has every gold answer passes the test: what holds them off is the invitation.
        let memorisers = simulate(&test.db, Attack::Memorisers).await;
        assert_eq!(memorisers.n_flagged, 0);
        assert!(
            memorisers.cleaned - memorisers.invited > 0.3,
            "{}",
            memorisers.cleaned
        );
        assert!((0.8..1.9).contains(&memorisers.invited), "{}", memorisers.invited);
        test.end().await;
    }
}

#[tokio::test]
async fn no_ballot_is_worth_two_votes() {
    for test in databases().await {
        let size = Size {
            items: 6,
            gold: 0,
            raters: 2,
            votes_per_item: 2,
        };
        let fixture = fixture(&test.db, size).await;
        let (votes, [rater, victim]) = (&fixture.votes, &fixture.raters[..]) else {
            panic!("two raters");
        };
        let assigned = votes.assign(rater, NOON).await.unwrap();
        let both = |number: usize| [PairChoice::Left, PairChoice::Right][number % 2];
        let mut n_stored = [0; 4];

        // Replay, one after the other; then many at once.
        for number in 0..50 {
            let receipt = votes
                .cast(rater, &assigned[0].ballot, says(both(number)), NOON)
                .await
                .unwrap();
            n_stored[0] += usize::from(receipt.outcome == Outcome::Stored);
        }
        let at_once = (0..50).map(|number| votes.cast(rater, &assigned[1].ballot, says(both(number)), NOON));
        for receipt in join_all(at_once).await {
            n_stored[1] += usize::from(receipt.unwrap().outcome == Outcome::Stored);
        }
        // Ballots that the attacker signs: for the item that is open, with each side.
        let (open, own_secret) = (
            &votes.assign(rater, NOON).await.unwrap()[0],
            Secret::new(&[43; 32]).unwrap(),
        );
        for (number, side) in [crate::ballot::Side::Left, crate::ballot::Side::Right]
            .into_iter()
            .enumerate()
        {
            let terms = Terms {
                item: open.item_id.as_str().to_owned(),
                rater: rater.as_str().to_owned(),
                side,
                nonce: random_hex::<16>(),
                expires: open.expires,
                round: 0,
            };
            let forged = votes
                .cast(rater, &own_secret.sign(&terms), says(both(number)), NOON)
                .await;
            n_stored[2] += usize::from(!matches!(forged, Err(Refusal::Forged)));
            // The number of a true ballot with another signature: the side cannot be swapped behind the server's back.
            let true_nonce = crate::ballot::Ballot::parse(&open.ballot).unwrap().nonce;
            let swapped = own_secret.sign(&Terms {
                nonce: true_nonce,
                ..terms
            });
            let refused = votes.cast(rater, &swapped, says(both(number)), NOON).await;
            n_stored[2] += usize::from(!matches!(refused, Err(Refusal::Forged)));
        }
        // A ballot that was stolen.
        let stolen = &votes.assign(victim, NOON).await.unwrap()[0].ballot;
        let refused = votes.cast(rater, stolen, says(PairChoice::Left), NOON).await;
        n_stored[3] += usize::from(!matches!(refused, Err(Refusal::Foreign)));

        eprintln!(
            "{:?}: replayed, parallel, forged, stolen ballots stored: {n_stored:?}",
            test.db.kind()
        );
        assert_eq!(n_stored, [1, 1, 0, 0]);
        let replay = Replay::of(&fixture.db).await.unwrap();
        assert_eq!(replay.counted(&fixture.campaign).count(), 2);
        verify(&fixture.db, None).await.unwrap().unwrap();
        test.end().await;
    }
}
