//! The reference cache of `asap-train`: filled once, found by other settings, never by another base, and sweeps on it.

use std::path::PathBuf;
use std::process::Stdio;

use serde_json::Value;

use crate::harness::{Run, Sandbox, wait_until};
use crate::train::{command, copy_folder, program, sandbox, small};

/// 6 steps of 4 pairs, and 2 held-out pairs at 4 draws each.
const N_DRAWS: u64 = 32;

const ON: &str = "--set run.reference_cache=on";

fn run(program: &PathBuf, sandbox: &Sandbox, words: &str) -> Run {
    Run::of(&mut command(program, sandbox, words))
}

fn done(program: &PathBuf, sandbox: &Sandbox, words: &str) -> Run {
    let run = run(program, sandbox, words);
    assert_eq!(run.code, Some(0), "{}", run.stderr);
    run
}

/// Draws found, computed and verified, as a line tells them.
fn counts(line: &str) -> [u64; 3] {
    let line = line.split_once("reference cache: ").unwrap().1;
    let numbers: Vec<u64> = line
        .split(|c: char| !c.is_ascii_digit())
        .filter_map(|word| word.parse().ok())
        .collect();
    numbers[..3].try_into().unwrap()
}

/// The counts in the telemetry of a run; the last ones, where it was resumed.
fn told(sandbox: &Sandbox, run: &str) -> [u64; 3] {
    let text = String::from_utf8(sandbox.read(&format!("{run}/telemetry.jsonl"))).unwrap();
    let mut notes = text
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap())
        .filter_map(|record| record["text"].as_str().map(str::to_owned))
        .filter(|text| text.starts_with("reference cache: "));
    counts(&notes.next_back().unwrap())
}

fn weights(sandbox: &Sandbox, run: &str) -> Vec<u8> {
    sandbox.read(&format!("{run}/checkpoints/step-000006/weights.safetensors"))
}

fn share_base(sandbox: &Sandbox, from: &str, to: &str) {
    fs_err::create_dir_all(sandbox.path(to)).unwrap();
    copy_folder(
        &sandbox.path(&format!("{from}/base")),
        &sandbox.path(&format!("{to}/base")),
    );
}

#[test]
fn other_settings_find_all_draws_and_train_the_same_bits() {
    let Some(program) = program() else { return };
    let sandbox = sandbox();
    let first = done(&program, &sandbox, &format!("{} {ON}", small("first")));
    assert!(
        first.stderr.contains("step-0 proof: delta is exactly 0"),
        "{}",
        first.stderr
    );
    assert_eq!(told(&sandbox, "first"), [0, N_DRAWS, 0]);

    let others = "--set objective.tau=0.002 --set objective.alpha=3 --set lora.rank=4 --set lora.alpha=4 \
                  --set optimiser.learning_rate=2e-4";
    for (out, cache) in [("found", ON), ("plain", "")] {
        share_base(&sandbox, "first", out);
        done(&program, &sandbox, &format!("{} {others} {cache}", small(out)));
    }
    assert_eq!(told(&sandbox, "found"), [N_DRAWS, 0, 1]);
    assert!(
        weights(&sandbox, "found") == weights(&sandbox, "plain"),
        "the cache changed what was trained"
    );

    // Another base: nothing is found, and nothing of the first is lost.
    let other_base = format!("{} {ON} --set model.base_steps=3", small("base"));
    done(&program, &sandbox, &other_base);
    assert_eq!(told(&sandbox, "base"), [0, N_DRAWS, 0]);

    // Killed between two checkpoints, a run goes on to the same bits.
    share_base(&sandbox, "first", "killed");
    let mut child = command(&program, &sandbox, &format!("{} {others} {ON}", small("killed")))
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    wait_until("no second checkpoint came", || {
        sandbox
            .path("killed/checkpoints/step-000002/state.json")
            .is_file()
    });
    child.kill().unwrap();
    child.wait().unwrap();
    done(&program, &sandbox, "--resume killed --threads 1");
    assert!(
        weights(&sandbox, "killed") == weights(&sandbox, "plain"),
        "the resumed run differs"
    );
    assert_eq!(told(&sandbox, "killed")[1], 0);

    // Torn: told what to delete, and the run is not begun.
    let data = sandbox.path("a.cache/reference.lance/data");
    let file = fs_err::read_dir(&data).unwrap().next().unwrap().unwrap().path();
    let bytes = fs_err::read(&file).unwrap();
    fs_err::write(&file, &bytes[..bytes.len() - 9]).unwrap();
    let torn = run(&program, &sandbox, &format!("{} {ON}", small("torn")));
    assert_eq!(torn.code, Some(1), "{}", torn.stderr);
    assert!(
        torn.stderr.contains("delete that folder, and it is filled anew"),
        "{}",
        torn.stderr
    );
    // A folder of something else is left alone.
    fs_err::create_dir_all(sandbox.path("photos")).unwrap();
    sandbox.write("photos/a.jpg", b"x");
    let foreign = run(
        &program,
        &sandbox,
        &format!("{} {ON} --set data.cache=photos", small("foreign")),
    );
    assert_eq!(foreign.code, Some(1), "{}", foreign.stderr);
    assert!(foreign.stderr.contains("it holds `a.jpg`"), "{}", foreign.stderr);
}

