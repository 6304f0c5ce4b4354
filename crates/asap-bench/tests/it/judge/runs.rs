//! The folder of a run: what is refused, and that all of it is told at once.

use std::path::Path;

use asap_bench::Error;
use asap_bench::run::{
    Depth, Run, RunDraft, RunPrompts, ScoreLog, ScoreRow, read_manifest, read_scores, sha256, write_manifest,
};
use asap_core::chat::ImageBytes;

use super::fixture::{adopted, bare_folder, png, prompts_jsonl, run};

fn problems(result: Result<Run, Error>) -> Vec<String> {
    match result {
        Err(Error::Run { problems, .. }) => problems.iter().map(ToString::to_string).collect(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_bare_folder_becomes_a_run_that_reads_alone() {
    let dir = tempfile::tempdir().unwrap();
    let run = run(dir.path(), "flux", 0);
    std::fs::remove_file(dir.path().join("source.jsonl")).unwrap();
    let read = Run::load(dir.path(), Depth::Pixels).unwrap();
    assert_eq!(read.manifest(), run.manifest());
    assert_eq!(
        (read.model(), read.prompts().len(), &read.manifest().seeds),
        ("flux", 2, &vec![0, 1])
    );
    let image = &read.manifest().images[3];
    assert_eq!(
        (image.file.as_str(), image.width, image.height),
        ("images/haf-obj-0002/1.png", 8, 6)
    );
    assert_eq!(read.image_bytes(image).unwrap().bytes[..], png(3)[..]);
    let benchmark = &read.manifest().benchmark;
    assert_eq!(
        (benchmark.name.as_str(), benchmark.version.as_str()),
        ("source", "1.0.0")
    );
}

#[test]
fn a_folder_that_is_no_run_says_all_that_is_wrong() {
    let dir = tempfile::tempdir().unwrap();
    bare_folder(dir.path(), 0);
    let put = |name: &str, bytes: &[u8]| {
        let path = dir.path().join("images").join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, bytes).unwrap();
    };
    put("haf-bas-0001/2.png", b"no image");
    put("haf-bas-0001/first.png", &png(9));
    put("haf-xxx-0009/0.png", &png(9));
    put("haf-obj-0002/0.jpg", &png(9));
    assert_eq!(
        problems(adopted(dir.path(), "flux")),
        [
            "`images/haf-bas-0001/first.png`: expected PROMPT/SEED.png, .jpg or .webp with a prompt's id and a whole number",
            "`images/haf-xxx-0009/0.png` is of `haf-xxx-0009`, which prompts.jsonl does not have",
            "`images/haf-bas-0001/2.png` is not a whole PNG, JPEG or WebP image: its first bytes are of no such format",
        ]
    );
    for name in [
        "haf-bas-0001/2.png",
        "haf-bas-0001/first.png",
        "haf-xxx-0009/0.png",
    ] {
        std::fs::remove_file(dir.path().join("images").join(name)).unwrap();
    }
    assert_eq!(
        problems(adopted(dir.path(), "flux")),
        [
            "two images of `haf-obj-0002` with seed 0: `images/haf-obj-0002/0.jpg` and `images/haf-obj-0002/0.png`"
        ]
    );
    assert!(!dir.path().join("run.json").exists());
}

#[test]
fn a_run_that_was_changed_says_all_that_is_wrong() {
    let dir = tempfile::tempdir().unwrap();
    run(dir.path(), "flux", 0);
    std::fs::write(dir.path().join("images/haf-bas-0001/0.png"), png(77)).unwrap();
    std::fs::remove_file(dir.path().join("images/haf-bas-0001/1.png")).unwrap();
    let mut manifest = read_manifest(dir.path()).unwrap();
    manifest.images[2].width = 9;
    let mut twice = manifest.images[3].clone();
    twice.file = "../outside.png".to_owned();
    manifest.images.push(twice);
    manifest.seeds.push(5);
    write_manifest(dir.path(), &manifest).unwrap();
    let changed = prompts_jsonl().replace("Text of", "Texts of");
    std::fs::write(dir.path().join("prompts.jsonl"), changed).unwrap();
    let found = problems(Run::load(dir.path(), Depth::Pixels));
    let shorts = |text: &str| {
        // Hashes say nothing to a reader of this test.
        let mut words: Vec<&str> = text.split(' ').collect();
        words.iter_mut().for_each(|word| {
            if word.trim_end_matches(',').len() == 8
                && word.bytes().all(|b| b.is_ascii_hexdigit() || b == b',')
            {
                *word = "HASH";
            }
        });
        words.join(" ")
    };
    let found: Vec<String> = found.iter().map(|problem| shorts(problem)).collect();
    assert_eq!(
        found,
        [
            "prompts.jsonl was changed: expected SHA-256 HASH as in run.json, got HASH",
            "`../outside.png` does not lie in the folder of the run",
            "two images of `haf-obj-0002` with seed 1: `images/haf-obj-0002/1.png` and `../outside.png`",
            "`images/haf-bas-0001/0.png` was changed: expected SHA-256 HASH got HASH",
            "`images/haf-bas-0001/1.png` is missing",
            "`images/haf-obj-0002/0.png`: expected 9x6 pixels as in run.json, got 8x6",
            "no image of `haf-bas-0001` with seed 5",
            "no image of `haf-obj-0002` with seed 5",
        ]
    );
}

#[test]
fn prompts_are_read_with_their_lines() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("p.jsonl");
    let read = |bytes: &[u8]| {
        std::fs::write(&path, bytes).unwrap();
        let error = RunPrompts::read(&path).unwrap_err().to_string();
        error.replace(&format!("{}/", dir.path().display()), "")
    };
    let good = prompts_jsonl();
    let twice = format!("{good}{}", good.lines().next().unwrap());
    assert_eq!(
        read(twice.as_bytes()),
        "`p.jsonl` line 3: `haf-bas-0001` is the id of line 1 already; ids are unique"
    );
    let latin1 = [good.as_bytes(), b"{\"id\":\"caf\xe9\"}\n"].concat();
    assert_eq!(
        read(&latin1),
        "`p.jsonl` line 3: expected UTF-8, byte 11 is not; save the file as UTF-8"
    );
    assert!(read(b"{\"id\":\"a\",\"x\":1}\n").starts_with("`p.jsonl` line 1: unknown field `x`"));
    assert_eq!(
        read(b"\n"),
        "`p.jsonl`: expected prompts, one JSON object a line; there is none"
    );
}

fn image(bytes: Vec<u8>) -> ImageBytes {
    ImageBytes {
        media_type: "image/png",
        sha256: sha256(&bytes),
        bytes: bytes.into(),
    }
}

/// A draft of a run like that in `dir`, with `seeds`.
fn draft(dir: &Path, like: &Run, seeds: &[u64]) -> Result<RunDraft, Error> {
    let mut manifest = like.manifest().clone();
    manifest.images.clear();
    manifest.seeds = seeds.to_vec();
    RunDraft::open(
        dir,
        manifest,
        RunPrompts::read(&like.dir().join("prompts.jsonl"))?,
    )
}

#[test]
fn drawing_goes_on_where_it_ended_and_overwrites_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let like = run(&dir.path().join("like"), "flux", 0);
    let out = dir.path().join("out");
    let mut first = draft(&out, &like, &[0]).unwrap();
    let id = like.prompts()[0].id.clone();
    first.add(&id, 0, &image(png(1))).unwrap();
    // Ended by force: the manifest does not have the image yet.
    drop(first);
    assert!(read_manifest(&out).unwrap().images.is_empty());
    let mut second = draft(&out, &like, &[0, 1]).unwrap();
    let missing: Vec<String> = second
        .missing()
        .iter()
        .map(|(prompt, seed)| format!("{}/{seed}", prompt.id))
        .collect();
    assert_eq!(missing, ["haf-obj-0002/0", "haf-bas-0001/1", "haf-obj-0002/1"]);
    let error = second.add(&id, 0, &image(png(2))).unwrap_err().to_string();
    assert!(
        error.ends_with("images/haf-bas-0001/0.png`: is there already, and images are never overwritten"),
        "{error}"
    );
    assert_eq!(
        std::fs::read(out.join("images/haf-bas-0001/0.png")).unwrap(),
        png(1)
    );
    let error = second
        .add(&id, 1, &image(b"\x89PNG\r\n\x1a\n".to_vec()))
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("what the server sent is not a whole image"),
        "{error}"
    );
    let finished = second.finish().unwrap();
    assert_eq!((finished.manifest().images.len(), finished.gaps().len()), (1, 3));
    std::fs::write(out.join("images/haf-bas-0001/0.png"), png(3)).unwrap();
    let error = draft(&out, &like, &[0]).unwrap_err().to_string();
    assert!(
        error.contains("`images/haf-bas-0001/0.png` was changed"),
        "{error}"
    );
}

