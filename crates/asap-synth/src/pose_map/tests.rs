//! Rasters against OpenCV 4.10, whole maps against controlnet_aux, graphs against skeletons.

use std::path::PathBuf;

use asap_core::{Keypoint, Severity, Stream};

use super::opencv::Grid;
use super::*;
use crate::corrupt::{Operator, fixture::person};

/// Rows of a shape as (y, first x, last x), as the golden file keeps them.
type Rows = Vec<[i64; 3]>;

fn rows(width: u32, height: u32, paint: impl FnOnce(&mut RgbImage)) -> Rows {
    let mut canvas = RgbImage::new(width, height);
    paint(&mut canvas);
    let is_set = |x: u32, y: u32| canvas.get_pixel(x, y).0 != [0; 3];
    (0..height)
        .filter_map(|y| {
            let marked: Vec<u32> = (0..width).filter(|&x| is_set(x, y)).collect();
            let (first, last) = (*marked.first()?, *marked.last()?);
            assert_eq!(marked.len() as u32, last - first + 1, "row {y} has a hole");
            Some([i64::from(y), i64::from(first), i64::from(last)])
        })
        .collect()
}

const WHITE: Rgb<u8> = Rgb([255; 3]);

#[test]
fn discs_have_opencv_rows() {
    let half_widths = |radius| -> Vec<i64> {
        let rows = rows(21, 21, |canvas| disc(canvas, (10, 10), radius, WHITE));
        rows.iter().map(|[_, first, last]| (last - first) / 2).collect()
    };
    assert_eq!(half_widths(4), [0, 2, 3, 3, 4, 3, 3, 2, 0]);
    assert_eq!(half_widths(3), [0, 2, 2, 3, 2, 2, 0]);
    assert_eq!(half_widths(1), [0, 1, 0]);
}

#[test]
fn a_horizontal_line_covers_three_rows() {
    let got = rows(40, 30, |canvas| thick_line(canvas, (4, 20), (33, 20), 2, WHITE));
    assert_eq!(got, [[19, 4, 33], [20, 3, 34], [21, 4, 33]]);
    let dot = rows(20, 20, |canvas| thick_line(canvas, (8, 8), (8, 8), 2, WHITE));
    assert_eq!(dot, [[7, 8, 8], [8, 7, 9], [9, 8, 8]]);
}

#[test]
fn shapes_beyond_the_canvas_are_clipped() {
    let mut canvas = RgbImage::new(20, 20);
    disc(&mut canvas, (-1, 10), 4, WHITE);
    thick_line(&mut canvas, (-500, -700), (900, 1000), 2, WHITE);
    let outline = ellipse_polygon((10, -40), (70, 4), 88);
    convex_polygon(&mut canvas, &outline, WHITE);
    thick_line(&mut canvas, (5000, 5000), (6000, 5000), 2, WHITE);
    assert!(canvas.pixels().any(|pixel| *pixel == WHITE));
    assert_eq!(canvas.get_pixel(2, 10), &WHITE);
}

#[test]
fn an_intact_graph_is_drawn_like_its_skeleton() {
    let graph = person();
    for draw_at in [
        DrawAt::Native,
        DrawAt::NativeScaled,
        DrawAt::ShortSide512ThenResize,
    ] {
        let from_graph = draw_graph(&graph, 512, 768, draw_at).unwrap();
        let from_skeleton = draw(&[graph.to_skeleton()], 512, 768, draw_at).unwrap();
        assert_eq!(from_graph, from_skeleton, "{draw_at:?}");
    }
}

#[test]
fn an_added_finger_has_the_hue_of_its_donor() {
    let mut graph = person();
    let before = draw_graph(&graph, 512, 768, DrawAt::Native).unwrap();
    let operator = Operator::by_id("hand.extra_finger").unwrap();
    (operator.apply)(&mut graph, Severity::Slight, &mut Stream::new(2, "hue")).unwrap();
    let after = draw_graph(&graph, 512, 768, DrawAt::Native).unwrap();
    let colors = |map: &RgbImage| {
        let found: std::collections::BTreeSet<[u8; 3]> = map.pixels().map(|pixel| pixel.0).collect();
        found
    };
    assert_ne!(before, after);
    assert_eq!(colors(&before), colors(&after), "a copy brings no new colour");
    let skeleton = draw(&[graph.to_skeleton()], 512, 768, DrawAt::Native).unwrap();
    assert_eq!(skeleton, before, "133 points cannot say six fingers");
}

