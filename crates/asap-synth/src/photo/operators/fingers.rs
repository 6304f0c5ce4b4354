//! Operators on single fingers of a hand with 21 keypoints.

use asap_core::{Finger, Point, Severity, Stream};
use serde_json::json;

use super::strip_layer::{Depth, erase, render};
use super::{Canvas, Parameters, by_severity, rounded};
use crate::photo::canvas::{Plane, mix, smoothstep};
use crate::photo::fingers::Fingers;
use crate::photo::hand::{Decline, HandScene};
use crate::photo::layers::components::distances;
use crate::photo::layers::extend::extended;
use crate::photo::layers::noise;
use crate::photo::layers::strip::Chain;

const NO_FINGERS: Decline = "no finger can be cut out well";

/// On busy ground a filled place shows: above this energy nothing is erased.
const MAX_GROUND_ENERGY: f32 = 26.0;
/// A finger is erased only where it stands apart: between others there is nothing behind it to be seen.
const MIN_OPENNESS_OF_ERASED: f64 = 0.6;
/// A finger is copied only where most of its outline is its own.
const MIN_OPENNESS_OF_DONOR: f64 = 0.45;
/// The base of an added finger must lie in the hand.
const MIN_BASE_COVER: f32 = 0.6;

/// Fingers that stand apart enough and were not changed yet, in random order.
fn candidates(
    scene: &HandScene,
    canvas: &Canvas,
    least_openness: f64,
    stream: &mut Stream,
) -> Result<(usize, Vec<usize>), Decline> {
    let fingers = scene.fingers.as_ref().ok_or(NO_FINGERS)?;
    let mut found: Vec<usize> = (0..5)
        .filter(|&finger| fingers.openness[finger] >= least_openness && !canvas.used.contains(&finger))
        .collect();
    stream.shuffle(&mut found);
    found
        .first()
        .map(|&first| (first, found.clone()))
        .ok_or(NO_FINGERS)
}

fn all(scene: &HandScene) -> Result<&Fingers, Decline> {
    scene.fingers.as_ref().ok_or(NO_FINGERS)
}

fn calm_ground(scene: &HandScene) -> Result<(), Decline> {
    if scene.texture_energy() > MAX_GROUND_ENERGY {
        Err("the ground is too busy to be filled")
    } else {
        Ok(())
    }
}

/// A sixth finger: a copy of one, turned about its base, behind the hand.
pub(super) fn extra(
    scene: &HandScene,
    canvas: &mut Canvas,
    severity: Severity,
    stream: &mut Stream,
) -> Result<Parameters, Decline> {
    let fingers = all(scene)?;
    let (_, donors) = candidates(scene, canvas, MIN_OPENNESS_OF_DONOR, stream)?;
    let least = by_severity(severity, [0.35, 0.45, 0.55]);
    let mut best: Option<(f64, usize, f64, f64)> = None;
    for &donor in donors
        .iter()
        .filter(|&&donor| donor != Finger::Thumb.idx())
        .take(4)
    {
        let chain = &fingers.chains[donor];
        for _ in 0..8 {
            let sign = if stream.chance(0.5) { 1.0 } else { -1.0 };
            let radians = sign * stream.between(13.0, 40.0).to_radians();
            let shift = stream.between(0.0, 1.6);
            let copy = beside(scene, chain, radians, shift);
            let base = copy.joints[0].lerp(copy.joints[1], 0.15);
            if !canvas.part.holds(base) || canvas.part.bilinear(base) < MIN_BASE_COVER {
                continue;
            }
            let Ok(layer) = render(scene, &fingers.strips[donor], chain, &copy) else {
                continue;
            };
            let share = layer.visible_share(&canvas.part);
            if best.is_none_or(|best| share > best.0) {
                best = Some((share, donor, radians, shift));
            }
        }
        if best.is_some_and(|best| best.0 > least + 0.15) {
            break;
        }
    }
    let (share, donor, radians, shift) = best.ok_or(NO_FINGERS)?;
    if share < 0.3 {
        return Err("there is no room for another finger");
    }
    let chain = &fingers.chains[donor];
    let layer = render(
        scene,
        &fingers.strips[donor],
        chain,
        &beside(scene, chain, radians, shift),
    )?;
    layer.draw(canvas, Depth::Behind);
    canvas.used.push(donor);
    Ok(json!({
        "donor": Finger::ALL[donor].name(),
        "angle_deg": rounded(radians.to_degrees()),
        "base_shift": rounded(shift),
        "visible_share": rounded(share),
    }))
}

