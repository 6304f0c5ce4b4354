//! `asap-train generate`: a folder that `asap bench` takes as it is, with the same bytes however it came to be.

use std::path::{Path, PathBuf};
use std::process::Stdio;

use serde_json::Value;

use crate::harness::{Run, Sandbox, wait_until};
use crate::train::{command, copy_folder, program, sandbox, small};

const N_PROMPTS: usize = 3;

/// Prompts, a tiny base and an adapter in `run`.
fn trained(program: &PathBuf) -> Sandbox {
    let sandbox = sandbox();
    let Run { code, stderr, .. } = Run::of(&mut command(program, &sandbox, &small("run")));
    assert_eq!(code, Some(0), "{stderr}");
    let row = |idx: usize| {
        format!(
            r#"{{"id":"p-{idx}","category":"full_body","subcategory":"s","factors":[],"prompt":"a person waves, number {idx}","regions":["hands"],"persons":1,"hands_expected":{{"min":1,"max":2}},"framing":"half_body","difficulty":1,"lang":"en","source":"human","license":"CC0-1.0","added":"1.0.0"}}"#
        ) + "\n"
    };
    sandbox.write("prompts.jsonl", (0..N_PROMPTS).map(row).collect::<String>());
    sandbox
}

const ADAPTER: &str = "run/checkpoints/step-000006/adapter.safetensors";

fn line(out: &str, rest: &str) -> String {
    format!(
        "generate --base run/base --prompts prompts.jsonl --seeds 0,1 --height 64 --threads 1 --out {out} {} {} {rest}",
        if rest.contains("--steps") { "" } else { "--steps 4" },
        if rest.contains("--width") {
            ""
        } else {
            "--width 64"
        },
    )
}

fn draw(program: &PathBuf, sandbox: &Sandbox, out: &str, rest: &str) -> String {
    let Run { code, stdout, stderr } = Run::of(&mut command(program, sandbox, &line(out, rest)));
    assert_eq!(code, Some(0), "{stderr}");
    stdout
}

/// All files below a folder with their bytes.
fn files(folder: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(next) = folders.pop() {
        for entry in fs_err::read_dir(next).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                let name = path.strip_prefix(folder).unwrap().to_owned();
                found.push((name, fs_err::read(path).unwrap()));
            }
        }
    }
    found.sort();
    found
}

fn images(sandbox: &Sandbox, out: &str) -> Vec<(PathBuf, Vec<u8>)> {
    files(&sandbox.path(&format!("{out}/images")))
}

fn same(sandbox: &Sandbox, a: &str, b: &str) {
    let (a, b) = (files(&sandbox.path(a)), files(&sandbox.path(b)));
    let names = |files: &[(PathBuf, Vec<u8>)]| files.iter().map(|(name, _)| name.clone()).collect::<Vec<_>>();
    assert_eq!(names(&a), names(&b));
    for ((name, a), (_, b)) in a.iter().zip(&b) {
        assert!(a == b, "`{}` differs", name.display());
    }
}

#[test]
fn images_are_a_run_of_the_benchmark_with_the_same_bytes_however_they_came_to_be() {
    let Some(program) = program() else { return };
    let sandbox = trained(&program);
    let stdout = draw(&program, &sandbox, "whole", "");
    assert_eq!(stdout, "`whole`: 6 images drawn, 6 of 6 there\n");
    let manifest: Value = serde_json::from_slice(&sandbox.read("whole/run.json")).unwrap();
    assert_eq!(manifest["model"], "tiny");
    assert_eq!(manifest["generator"]["kind"], "asap-train");
    assert_eq!(manifest["generator"]["settings"]["n_steps"], 4);
    let record: Value = serde_json::from_slice(&sandbox.read("run/run.json")).unwrap();
    assert_eq!(
        manifest["generator"]["settings"]["base_hash"],
        record["base_hash"]
    );
    for image in manifest["images"].as_array().unwrap() {
        assert_eq!((&image["width"], &image["height"]), (&64.into(), &64.into()));
    }
    check_as_the_benchmark_does(&sandbox, &manifest);

    // Nothing is drawn twice, and a second folder is the first.
    let stdout = draw(&program, &sandbox, "whole", "");
    assert_eq!(stdout, "`whole`: 0 images drawn, 6 of 6 there\n");
    draw(&program, &sandbox, "again", "");
    same(&sandbox, "whole", "again");

    // Shards, in the other order.
    let stdout = draw(&program, &sandbox, "shards", "--shard 1/2");
    assert!(stdout.contains("3 images drawn, 3 of 6 there"), "{stdout}");
    draw(&program, &sandbox, "shards", "--shard 0/2");
    same(&sandbox, "whole", "shards");

    // Killed after its first image.
    let mut child = command(&program, &sandbox, &line("killed", "--steps 40"))
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    wait_until("no image came", || {
        sandbox.path("killed/images/p-0/0.png").is_file()
    });
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(
        images(&sandbox, "killed").len() < 6,
        "it was killed too late to show anything"
    );
    draw(&program, &sandbox, "killed", "--steps 40");
    draw(&program, &sandbox, "slow", "--steps 40");
    same(&sandbox, "killed", "slow");
}

