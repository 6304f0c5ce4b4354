//! A painted person for tests: an open hand and a face on textured ground, with their keypoints.

use asap_core::skeleton::{FACE_START, hand_start};
use asap_core::{Keypoint, Point, Side, Skeleton, Stream};
use image::{Rgb, RgbImage};

/// The size of the picture.
pub(super) const SIZE: (u32, u32) = (640, 420);
const SKIN: [f64; 3] = [214.0, 160.0, 132.0];

fn capsule(p: Point, a: Point, b: Point) -> f64 {
    let d = b - a;
    let t = (((p - a).x * d.x + (p - a).y * d.y) / (d.x * d.x + d.y * d.y)).clamp(0.0, 1.0);
    p.distance(a.lerp(b, t))
}

/// The 21 points of the painted hand: the wrist below, fingers spread upwards.
pub(super) fn hand_points() -> [Point; 21] {
    let root = Point::new(160.0, 320.0);
    let mut points = [root; 21];
    let fingers = [
        (Point::new(122.0, 278.0), -58.0, [24.0, 22.0, 18.0]),
        (Point::new(132.0, 226.0), -16.0, [34.0, 24.0, 18.0]),
        (Point::new(156.0, 220.0), -3.0, [38.0, 27.0, 20.0]),
        (Point::new(180.0, 226.0), 9.0, [34.0, 25.0, 19.0]),
        (Point::new(200.0, 240.0), 24.0, [27.0, 18.0, 16.0]),
    ];
    for (finger, (base, degrees, bones)) in fingers.into_iter().enumerate() {
        let axis = Point::new(0.0, -1.0).rotated_about(Point::default(), f64::to_radians(degrees));
        let mut p = base;
        points[1 + 4 * finger] = p;
        for (bone, length) in bones.into_iter().enumerate() {
            p = p + axis * length;
            points[2 + 4 * finger + bone] = p;
        }
    }
    points
}

/// The 68 points of the painted face.
pub(super) fn face_points() -> Vec<Point> {
    let center = Point::new(460.0, 190.0);
    let at = |x: f64, y: f64| center + Point::new(x, y);
    let mut points: Vec<Point> = (0..17)
        .map(|i| {
            let angle = std::f64::consts::PI * f64::from(i) / 16.0;
            at(-72.0 * angle.cos(), 95.0 * angle.sin())
        })
        .collect();
    for side in [-1.0, 1.0] {
        points.extend((0..5).map(|i| at(side * 32.0 + 5.0 * f64::from(i - 2), -46.0)));
    }
    points.extend((0..4).map(|i| at(0.0, -16.0 + 9.0 * f64::from(i))));
    points.extend((0..5).map(|i| at(6.0 * f64::from(i - 2), 18.0)));
    for side in [-1.0, 1.0] {
        for (x, y) in [
            (-15.0, 0.0),
            (-6.0, -6.0),
            (6.0, -6.0),
            (15.0, 0.0),
            (6.0, 6.0),
            (-6.0, 6.0),
        ] {
            points.push(at(side * 32.0 + x, -18.0 + y));
        }
    }
    points.extend((0..20).map(|i| {
        let angle = std::f64::consts::PI + std::f64::consts::TAU * f64::from(i) / 12.0;
        at(26.0 * angle.cos(), 46.0 + 9.0 * angle.sin())
    }));
    points
}

/// The skeleton with one hand and the face.
pub(super) fn skeleton() -> Skeleton {
    let mut skeleton = Skeleton::default();
    let mut put = |idx: usize, p: Point| {
        skeleton[idx] = Keypoint {
            x: p.x as f32,
            y: p.y as f32,
            score: 0.9,
        };
    };
    for (idx, point) in hand_points().into_iter().enumerate() {
        put(hand_start(Side::Right) + idx, point);
    }
    for (idx, point) in face_points().into_iter().enumerate() {
        put(FACE_START + idx, point);
    }
    skeleton
}

/// The picture.
pub(super) fn picture() -> RgbImage {
    let hand = hand_points();
    let face = face_points();
    let mut stream = Stream::new(5, "painted");
    RgbImage::from_fn(SIZE.0, SIZE.1, |x, y| {
        let p = Point::new(f64::from(x), f64::from(y));
        let wave = 14.0 * (0.13 * p.x + 0.05 * p.y).sin() + 9.0 * (0.21 * p.y).cos();
        let mut color = [70.0 + wave, 120.0 + wave, 96.0 - wave];
        let mut depth: f64 = capsule(p, hand[0], Point::new(160.0, 480.0)) / 26.0;
        depth = depth.min(capsule(p, hand[0], hand[9]) / 34.0);
        for finger in 0..5 {
            depth = depth.min(capsule(p, hand[0], hand[1 + 4 * finger]) / 22.0);
            for bone in 1..4 {
                let joints = (hand[4 * finger + bone], hand[1 + 4 * finger + bone]);
                depth = depth.min(capsule(p, joints.0, joints.1) / 10.5);
            }
        }
        let d = p - Point::new(460.0, 190.0);
        depth = depth.min((d.x / 80.0).hypot(d.y / 108.0));
        if depth < 1.0 {
            color = SKIN.map(|v| v * (1.0 - 0.14 * depth * depth));
        }
        for (eye, brow) in [(36, 17), (42, 22)] {
            let middle = face[eye].lerp(face[eye + 3], 0.5);
            let d = p - middle;
            if (d.x / 15.0).hypot(d.y / 6.0) < 1.0 {
                // The upper lid shades the eye, so that up and down differ.
                color = match d {
                    d if d.y < -2.5 => [70.0, 48.0, 40.0],
                    d if d.length() < 5.5 => [52.0, 40.0, 34.0],
                    _ => [232.0, 228.0, 222.0],
                };
            }
            if capsule(p, face[brow], face[brow + 4]) < 3.0 {
                color = [74.0, 52.0, 40.0];
            }
        }
        let d = p - Point::new(460.0, 236.0);
        if (d.x / 26.0).hypot(d.y / 9.0) < 1.0 {
            color = if d.y < 0.0 {
                [150.0, 60.0, 64.0]
            } else {
                [196.0, 104.0, 100.0]
            };
        }
        let grain = 2.2 * stream.normal();
        Rgb(color.map(|v| (v + grain).round().clamp(0.0, 255.0) as u8))
    })
}

/// The pose file of the picture, stored as `file`.
pub(super) fn pose_file(file: &str) -> String {
    let keypoints: Vec<[f32; 3]> = Vec::<Keypoint>::from(skeleton())
        .into_iter()
        .map(Into::into)
        .collect();
    serde_json::json!({
        "images": [{
            "file": file,
            "width": SIZE.0,
            "height": SIZE.1,
            "licence_note": "made by code",
            "people": [{ "keypoints": keypoints }],
        }],
    })
    .to_string()
}
