//! Operators on single eyes and mouths: cloned, moved or covered with skin, without a seam.

use asap_core::{Point, Severity, Stream};
use serde_json::json;

use super::{Canvas, Parameters, by_severity, rounded};
use crate::photo::canvas::{Plane, Rgb};
use crate::photo::face::{Ellipse, FaceScene};
use crate::photo::hand::Decline;
use crate::photo::layers::poisson;

/// The mouth among the used features; eyes are 0 and 1.
const MOUTH: usize = 2;
/// Above this difference to the cheeks a place is not bare skin.
const MAX_UNLIKE_SKIN: f64 = 17.0;
const OUT: Decline = "the feature would leave the budget";
const NO_SKIN: Decline = "no bare skin is seen where the feature would go";
const USED: Decline = "the feature was changed already";

/// Clones what `source` gives into an ellipse of the canvas.
pub(super) fn clone_into(
    scene: &FaceScene,
    canvas: &mut Canvas,
    ellipse: &Ellipse,
    source: impl Fn(Point) -> Rgb,
) -> Result<(), Decline> {
    let bounds = scene.bounds(ellipse).ok_or(OUT)?;
    let (w, h) = (bounds.width() as usize, bounds.height() as usize);
    let (x0, y0) = (bounds.x0 as usize, bounds.y0 as usize);
    let point = |x: usize, y: usize| Point::new((x0 + x) as f64, (y0 + y) as f64);
    let target = Plane::from_fn(w, h, |x, y| canvas.rgb.at(x0 + x, y0 + y));
    let guide = Plane::from_fn(w, h, |x, y| source(point(x, y)));
    let inside = Plane::from_fn(w, h, |x, y| scene.relative(ellipse, point(x, y)).length() <= 1.0);
    let cloned = poisson::cloned(&target, &guide, &inside);
    for y in 0..h {
        for x in 0..w {
            let at = (y0 + y) * canvas.rgb.width + x0 + x;
            canvas.rgb.data[at] = cloned.at(x, y);
        }
    }
    Ok(())
}

/// Clones one ellipse of the untouched face onto another, scaled to fit.
pub(super) fn clone_feature(
    scene: &FaceScene,
    canvas: &mut Canvas,
    from: &Ellipse,
    to: &Ellipse,
) -> Result<(), Decline> {
    clone_into(scene, canvas, to, |p| {
        scene.source.cubic(scene.absolute(from, scene.relative(to, p)))
    })?;
    mark(scene, canvas, to);
    Ok(())
}

/// Counts the ellipse to the face.
fn mark(scene: &FaceScene, canvas: &mut Canvas, ellipse: &Ellipse) {
    if let Some(bounds) = scene.bounds(ellipse) {
        for y in bounds.y0..bounds.y1 {
            for x in bounds.x0..bounds.x1 {
                if scene
                    .relative(ellipse, Point::new(f64::from(x), f64::from(y)))
                    .length()
                    <= 1.0
                {
                    canvas.part.data[y as usize * canvas.part.width + x as usize] = 1.0;
                }
            }
        }
    }
}

/// Covers a feature with the barest skin near by.
pub(super) fn cover(scene: &FaceScene, canvas: &mut Canvas, feature: &Ellipse) -> Result<(), Decline> {
    let grown = Ellipse {
        along_px: 1.12 * feature.along_px,
        across_px: 1.2 * feature.across_px,
        ..*feature
    };
    let mut best: Option<(f64, Ellipse)> = None;
    for along in -6..=6 {
        for across in -5..=8 {
            let donor = Ellipse {
                center: scene.offset(feature.center, 0.12 * f64::from(along), 0.12 * f64::from(across)),
                ..grown
            };
            if scene.relative(&scene.outline, donor.center).length() > 0.8 {
                continue;
            }
            let cost = scene.unlike_skin(&donor)
                + 1.5 * donor.center.distance(feature.center) / scene.eye_distance_px;
            if best.is_none_or(|(least, _)| cost < least) {
                best = Some((cost, donor));
            }
        }
    }
    let (cost, donor) = best.ok_or(NO_SKIN)?;
    if cost > MAX_UNLIKE_SKIN {
        return Err(NO_SKIN);
    }
    clone_into(scene, canvas, &grown, |p| {
        scene.source.cubic(p - feature.center + donor.center)
    })
}

/// An eye that was not changed yet.
fn free_eye(canvas: &Canvas, stream: &mut Stream) -> Result<usize, Decline> {
    let free: Vec<usize> = (0..2).filter(|eye| !canvas.used.contains(eye)).collect();
    if free.is_empty() {
        Err(USED)
    } else {
        Ok(*stream.choose(&free))
    }
}

fn side(eye: usize) -> &'static str {
    ["left of picture", "right of picture"][eye]
}

/// An eye moved up or down.
pub(super) fn eye_displaced(
    scene: &FaceScene,
    canvas: &mut Canvas,
    severity: Severity,
    stream: &mut Stream,
) -> Result<Parameters, Decline> {
    let eye = free_eye(canvas, stream)?;
    let distance = by_severity(severity, [0.22, 0.3, 0.4]) * stream.between(0.9, 1.1);
    let outward = if eye == 0 { -1.0 } else { 1.0 };
    let from = scene.eyes[eye];
    // Down onto the cheek; up there is the brow.
    let along = outward * distance * stream.between(-0.35, 0.2);
    let to = Ellipse {
        center: scene.offset(from.center, along, distance),
        ..from
    };
    let before = canvas.clone();
    let done = cover(scene, canvas, &from).and_then(|()| clone_feature(scene, canvas, &from, &to));
    if let Err(reason) = done {
        *canvas = before;
        return Err(reason);
    }
    canvas.used.push(eye);
    Ok(json!({ "eye": side(eye), "down": rounded(distance), "along": rounded(along) }))
}