/// The benchmark scores the folder as it is, and lists the same images, prompts and rules where it adopts them.
fn check_as_the_benchmark_does(sandbox: &Sandbox, manifest: &Value) {
    copy_folder(&sandbox.path("whole"), &sandbox.path("adopted"));
    copy_folder(&sandbox.path("whole"), &sandbox.path("scored"));
    let weights = Path::new(env!("CARGO_MANIFEST_DIR")).join("../crates/asap-metrics/tests/golden/scorers");
    let report = sandbox.json(&format!(
        "bench score scored --weights {} --scorers aesthetic",
        weights.display()
    ));
    assert_eq!(report[0]["n_images"], 6);
    fs_err::remove_file(sandbox.path("adopted/run.json")).unwrap();
    sandbox.ok("bench adopt adopted --model tiny --prompts prompts.jsonl");
    let adopted: Value = serde_json::from_slice(&sandbox.read("adopted/run.json")).unwrap();
    for key in ["schema", "model", "protocol", "benchmark", "seeds", "images"] {
        assert_eq!(manifest[key], adopted[key], "{key}");
    }
}

#[test]
fn an_adapter_changes_images_by_its_scale_and_what_does_not_fit_is_told() {
    let Some(program) = program() else { return };
    let sandbox = trained(&program);
    draw(&program, &sandbox, "base", "");
    draw(
        &program,
        &sandbox,
        "none",
        &format!("--lora {ADAPTER} --lora-scale 0"),
    );
    assert!(
        images(&sandbox, "base") == images(&sandbox, "none"),
        "a scale of 0 changes images"
    );
    // The adapter of a short run is small: its effect is made large enough to be seen in 8 bits.
    draw(
        &program,
        &sandbox,
        "lora",
        &format!("--lora {ADAPTER} --lora-scale 1000"),
    );
    for (base, lora) in images(&sandbox, "base").iter().zip(images(&sandbox, "lora")) {
        assert!(
            base.1 != lora.1,
            "`{}` is as without the adapter",
            lora.0.display()
        );
    }
    let manifest: Value = serde_json::from_slice(&sandbox.read("lora/run.json")).unwrap();
    assert_eq!(manifest["model"], "tiny+run-step-000006");
    let settings = &manifest["generator"]["settings"];
    assert_eq!(settings["lora_scale"], 1000.0);
    let hash =
        asap_core::Sha256::from_bytes(<sha2::Sha256 as sha2::Digest>::digest(sandbox.read(ADAPTER)).into());
    assert_eq!(settings["lora_sha256"], hash.to_string());

    let told = |out: &str, rest: &str| {
        let Run { code, stderr, .. } = Run::of(&mut command(&program, &sandbox, &line(out, rest)));
        assert_eq!(code, Some(1), "{stderr}");
        let lines: Vec<&str> = stderr
            .lines()
            .filter(|line| line.starts_with("error: "))
            .collect();
        assert_eq!(lines.len(), 1, "{stderr}");
        lines[0].to_owned()
    };
    let error = told("base", "--steps 5");
    assert!(
        error.contains("was begun with `n_steps` 4: expected the same, got 5"),
        "{error}"
    );
    let error = told("x", "--width 60");
    assert!(
        error.contains("`--width 60`: expected a multiple of 16 pixels"),
        "{error}"
    );
    let error = told("x", "--guidance 3");
    assert!(error.contains("embeds none"), "{error}");
    let error = told("x", "--backbone sdxl");
    assert!(
        error.contains("holds a base of the backbone `tiny`: expected `sdxl`"),
        "{error}"
    );
    let error = told("run", "");
    assert!(
        error.contains("`run/run.json` is not that of a folder of images"),
        "{error}"
    );
    let error = told("x", "--lora prompts.jsonl");
    assert!(error.contains("`prompts.jsonl`"), "{error}");
    assert!(!sandbox.path("x").exists(), "a refused call left a folder");

    // An image that was changed since is not taken for a drawn one.
    sandbox.write("base/images/p-0/0.png", b"other");
    let error = told("base", "");
    assert!(error.contains("`base/images/p-0/0.png` was changed"), "{error}");
}
