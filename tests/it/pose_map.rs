//! `asap pose-map`: the keypoints of one image as a picture.

use crate::harness::people::{PERSON, poses};
use crate::harness::{Sandbox, check};
use crate::synth::person_folder;

#[test]
fn the_people_of_an_image_are_drawn() {
    let sandbox = Sandbox::new();
    person_folder(&sandbox);
    let line = "pose-map --poses people/people.json --image person.png --out pose.png";
    check(
        &sandbox,
        line,
        "
        exit 0
        --- stderr
        `pose.png`: 1 people on 640x640
        ",
    );
    let map = image::open(sandbox.path("pose.png")).unwrap().into_rgb8();
    assert_eq!(map.dimensions(), PERSON.image.dimensions());
    let n_drawn = map.pixels().filter(|pixel| pixel.0 != [0; 3]).count();
    assert!(n_drawn > 1000, "{n_drawn}");
    sandbox.ok(&format!("{line} --sticks native"));
    assert_ne!(image::open(sandbox.path("pose.png")).unwrap().into_rgb8(), map);
}

#[test]
fn an_image_without_keypoints_is_named() {
    let sandbox = Sandbox::new();
    let boxed = serde_json::json!({
        "file": "boxed.png", "width": 64, "height": 64, "people": [{ "face_box": [2, 2, 20, 20] }],
    });
    sandbox.write("poses.json", poses([boxed]));
    check(
        &sandbox,
        "pose-map --poses poses.json --image boxed.png --out pose.png",
        "
        exit 1
        --- stderr
        error: `poses.json` has no keypoints for `boxed.png`
        hint: boxes alone cannot be drawn: run a pose estimator on the image
        ",
    );
    check(
        &sandbox,
        "pose-map --poses poses.json --image other.png --out pose.png",
        "
        exit 1
        --- stderr
        error: `poses.json` does not list `other.png`
        hint: give the file name as the poses file has it
        ",
    );
    assert!(!sandbox.path("pose.png").exists());
}
