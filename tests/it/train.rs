//! `asap-train` on a small dataset: from pairs to an adapter and a report, killed and resumed, in two processes.

use std::path::PathBuf;
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::harness::{Run, Sandbox, wait_until};

/// Enough to go through everything, and no more.
const SMALL: [&str; 9] = [
    "model.base_steps=2",
    "model.resolution_px=64",
    "run.steps=6",
    "run.batch_pairs=4",
    "run.save_every_steps=1",
    "run.eval_every_steps=2",
    "run.n_held_out=2",
    "run.sample_every_steps=6",
    "optimiser.warmup_steps=1",
];

/// The program, where it was built; where libtorch could not be had the test says so and does nothing.
pub(crate) fn program() -> Option<PathBuf> {
    let found = std::env::var_os("ASAP_TRAIN_BIN")
        .map(PathBuf::from)
        .filter(|path| path.is_file());
    let is_required =
        std::env::var("ASAP_REQUIRE").is_ok_and(|list| list.split(',').any(|name| name == "torch"));
    assert!(
        found.is_some() || !is_required,
        "ASAP_TRAIN_BIN names no program, and ASAP_REQUIRE asks for it"
    );
    if found.is_none() {
        eprintln!("skipped: ASAP_TRAIN_BIN names no program");
    }
    found
}

/// A sandbox with a curated dataset `a.lance`.
pub(crate) fn sandbox() -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.ok("synth figures --n 24 --seed 4 --size 256 --out a.lance --quiet");
    sandbox.ok("curate a.lance --quiet");
    sandbox
}

pub(crate) fn command(program: &PathBuf, sandbox: &Sandbox, words: &str) -> Command {
    let mut command = Command::new(program);
    command
        .args(words.split_whitespace())
        .current_dir(sandbox.path(""))
        .stdin(Stdio::null());
    for name in ["RANK", "WORLD_SIZE", "LOCAL_RANK", "LD_LIBRARY_PATH"] {
        command.env_remove(name);
    }
    command
}

/// The command line of a small run.
pub(crate) fn small(out: &str) -> String {
    let sets: Vec<String> = SMALL.iter().map(|set| format!("--set {set}")).collect();
    format!(
        "--preset tiny --data a.lance --threads 1 --out {out} {}",
        sets.join(" ")
    )
}

fn steps(sandbox: &Sandbox, run: &str) -> Vec<Value> {
    let text = String::from_utf8(sandbox.read(&format!("{run}/telemetry.jsonl"))).unwrap();
    let records = text
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap());
    records.filter(|record| record["kind"] == "step").collect()
}

#[test]
fn a_run_ends_with_an_adapter_and_a_report_and_goes_on_after_a_kill() {
    let Some(program) = program() else { return };
    let sandbox = sandbox();
    let Run { code, stdout, stderr } = Run::of(&mut command(&program, &sandbox, &small("whole")));
    assert_eq!(code, Some(0), "{stderr}");
    assert!(stdout.contains("adapter: whole/checkpoints/step-"), "{stdout}");
    assert!(stderr.contains("step-0 proof: delta is exactly 0"), "{stderr}");
    let page = String::from_utf8(sandbox.read("whole/report/index.html")).unwrap();
    assert!(page.contains("Held-out"), "the report has no held-out pairs");
    assert_eq!(steps(&sandbox, "whole").len(), 6);

    // The base is the same: it is not trained twice.
    fs_err::create_dir_all(sandbox.path("killed")).unwrap();
    copy_folder(&sandbox.path("whole/base"), &sandbox.path("killed/base"));
    let mut child = command(&program, &sandbox, &small("killed"))
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    wait_until("it did not come", || {
        sandbox
            .path("killed/checkpoints/step-000002/state.json")
            .is_file()
    });
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(
        !sandbox.path("killed/checkpoints/step-000006").exists(),
        "it was killed too late to show anything"
    );
    let Run { code, stderr, .. } = Run::of(&mut command(&program, &sandbox, "--resume killed --threads 1"));
    assert_eq!(code, Some(0), "{stderr}");
    for file in ["weights.safetensors", "optimiser.safetensors"] {
        let path = format!("checkpoints/step-000006/{file}");
        assert!(
            sandbox.read(&format!("whole/{path}")) == sandbox.read(&format!("killed/{path}")),
            "`{file}` of the resumed run differs"
        );
    }
    let losses = |run: &str| -> Vec<f64> {
        steps(&sandbox, run)
            .iter()
            .map(|step| step["loss"].as_f64().unwrap())
            .collect()
    };
    assert_eq!(losses("whole"), losses("killed"));

    for format in ["diffusers", "kohya", "comfyui"] {
        let line = format!(
            "export --lora whole/checkpoints/step-000006/adapter.safetensors --format {format} --out {format}.safetensors"
        );
        let Run { code, stdout, stderr } = Run::of(&mut command(&program, &sandbox, &line));
        assert_eq!(code, Some(0), "{stderr}");
        assert!(
            stdout.contains("read back, the largest difference is"),
            "{stdout}"
        );
    }
}

