//! A vote that was acknowledged survives the end of the process that stored it.

use std::collections::BTreeSet;
use std::io::{BufRead as _, BufReader};
use std::path::PathBuf;
use std::process::{Command, Stdio};

use asap_arena::{Database, campaign, export};

/// `examples/cast.rs`, which `cargo test` builds beside the tests.
fn caster() -> PathBuf {
    let mut path = std::env::current_exe().unwrap();
    path.pop();
    path.pop();
    path.push("examples");
    path.push(format!("cast{}", std::env::consts::EXE_SUFFIX));
    assert!(
        path.exists(),
        "`{}` is missing: build it with `cargo build -p asap-arena --examples`",
        path.display()
    );
    path
}

/// Kills the caster in the middle of its work, after so many votes; what it had acknowledged, as `RATER ITEM`.
fn cast_and_kill(url: &str, after: usize) -> Vec<String> {
    let mut child = Command::new(caster())
        .arg(url)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut acknowledged: Vec<String> = lines.by_ref().take(after).map(Result::unwrap).collect();
    assert_eq!(acknowledged.len(), after, "the caster ended by itself");
    // On Unix this is SIGKILL: nothing is flushed or closed.
    child.kill().unwrap();
    // A line that was torn is none: the pipe took less than the whole name.
    acknowledged.extend(
        lines
            .map_while(Result::ok)
            .filter(|line| line.len() == 32 + 1 + 32),
    );
    assert!(!child.wait().unwrap().success());
    acknowledged
}

#[tokio::test]
async fn a_killed_server_loses_no_acknowledged_vote() {
    let folder = tempfile::tempdir().unwrap();
    let url = format!("sqlite:{}", folder.path().join("arena.db").display());
    let mut acknowledged = BTreeSet::new();
    for after in [1, 40, 150] {
        acknowledged.extend(cast_and_kill(&url, after));
        let db = Database::open(&url).await.unwrap();
        let replay = export::Replay::of(&db).await.unwrap();
        let mut stored = BTreeSet::new();
        for campaign in campaign::list(&db).await.unwrap() {
            stored.extend(
                replay
                    .counted(&campaign.id)
                    .map(|vote| format!("{} {}", vote.rater, vote.item_id)),
            );
        }
        let lost: Vec<_> = acknowledged.difference(&stored).collect();
        assert!(
            lost.is_empty(),
            "{} of {} lost: {lost:?}",
            lost.len(),
            acknowledged.len()
        );
        export::verify(&db, None).await.unwrap().unwrap();
        assert_eq!(export::differences(&db).await.unwrap(), Vec::<String>::new());
        db.close().await;
    }
}
