//! From a folder to drafts: what is planned, refused, built and built again.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::painted;
use crate::Draft;
use crate::photo::{Options, build, plan};

const OPTIONS: Options = Options {
    seed: 7,
    pairs_per_part: 3,
    long_side_px: None,
};

fn folder() -> (tempfile::TempDir, PathBuf) {
    let dir = tempfile::tempdir().unwrap();
    painted::picture().save(dir.path().join("a.png")).unwrap();
    let poses = dir.path().join("people.json");
    std::fs::write(&poses, painted::pose_file("a.png")).unwrap();
    (dir, poses)
}

/// Equality outside the budget and a change inside, for every pair.
#[track_caller]
fn check(draft: &Draft) {
    for pair in &draft.pairs {
        assert_eq!(pair.image.dimensions(), draft.image.dimensions());
        let mut n_changed = 0;
        for (x, y, pixel) in pair.image.enumerate_pixels() {
            if pixel != draft.image.get_pixel(x, y) {
                n_changed += 1;
                assert!(
                    pair.budget.contains(x, y),
                    "{:?} changed ({x}, {y}) outside {:?}",
                    pair.provenance.operators,
                    pair.budget
                );
            }
        }
        assert!(
            n_changed >= 40,
            "{:?} changed {n_changed} pixels",
            pair.provenance.operators
        );
        assert!(!pair.part_preferred.is_empty());
        assert_eq!(pair.degradations.len(), pair.provenance.operators.len());
        serde_json::from_str::<serde_json::Value>(&pair.provenance.parameters).unwrap();
    }
}

#[test]
fn a_folder_becomes_pairs() {
    let (dir, poses) = folder();
    let plan = plan(dir.path(), Some(&poses), &OPTIONS).unwrap();
    assert!(plan.refused.is_empty(), "{:?}", plan.refused);
    let [job] = plan.jobs.as_slice() else {
        panic!("expected one job");
    };
    // One hand and one face.
    assert_eq!(job.slots().len(), 6);
    let draft = build(job, &BTreeSet::new()).unwrap();
    assert_eq!(draft.pairs.len(), 6);
    assert_eq!(draft.source.licence, "made by code");
    assert_eq!(draft.prompt, "A photograph of a person with the face visible");
    assert_eq!(draft.skeletons.len(), 1);
    check(&draft);
}

#[test]
fn building_again_gives_the_same_and_skips_what_is_stored() {
    let (dir, poses) = folder();
    let first = plan(dir.path(), Some(&poses), &OPTIONS).unwrap();
    let second = plan(dir.path(), Some(&poses), &OPTIONS).unwrap();
    assert_eq!(first.jobs[0].positive_id(), second.jobs[0].positive_id());
    let all = build(&first.jobs[0], &BTreeSet::new()).unwrap();
    let stored: BTreeSet<u64> = first.jobs[0].slots()[..4].iter().copied().collect();
    let rest = build(&second.jobs[0], &stored).unwrap();
    assert_eq!(rest.pairs.len(), 2);
    for (a, b) in all.pairs[4..].iter().zip(&rest.pairs) {
        assert!(a.image == b.image);
        assert_eq!(a.provenance, b.provenance);
        assert_eq!(a.part_rejected, b.part_rejected);
    }
    let other = Options { seed: 8, ..OPTIONS };
    let other = plan(dir.path(), Some(&poses), &other).unwrap();
    assert_ne!(other.jobs[0].slots(), first.jobs[0].slots());
    assert_eq!(other.jobs[0].positive_id(), first.jobs[0].positive_id());
}

#[test]
fn keypoints_shrink_with_the_picture() {
    let (dir, poses) = folder();
    let options = Options {
        long_side_px: Some(480),
        ..OPTIONS
    };
    let plan = plan(dir.path(), Some(&poses), &options).unwrap();
    let draft = build(&plan.jobs[0], &BTreeSet::new()).unwrap();
    assert_eq!(draft.image.dimensions(), (480, 315));
    let tip = painted::hand_points()[12];
    assert!((f64::from(draft.skeletons[0][112 + 12].x) - 0.75 * tip.x).abs() < 0.01);
    assert!(!draft.pairs.is_empty());
    check(&draft);
}

