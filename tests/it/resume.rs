//! Runs that are cut short, and runs that get in each other's way.

use std::process::Command;
use std::time::Duration;

use crate::harness::{Running, Sandbox};
use crate::synth::ids;

const BUILD: &str = "synth figures --n 60 --seed 3 --size 320 --jobs 2";

#[test]
fn a_killed_build_is_continued_without_duplicates() {
    let sandbox = Sandbox::new();
    let mut building = sandbox.start(&format!("{BUILD} --out cut.lance"));
    wait_for_pairs(&sandbox, "cut.lance", &mut building);
    building.child.kill().unwrap();
    drop(building);

    assert_eq!(sandbox.asap("data verify cut.lance").code, Some(0));
    let before = ids(&sandbox, "cut.lance");
    let report = sandbox.json(&format!("{BUILD} --out cut.lance"));
    assert_eq!(report["n_present"].as_u64(), Some(before.len() as u64));
    assert!(
        report["n_made"].as_u64().unwrap() > 0,
        "the build was over before it was killed: {report}"
    );

    sandbox.ok(&format!("{BUILD} --out whole.lance"));
    let whole = ids(&sandbox, "whole.lance");
    assert!(whole.is_superset(&before));
    assert_eq!(ids(&sandbox, "cut.lance"), whole);
    assert_eq!(
        sandbox.json("data verify cut.lance")["digests"],
        sandbox.json("data verify whole.lance")["digests"]
    );
    let again = sandbox.json(&format!("{BUILD} --out cut.lance"));
    assert_eq!(again["n_made"], 0);
    assert_eq!(again["n_present"].as_u64(), Some(whole.len() as u64));
}

#[test]
fn ctrl_c_ends_in_order_and_says_how_to_go_on() {
    let sandbox = Sandbox::new();
    let mut building = sandbox.start(&format!("{BUILD} --out cut.lance"));
    wait_for_pairs(&sandbox, "cut.lance", &mut building);
    interrupt(&building);
    let run = building.wait();
    assert_eq!(run.code, Some(1), "{}", run.snapshot());
    let stored = ids(&sandbox, "cut.lance").len();
    assert_eq!(
        run.stderr,
        format!(
            "stopping after what is under way; Ctrl-C again stops at once\n\
             error: interrupted; `cut.lance` holds {stored} new pairs\n\
             hint: run the same command again to continue\n"
        )
    );
    assert_eq!(sandbox.asap("data verify cut.lance").code, Some(0));
}

#[test]
fn a_second_writer_is_told_to_wait() {
    let sandbox = Sandbox::new();
    let mut building = sandbox.start(&format!("{BUILD} --out a.lance"));
    wait_for_pairs(&sandbox, "a.lance", &mut building);
    let second = sandbox.asap("synth figures --n 2 --seed 99 --size 256 --out a.lance");
    assert!(
        building.child.try_wait().unwrap().is_none(),
        "the first writer was over too early"
    );
    assert_eq!(second.code, Some(1), "{}", second.snapshot());
    assert!(
        second.stderr.starts_with("error: `a.lance` is being written by "),
        "{}",
        second.stderr
    );
    assert_eq!(second.stderr.lines().count(), 1, "{}", second.stderr);

    let first = building.wait();
    assert_eq!(first.code, Some(0), "{}", first.snapshot());
    assert_eq!(sandbox.asap("data verify a.lance").code, Some(0));
    // Now there is room for the second one.
    let before = ids(&sandbox, "a.lance");
    sandbox.ok("synth figures --n 2 --seed 99 --size 256 --out a.lance");
    assert!(ids(&sandbox, "a.lance").is_superset(&before));
}

/// Waits until some pairs are stored, by asking; fails when the build ends before.
fn wait_for_pairs(sandbox: &Sandbox, dataset: &str, building: &mut Running) {
    loop {
        let stats = sandbox.asap(&format!("data stats {dataset} --json"));
        if stats.code == Some(0) {
            let stats: serde_json::Value = serde_json::from_str(&stats.stdout).unwrap();
            if stats["n_pairs"].as_u64().unwrap() > 0 {
                return;
            }
        }
        assert!(
            building.child.try_wait().unwrap().is_none(),
            "the build ended before it stored a pair"
        );
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// What Ctrl-C does.
pub(crate) fn interrupt(running: &Running) {
    let status = Command::new("kill")
        .args(["-INT", &running.child.id().to_string()])
        .status()
        .unwrap();
    assert!(status.success());
}
