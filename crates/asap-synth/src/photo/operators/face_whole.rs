//! Operators on a whole face: features exchanged, turned over or run together.

use asap_core::{Point, Severity, Stream};
use serde_json::json;

use super::face_features::{clone_feature, clone_into, cover};
use super::{Canvas, Parameters, by_severity, rounded};
use crate::photo::canvas::{mix, smoothstep};
use crate::photo::face::{Ellipse, FaceScene};
use crate::photo::hand::Decline;
use crate::photo::layers::mls::{Handle, Warp};

/// The mouth in the place of an eye, and the eye in the place of the mouth.
pub(super) fn swapped_features(
    scene: &FaceScene,
    canvas: &mut Canvas,
    _severity: Severity,
    stream: &mut Stream,
) -> Result<Parameters, Decline> {
    let eye = stream.below(2);
    let (from, mouth) = (scene.eyes[eye], scene.mouth);
    let factor = 1.15 * from.along_px / mouth.along_px;
    let new_mouth = Ellipse {
        center: from.center,
        along_px: factor * mouth.along_px,
        across_px: factor.max(0.8 * from.across_px / mouth.across_px) * mouth.across_px,
    };
    let new_eye = Ellipse {
        center: mouth.center,
        along_px: 1.25 * from.along_px,
        across_px: 1.25 * from.across_px,
    };
    let before = canvas.clone();
    let done = cover(scene, canvas, &from)
        .and_then(|()| cover(scene, canvas, &mouth))
        .and_then(|()| clone_feature(scene, canvas, &mouth, &new_mouth))
        .and_then(|()| clone_feature(scene, canvas, &from, &new_eye));
    if let Err(reason) = done {
        *canvas = before;
        return Err(reason);
    }
    let side = ["left of picture", "right of picture"][eye];
    Ok(json!({ "eye": side }))
}

/// Eyes and mouth upside down in an upright face (Thompson 1980).
pub(super) fn flipped_features(
    scene: &FaceScene,
    canvas: &mut Canvas,
    severity: Severity,
    _stream: &mut Stream,
) -> Result<Parameters, Decline> {
    let before = canvas.clone();
    let grown = by_severity(severity, [1.0, 1.1, 1.2]);
    let mut flipped = vec!["eyes"];
    let mut features = scene.eyes.to_vec();
    features.push(scene.mouth);
    if severity == Severity::Slight {
        features.truncate(2);
    } else {
        flipped.push("mouth");
    }
    for feature in features {
        let ellipse = Ellipse {
            along_px: grown * feature.along_px,
            across_px: grown * feature.across_px,
            ..feature
        };
        let done = clone_into(scene, canvas, &ellipse, |p| {
            let r = scene.relative(&ellipse, p);
            scene
                .source
                .cubic(scene.absolute(&ellipse, Point::new(r.x, -r.y)))
        });
        if let Err(reason) = done {
            *canvas = before;
            return Err(reason);
        }
    }
    Ok(json!({ "flipped": flipped }))
}

/// A face that runs: features pulled apart by a smooth warp that leaves the outline in place.
pub(super) fn melt(
    scene: &FaceScene,
    canvas: &mut Canvas,
    severity: Severity,
    stream: &mut Stream,
) -> Result<Parameters, Decline> {
    let amplitude = by_severity(severity, [0.2, 0.28, 0.36]);
    let (eyes, mouth) = (scene.eyes, scene.mouth);
    let middle = eyes[0].center.lerp(eyes[1].center, 0.5);
    let nose = middle.lerp(mouth.center, 0.62);
    let corner = |sign: f64| scene.absolute(&mouth, Point::new(0.8 * sign, 0.0));
    let features = [eyes[0].center, eyes[1].center, nose, corner(-1.0), corner(1.0)];
    // One side sags and the other is pulled aside: a melt is never even.
    let slant = if stream.chance(0.5) { 1.0 } else { -1.0 };
    let pulls: Vec<(f64, f64)> = [
        (0.3, 0.9),
        (-0.2, -0.55),
        (0.75, 0.25),
        (-0.6, 0.75),
        (0.35, -0.5),
    ]
    .iter()
    .map(|&(along, across)| {
        (
            slant * along + stream.between(-0.25, 0.25),
            across + stream.between(-0.2, 0.2),
        )
    })
    .collect();
    let ring: Vec<Point> = (0..20)
        .map(|i| {
            let angle = std::f64::consts::TAU * f64::from(i) / 20.0;
            scene.absolute(&scene.outline, Point::new(1.12 * angle.cos(), 1.12 * angle.sin()))
        })
        .collect();
    for factor in [1.0, 0.85, 0.7, 0.55] {
        let mut handles: Vec<Handle> = ring.iter().map(|&p| Handle { from: p, to: p }).collect();
        for (&from, &(along, across)) in features.iter().zip(&pulls) {
            let reach = factor * amplitude;
            handles.push(Handle {
                from,
                to: scene.offset(from, reach * along, reach * across),
            });
        }
        let Some(warp) = Warp::rigid(scene.source.width, scene.source.height, &handles) else {
            continue;
        };
        draw(scene, canvas, &warp);
        return Ok(json!({ "amplitude": rounded(factor * amplitude) }));
    }
    Err("the warp folds over")
}

/// Draws the warped face; beyond the ring of fixed points nothing moves.
fn draw(scene: &FaceScene, canvas: &mut Canvas, warp: &Warp) {
    let below = canvas.rgb.clone();
    for y in 0..below.height {
        for x in 0..below.width {
            let p = Point::new(x as f64, y as f64);
            let inside = 1.0 - smoothstep(1.0, 1.12, scene.relative(&scene.outline, p).length());
            if inside > 0.0 {
                let at = y * below.width + x;
                let from = p + (warp.source(x, y) - p) * inside;
                canvas.rgb.data[at] = mix(below.data[at], below.cubic(from), 1.0);
            }
        }
    }
}