#[cfg(unix)]
#[test]
fn a_run_that_is_terminated_saves_its_step_and_says_that_it_is_not_done() {
    let Some(program) = program() else { return };
    let sandbox = sandbox();
    // Far more steps than there is time for, and no checkpoint but the one that the signal asks for.
    let words = format!(
        "{} --set run.steps=100000 --set run.save_every_steps=100000 --set run.eval_every_steps=100000",
        small("run")
    );
    let child = command(&program, &sandbox, &words)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    wait_until("it made no step", || {
        sandbox.path("run/telemetry.jsonl").is_file() && !steps_so_far(&sandbox, "run").is_empty()
    });
    let pid = child.id().to_string();
    assert!(
        Command::new("kill")
            .args(["-TERM", &pid])
            .status()
            .unwrap()
            .success()
    );
    let output = child.wait_with_output().unwrap();
    let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(143), "{stderr}");
    assert!(stderr.contains("`--resume run` goes on"), "{stderr}");
    let last = steps(&sandbox, "run").last().unwrap()["step"].as_u64().unwrap();
    let state = format!("run/checkpoints/step-{last:06}/state.json");
    assert!(sandbox.path(&state).is_file(), "`{state}` is missing");
    let record: Value = serde_json::from_slice(&sandbox.read("run/run.json")).unwrap();
    let commit = record["commit"].as_str().unwrap_or_default();
    assert!(commit.is_empty() || commit.len() == 40, "commit `{commit}`");
}

/// As [`steps`], while a run writes: a last line that is not whole yet does not count.
fn steps_so_far(sandbox: &Sandbox, run: &str) -> Vec<Value> {
    let text = String::from_utf8(sandbox.read(&format!("{run}/telemetry.jsonl"))).unwrap();
    let records = text
        .lines()
        .filter_map(|line| serde_json::from_str::<Value>(line).ok());
    records.filter(|record| record["kind"] == "step").collect()
}

#[test]
fn two_processes_follow_the_losses_of_one() {
    let Some(program) = program() else { return };
    let sandbox = sandbox();
    let Run { code, stderr, .. } = Run::of(&mut command(&program, &sandbox, &small("one")));
    assert_eq!(code, Some(0), "{stderr}");
    let port = std::net::TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .port();
    let children: Vec<_> = (0..2)
        .map(|rank| {
            command(&program, &sandbox, &small("two"))
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
        assert!(
            output.status.success(),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
    }
    let numbers = |run: &str, key: &str| -> Vec<f64> {
        steps(&sandbox, run)
            .iter()
            .map(|step| step[key].as_f64().unwrap())
            .collect()
    };
    for key in ["loss", "grad_norm"] {
        for (one, two) in numbers("one", key).iter().zip(numbers("two", key)) {
            assert!(
                (one - two).abs() <= 1e-5 * one.abs().max(1e-6),
                "{key}: {one} and {two}"
            );
        }
    }
}

#[test]
fn what_cannot_be_run_is_told_in_one_line() {
    let Some(program) = program() else { return };
    let sandbox = Sandbox::new();
    let told = |words: &str| {
        let Run { code, stderr, .. } = Run::of(&mut command(&program, &sandbox, words));
        assert_eq!(code, Some(1), "{stderr}");
        stderr
    };
    let stderr = told("--preset tiny --out r");
    assert!(stderr.contains("no dataset: name one by `--data`"), "{stderr}");
    let stderr = told("--preset flux --out r");
    assert!(stderr.contains("`flux-asap`"), "{stderr}");
    let stderr = told("--preset tiny --out r --set objective.tua=1");
    assert!(stderr.contains("objective.tau"), "{stderr}");
    let stderr = told("--preset tiny --data nowhere.lance --out r");
    assert!(stderr.contains("`nowhere.lance` is not there"), "{stderr}");
    let stderr = told("--resume r");
    assert!(stderr.contains("`r`"), "{stderr}");
    let stderr = told("export --lora no.safetensors --format kohya --out k.safetensors");
    assert!(stderr.contains("no.safetensors"), "{stderr}");
    assert_eq!(stderr.lines().count(), 1, "{stderr}");
}

pub(crate) fn copy_folder(from: &std::path::Path, to: &std::path::Path) {
    fs_err::create_dir_all(to).unwrap();
    for entry in fs_err::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy_folder(&entry.path(), &target);
        } else {
            fs_err::copy(entry.path(), target).unwrap();
        }
    }
}
