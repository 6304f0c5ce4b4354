//! `asap-train --doctor` on rendered pairs: table, files, and a run in the same folder afterwards.

use std::path::PathBuf;
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::harness::{Run, Sandbox};
use crate::train::program;

fn run(program: &PathBuf, sandbox: &Sandbox, line: &str) -> Run {
    let mut command = Command::new(program);
    command
        .args(line.split_whitespace())
        .current_dir(sandbox.path(""))
        .stdin(Stdio::null())
        .env_remove("LD_LIBRARY_PATH");
    Run::of(&mut command)
}

#[test]
fn rendered_pairs_are_fit_and_their_folder_takes_a_run() {
    let Some(program) = program() else { return };
    let sandbox = Sandbox::new();
    sandbox.ok("synth figures --n 12 --seed 4 --size 256 --out a.lance --quiet");
    sandbox.ok("curate a.lance --quiet");
    let line = "--preset tiny --data a.lance --out r --threads 1";

    let Run { code, stdout, stderr } = run(&program, &sandbox, &format!("{line} --doctor"));
    assert_eq!(code, Some(0), "{stdout}{stderr}");
    assert!(stdout.contains("mask.inverted"), "{stdout}");
    assert!(stdout.contains("checks with bad pairs: 0 error"), "{stdout}");
    let page: Value = serde_json::from_slice(&sandbox.read("r/doctor.json")).unwrap();
    let pairs = page["pairs"].as_array().unwrap();
    assert_eq!(page["n_pairs"], pairs.len());
    for pair in pairs {
        // Outside of its box a rejected image is the preferred one, byte for byte.
        assert_eq!(pair["mask_part"]["outside"]["max"], 0, "{pair}");
        assert!(
            pair["mask_part"]["inside"]["mean"].as_f64().unwrap() > 0.0,
            "{pair}"
        );
    }
    let sheet = image::load_from_memory(&sandbox.read("r/doctor.png")).unwrap();
    assert!(sheet.width() > 1000, "{} px", sheet.width());

    let few = run(&program, &sandbox, &format!("{line} --doctor --doctor-pairs 2"));
    assert_eq!(few.code, Some(0), "{}", few.stderr);
    let page: Value = serde_json::from_slice(&sandbox.read("r/doctor.json")).unwrap();
    assert_eq!(page["n_pairs"], 2);

    // What the doctor wrote does not make the folder a foreign one.
    let short = "--set model.base_steps=1 --set model.resolution_px=64 --set run.steps=2 --set optimiser.warmup_steps=1";
    let trained = run(&program, &sandbox, &format!("{line} {short}"));
    assert_eq!(trained.code, Some(0), "{}", trained.stderr);
    assert!(sandbox.path("r/doctor.json").is_file());
}

#[test]
fn options_that_contradict_each_other_are_refused() {
    let Some(program) = program() else { return };
    let sandbox = Sandbox::new();
    for line in [
        "--out r --doctor --force",
        "--out r --doctor-pairs 3",
        "--out r --doctor --doctor-pairs 0",
    ] {
        let Run { code, stderr, .. } = run(&program, &sandbox, line);
        assert_eq!(code, Some(2), "{line}: {stderr}");
    }
}
