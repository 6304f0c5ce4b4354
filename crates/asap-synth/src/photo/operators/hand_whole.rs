//! Operators on a whole hand, for which a box is enough.

use asap_core::{Point, Severity, Stream};
use serde_json::json;

use super::{Canvas, Parameters, by_severity, rounded};
use crate::photo::canvas::{Plane, mix};
use crate::photo::hand::{Decline, HandScene};
use crate::photo::layers::mls::Warp;

/// A filled place as large as a hand shows on busy ground: above this energy the hand is not moved away.
const MAX_GROUND_ENERGY: f32 = 22.0;
const NO_WRIST: Decline = "no wrist is seen at the border of the box";
const FOLDED: Decline = "the warp folds over";

/// Draws the hand anew over the canvas: `source` gives the point of the hand seen at a point.
fn draw(
    scene: &HandScene,
    canvas: &mut Canvas,
    source: impl Fn(Point) -> Point,
    behind: Option<&Plane<f32>>,
) {
    for y in 0..canvas.rgb.height {
        for x in 0..canvas.rgb.width {
            let from = source(Point::new(x as f64, y as f64));
            if !scene.hand.holds(from) {
                continue;
            }
            let drawn = scene.hand.bilinear(from);
            if drawn < 0.004 {
                continue;
            }
            let at = y * canvas.rgb.width + x;
            let cover = behind.map_or(0.0, |front| front.data[at]);
            let light = if behind.is_some() { 0.94 } else { 1.0 };
            let color = scene.colors.cubic(from).map(|v| v * light);
            canvas.rgb.data[at] = mix(canvas.rgb.data[at], color, drawn * (1.0 - cover));
            canvas.part.data[at] = canvas.part.data[at].max(drawn);
        }
    }
}

/// Takes the hand away: ground and stump are left.
fn clear(scene: &HandScene, canvas: &mut Canvas) -> Result<(), Decline> {
    if scene.texture_energy() > MAX_GROUND_ENERGY {
        return Err("the ground is too busy to be filled");
    }
    canvas.rgb = scene.ground()?.clone();
    canvas.part = Plane::filled(canvas.part.width, canvas.part.height, 0.0);
    Ok(())
}

/// Whether the hand, moved, stays in the budget: most of its pixels do.
fn stays(scene: &HandScene, target: impl Fn(Point) -> Point) -> Result<(), Decline> {
    if !scene.is_whole {
        return Err("the frame cuts the hand: moved, it would end in a straight line");
    }
    let budget = scene.budget_in_crop();
    let (mut inside, mut total) = (0u32, 0u32);
    for y in (0..scene.hand.height).step_by(3) {
        for x in (0..scene.hand.width).step_by(3) {
            if scene.hand.at(x, y) > 0.5 {
                let p = target(Point::new(x as f64, y as f64));
                total += 1;
                inside += u32::from(p.x >= 0.0 && p.y >= 0.0 && budget.contains(p.x as u32, p.y as u32));
            }
        }
    }
    if inside * 20 >= total * 17 {
        Ok(())
    } else {
        Err("the moved hand would leave the budget")
    }
}

/// Left for right: the thumb is on the wrong side.
pub(super) fn mirrored(
    scene: &HandScene,
    canvas: &mut Canvas,
    _severity: Severity,
    _stream: &mut Stream,
) -> Result<Parameters, Decline> {
    let (axis, pivot) = (scene.axis(), scene.pivot());
    let flip = |p: Point| {
        let d = p - pivot;
        let along = d.x * axis.x + d.y * axis.y;
        pivot + axis * (2.0 * along) - d
    };
    stays(scene, flip)?;
    clear(scene, canvas)?;
    draw(scene, canvas, flip, None);
    Ok(json!({ "axis_deg": rounded(axis.y.atan2(axis.x).to_degrees()) }))
}

/// A second hand from the same wrist, behind the first.
pub(super) fn duplicate(
    scene: &HandScene,
    canvas: &mut Canvas,
    severity: Severity,
    stream: &mut Stream,
) -> Result<Parameters, Decline> {
    let base = by_severity(severity, [32.0, 45.0, 60.0]) * stream.between(0.9, 1.15);
    let first = if stream.chance(0.5) { 1.0 } else { -1.0 };
    let pivot = scene.pivot();
    let side = Point::new(-scene.axis().y, scene.axis().x);
    let front = scene.hand.clone();
    for sign in [first, -first] {
        let degrees: f64 = sign * base;
        // Without a wrist to turn about the copy is moved aside instead.
        let shift = if scene.wrist.is_some() { 0.12 } else { 0.62 };
        let offset = side * (sign * shift * scene.size_px);
        let angle = if scene.wrist.is_some() {
            degrees
        } else {
            0.4 * degrees
        }
        .to_radians();
        let forward = |p: Point| p.rotated_about(pivot, angle) + offset;
        let backward = |p: Point| (p - offset).rotated_about(pivot, -angle);
        if stays(scene, forward).is_err() {
            continue;
        }
        draw(scene, canvas, backward, Some(&front));
        return Ok(json!({ "angle_deg": rounded(angle.to_degrees()), "shift": rounded(sign * shift) }));
    }
    Err("there is no room for another hand")
}

