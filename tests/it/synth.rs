//! `asap synth`: what it makes and what it says.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::harness::people::{PERSON, Part, poses};
use crate::harness::{Sandbox, check, images, shared};

#[test]
fn figures_are_made_and_counted() {
    let sandbox = Sandbox::new();
    let report = sandbox.json("synth figures --n 3 --seed 5 --size 256 --out a.lance");
    let n_made = report["n_made"].as_u64().unwrap();
    assert!(n_made >= 3, "{report}");
    assert_eq!(report["n_present"], 0);
    assert_eq!(report["refused"], serde_json::json!([]));
    assert_eq!(
        sandbox.json("data stats a.lance")["n_pairs"].as_u64(),
        Some(n_made)
    );
    assert_eq!(sandbox.asap("data verify a.lance").code, Some(0));
}

#[test]
fn the_result_does_not_depend_on_the_number_of_threads() {
    let sandbox = Sandbox::new();
    person_folder(&sandbox);
    for (jobs, out) in [(1, "one.lance"), (3, "three.lance")] {
        sandbox.ok(&format!(
            "synth figures --n 4 --size 256 --jobs {jobs} --out {out}"
        ));
        sandbox.ok(&format!("synth photos people --jobs {jobs} --out {out}"));
    }
    let one = sandbox.json("data verify one.lance");
    assert_eq!(one["digests"], sandbox.json("data verify three.lance")["digests"]);
    assert!(one["pairs"].as_u64().unwrap() > 8, "{one}");
    assert_eq!(list(&sandbox, "one.lance"), list(&sandbox, "three.lance"));
}

#[test]
fn another_seed_gives_other_pairs() {
    let sandbox = Sandbox::new();
    sandbox.ok("synth figures --n 2 --seed 1 --size 256 --out a.lance");
    let before = ids(&sandbox, "a.lance");
    sandbox.ok("synth figures --n 2 --seed 2 --size 256 --out a.lance");
    assert!(ids(&sandbox, "a.lance").len() > before.len());
}

#[test]
fn a_photograph_gives_pairs_whose_files_are_written_out() {
    let sandbox = Sandbox::new();
    person_folder(&sandbox);
    let report = sandbox.json("synth photos people --pairs-per-part 2 --out a.lance");
    assert!(report["n_made"].as_u64().unwrap() >= 3, "{report}");
    let id = ids(&sandbox, "a.lance").pop_first().unwrap();
    let pair = sandbox.json(&format!("data show a.lance {} --images out", &id[..10]));
    assert_eq!(pair["id"].as_str(), Some(id.as_str()));
    let [preferred, rejected] = ["preferred", "rejected"].map(|name| {
        image::open(sandbox.path(&format!("out/{name}.png")))
            .unwrap()
            .into_rgb8()
    });
    let edit = image::open(sandbox.path("out/mask_edit.png"))
        .unwrap()
        .into_luma8();
    assert_eq!(preferred.dimensions(), PERSON.image.dimensions());
    assert_eq!(
        preferred, PERSON.image,
        "a PNG of the right size is taken as it is"
    );
    let mut n_changed = 0;
    for (x, y, pixel) in edit.enumerate_pixels() {
        let is_changed = preferred.get_pixel(x, y) != rejected.get_pixel(x, y);
        assert!(
            !is_changed || pixel.0[0] == 255,
            "({x}, {y}) differs outside the mask"
        );
        n_changed += usize::from(is_changed);
    }
    assert!(n_changed >= 100, "{n_changed}");
}

#[test]
fn a_box_is_enough_and_less_is_refused_by_name() {
    let sandbox = Sandbox::new();
    person_folder(&sandbox);
    for name in ["boxed", "unknown", "nobody"] {
        sandbox.write(&format!("people/{name}.png"), images::png(PERSON.image.clone()));
    }
    let boxed = PERSON.entry_boxed("boxed.png", Part::LeftHand);
    let nobody = serde_json::json!({ "file": "nobody.png", "people": [] });
    sandbox.write(
        "people/people.json",
        poses([PERSON.entry("person.png"), boxed, nobody]),
    );
    let report = sandbox.json("synth photos people --pairs-per-part 8 --out a.lance");
    let sources: BTreeSet<String> = sandbox
        .json("data list a.lance")
        .as_array()
        .unwrap()
        .iter()
        .map(|pair| pair["source_name"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(sources, ["boxed.png", "person.png"].map(str::to_owned).into());
    let refused: Vec<&str> = report["refused"]
        .as_array()
        .unwrap()
        .iter()
        .map(|refused| refused["name"].as_str().unwrap())
        .collect();
    assert_eq!(refused, ["nobody.png", "unknown.png"]);
}

#[test]
fn a_photograph_that_gives_no_pair_is_named() {
    let sandbox = Sandbox::new();
    person_folder(&sandbox);
    // A face without structure: nothing in the box can be found or moved.
    let blank = image::RgbImage::from_pixel(640, 640, image::Rgb([120, 130, 140]));
    sandbox.write("people/blank.png", images::png(blank));
    let blank = PERSON.entry_boxed("blank.png", Part::Face);
    sandbox.write("people/people.json", poses([PERSON.entry("person.png"), blank]));
    let report = sandbox.json("synth photos people --out a.lance");
    assert_eq!(
        report["refused"],
        serde_json::json!([{ "name": "blank.png", "reason": "none of 2 tries gave a pair; `-v` says why" }])
    );
}

#[test]
fn a_folder_without_photographs_fails() {
    let sandbox = Sandbox::new();
    fs_err::create_dir(sandbox.path("empty")).unwrap();
    check(
        &sandbox,
        "synth photos empty --out a.lance",
        "
        exit 1
        --- stderr
        error: cannot use `empty`: the folder holds no photograph; expected PNG, JPEG, WebP or GIF files in it
        ",
    );
    check(
        &sandbox,
        "synth photos none --out a.lance",
        "
        exit 1
        --- stderr
        error: cannot read `none`: No such file or directory (os error 2)
        hint: check the path
        ",
    );
    assert!(!sandbox.path("a.lance").exists());
}

#[test]
fn real_photographs_become_pairs() {
    let Some(people) = shared("people") else { return };
    let sandbox = Sandbox::new();
    let people = people.canonicalize().unwrap();
    let report = sandbox.json(&format!(
        "synth photos {0} --poses {0}/people.json --pairs-per-part 1 --long-side 512 --out a.lance",
        people.display()
    ));
    assert!(report["n_made"].as_u64().unwrap() >= 10, "{report}");
    assert_eq!(sandbox.asap("data verify a.lance").code, Some(0));
}

/// `people/` with one photograph and its keypoints.
pub(crate) fn person_folder(sandbox: &Sandbox) {
    sandbox.write("people/person.png", images::png(PERSON.image.clone()));
    sandbox.write("people/people.json", poses([PERSON.entry("person.png")]));
}

/// The ids of all pairs.
pub(crate) fn ids(sandbox: &Sandbox, dataset: &str) -> BTreeSet<String> {
    let list = sandbox.json(&format!("data list {dataset}"));
    let ids: Vec<String> = list
        .as_array()
        .unwrap()
        .iter()
        .map(|pair| pair["id"].as_str().unwrap().to_owned())
        .collect();
    let unique: BTreeSet<String> = ids.iter().cloned().collect();
    assert_eq!(unique.len(), ids.len(), "`{dataset}` holds a pair twice");
    unique
}

fn list(sandbox: &Sandbox, dataset: &str) -> Value {
    sandbox.json(&format!("data list {dataset}"))
}
