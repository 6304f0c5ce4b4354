//! `asap data`: counts, checks, exchange, versions, one pair.

use serde_json::Value;

use crate::harness::{Sandbox, check};
use crate::synth::ids;

fn dataset() -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.ok("synth figures --n 3 --seed 4 --size 384 --out a.lance --quiet");
    sandbox
}

#[test]
fn an_export_comes_back_bit_equal() {
    let sandbox = dataset();
    sandbox.ok("curate a.lance");
    sandbox.ok("data export a.lance --out parquet --all");
    let card = String::from_utf8(sandbox.read("parquet/README.md")).unwrap();
    assert!(card.starts_with("---\n"), "{card}");
    let croissant: Value = serde_json::from_slice(&sandbox.read("parquet/croissant.json")).unwrap();
    assert_eq!(croissant["@type"], "sc:Dataset");
    sandbox.ok("data import parquet --out b.lance");
    assert_eq!(ids(&sandbox, "b.lance"), ids(&sandbox, "a.lance"));
    let [a, b] = ["a", "b"].map(|name| sandbox.json(&format!("data verify {name}.lance")));
    assert_eq!(a["digests"], b["digests"]);
}

#[test]
fn only_kept_pairs_are_exported_unless_all_are_wanted() {
    let sandbox = dataset();
    let funnel = sandbox.json("curate a.lance");
    let kept = sandbox.json("data export a.lance --out kept");
    let all = sandbox.json("data export a.lance --out all --all");
    assert_eq!(kept["n_pairs"], funnel["all"]["kept"], "{kept}");
    assert_eq!(all["n_pairs"], funnel["all"]["made"], "{all}");
    // What is there is not overwritten.
    let again = sandbox.asap("data export a.lance --out all --all");
    assert_eq!(again.code, Some(1), "{}", again.snapshot());
    assert!(again.stderr.contains("`all`"), "{}", again.stderr);
}

#[test]
fn versions_grow_and_can_be_looked_at() {
    let sandbox = dataset();
    let first = sandbox.json("data stats a.lance");
    let at = sandbox
        .json("data versions a.lance")
        .as_array()
        .unwrap()
        .last()
        .unwrap()["version"]
        .clone();
    sandbox.ok("synth figures --n 2 --seed 5 --size 256 --out a.lance");
    sandbox.ok("curate a.lance");
    assert!(sandbox.json("data versions a.lance").as_array().unwrap().len() >= 3);
    assert_eq!(
        sandbox.json(&format!("data stats a.lance --at {at}"))["n_pairs"],
        first["n_pairs"]
    );
    let run = sandbox.asap("data stats a.lance --at 99");
    assert_eq!(run.code, Some(1));
    assert!(
        run.stderr.starts_with("error: `a.lance` has no version 99: "),
        "{}",
        run.stderr
    );
}

#[test]
fn compacting_keeps_every_pair() {
    let sandbox = dataset();
    sandbox.ok("synth figures --n 2 --seed 5 --size 256 --out a.lance");
    let before = sandbox.json("data verify a.lance");
    sandbox.ok("data compact a.lance");
    assert_eq!(sandbox.json("data verify a.lance")["digests"], before["digests"]);
}

#[test]
fn a_pair_is_found_by_the_first_digits_of_its_id() {
    let sandbox = dataset();
    let id = ids(&sandbox, "a.lance").pop_first().unwrap();
    assert_eq!(
        sandbox.json(&format!("data show a.lance {}", &id[..12]))["id"].as_str(),
        Some(id.as_str())
    );
    let text = sandbox.ok(&format!("data show a.lance {id}"));
    assert!(text.contains(&id) && text.contains("figure/4/"), "{text}");
    for unknown in ["zebra", "00000000000000"] {
        check(
            &sandbox,
            &format!("data show a.lance {unknown}"),
            &format!(
                "
                exit 1
                --- stderr
                error: no pair `{unknown}`
                hint: `asap data list` shows the ids of all pairs; their first digits are enough
                "
            ),
        );
    }
}

#[test]
fn verify_finds_a_flipped_bit() {
    let sandbox = dataset();
    let image = largest_file(&sandbox.path("a.lance/positives.lance/data"));
    let mut bytes = fs_err::read(&image).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs_err::write(&image, bytes).unwrap();
    let run = sandbox.asap("data verify a.lance");
    assert_eq!(run.code, Some(1), "{}", run.snapshot());
    assert!(run.stdout.contains("SHA-256"), "{}", run.snapshot());
    let run = sandbox.asap("data verify a.lance --json");
    assert_eq!(run.code, Some(1));
    let report: Value = serde_json::from_str(&run.stdout).unwrap();
    assert!(!report["faults"].as_array().unwrap().is_empty(), "{report}");
}

fn largest_file(folder: &std::path::Path) -> std::path::PathBuf {
    let mut folders = vec![folder.to_owned()];
    let mut largest = (0, folder.to_owned());
    while let Some(folder) = folders.pop() {
        for entry in fs_err::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let size_bytes = fs_err::metadata(&path).unwrap().len();
            if path.is_dir() {
                folders.push(path);
            } else if size_bytes > largest.0 {
                largest = (size_bytes, path);
            }
        }
    }
    largest.1
}