#[test]
fn a_run_is_drawn_in_one_way() {
    let dir = tempfile::tempdir().unwrap();
    let like = run(&dir.path().join("like"), "flux", 0);
    let out = dir.path().join("out");
    draft(&out, &like, &[0]).unwrap();
    let mut manifest = like.manifest().clone();
    manifest.images.clear();
    manifest.generator.settings.insert("steps".to_owned(), 4.into());
    let prompts = RunPrompts::read(&like.dir().join("prompts.jsonl")).unwrap();
    let error = RunDraft::open(&out, manifest, prompts).unwrap_err().to_string();
    assert!(
        error.ends_with(
            "run.json`: the run was begun with other settings: steps=28, now steps=4; choose another folder"
        ),
        "{error}"
    );
}

#[test]
fn scores_are_kept_once_and_only_while_the_image_is_the_same() {
    let dir = tempfile::tempdir().unwrap();
    let run = run(dir.path(), "flux", 0);
    let image = &run.manifest().images[0];
    let row = |value| ScoreRow {
        prompt_id: image.prompt_id.clone(),
        seed: image.seed,
        image_sha256: image.sha256,
        scorer: "pickscore".to_owned(),
        profile: "v1".to_owned(),
        scale: "logit".to_owned(),
        dtype: "f32".to_owned(),
        weights_sha256: sha256(b"weights"),
        value,
        sigma: None,
        is_truncated: false,
    };
    let mut log = ScoreLog::open(&run, "pickscore").unwrap();
    assert!(!log.has(&row(0.0)));
    log.append(&row(21.5)).unwrap();
    assert!(log.append(&row(f64::NAN)).is_err());
    drop(log);
    let log = ScoreLog::open(&run, "pickscore").unwrap();
    assert!(log.has(&row(0.0)));
    assert_eq!(read_scores(&run).unwrap(), [row(21.5)]);
    let mut stale = run.manifest().clone();
    stale.images[0].sha256 = sha256(b"other");
    write_manifest(dir.path(), &stale).unwrap();
    let other = Run::load(dir.path(), Depth::Listing).unwrap();
    assert_eq!(read_scores(&other).unwrap(), []);
}