/// The chain turned about its base, the base moved `shift` half-widths to the side that it turns to.
fn beside(scene: &HandScene, chain: &Chain, radians: f64, shift: f64) -> Chain {
    let axis = chain.joints[1] - chain.joints[0];
    let length = axis.length().max(1e-6);
    let across =
        Point::new(-axis.y / length, axis.x / length) * (radians.signum() * shift * scene.half_width);
    chain.mapped(|p| p.rotated_about(chain.joints[0], radians) + across)
}

/// A finger cut off at its first bone.
pub(super) fn missing(
    scene: &HandScene,
    canvas: &mut Canvas,
    _severity: Severity,
    stream: &mut Stream,
) -> Result<Parameters, Decline> {
    calm_ground(scene)?;
    let fingers = all(scene)?;
    let (finger, _) = candidates(scene, canvas, MIN_OPENNESS_OF_ERASED, stream)?;
    let chain = &fingers.chains[finger];
    let share = stream.between(0.2, 0.45);
    let cut_px = chain.bone_px(usize::from(finger == Finger::Thumb.idx())) * share
        + if finger == Finger::Thumb.idx() {
            chain.bone_px(0)
        } else {
            0.0
        };
    erase(scene, fingers, canvas, finger, cut_px)?;
    canvas.used.push(finger);
    Ok(json!({ "finger": Finger::ALL[finger].name(), "stump": rounded(share) }))
}

/// A finger with a second tip from its middle joint.
pub(super) fn split(
    scene: &HandScene,
    canvas: &mut Canvas,
    severity: Severity,
    stream: &mut Stream,
) -> Result<Parameters, Decline> {
    let fingers = all(scene)?;
    let (_, order) = candidates(scene, canvas, MIN_OPENNESS_OF_DONOR, stream)?;
    let spread = by_severity(severity, [24.0, 34.0, 46.0]);
    for finger in order {
        let chain = &fingers.chains[finger];
        let joint = if finger == Finger::Thumb.idx() { 2 } else { 1 };
        let tip = chain.beyond_joint(joint);
        let first = if stream.chance(0.5) { 1.0 } else { -1.0 };
        for sign in [first, -first] {
            let degrees = sign * spread * stream.between(0.9, 1.2);
            let fork = tip.bent(0, degrees.to_radians());
            let Ok(layer) = render(scene, &fingers.strips[finger], &tip, &fork) else {
                continue;
            };
            if layer.visible_share(&canvas.part) < 0.3 {
                continue;
            }
            layer.draw(canvas, Depth::Behind);
            canvas.used.push(finger);
            return Ok(json!({ "finger": Finger::ALL[finger].name(), "angle_deg": rounded(degrees) }));
        }
    }
    Err("there is no room for another fingertip")
}

/// A finger that is far too long or too short.
pub(super) fn wrong_length(
    scene: &HandScene,
    canvas: &mut Canvas,
    severity: Severity,
    stream: &mut Stream,
) -> Result<Parameters, Decline> {
    let shorter = by_severity(severity, [0.62, 0.52, 0.42]);
    let longer = by_severity(severity, [1.45, 1.65, 1.9]);
    let is_busy = calm_ground(scene).is_err();
    let factor = if is_busy || stream.chance(0.6) {
        longer
    } else {
        shorter
    };
    let factor = factor * stream.between(0.94, 1.06);
    reshape(scene, canvas, stream, |chain, first| {
        let mut tail = chain.beyond_joint(first).stretched(factor);
        let mut joints = chain.joints[..first].to_vec();
        joints.append(&mut tail.joints);
        Chain {
            joints,
            radii: chain.radii.clone(),
        }
    })
    .map(|finger| json!({ "finger": finger, "length_factor": rounded(factor) }))
}