#[test]
fn sticks_scale_and_canvases_round_as_the_references_do() {
    assert_eq!(DrawAt::NativeScaled.stick_scale(499, 300), 1);
    assert_eq!(DrawAt::NativeScaled.stick_scale(500, 300), 2);
    assert_eq!(DrawAt::NativeScaled.stick_scale(1024, 1024), 3);
    assert_eq!(DrawAt::NativeScaled.stick_scale(9000, 10), 7);
    assert_eq!(DrawAt::Native.stick_scale(4096, 4096), 1);
    assert_eq!(detect_size(1024, 1360), (512, 704));
    assert_eq!(detect_size(640, 425), (768, 512));
    assert!(draw(&[], 0, 8, DrawAt::Native).is_err());
    assert_eq!(draw(&[], 8, 9, DrawAt::Native).unwrap(), RgbImage::new(8, 9));
}

/// The marked pixels of a canvas as runs of [row, first column, last column].
fn runs(canvas: &RgbImage) -> Rows {
    let mut runs = Rows::new();
    for (x, y, _) in canvas.enumerate_pixels().filter(|(.., pixel)| **pixel == WHITE) {
        let (x, y) = (i64::from(x), i64::from(y));
        match runs.last_mut() {
            Some([row, _, last]) if *row == y && *last == x - 1 => *last = x,
            _ => runs.push([y, x, x]),
        }
    }
    runs
}

/// Draws every shape of a golden list and compares its runs.
fn check_rasters(shapes: &serde_json::Value, paint: impl Fn(&mut RgbImage, &serde_json::Value)) {
    for shape in shapes.as_array().unwrap() {
        let mut canvas = RgbImage::new(96, 72);
        paint(&mut canvas, shape);
        let expected: Rows = serde_json::from_value(shape["runs"].clone()).unwrap();
        assert_eq!(runs(&canvas), expected, "{shape}");
    }
}

#[test]
fn rasters_equal_opencv() {
    let golden: serde_json::Value =
        serde_json::from_str(include_str!("../../tests/golden/opencv_rasters.json")).unwrap();
    check_rasters(&golden["lines"], |canvas, line| {
        thick_line(canvas, grid(&line["from"]), grid(&line["to"]), 2, WHITE);
    });
    check_rasters(&golden["discs"], |canvas, shape| {
        disc(
            canvas,
            grid(&shape["center"]),
            shape["radius"].as_i64().unwrap(),
            WHITE,
        );
    });
    check_rasters(&golden["ellipses"], |canvas, shape| {
        let angle_deg = shape["angle_deg"].as_i64().unwrap();
        let outline = ellipse_polygon(grid(&shape["center"]), grid(&shape["axes"]), angle_deg);
        convex_polygon(canvas, &outline, WHITE);
    });
    let picture = RgbImage::from_fn(24, 18, |x, y| {
        Rgb([((x * 37 + y * 91 + x * y * 5) % 256) as u8; 3])
    });
    for resized in golden["resized"].as_array().unwrap() {
        let (width, height) = grid(&resized["size"]);
        let got = resize::bilinear(&picture, width as u32, height as u32);
        let expected: Vec<u8> = serde_json::from_value(resized["values"].clone()).unwrap();
        assert_eq!(got.pixels().len(), expected.len());
        for (got, expected) in got.pixels().zip(expected) {
            assert!(
                got.0[0].abs_diff(expected) <= 1,
                "{width}x{height}: {got:?} {expected}"
            );
        }
    }
}

