//! A run's folder under everything that can happen to it.

use std::io::Write as _;

use serde_json::json;

use super::*;

pub(crate) fn record() -> RunRecord {
    RunRecord {
        toolkit_version: "0.1.0".to_owned(),
        commit: Some("0123456789abcdef".to_owned()),
        backbone: "flux".to_owned(),
        base: "tiny".to_owned(),
        base_hash: "ab".repeat(32),
        data: "demo.lance".to_owned(),
        data_version: 3,
        data_sha256: "cd".repeat(32),
        n_pairs: 240,
        objective: "bounded-local".to_owned(),
        tau: Some(0.01),
        n_steps: 300,
        seed: 7,
        started: "2026-01-02T03:04:05Z".to_owned(),
    }
}

fn run() -> (tempfile::TempDir, RunFolder) {
    let dir = tempfile::tempdir().unwrap();
    let run = RunFolder::create(&dir.path().join("run"), &record(), "rank = 4\n").unwrap();
    (dir, run)
}

fn save(run: &RunFolder, step: u64) -> PathBuf {
    let mut writer = run.begin_checkpoint(step).unwrap();
    for name in ["adapter.safetensors", "optimiser.safetensors"] {
        writer
            .file(name, |path| std::fs::write(path, format!("{name} of {step}")))
            .unwrap();
    }
    writer.finish(json!({ "n_seen": step * 2 })).unwrap()
}

/// The newest step that can be used, and why newer ones cannot.
fn newest(run: &RunFolder) -> (Option<u64>, Vec<String>) {
    let found = run.newest_checkpoint().unwrap();
    let reasons = found.torn.into_iter().map(|torn| torn.reason).collect();
    (found.checkpoint.map(|checkpoint| checkpoint.step), reasons)
}

fn names(run: &RunFolder) -> Vec<String> {
    disk::names(&run.checkpoints()).unwrap()
}

#[test]
fn a_run_is_begun_once_and_opened_again() {
    let (_dir, run) = run();
    let error = RunFolder::create(run.root(), &record(), "").unwrap_err();
    assert!(
        error
            .to_string()
            .ends_with("holds a run already; resume it or choose another folder")
    );
    let opened = RunFolder::open(run.root()).unwrap();
    assert_eq!(
        (&opened, opened.settings_toml().unwrap().as_str()),
        (&run, "rank = 4\n")
    );
    assert_eq!(
        run.write_sample(100, 2, b"png").unwrap(),
        "samples/step-000100/002.png"
    );
    assert_eq!(
        std::fs::read(run.root().join("samples/step-000100/002.png")).unwrap(),
        b"png"
    );
}

#[test]
fn other_folders_are_refused() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("thesis.tex"), "").unwrap();
    let error = RunFolder::create(dir.path(), &record(), "")
        .unwrap_err()
        .to_string();
    assert!(error.contains("holds `thesis.tex`"), "{error}");
    assert!(matches!(RunFolder::open(dir.path()), Err(Error::NoRun { .. })));
}

#[test]
fn a_start_that_was_killed_can_be_done_again() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::create_dir(dir.path().join("checkpoints")).unwrap();
    std::fs::write(dir.path().join("settings.toml"), "half").unwrap();
    std::fs::write(dir.path().join(".run.json.7.part"), "{").unwrap();
    let run = RunFolder::create(dir.path(), &record(), "rank = 8\n").unwrap();
    assert_eq!(run.settings_toml().unwrap(), "rank = 8\n");
}

#[test]
fn a_run_of_a_later_version_is_told_as_such() {
    let (_dir, run) = run();
    let path = run.root().join(RUN);
    let text = std::fs::read_to_string(&path).unwrap();
    std::fs::write(
        &path,
        text.replace("\"format\": 1", "\"format\": 2, \"novelty\": true"),
    )
    .unwrap();
    let error = RunFolder::open(run.root()).unwrap_err().to_string();
    assert!(error.contains("has format 2, expected at most 1"), "{error}");
    std::fs::write(&path, text.replace("\"seed\"", "\"sead\"")).unwrap();
    assert!(matches!(RunFolder::open(run.root()), Err(Error::Json { .. })));
}

#[test]
fn one_process_writes_and_a_dead_one_does_not_block() {
    let (_dir, run) = run();
    // What a killed process leaves: the file, with its number, but no lock on it.
    std::fs::write(run.root().join(LOCK), "4000000000").unwrap();
    let lock = run.lock().unwrap();
    let error = run.lock().unwrap_err().to_string();
    let expected = format!("is written by process {}", std::process::id());
    assert!(error.ends_with(&expected), "{error}");
    drop(lock);
    run.lock().unwrap();
}

#[test]
fn the_newest_checkpoint_is_found() {
    let (_dir, run) = run();
    assert_eq!(newest(&run), (None, Vec::new()));
    for step in [100, 200, 1_000_000] {
        save(&run, step);
    }
    let found = run.newest_checkpoint().unwrap().checkpoint.unwrap();
    assert_eq!(found.step, 1_000_000);
    assert_eq!(found.trainer, json!({ "n_seen": 2_000_000 }));
    let text = std::fs::read_to_string(found.path.join("adapter.safetensors")).unwrap();
    assert_eq!(text, "adapter.safetensors of 1000000");
}