/// A finger that is far too thick or too thin.
pub(super) fn wrong_thickness(
    scene: &HandScene,
    canvas: &mut Canvas,
    severity: Severity,
    stream: &mut Stream,
) -> Result<Parameters, Decline> {
    let thin = by_severity(severity, [0.62, 0.52, 0.42]);
    let thick = by_severity(severity, [1.5, 1.75, 2.1]);
    let is_busy = calm_ground(scene).is_err();
    let factor = if is_busy || stream.chance(0.65) {
        thick
    } else {
        thin
    };
    let factor = factor * stream.between(0.95, 1.05);
    reshape(scene, canvas, stream, |chain, _| chain.widened(factor))
        .map(|finger| json!({ "finger": finger, "thickness_factor": rounded(factor) }))
}

/// A finger bent sideways at a joint, farther than any joint goes.
pub(super) fn bent_back(
    scene: &HandScene,
    canvas: &mut Canvas,
    severity: Severity,
    stream: &mut Stream,
) -> Result<Parameters, Decline> {
    calm_ground(scene)?;
    let degrees = by_severity(severity, [48.0, 66.0, 88.0]) * stream.between(0.9, 1.1);
    let degrees = if stream.chance(0.5) { degrees } else { -degrees };
    reshape(scene, canvas, stream, |chain, first| {
        chain.bent(first + 1, degrees.to_radians())
    })
    .or_else(|_| {
        reshape(scene, canvas, stream, |chain, first| {
            chain.bent(first + 1, -degrees.to_radians())
        })
    })
    .map(|finger| json!({ "finger": finger, "angle_deg": rounded(degrees.abs()) }))
}

/// Redraws one finger along another chain; the closure gets the first joint that may move.
fn reshape(
    scene: &HandScene,
    canvas: &mut Canvas,
    stream: &mut Stream,
    new_chain: impl Fn(&Chain, usize) -> Chain,
) -> Result<&'static str, Decline> {
    let fingers = all(scene)?;
    let (_, order) = candidates(scene, canvas, MIN_OPENNESS_OF_ERASED, stream)?;
    let mut reason = NO_FINGERS;
    for finger in order {
        let chain = &fingers.chains[finger];
        let first = usize::from(finger == Finger::Thumb.idx());
        let new = new_chain(chain, first);
        match render(scene, &fingers.strips[finger], chain, &new) {
            Ok(layer) => {
                let start_px: f64 = (0..first).map(|bone| chain.bone_px(bone)).sum();
                erase(scene, fingers, canvas, finger, start_px)?;
                layer.draw(canvas, Depth::Front);
                canvas.used.push(finger);
                return Ok(Finger::ALL[finger].name());
            }
            Err(why) => reason = why,
        }
    }
    Err(reason)
}