#[test]
fn a_cache_is_filled_without_training_and_goes_on_after_a_kill() {
    let Some(program) = program() else { return };
    let sandbox = sandbox();
    let line = format!("cache {}", small("run"));
    let mut child = command(&program, &sandbox, &line)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let n_files =
        || fs_err::read_dir(sandbox.path("a.cache/reference.lance/data")).map_or(0, |names| names.count());
    wait_until("nothing was kept", || n_files() >= 2);
    child.kill().unwrap();
    child.wait().unwrap();
    let [n_found, n_computed, _] = counts(&done(&program, &sandbox, &line).stdout);
    assert_eq!(n_found + n_computed, N_DRAWS);
    assert!(n_found >= 4, "what was kept before the kill is lost: {n_found}");
    assert_eq!(
        counts(&done(&program, &sandbox, &line).stdout),
        [N_DRAWS, 0, 0],
        "a filled cache is filled again"
    );
    assert!(
        !sandbox.path("run/run.json").exists(),
        "the command trained something"
    );
    done(&program, &sandbox, &format!("{} {ON}", small("run")));
    assert_eq!(told(&sandbox, "run"), [N_DRAWS, 0, 1]);
}

#[test]
fn two_processes_fill_one_cache() {
    let Some(program) = program() else { return };
    let sandbox = sandbox();
    let port = std::net::TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .port();
    let children: Vec<_> = (0..2)
        .map(|rank| {
            command(&program, &sandbox, &format!("{} {ON}", small("two")))
                .env("RANK", rank.to_string())
                .env("LOCAL_RANK", rank.to_string())
                .env("WORLD_SIZE", "2")
                .env("MASTER_ADDR", "127.0.0.1")
                .env("MASTER_PORT", port.to_string())
                .stdout(Stdio::piped())
                .stderr(Stdio::piped())
                .spawn()
                .unwrap()
        })
        .collect();
    for child in children {
        let output = child.wait_with_output().unwrap();
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{stderr}");
    }
    assert_eq!(told(&sandbox, "two"), [0, N_DRAWS, 0]);
    share_base(&sandbox, "two", "one");
    done(&program, &sandbox, &format!("{} {ON}", small("one")));
    assert_eq!(told(&sandbox, "one"), [N_DRAWS, 0, 1]);
}

#[test]
fn a_sweep_asks_the_base_once_and_compares_its_runs() {
    let Some(program) = program() else { return };
    let sandbox = sandbox();
    let line = format!("sweep {} --tau 0.001,0.003", small("sweep"));
    let first = done(&program, &sandbox, &line);
    assert!(first.stdout.contains("objective.tau"), "{}", first.stdout);
    assert!(
        first.stdout.contains("comparison: sweep/comparison/index.html"),
        "{}",
        first.stdout
    );
    assert_eq!(told(&sandbox, "sweep/tau-0.001"), [0, N_DRAWS, 0]);
    assert_eq!(told(&sandbox, "sweep/tau-0.003"), [N_DRAWS, 0, 1]);
    let data: Value = serde_json::from_slice(&sandbox.read("sweep/comparison/data.json")).unwrap();
    let rows = data["rows"].as_array().unwrap();
    let values: Vec<&str> = rows.iter().map(|row| row["value"].as_str().unwrap()).collect();
    assert_eq!(values, ["0.001", "0.003"]);
    for row in rows {
        assert_eq!(row["held_out"]["n"], 2);
        assert_eq!(row["n_steps_done"], 6);
        assert!(row["winner_advantage"]["mean"].is_number(), "{row}");
    }
    let page = String::from_utf8(sandbox.read("sweep/comparison/index.html")).unwrap();
    assert!(page.contains("../tau-0.003/report/index.html"));
    assert!(
        !page.contains("http://") && !page.contains("https://"),
        "the page asks the network"
    );

    // Again: nothing is trained, and the page is the same.
    let again = done(&program, &sandbox, &line);
    assert_eq!(
        again.stderr.matches("complete already").count(),
        2,
        "{}",
        again.stderr
    );
    assert_eq!(again.stdout, first.stdout);
    assert_eq!(page.as_bytes(), sandbox.read("sweep/comparison/index.html"));

    // Another value joins; other settings do not.
    done(&program, &sandbox, &format!("{line},0.01"));
    assert_eq!(told(&sandbox, "sweep/tau-0.01"), [N_DRAWS, 0, 1]);
    let other = run(&program, &sandbox, &format!("{line} --set lora.rank=4"));
    assert_eq!(other.code, Some(1), "{}", other.stderr);
    assert!(
        other
            .stderr
            .contains("holds a run of other settings: `lora.rank`"),
        "{}",
        other.stderr
    );
}
