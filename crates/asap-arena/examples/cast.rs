//! Casts votes without end and prints the name of each item once its vote is acknowledged: the child that a test kills.
//!
//! `cast sqlite:FILE`

use std::io::Write as _;

use asap_arena::ballot::Secret;
use asap_arena::campaign::{self, Cohort, Protocol, Settings};
use asap_arena::item::{self, Item};
use asap_arena::rater::{self, Consent};
use asap_arena::vote::{Answer, PairChoice, Vote, Votes};
use asap_arena::{Database, UnixMs};
use asap_core::{Category, Sha256, Topic};

type Failure = Box<dyn std::error::Error>;

#[tokio::main]
async fn main() -> Result<(), Failure> {
    let url = std::env::args()
        .nth(1)
        .ok_or("expected the address of a database, got none")?;
    let db = Database::open(&url).await?;
    let campaign = campaign::create(&db, &settings()?, UnixMs::now()).await?;
    let items: Vec<Item> = (0..2000).map(item).collect::<Result<_, _>>()?;
    item::add(&db, &campaign, &items, UnixMs::now()).await?;
    let votes = Votes::start(db.clone(), Secret::new(&[7; 32])?);
    let mut casting = Vec::new();
    for _ in 0..4 {
        let rater = rater::join(&db, &campaign, None, Consent::Given, UnixMs::now())
            .await?
            .rater
            .id;
        let votes = votes.clone();
        casting.push(async move {
            loop {
                let assigned = votes.assign(&rater, UnixMs::now()).await?;
                if assigned.is_empty() {
                    return Ok::<(), Failure>(());
                }
                for assignment in assigned {
                    let vote = Vote {
                        answer: Answer::Rsi(PairChoice::Left),
                        response_ms: 1000,
                        is_zoomed: false,
                    };
                    votes
                        .cast(&rater, &assignment.ballot, vote, UnixMs::now())
                        .await?;
                    let mut out = std::io::stdout().lock();
                    writeln!(out, "{rater} {}", assignment.item_id)?;
                    out.flush()?;
                }
            }
        });
    }
    futures::future::try_join_all(casting).await?;
    Ok(())
}

fn settings() -> Result<Settings, Failure> {
    Ok(Settings {
        name: "casting".to_owned(),
        protocol: Protocol::Rsi,
        models: vec!["ours".to_owned()],
        baseline: Some("base".to_owned()),
        prompts: vec!["haf-bas-0001".parse()?],
        cohort: Cohort::Open,
        votes_per_item: 4,
        gold_share: 0.0,
        consent: "I agree".to_owned(),
        instructions: "Look at the hands".to_owned(),
    })
}

fn item(seed: u64) -> Result<Item, Failure> {
    Ok(Item {
        model: "ours".to_owned(),
        prompt_id: "haf-bas-0001".parse()?,
        topic: Topic {
            category: Category::BasicAnatomy,
            subcategory: "hands".to_owned(),
        },
        seed,
        images: vec![Sha256::from_bytes([1; 32]), Sha256::from_bytes([2; 32])],
        gold: None,
    })
}