/// Two neighbouring fingers grown together: the gap is closed and the crease between them is gone.
pub(super) fn fused(
    scene: &HandScene,
    canvas: &mut Canvas,
    severity: Severity,
    stream: &mut Stream,
) -> Result<Parameters, Decline> {
    let fingers = all(scene)?;
    let mut pairs: Vec<usize> = (1..4)
        .filter(|&a| {
            [a, a + 1]
                .iter()
                .all(|finger| fingers.openness[*finger] > 0.2 && !canvas.used.contains(finger))
        })
        .collect();
    if pairs.is_empty() {
        return Err("no two neighbouring fingers can be cut out well");
    }
    stream.shuffle(&mut pairs);
    // The widest gap is closed: where fingers touch already little would be seen.
    let mut best: Option<(f32, usize, Plane<f32>, Plane<f32>)> = None;
    for first in pairs {
        let (union, web) = bridged(scene, fingers, first);
        let gap: f32 = web
            .data
            .iter()
            .zip(&scene.hand.data)
            .map(|(w, h)| w * (1.0 - h))
            .sum();
        if best.as_ref().is_none_or(|(widest, ..)| gap > *widest) {
            best = Some((gap, first, union, web));
        }
    }
    let (_, first, union, web) = best.ok_or(NO_FINGERS)?;
    let both = scene.hand.width;
    let reach = by_severity(severity, [0.85, 1.05, 1.3]);
    let (a, b) = (&fingers.chains[first], &fingers.chains[first + 1]);
    // Colours come from the middle of both fingers, so that neither outline nor crease is left.
    let core = Plane::from_fn(both, scene.hand.height, |x, y| {
        let p = Point::new(x as f64, y as f64);
        if web.at(x, y) < 0.01 {
            return 0.0f32;
        }
        let depth = a.place(p).relative_distance.min(b.place(p).relative_distance);
        union.at(x, y) * (1.0 - smoothstep(0.35, 0.8, depth)) as f32
    });
    let mut skin = extended(&scene.source, &core);
    let sigma = noise::grain(&scene.source, &union);
    noise::add_grain(&mut skin, &web, sigma, stream);
    for y in 0..scene.hand.height {
        for x in 0..both {
            let at = y * both + x;
            if web.data[at] < 0.004 {
                continue;
            }
            let p = Point::new(x as f64, y as f64);
            let (pa, pb) = (a.place(p), b.place(p));
            let share = 0.5 * (pa.share + pb.share);
            let between = smoothstep(0.2, 0.6, between(pa.across_px, pb.across_px, scene.half_width));
            let fade = 1.0 - smoothstep(reach - 0.12, reach, share);
            let k = (f64::from(web.data[at]) * fade * between) as f32;
            canvas.rgb.data[at] = mix(canvas.rgb.data[at], skin.data[at], k);
            canvas.part.data[at] = canvas.part.data[at].max(k);
        }
    }
    canvas.used.extend([first, first + 1]);
    Ok(json!({
        "fingers": [Finger::ALL[first].name(), Finger::ALL[first + 1].name()],
        "reach": rounded(reach),
    }))
}

/// Two neighbouring strips, and the same with the gap between them closed.
fn bridged(scene: &HandScene, fingers: &Fingers, first: usize) -> (Plane<f32>, Plane<f32>) {
    let (a, b) = (&fingers.strips[first], &fingers.strips[first + 1]);
    let union = Plane {
        width: a.width,
        height: a.height,
        data: a
            .data
            .iter()
            .zip(&b.data)
            .map(|(a, b)| (a + b).min(1.0))
            .collect(),
    };
    let web = webbed(&union, 2.4 * scene.half_width);
    (union, web)
}

/// 1 for a point between two axes, 0 for one outside both: the offsets have opposite signs between them.
fn between(a_px: f64, b_px: f64, half_width: f64) -> f64 {
    let product = -a_px.signum() * b_px.signum() * a_px.abs().min(b_px.abs());
    (0.5 + product / half_width).clamp(0.0, 1.0)
}

/// Closing of an alpha: gaps up to twice the radius are bridged.
fn webbed(alpha: &Plane<f32>, radius_px: f64) -> Plane<f32> {
    let outside = distances(&alpha.map(|a| a > 0.5)).map(|d| f64::from(d) > radius_px);
    let depth = distances(&outside);
    let mut closed = depth.map(|d| smoothstep(radius_px - 0.7, radius_px + 0.7, f64::from(d)) as f32);
    for (value, own) in closed.data.iter_mut().zip(&alpha.data) {
        *value = value.max(*own);
    }
    closed
}