/// One eye much larger or smaller than the other.
pub(super) fn eye_size(
    scene: &FaceScene,
    canvas: &mut Canvas,
    severity: Severity,
    stream: &mut Stream,
) -> Result<Parameters, Decline> {
    let eye = free_eye(canvas, stream)?;
    let factor = by_severity(severity, [1.4, 1.6, 1.85]) * stream.between(0.95, 1.05);
    let from = scene.eyes[eye];
    let to = Ellipse {
        along_px: factor * from.along_px,
        across_px: factor * from.across_px,
        center: scene.offset(from.center, if eye == 0 { -0.05 } else { 0.05 }, 0.04),
    };
    clone_feature(scene, canvas, &from, &to)?;
    canvas.used.push(eye);
    Ok(json!({ "eye": side(eye), "factor": rounded(factor) }))
}

/// An eye on the forehead or on a cheek.
pub(super) fn third_eye(
    scene: &FaceScene,
    canvas: &mut Canvas,
    severity: Severity,
    stream: &mut Stream,
) -> Result<Parameters, Decline> {
    let eye = stream.below(2);
    let factor = by_severity(severity, [0.85, 1.0, 1.2]);
    let from = scene.eyes[eye];
    let middle = scene.eyes[0].center.lerp(scene.eyes[1].center, 0.5);
    let mut best: Option<(f64, &str, Ellipse)> = None;
    let places = [
        ("forehead", -0.1, -0.72),
        ("forehead", 0.1, -0.85),
        ("cheek", -0.52, 0.62),
        ("cheek", 0.52, 0.62),
    ];
    for (name, along, across) in places {
        let to = Ellipse {
            center: scene.offset(middle, along + stream.between(-0.05, 0.05), across),
            along_px: factor * from.along_px,
            across_px: factor * from.across_px,
        };
        let cost = scene.unlike_skin(&to) + if name == "cheek" { 3.0 } else { 0.0 };
        if scene.bounds(&to).is_some() && best.is_none_or(|(least, ..)| cost < least) {
            best = Some((cost, name, to));
        }
    }
    let (_, place, to) = best.filter(|(cost, ..)| *cost < MAX_UNLIKE_SKIN).ok_or(NO_SKIN)?;
    clone_feature(scene, canvas, &from, &to)?;
    Ok(json!({ "eye": side(eye), "place": place, "factor": rounded(factor) }))
}

/// Skin where an eye was.
pub(super) fn missing_eye(
    scene: &FaceScene,
    canvas: &mut Canvas,
    _severity: Severity,
    stream: &mut Stream,
) -> Result<Parameters, Decline> {
    let eye = free_eye(canvas, stream)?;
    cover(scene, canvas, &scene.eyes[eye])?;
    canvas.used.push(eye);
    Ok(json!({ "eye": side(eye) }))
}

/// A mouth beside its place.
pub(super) fn mouth_shifted(
    scene: &FaceScene,
    canvas: &mut Canvas,
    severity: Severity,
    stream: &mut Stream,
) -> Result<Parameters, Decline> {
    if canvas.used.contains(&MOUTH) {
        return Err(USED);
    }
    let distance = by_severity(severity, [0.24, 0.34, 0.45]) * stream.between(0.9, 1.1);
    let first = if stream.chance(0.5) { 1.0 } else { -1.0 };
    let from = scene.mouth;
    let before = canvas.clone();
    let mut reason = OUT;
    for sign in [first, -first] {
        let to = Ellipse {
            center: scene.offset(from.center, sign * distance, -0.12 * distance),
            ..from
        };
        if scene.relative(&scene.outline, to.center).length() > 0.85 {
            continue;
        }
        match cover(scene, canvas, &from).and_then(|()| clone_feature(scene, canvas, &from, &to)) {
            Ok(()) => {
                canvas.used.push(MOUTH);
                return Ok(json!({ "along": rounded(sign * distance) }));
            }
            Err(why) => {
                *canvas = before.clone();
                reason = why;
            }
        }
    }
    Err(reason)
}

/// A second mouth, on the forehead or on a cheek.
pub(super) fn two_mouths(
    scene: &FaceScene,
    canvas: &mut Canvas,
    severity: Severity,
    stream: &mut Stream,
) -> Result<Parameters, Decline> {
    let factor = by_severity(severity, [0.62, 0.74, 0.88]);
    let from = scene.mouth;
    let middle = scene.eyes[0].center.lerp(scene.eyes[1].center, 0.5);
    let mut best: Option<(f64, &str, Ellipse)> = None;
    for (name, along, across) in [("forehead", 0.0, -0.8), ("cheek", -0.5, 0.6), ("cheek", 0.5, 0.6)] {
        let to = Ellipse {
            center: scene.offset(middle, along + stream.between(-0.04, 0.04), across),
            along_px: factor * from.along_px,
            across_px: factor * from.across_px,
        };
        let cost = scene.unlike_skin(&to);
        if scene.bounds(&to).is_some() && best.is_none_or(|(least, ..)| cost < least) {
            best = Some((cost, name, to));
        }
    }
    let (_, place, to) = best.filter(|(cost, ..)| *cost < MAX_UNLIKE_SKIN).ok_or(NO_SKIN)?;
    clone_feature(scene, canvas, &from, &to)?;
    Ok(json!({ "place": place, "factor": rounded(factor) }))
}
