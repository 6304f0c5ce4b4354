//! Votes per second and their latency with 32 clients on SQLite: each client takes an item, votes, takes the next.
//!
//! `bench_votes [SECONDS] [sqlite:FILE|postgres://…]`

use std::io::Write as _;
use std::time::{Duration, Instant};

use asap_arena::ballot::Secret;
use asap_arena::campaign::{self, Cohort, Protocol, Settings};
use asap_arena::item::{self, Item};
use asap_arena::rater::{self, Consent};
use asap_arena::vote::{Answer, PairChoice, Vote, Votes};
use asap_arena::{Database, UnixMs, export};
use asap_core::{Category, Sha256, Topic};

type Failure = Box<dyn std::error::Error>;

const N_CLIENTS: usize = 32;
const N_ITEMS: u64 = 5000;

#[tokio::main]
async fn main() -> Result<(), Failure> {
    let mut arguments = std::env::args().skip(1);
    let span = Duration::from_secs(arguments.next().map_or(Ok(10), |text| text.parse())?);
    let folder = tempfile::tempdir()?;
    let in_folder = || format!("sqlite:{}", folder.path().join("arena.db").display());
    let db = Database::open(&arguments.next().unwrap_or_else(in_folder)).await?;
    let campaign = campaign::create(&db, &settings()?, UnixMs::now()).await?;
    let items: Vec<Item> = (0..N_ITEMS).map(item).collect::<Result<_, _>>()?;
    item::add(&db, &campaign, &items, UnixMs::now()).await?;
    let votes = Votes::start(db.clone(), Secret::new(&[7; 32])?);
    let mut clients = Vec::new();
    for _ in 0..N_CLIENTS {
        let rater = rater::join(&db, &campaign, None, Consent::Given, UnixMs::now())
            .await?
            .rater
            .id;
        clients.push((rater, votes.clone()));
    }
    let start = Instant::now();
    let voting = clients.into_iter().map(|(rater, votes)| async move {
        let mut latencies = Vec::new();
        while start.elapsed() < span {
            for assignment in votes.assign(&rater, UnixMs::now()).await? {
                let vote = Vote {
                    answer: Answer::Rsi(PairChoice::Left),
                    response_ms: 1000,
                    is_zoomed: true,
                };
                let began = Instant::now();
                votes
                    .cast(&rater, &assignment.ballot, vote, UnixMs::now())
                    .await?;
                latencies.push(began.elapsed());
            }
        }
        Ok::<_, Failure>(latencies)
    });
    let latencies = futures::future::try_join_all(voting).await?;
    let took = start.elapsed();
    let mut latencies: Vec<Duration> = latencies.into_iter().flatten().collect();
    latencies.sort_unstable();
    let at = |share: f64| {
        latencies
            .get((latencies.len() as f64 * share) as usize)
            .copied()
            .unwrap_or_default()
    };
    let mut out = std::io::stdout().lock();
    writeln!(
        out,
        "{:?}, {N_CLIENTS} clients: {} votes in {:.1} s, {:.0} votes/s; a vote takes p50 {:.1} ms, p95 {:.1} ms",
        db.kind(),
        latencies.len(),
        took.as_secs_f64(),
        latencies.len() as f64 / took.as_secs_f64(),
        at(0.5).as_secs_f64() * 1e3,
        at(0.95).as_secs_f64() * 1e3,
    )?;
    let whole = export::verify(&db, None).await??;
    writeln!(out, "the log is whole: {} entries", whole.head.seq)?;
    Ok(())
}

fn settings() -> Result<Settings, Failure> {
    Ok(Settings {
        name: "load".to_owned(),
        protocol: Protocol::Rsi,
        models: vec!["ours".to_owned()],
        baseline: Some("base".to_owned()),
        prompts: vec!["haf-bas-0001".parse()?],
        cohort: Cohort::Open,
        votes_per_item: 1000,
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