/// The folder of golden maps, or `None` with a line that says what is skipped.
fn golden(what: &str) -> Option<PathBuf> {
    let root = std::env::var_os("ASAP_SHARED").map_or_else(
        || PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared")),
        PathBuf::from,
    );
    let folder = root.join("golden/pose");
    if folder.join("golden.json").is_file() {
        return Some(root);
    }
    println!(
        "skipped: {what}: no golden pose maps in `{}` (set `ASAP_SHARED`)",
        folder.display()
    );
    None
}

fn json(path: PathBuf) -> serde_json::Value {
    serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
}

fn grid(value: &serde_json::Value) -> Grid {
    (value[0].as_i64().unwrap(), value[1].as_i64().unwrap())
}

#[test]
fn lines_and_ellipses_have_the_golden_rows() {
    let Some(root) = golden("rows of lines and ellipses") else {
        return;
    };
    let golden = json(root.join("golden/pose/golden.json"));
    for line in golden["line_thickness2_rows"].as_array().unwrap() {
        let expected: Rows = serde_json::from_value(line["rows"].clone()).unwrap();
        let (from, to) = (grid(&line["p0"]), grid(&line["p1"]));
        let got = rows(64, 64, |canvas| thick_line(canvas, from, to, 2, WHITE));
        assert_eq!(got, expected, "line {from:?} {to:?}");
    }
    for ellipse in golden["ellipse2poly_fill"].as_array().unwrap() {
        let angle = ellipse["angle"].as_i64().unwrap();
        let polygon = ellipse_polygon(grid(&ellipse["center"]), grid(&ellipse["axes"]), angle);
        let expected: Vec<Grid> = ellipse["poly"].as_array().unwrap().iter().map(grid).collect();
        assert_eq!(polygon, expected, "outline at {angle} degrees");
        let expected: Rows = serde_json::from_value(ellipse["rows"].clone()).unwrap();
        let got = rows(128, 128, |canvas| convex_polygon(canvas, &polygon, WHITE));
        assert_eq!(got, expected, "ellipse at {angle} degrees");
    }
}

/// The skeletons of the listed people, scaled to the canvas.
fn people(poses: &serde_json::Value, case: &serde_json::Value) -> Vec<Skeleton> {
    let image = poses["images"]
        .as_array()
        .unwrap()
        .iter()
        .find(|image| image["file"] == case["image"])
        .unwrap();
    let scale = case["canvas"][0].as_f64().unwrap() / image["width"].as_f64().unwrap();
    let persons = case["persons"].as_array().unwrap();
    persons
        .iter()
        .map(|idx| {
            let keypoints = &image["people"][idx.as_u64().unwrap() as usize]["keypoints"];
            let mut keypoints: Vec<Keypoint> = serde_json::from_value(keypoints.clone()).unwrap();
            for keypoint in &mut keypoints {
                keypoint.x = (f64::from(keypoint.x) * scale) as f32;
                keypoint.y = (f64::from(keypoint.y) * scale) as f32;
            }
            Skeleton::try_from(keypoints).unwrap()
        })
        .collect()
}

#[test]
fn whole_maps_equal_those_of_controlnet_aux() {
    let Some(root) = golden("whole pose maps") else {
        return;
    };
    let golden = json(root.join("golden/pose/golden.json"));
    let poses = json(root.join("people/people.json"));
    for case in golden["cases"].as_array().unwrap() {
        let file = case["file"].as_str().unwrap();
        let expected = image::open(root.join("golden/pose").join(file))
            .unwrap()
            .into_rgb8();
        let (width, height) = expected.dimensions();
        if poses["images"]
            .as_array()
            .unwrap()
            .iter()
            .all(|image| image["file"] != case["image"])
        {
            println!("skipped: `{file}`: no keypoints of its picture in `people.json`");
            continue;
        }
        let got = draw(&people(&poses, case), width, height, DrawAt::Native).unwrap();
        let n_different = expected
            .pixels()
            .zip(got.pixels())
            .filter(|(a, b)| a != b)
            .count();
        assert_eq!(n_different, 0, "{file}");
    }
}