#[test]
fn what_is_refused_is_named_and_the_rest_goes_on() {
    let (dir, poses) = folder();
    painted::picture().save(dir.path().join("unknown.png")).unwrap();
    painted::picture().save(dir.path().join("bare.png")).unwrap();
    painted::picture()
        .save(dir.path().join("wrong_size.png"))
        .unwrap();
    std::fs::write(dir.path().join("empty.jpg"), b"").unwrap();
    std::fs::write(dir.path().join("notes.txt"), b"not a picture").unwrap();
    let mut file: serde_json::Value = serde_json::from_str(&painted::pose_file("a.png")).unwrap();
    let images = file["images"].as_array_mut().unwrap();
    images.push(serde_json::json!({ "file": "bare.png", "people": [{ "bbox": [1, 2, 30, 40] }] }));
    images.push(serde_json::json!({ "file": "gone.png", "people": [] }));
    images.push(serde_json::json!({ "file": "empty.jpg", "people": [] }));
    images.push(serde_json::json!({ "file": "wrong_size.png", "width": 420, "height": 640, "people": [] }));
    std::fs::write(&poses, file.to_string()).unwrap();
    let plan = plan(dir.path(), Some(&poses), &OPTIONS).unwrap();
    assert_eq!(plan.jobs.len(), 1);
    let refused: Vec<(&str, &str)> = plan
        .refused
        .iter()
        .map(|r| (r.file.as_str(), r.reason.as_str()))
        .collect();
    for (idx, (name, part)) in [
        ("bare.png", "no hand or face is known"),
        ("empty.jpg", "the file is empty"),
        ("gone.png", "it is not in"),
        ("unknown.png", "list it in the file that is given with `--poses`"),
        ("wrong_size.png", "upright it has 640x420"),
    ]
    .into_iter()
    .enumerate()
    {
        assert_eq!(refused[idx].0, name);
        assert!(refused[idx].1.contains(part), "{}", refused[idx].1);
    }
    assert_eq!(refused.len(), 5);
}

#[test]
fn folders_and_settings_that_are_wrong_are_errors() {
    let dir = tempfile::tempdir().unwrap();
    let message = plan(dir.path(), None, &OPTIONS).unwrap_err().to_string();
    assert!(message.contains("holds no photograph"), "{message}");
    let message = plan(Path::new("/nowhere/at/all"), None, &OPTIONS)
        .unwrap_err()
        .to_string();
    assert!(message.contains("/nowhere/at/all"), "{message}");
    let none = Options {
        pairs_per_part: 0,
        ..OPTIONS
    };
    assert!(
        plan(dir.path(), None, &none)
            .unwrap_err()
            .to_string()
            .contains("pairs_per_part")
    );
    let (dir, _) = folder();
    let without = plan(dir.path(), None, &OPTIONS).unwrap();
    assert!(without.jobs.is_empty() && without.refused[0].reason.contains("--poses"));
}

#[test]
fn a_photograph_that_changed_is_not_built() {
    let (dir, poses) = folder();
    let plan = plan(dir.path(), Some(&poses), &OPTIONS).unwrap();
    image::RgbImage::new(640, 420)
        .save(dir.path().join("a.png"))
        .unwrap();
    let message = build(&plan.jobs[0], &BTreeSet::new()).unwrap_err().to_string();
    assert!(message.contains("changed since the plan"), "{message}");
}

#[test]
fn real_photographs_become_pairs() {
    let shared = std::env::var_os("ASAP_SHARED").map_or_else(
        || PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared")),
        PathBuf::from,
    );
    let people = shared.join("people");
    if !people.is_dir() {
        println!(
            "skipped: no photographs at `{}`; set ASAP_SHARED",
            people.display()
        );
        return;
    }
    let options = Options {
        pairs_per_part: 2,
        long_side_px: Some(768),
        ..OPTIONS
    };
    let plan = plan(&people, Some(&people.join("people.json")), &options).unwrap();
    assert!(plan.jobs.len() >= 10, "{:?}", plan.refused);
    let mut n_pairs = 0;
    for job in &plan.jobs {
        let draft = build(job, &BTreeSet::new()).unwrap();
        check(&draft);
        n_pairs += draft.pairs.len();
    }
    assert!(n_pairs >= 35, "{n_pairs} pairs");
}
