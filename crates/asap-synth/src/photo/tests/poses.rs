//! Pose files: what is read, and what is refused by image, person and field.

use asap_core::Side;

use crate::photo::poses::{PosedImage, parse};

fn image(text: &str) -> Result<PosedImage, String> {
    let text = format!(r#"{{"images":[{{"file":"a.jpg","width":100,"height":80,{text}}}],"more":1}}"#);
    let mut entries = parse(&text).unwrap();
    assert_eq!((entries.len(), entries[0].0.as_str()), (1, "a.jpg"));
    entries.remove(0).1
}

fn keypoints(n: usize, first: &str) -> String {
    let mut points = vec!["[1.5,2,0.5]".to_owned(); n];
    points[0] = first.to_owned();
    format!(r#""people":[{{"keypoints":[{}]}}]"#, points.join(","))
}

#[track_caller]
fn check_refused(text: &str, expected: &str) {
    let reason = image(text).unwrap_err();
    assert!(reason.contains(expected), "{reason}");
}

#[test]
fn boxes_sides_and_unknown_fields_are_read() {
    let posed = image(
        r#""licence_note":"free","shoe":{"size":[1]},"people":[{"face_box":[10,5,20,25.5],"keypoints":null,
        "hand_boxes":[{"side":"left","bbox":[1,2,3,4],"source":"by eye"},{"side":"unknown","bbox":[5,6,7,8]}]}]"#,
    )
    .unwrap();
    assert_eq!((posed.licence.as_str(), posed.size), ("free", Some((100, 80))));
    let person = &posed.people[0];
    assert_eq!(person.face_box.unwrap().height, 25.5);
    assert_eq!(person.hands[0].side, Some(Side::Left));
    assert_eq!(person.hands[1].side, None);
    assert!(person.skeleton.is_none());
}

#[test]
fn keypoints_may_lie_outside_and_a_body_may_stand_alone() {
    let posed = image(&keypoints(133, "[-40,900,2]")).unwrap();
    let skeleton = posed.people[0].skeleton.clone().unwrap();
    assert_eq!(
        (skeleton[0].x, skeleton[0].y, skeleton[0].score),
        (-40.0, 900.0, 2.0)
    );
    let body = image(&keypoints(17, "[3,4,1]")).unwrap().people[0]
        .skeleton
        .clone()
        .unwrap();
    assert!(body[16].is_seen() && !body[17].is_seen());
    let half = posed.scaled(0.5);
    assert_eq!(half.people[0].skeleton.as_ref().unwrap()[0].y, 450.0);
}

#[test]
fn numbers_that_are_none_are_refused_where_they_stand() {
    check_refused(
        &keypoints(133, "[NaN,2,1]"),
        "`people[0].keypoints[0]` has a x that is not a finite number",
    );
    check_refused(
        &keypoints(133, "[1,2,-Infinity]"),
        "has a score that is not a finite number",
    );
    check_refused(&keypoints(133, "[1,1e300,1]"), "has a y that is not");
    check_refused(
        &keypoints(133, "[1,2,-0.5]"),
        "has the score -0.5, expected 0 or more",
    );
    check_refused(
        &keypoints(133, "[1,2]"),
        "`people[0].keypoints[0]` is not a triple",
    );
    check_refused(&keypoints(20, "[1,2,1]"), "has 20 keypoints, expected 133 or 17");
}

#[test]
fn boxes_that_are_none_are_refused() {
    check_refused(
        r#""people":[{"face_box":[1,2,-3,4]}]"#,
        "`people[0].face_box` is -3 wide and 4 high",
    );
    check_refused(
        r#""people":[{"face_box":[1,2,3]}]"#,
        "has 3 numbers, expected x, y, width, height",
    );
    check_refused(
        r#""people":[{"face_box":"big"}]"#,
        "`people[0].face_box` is not a list",
    );
    check_refused(r#""people":[{"bbox":[60,50,95,78]}]"#, "looks like two corners");
    check_refused(
        r#""people":[{"hand_boxes":[{"bbox":[1,NaN,3,4]}]}]"#,
        "`people[0].hand_boxes[0].bbox` has a value",
    );
    check_refused(r#""people":7"#, "`image.people` is not a list");
}

#[test]
fn one_bad_image_leaves_the_others() {
    let text = r#"{"images":[{"file":"x/NaN.jpg","people":[{"face_box":[NaN,1,2,3]}]},{"file":"b.jpg","people":[]}]}"#;
    let entries = parse(text).unwrap();
    assert_eq!(entries[0].0, "NaN.jpg");
    assert!(entries[0].1.is_err() && entries[1].1.is_ok());
}

#[test]
fn a_file_that_is_no_pose_file_says_where() {
    assert!(parse("[1,2").unwrap_err().contains("line 1"));
    assert!(parse("{}").unwrap_err().contains("`images`"));
    assert!(
        parse(r#"{"images":[{}]}"#)
            .unwrap_err()
            .contains("`images[0]` has no text `file`")
    );
}