/// The hand turned about the wrist, farther than a wrist goes.
pub(super) fn twisted_wrist(
    scene: &HandScene,
    canvas: &mut Canvas,
    severity: Severity,
    stream: &mut Stream,
) -> Result<Parameters, Decline> {
    let wrist = scene.wrist.ok_or(NO_WRIST)?;
    let base = by_severity(severity, [62.0, 84.0, 108.0]) * stream.between(0.92, 1.08);
    let first = if stream.chance(0.5) { 1.0 } else { -1.0 };
    for sign in [first, -first] {
        let angle = (sign * base).to_radians();
        if stays(scene, |p| p.rotated_about(wrist.at, angle)).is_err() {
            continue;
        }
        clear(scene, canvas)?;
        draw(scene, canvas, |p| p.rotated_about(wrist.at, -angle), None);
        return Ok(json!({ "angle_deg": rounded(sign * base) }));
    }
    Err("the turned hand would leave the budget")
}

/// A hand far too large or too small for its arm.
pub(super) fn size(
    scene: &HandScene,
    canvas: &mut Canvas,
    severity: Severity,
    stream: &mut Stream,
) -> Result<Parameters, Decline> {
    let smaller = by_severity(severity, [0.66, 0.58, 0.48]);
    let larger = by_severity(severity, [1.32, 1.48, 1.65]);
    let pivot = scene.pivot();
    let is_larger = stream.chance(0.5);
    for factor in if is_larger {
        [larger, smaller]
    } else {
        [smaller, larger]
    } {
        let factor = factor * stream.between(0.96, 1.04);
        if stays(scene, |p| pivot + (p - pivot) * factor).is_err() {
            continue;
        }
        if factor < 1.0 {
            clear(scene, canvas)?;
        }
        draw(scene, canvas, |p| pivot + (p - pivot) * (1.0 / factor), None);
        return Ok(json!({ "factor": rounded(factor) }));
    }
    Err("the larger hand would leave the budget")
}

/// The hand torn off: a gap between it and the arm.
pub(super) fn disconnected(
    scene: &HandScene,
    canvas: &mut Canvas,
    severity: Severity,
    stream: &mut Stream,
) -> Result<Parameters, Decline> {
    let wrist = scene.wrist.ok_or(NO_WRIST)?;
    let distance = by_severity(severity, [0.3, 0.4, 0.5]) * stream.between(0.9, 1.1);
    let offset = wrist.into_hand * (distance * scene.size_px);
    stays(scene, |p| p + offset)?;
    clear(scene, canvas)?;
    draw(scene, canvas, |p| p - offset, None);
    Ok(json!({ "distance": rounded(distance) }))
}

/// An arm that ends at the wrist.
pub(super) fn absent(
    scene: &HandScene,
    canvas: &mut Canvas,
    _severity: Severity,
    _stream: &mut Stream,
) -> Result<Parameters, Decline> {
    clear(scene, canvas)?;
    Ok(json!({ "has_stump": scene.wrist.is_some() }))
}

/// A hand whose shape runs: waves at the scale of a finger, and softened skin.
pub(super) fn melted(
    scene: &HandScene,
    canvas: &mut Canvas,
    severity: Severity,
    stream: &mut Stream,
) -> Result<Parameters, Decline> {
    let scale_px = 4.0 * scene.half_width * stream.between(0.85, 1.2);
    let amplitude = by_severity(severity, [0.9, 1.3, 1.8]) * scene.half_width;
    let (width, height) = (scene.hand.width, scene.hand.height);
    let (dx, dy) = (
        waves(width, height, scale_px, stream),
        waves(width, height, scale_px, stream),
    );
    let calm = scene.stump.blurred(scene.half_width.max(1.0));
    let displaced = |p: Point, amplitude: f64| {
        let strength = amplitude * f64::from(1.0 - calm.bilinear(p));
        p + Point::new(f64::from(dx.bilinear(p)), f64::from(dy.bilinear(p))) * strength
    };
    // The largest amplitude that does not fold.
    let mut found = None;
    for factor in [1.0, 0.8, 0.64, 0.5, 0.4, 0.32, 0.25] {
        if let Some(warp) = Warp::from_fn(width, height, |p| displaced(p, factor * amplitude)) {
            found = Some((warp, factor));
            break;
        }
    }
    let (warp, factor) = found.ok_or(FOLDED)?;
    let soft = scene.colors.blurred((0.34 * scene.half_width).clamp(0.7, 3.5));
    let ground = if scene.texture_energy() > MAX_GROUND_ENERGY {
        None
    } else {
        scene.ground().ok()
    };
    let old = canvas.part.clone();
    for y in 0..height {
        for x in 0..width {
            let from = warp.source(x, y);
            let drawn = scene.hand.bilinear(from);
            let at = y * width + x;
            let was = old.data[at];
            if drawn < 0.004 && was < 0.004 {
                continue;
            }
            let below = ground.map_or(canvas.rgb.data[at], |ground| {
                mix(canvas.rgb.data[at], ground.data[at], was)
            });
            let color = mix(scene.colors.cubic(from), soft.bilinear(from), 0.75);
            canvas.rgb.data[at] = mix(below, color, drawn);
            canvas.part.data[at] = drawn;
        }
    }
    Ok(json!({
        "amplitude_px": rounded(factor * amplitude),
        "scale_px": rounded(scale_px),
    }))
}

/// Smooth noise of about unit size that varies over `scale_px`.
fn waves(width: usize, height: usize, scale_px: f64, stream: &mut Stream) -> Plane<f32> {
    let step = scale_px.max(2.0);
    let (columns, rows) = (
        (width as f64 / step) as usize + 4,
        (height as f64 / step) as usize + 4,
    );
    let nodes = Plane::from_fn(columns, rows, |_, _| stream.normal() as f32);
    Plane::from_fn(width, height, |x, y| {
        nodes.cubic(Point::new(x as f64 / step + 1.0, y as f64 / step + 1.0))
    })
}