#[test]
fn damaged_checkpoints_are_passed_over_with_a_reason() {
    let (_dir, run) = run();
    let paths: Vec<PathBuf> = [1, 2, 3, 4, 5].into_iter().map(|step| save(&run, step)).collect();
    // Step 2: shorter; 3: one byte changed; 4: a file is gone; 5: torn state.
    std::fs::write(paths[1].join("adapter.safetensors"), "adapter").unwrap();
    std::fs::write(paths[2].join("adapter.safetensors"), "adapter.safetensors of 8").unwrap();
    std::fs::remove_file(paths[3].join("optimiser.safetensors")).unwrap();
    std::fs::write(paths[4].join("state.json"), "{\"format\": 1, \"st").unwrap();
    let (step, reasons) = newest(&run);
    assert_eq!(step, Some(1));
    let expected = [
        "`state.json` is no JSON",
        "`optimiser.safetensors` cannot be read",
        "`adapter.safetensors` has SHA-256",
        "`adapter.safetensors` has 7 bytes, expected 24",
    ];
    assert_eq!(reasons.len(), expected.len());
    for (reason, expected) in reasons.iter().zip(expected) {
        assert!(reason.starts_with(expected), "{reason}");
    }
}

#[test]
fn a_checkpoint_of_a_later_version_is_not_passed_over() {
    let (_dir, run) = run();
    save(&run, 1);
    let state = save(&run, 2).join("state.json");
    let text = std::fs::read_to_string(&state).unwrap();
    std::fs::write(&state, text.replace("\"format\": 1", "\"format\": 9")).unwrap();
    assert!(matches!(
        run.newest_checkpoint(),
        Err(Error::Newer { got: 9, .. })
    ));
}

#[test]
fn a_writer_that_is_killed_leaves_the_last_checkpoint() {
    let (_dir, run) = run();
    save(&run, 100);
    let mut writer = run.begin_checkpoint(200).unwrap();
    writer
        .file("adapter.safetensors", |path| std::fs::write(path, "half"))
        .unwrap();
    // A killed process runs no destructor.
    std::mem::forget(writer);
    assert_eq!(newest(&run), (Some(100), Vec::new()));
    assert_eq!(names(&run), [".step-000200.part", "step-000100"]);
    let _lock = run.lock().unwrap();
    assert_eq!(names(&run), ["step-000100"]);
}

#[test]
fn a_step_that_is_done_again_never_loses_its_checkpoint() {
    let (_dir, run) = run();
    let place = save(&run, 100);
    save(&run, 100);
    assert_eq!(names(&run), ["step-000100"]);
    // Killed between the two renames.
    std::fs::rename(&place, run.checkpoints().join(".step-000100.old")).unwrap();
    std::fs::create_dir(run.checkpoints().join(".step-000100.part")).unwrap();
    drop(run.lock().unwrap());
    assert_eq!(newest(&run), (Some(100), Vec::new()));
    // Killed after them.
    std::fs::create_dir(run.checkpoints().join(".step-000100.old")).unwrap();
    drop(run.lock().unwrap());
    assert_eq!(
        (names(&run), newest(&run).0),
        (vec!["step-000100".to_owned()], Some(100))
    );
}

#[test]
fn a_failing_writer_leaves_nothing_behind() {
    let (_dir, run) = run();
    save(&run, 100);
    let mut writer = run.begin_checkpoint(200).unwrap();
    let error = writer
        .file("optimiser.safetensors", |_| Err("the tensors are gone"))
        .unwrap_err();
    assert_eq!(
        error.to_string(),
        "cannot write `optimiser.safetensors` of the checkpoint of step 200"
    );
    drop(writer);
    assert_eq!(
        (names(&run), newest(&run).0),
        (vec!["step-000100".to_owned()], Some(100))
    );
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_is_told_and_costs_no_checkpoint() {
    use std::error::Error as _;

    let (_dir, run) = run();
    save(&run, 100);
    let mut writer = run.begin_checkpoint(200).unwrap();
    let error = writer
        .file("adapter.safetensors", |_| {
            std::fs::OpenOptions::new()
                .write(true)
                .open("/dev/full")?
                .write_all(&[0; 64])
        })
        .unwrap_err();
    assert!(
        error.source().unwrap().to_string().contains("No space left"),
        "{error:?}"
    );
    drop(writer);
    assert_eq!(
        (names(&run), newest(&run).0),
        (vec!["step-000100".to_owned()], Some(100))
    );
}

#[test]
fn pruning_keeps_the_newest_that_can_be_used() {
    let (_dir, run) = run();
    for step in [1, 2, 3, 4] {
        save(&run, step);
    }
    std::fs::remove_file(save(&run, 5).join("state.json")).unwrap();
    run.prune_checkpoints(2).unwrap();
    assert_eq!(names(&run), ["step-000003", "step-000004", "step-000005"]);
    run.prune_checkpoints(0).unwrap();
    assert_eq!(names(&run), ["step-000004", "step-000005"]);
    assert_eq!(newest(&run).0, Some(4));
    std::fs::remove_file(run.checkpoints().join("step-000004/state.json")).unwrap();
    run.prune_checkpoints(1).unwrap();
    assert_eq!(names(&run), ["step-000004", "step-000005"]);
}
