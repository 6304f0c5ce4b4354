//! What is said when a folder of weights is not what a scorer needs.

use std::path::Path;

use asap_metrics::scorers::{Precision, Scorers};

/// A copy of the tiny weights that a test may spoil.
fn copied() -> tempfile::TempDir {
    fn copy(from: &Path, to: &Path) {
        fs_err::create_dir_all(to).unwrap();
        for entry in fs_err::read_dir(from).unwrap() {
            let entry = entry.unwrap();
            let (from, to) = (entry.path(), to.join(entry.file_name()));
            if from.is_dir() {
                copy(&from, &to);
            } else {
                fs_err::copy(from, to).unwrap();
            }
        }
    }
    let folder = tempfile::tempdir().unwrap();
    let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/scorers");
    copy(&golden, folder.path());
    folder
}

/// What loading says after `spoil`, with the folder's name left out.
fn refusal(name: &str, spoil: impl FnOnce(&Path)) -> String {
    let folder = copied();
    spoil(folder.path());
    let scorers = Scorers::open(folder.path(), Precision::F32).unwrap();
    let error = scorers.load(name).err().expect("the spoilt folder is refused");
    let text = error
        .to_string()
        .replace(&format!("{}/", folder.path().display()), "");
    assert_eq!(text.lines().count(), 1, "{text}");
    text
}

#[test]
fn a_name_that_no_scorer_has() {
    assert_eq!(
        refusal("clipscore", |_| ()),
        "no scorer `clipscore`: expected one of `aesthetic`, `pickscore`, `hpsv2.1`, `hpsv2.1-antialias`, \
         `imagereward`, `hpsv3`"
    );
}

#[test]
fn missing_files_are_named() {
    let folder = tempfile::tempdir().unwrap();
    let scorers = Scorers::open(folder.path(), Precision::F32).unwrap();
    let missing = scorers.missing("pickscore").unwrap();
    assert_eq!(
        missing,
        ["pickscore.safetensors", "clip-tokenizer"].map(|name| folder.path().join(name))
    );
    let whole = copied();
    let scorers = Scorers::open(whole.path(), Precision::F32).unwrap();
    for name in ["aesthetic", "pickscore", "hpsv2.1", "hpsv2.1-antialias"] {
        assert_eq!(scorers.missing(name).unwrap(), Vec::<std::path::PathBuf>::new());
    }
    let missing = scorers.missing("hpsv3").unwrap();
    let files = [
        "hpsv3.safetensors",
        "hpsv3/tokenizer.json",
        "hpsv3/instruction.txt",
    ];
    assert_eq!(missing, files.map(|name| whole.path().join(name)));
    assert!(Scorers::open(&folder.path().join("none"), Precision::F32).is_err());
}

#[test]
fn the_weights_of_another_network() {
    let text = refusal("pickscore", |dir| {
        fs_err::copy(dir.join("hpsv2.1.safetensors"), dir.join("pickscore.safetensors")).unwrap();
    });
    assert!(
        text.starts_with(
            "weights `pickscore.safetensors`: expected tensor \
             `vision_model.embeddings.patch_embedding.weight`"
        ) && text.contains("nearest: `"),
        "{text}"
    );
}

#[test]
fn missing_and_unknown_tensors_are_told_together() {
    let text = refusal("hpsv2.1", |dir| {
        let path = dir.join("hpsv2.1.safetensors");
        let bytes = fs_err::read(&path).unwrap();
        // Names of one length keep all offsets of the file.
        let bytes = replaced(&bytes, b"\"visual.ln_post.weight\"", b"\"visual.ln_past.weight\"");
        fs_err::write(&path, bytes).unwrap();
    });
    assert_eq!(
        text,
        "weights `hpsv2.1.safetensors`: tensors missing: `visual.ln_post.weight` (nearest: \
         `visual.ln_past.weight`); tensors unknown to this network: `visual.ln_past.weight`"
    );
}

#[test]
fn another_activation_in_the_configuration() {
    let text = refusal("aesthetic", |dir| {
        fs_err::copy(
            dir.join("pickscore.config.json"),
            dir.join("clip-vit-l-14.config.json"),
        )
        .unwrap();
    });
    assert_eq!(
        text,
        "weights `clip-vit-l-14.config.json`: expected the activation `quick_gelu` in the image tower, got \
         `gelu`: it is of another network"
    );
}

#[test]
fn no_configuration_of_an_unknown_width() {
    let text = refusal("hpsv2.1", |dir| {
        fs_err::remove_file(dir.join("hpsv2.1.config.json")).unwrap();
    });
    assert_eq!(
        text,
        "weights `hpsv2.1.safetensors`: no tensor tells the number of heads of the image tower of width 32, and \
         no published network has that width: put its configuration beside it"
    );
}

#[test]
fn tokenizers_that_are_none() {
    let text = refusal("pickscore", |dir| {
        fs_err::remove_file(dir.join("clip-tokenizer/merges.txt")).unwrap();
    });
    assert!(
        text.starts_with(
            "weights `clip-tokenizer/vocab.json`: expected `tokenizer.json`, or `vocab.json` and"
        ),
        "{text}"
    );
    let text = refusal("pickscore", |dir| {
        fs_err::write(dir.join("clip-tokenizer/tokenizer.json"), "{}").unwrap();
    });
    assert!(
        text.starts_with("weights `clip-tokenizer/tokenizer.json`: "),
        "{text}"
    );
}

#[test]
fn both_forms_of_the_tokenizer_give_the_same_scores() {
    use asap_metrics::scorers::ScoreItem;

    let folder = copied();
    let picture = crate::images::Picture::named(40, 30, "waves", 0);
    let prompts = [
        "It's  a MAN, 2 hands\u{2026} \u{1f44b}",
        "",
        "x\u{301} caf\u{e9} 'd <|endoftext|> y",
    ];
    let score = || -> Vec<f64> {
        let scorer = Scorers::open(folder.path(), Precision::F32)
            .unwrap()
            .load("pickscore")
            .unwrap();
        let items: Vec<_> = prompts
            .iter()
            .map(|prompt| ScoreItem {
                image: picture.view(),
                prompt: Some(prompt),
            })
            .collect();
        scorer
            .score(&items)
            .unwrap()
            .iter()
            .map(|score| score.value)
            .collect()
    };
    let by_merges = score();
    let fast = folder.path().join("clip-tokenizer/fast/tokenizer.json");
    fs_err::rename(fast, folder.path().join("clip-tokenizer/tokenizer.json")).unwrap();
    assert_eq!(by_merges, score());
}

#[test]
fn a_torn_file() {
    let text = refusal("aesthetic", |dir| {
        let path = dir.join("aesthetic.safetensors");
        let bytes = fs_err::read(&path).unwrap();
        fs_err::write(&path, &bytes[..bytes.len() / 2]).unwrap();
    });
    assert!(text.starts_with("weights `aesthetic.safetensors`: "), "{text}");
}

/// `bytes` with the one occurrence of `old` replaced.
fn replaced(bytes: &[u8], old: &[u8], new: &[u8]) -> Vec<u8> {
    let at: Vec<usize> = (0..bytes.len() - old.len())
        .filter(|at| bytes[*at..].starts_with(old))
        .collect();
    assert_eq!((at.len(), old.len()), (1, new.len()));
    [&bytes[..at[0]], new, &bytes[at[0] + old.len()..]].concat()
}
