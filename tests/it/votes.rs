//! `asap votes`: the log of a campaign, followed in its database and as a file.

use asap_arena::ballot::Secret;
use asap_arena::campaign::{Cohort, Protocol, Settings};
use asap_arena::item::Item;
use asap_arena::rater::Consent;
use asap_arena::vote::{Answer, PairChoice, Vote, Votes};
use asap_arena::{Database, UnixMs, campaign, item, rater};
use asap_core::{Category, Sha256, Topic};

use crate::harness::Sandbox;

const N_ITEMS: u8 = 5;

fn settings() -> Settings {
    Settings {
        name: "Hands".to_owned(),
        protocol: Protocol::Rsi,
        models: vec!["asap".to_owned()],
        baseline: Some("base".to_owned()),
        prompts: vec!["p-1".to_owned().try_into().unwrap()],
        cohort: Cohort::Open,
        votes_per_item: 1,
        gold_share: 0.0,
        consent: "Answers are published.".to_owned(),
        instructions: "Which is better?".to_owned(),
    }
}

fn items() -> Vec<Item> {
    let item = |seed: u8| Item {
        model: "asap".to_owned(),
        prompt_id: "p-1".to_owned().try_into().unwrap(),
        topic: Topic {
            category: Category::BasicAnatomy,
            subcategory: "hands".to_owned(),
        },
        seed: u64::from(seed),
        images: vec![
            Sha256::from_bytes([seed; 32]),
            Sha256::from_bytes([seed + 100; 32]),
        ],
        gold: None,
    };
    (0..N_ITEMS).map(item).collect()
}

/// A database `arena.db` with a campaign in which one rater has voted on everything.
async fn voted(sandbox: &Sandbox) {
    let url = format!("sqlite:{}", sandbox.path("arena.db").display());
    let db = Database::open(&url).await.unwrap();
    let now = UnixMs(1_000);
    let campaign = campaign::create(&db, &settings(), now).await.unwrap();
    item::add(&db, &campaign, &items(), now).await.unwrap();
    let joined = rater::join(&db, &campaign, None, Consent::Given, now)
        .await
        .unwrap();
    let votes = Votes::start(db.clone(), Secret::new(&[7; 32]).unwrap());
    loop {
        let assigned = votes.assign(&joined.rater.id, now).await.unwrap();
        let Some(next) = assigned.into_iter().next() else {
            break;
        };
        let vote = Vote {
            answer: Answer::Rsi(PairChoice::Left),
            response_ms: 900,
            is_zoomed: false,
        };
        votes
            .cast(&joined.rater.id, &next.ballot, vote, now)
            .await
            .unwrap();
    }
    drop(votes);
    db.close().await;
}

#[test]
fn a_log_is_followed_in_its_database_and_as_a_file() {
    let sandbox = Sandbox::new();
    tokio::runtime::Runtime::new().unwrap().block_on(voted(&sandbox));
    let verified = sandbox.json("votes verify sqlite:arena.db --tables");
    // A campaign, its items, a rater, a vote on each item.
    assert_eq!(verified["head"]["seq"], 2 + 2 * u64::from(N_ITEMS), "{verified}");
    assert_eq!(verified["differences"], serde_json::json!([]));
    sandbox.ok("votes export sqlite:arena.db --out votes.jsonl");
    let exported = sandbox.json("votes verify votes.jsonl");
    assert_eq!(exported["head"], verified["head"]);

    let text = String::from_utf8(sandbox.read("votes.jsonl")).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    let third: serde_json::Value = serde_json::from_str(lines[2]).unwrap();
    let hash = third["hash"].as_str().unwrap();
    let told = sandbox.ok(&format!("votes verify votes.jsonl --published {hash}"));
    assert!(told.contains("the published head is entry 3"), "{told}");

    let last: serde_json::Value = serde_json::from_str(lines[lines.len() - 1]).unwrap();
    let last_hash = last["hash"].as_str().unwrap();
    sandbox.write("cut.jsonl", &(lines[..lines.len() - 1].join("\n") + "\n"));
    sandbox.ok("votes verify cut.jsonl");
    let told = fails(
        &sandbox,
        &format!("votes verify cut.jsonl --published {last_hash}"),
    );
    assert!(
        told.contains("no entry of `cut.jsonl` has the published hash"),
        "{told}"
    );

    let changed = text.replacen("left", "right", 1);
    assert_ne!(changed, text);
    sandbox.write("changed.jsonl", &changed);
    let told = fails(&sandbox, "votes verify changed.jsonl");
    assert!(told.contains("of the log was changed"), "{told}");
    let told = fails(&sandbox, "votes export sqlite:arena.db --out votes.jsonl");
    assert!(told.contains("votes.jsonl"), "{told}");
    assert_eq!(String::from_utf8(sandbox.read("votes.jsonl")).unwrap(), text);
}

#[test]
fn a_database_that_is_not_there_is_not_made() {
    let sandbox = Sandbox::new();
    for line in [
        "votes verify sqlite:none.db",
        "votes export sqlite:none.db --out a.jsonl",
    ] {
        fails(&sandbox, line);
    }
    let told = fails(&sandbox, "votes verify none.jsonl");
    assert!(told.contains("none.jsonl"), "{told}");
    assert!(!sandbox.path("none.db").exists() && !sandbox.path("a.jsonl").exists());
}

/// What a command says that must fail.
fn fails(sandbox: &Sandbox, line: &str) -> String {
    let run = sandbox.asap(line);
    assert_eq!(run.code, Some(1), "`asap {line}`\n{}", run.snapshot());
    assert!(run.stderr.starts_with("error: "), "{}", run.stderr);
    run.stderr
}
