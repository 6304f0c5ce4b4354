//! Every operator on the painted person: it changes something visibly, nothing outside its budget, and the
//! same every time.

use asap_core::{Severity, Stream};

use super::painted;
use crate::photo::canvas::Plane;
use crate::photo::compose::{Scene, changed_px};
use crate::photo::face::{FaceScene, FaceSpec};
use crate::photo::hand::{HandScene, HandSpec};
use crate::photo::operators::{OPERATORS, by_id};
use crate::photo::paste;
use crate::photo::poses::Rect;

const HAND_RECT: Rect = Rect {
    x: 62.0,
    y: 128.0,
    width: 190.0,
    height: 210.0,
};

fn hand() -> Scene {
    let spec = HandSpec {
        rect: HAND_RECT,
        keypoints: Some(painted::hand_points()),
    };
    Scene::Hand(HandScene::new(&painted::picture(), &spec).unwrap())
}

fn face() -> Scene {
    let spec = FaceSpec {
        rect: Rect {
            x: 380.0,
            y: 82.0,
            width: 160.0,
            height: 216.0,
        },
        landmarks: Some(painted::face_points()),
    };
    Scene::Face(FaceScene::new(&painted::picture(), &spec).unwrap())
}

#[test]
fn every_operator_works_on_the_painted_person() {
    let picture = painted::picture();
    let (hand, face) = (hand(), face());
    for operator in OPERATORS {
        let scene = if operator.id.starts_with("hand") {
            &hand
        } else {
            &face
        };
        assert!(scene.takes(operator), "{}", operator.id);
        for severity in [Severity::Slight, Severity::Clear, Severity::Gross] {
            let run = || {
                let mut canvas = scene.canvas();
                let result = scene.apply(operator, &mut canvas, severity, &mut Stream::new(3, operator.id));
                (canvas, result)
            };
            let (canvas, result) = run();
            let parameters = result.unwrap_or_else(|reason| panic!("{} {severity:?}: {reason}", operator.id));
            assert!(parameters.is_object());
            assert!(changed_px(scene.source(), &canvas.rgb) >= 40, "{}", operator.id);
            let (crop, budget) = scene.boxes();
            let pasted = paste::paste(&picture, crop, budget, &canvas.rgb);
            assert_eq!(
                paste::changed_outside_px(&picture, &pasted, budget),
                0,
                "{}",
                operator.id
            );
            let again = paste::paste(&picture, crop, budget, &run().0.rgb);
            assert!(pasted == again, "{} is not deterministic", operator.id);
        }
    }
}

#[test]
fn an_operator_that_declines_leaves_the_canvas() {
    let scene = face();
    let mut canvas = scene.canvas();
    let operator = by_id("hand.melted").unwrap();
    let result = scene.apply(operator, &mut canvas, Severity::Clear, &mut Stream::new(1, "x"));
    assert_eq!(result, Err("the operator is for another part"));
    assert_eq!(canvas.rgb, scene.canvas().rgb);
}

#[test]
fn a_missing_finger_shrinks_the_part_and_an_extra_one_grows_it() {
    let scene = hand();
    let area = |alpha: &Plane<f32>| alpha.data.iter().sum::<f32>();
    let run = |id: &str| {
        let mut canvas = scene.canvas();
        let operator = by_id(id).unwrap();
        scene
            .apply(operator, &mut canvas, Severity::Clear, &mut Stream::new(9, id))
            .unwrap();
        area(&canvas.part)
    };
    let before = area(scene.part());
    assert!(run("hand.missing_finger") < 0.97 * before);
    assert!(run("hand.extra_finger") > 1.03 * before);
    assert!(run("hand.fused_fingers") > 1.005 * before);
    assert!(run("hand.duplicate") > 1.2 * before);
    assert!(run("hand.absent") < 0.01 * before);
}

#[test]
fn the_painted_hand_is_cut_out_where_it_was_painted() {
    let scene = hand();
    let (crop, _) = scene.boxes();
    let points = painted::hand_points();
    // Fingers and palm belong to it, the ground between two fingers and the arm do not.
    let at = |x: f64, y: f64| {
        let (x, y) = (x - f64::from(crop.x0), y - f64::from(crop.y0));
        scene.part().at(x as usize, y as usize)
    };
    for idx in [3, 7, 11, 15, 19] {
        assert!(at(points[idx].x, points[idx].y) > 0.9, "point {idx}");
    }
    assert!(at(160.0, 270.0) > 0.9);
    assert!(at(100.0, 180.0) < 0.1);
    assert!(at(160.0, 380.0) < 0.1);
}

#[test]
fn a_box_alone_is_enough_for_the_whole_hand_and_not_for_fingers() {
    let spec = HandSpec {
        rect: HAND_RECT,
        keypoints: None,
    };
    let scene = Scene::Hand(HandScene::new(&painted::picture(), &spec).unwrap());
    assert!(scene.takes(by_id("hand.melted").unwrap()));
    assert!(!scene.takes(by_id("hand.extra_finger").unwrap()));
    let mut canvas = scene.canvas();
    let operator = by_id("hand.twisted_wrist").unwrap();
    assert!(
        scene
            .apply(operator, &mut canvas, Severity::Clear, &mut Stream::new(1, "box"))
            .is_ok()
    );
}

#[test]
fn a_face_box_alone_finds_eyes_and_mouth() {
    let spec = FaceSpec {
        rect: Rect {
            x: 380.0,
            y: 90.0,
            width: 160.0,
            height: 205.0,
        },
        landmarks: None,
    };
    let scene = FaceScene::new(&painted::picture(), &spec).unwrap();
    let (x0, y0) = (f64::from(scene.crop.x0), f64::from(scene.crop.y0));
    let truth = [(428.0, 172.0), (492.0, 172.0)];
    for (eye, (x, y)) in scene.eyes.iter().zip(truth) {
        let off = (eye.center.x + x0 - x).hypot(eye.center.y + y0 - y);
        assert!(off < 12.0, "an eye is {off} px off");
    }
    let off = (scene.mouth.center.y + y0 - 236.0).abs();
    assert!(off < 14.0, "the mouth is {off} px off");
}

#[test]
fn what_cannot_be_used_says_why() {
    let picture = painted::picture();
    let at = |x: f64, y: f64, side: f64| Rect {
        x,
        y,
        width: side,
        height: side,
    };
    let hand = |rect| {
        HandScene::new(
            &picture,
            &HandSpec {
                rect,
                keypoints: None,
            },
        )
        .err()
    };
    assert_eq!(
        hand(at(100.0, 100.0, 12.0)),
        Some("the hand is smaller than 24 px")
    );
    assert_eq!(
        hand(at(-90.0, 100.0, 100.0)),
        Some("most of the hand is out of the frame")
    );
    assert_eq!(
        hand(at(300.0, 330.0, 60.0)),
        Some("no bare skin in the middle of the box")
    );
    let face = |rect| {
        FaceScene::new(
            &picture,
            &FaceSpec {
                rect,
                landmarks: None,
            },
        )
        .err()
    };
    assert_eq!(
        face(at(100.0, 100.0, 20.0)),
        Some("the face is smaller than 36 px")
    );
    assert!(face(at(280.0, 300.0, 90.0)).unwrap().contains("too little skin"));
}
