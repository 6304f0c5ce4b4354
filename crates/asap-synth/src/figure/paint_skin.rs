//! Skin: creases, palm lines, knuckles and nails, so that a hand reads as one.

use super::look::{Look, Rgb, mix, rgb, times};
use super::noise::smooth;
use super::paint::Finish;
use super::scene::{Coat, Part, dot};

/// The lines of a palm in (along, across to the thumb) millimetres: heart, head, life.
const PALM_LINES: [[[f32; 2]; 4]; 3] = [
    [[58.0, -32.0], [60.0, -16.0], [67.0, 0.0], [79.0, 9.0]],
    [[62.0, 22.0], [54.0, 10.0], [48.0, -6.0], [38.0, -22.0]],
    [[63.0, 23.0], [52.0, 12.0], [34.0, 3.0], [12.0, 3.0]],
];

fn ruddy(skin: Rgb, amount: f32) -> Rgb {
    [
        skin[0] * (1.0 + 0.02 * amount),
        skin[1] * (1.0 - 0.16 * amount),
        skin[2] * (1.0 - 0.15 * amount),
    ]
}

/// Arms, neck, legs and ears.
pub(crate) fn plain(look: &Look, part: &Part, local: [f32; 3]) -> Rgb {
    if part.coat != Coat::Ear {
        return look.skin;
    }
    // The hollow of the ear.
    let d = ((local[1] * 1.0 + 2.0) / 18.0).powi(2) + ((local[2] - 2.0) / 10.0).powi(2);
    let hollow = smooth(1.15, 0.5, d);
    times(ruddy(look.skin, 0.8), 1.0 - 0.34 * hollow)
}

/// Palm or back of a hand.
pub(crate) fn palm(look: &Look, part: &Part, local: [f32; 3], normal: [f32; 3]) -> Rgb {
    let inner = smooth(0.05, 0.5, dot(normal, part.grain.axes[2])) * smooth(-22.0, 14.0, local[0]);
    // The inside of a hand is lighter and redder, the more so the darker the skin.
    let pale = mix(look.skin, rgb(232, 182, 156), 0.45);
    let pale = ruddy(mix(look.skin, pale, 0.55), 0.35);
    let mut color = mix(look.skin, pale, inner);
    if inner > 0.0 {
        let lines = PALM_LINES
            .iter()
            .map(|line| to_polyline([local[0], local[1]], line));
        let nearest = lines.fold(f32::INFINITY, f32::min);
        color = times(color, 1.0 - 0.3 * inner * smooth(2.0, 0.4, nearest));
        let wrist = (local[0] + 4.0 - local[1] * local[1] * 0.004).abs();
        color = times(color, 1.0 - 0.18 * inner * smooth(1.8, 0.5, wrist));
    }
    color
}

/// The distance from a point to a line of four points.
pub(crate) fn to_polyline(p: [f32; 2], line: &[[f32; 2]]) -> f32 {
    line.windows(2)
        .map(|ends| to_segment(p, ends[0], ends[1]))
        .fold(f32::INFINITY, f32::min)
}

/// The distance from a point to a segment.
pub(crate) fn to_segment(p: [f32; 2], a: [f32; 2], b: [f32; 2]) -> f32 {
    let (pa, ba) = ([p[0] - a[0], p[1] - a[1]], [b[0] - a[0], b[1] - a[1]]);
    let squared = (ba[0] * ba[0] + ba[1] * ba[1]).max(1e-12);
    let t = ((pa[0] * ba[0] + pa[1] * ba[1]) / squared).clamp(0.0, 1.0);
    ((pa[0] - ba[0] * t).powi(2) + (pa[1] - ba[1] * t).powi(2)).sqrt()
}

/// A phalanx: creases at its joints, ruddy tip and knuckles, a nail on the last one.
pub(crate) fn finger(look: &Look, part: &Part, local: [f32; 3], normal: [f32; 3]) -> Finish {
    let [along, across, _] = local;
    let end = part.grain.length / part.grain.unit;
    let back = dot(normal, part.grain.axes[2]);
    let inner = smooth(0.05, -0.5, back);
    let pale = ruddy(
        mix(look.skin, mix(look.skin, rgb(232, 182, 156), 0.45), 0.55),
        0.35,
    );
    let mut color = mix(look.skin, pale, inner);
    // Knuckles are ruddy on the back, and the tip all round.
    let knuckle = smooth(9.0, 0.0, along.abs());
    let tip = if part.coat == Coat::FingerTip {
        smooth(end - 9.0, end + 7.0, along)
    } else {
        0.0
    };
    color = ruddy(color, 0.7 * knuckle.max(tip));
    // One crease inside, three short wrinkles outside.
    let inside_crease = inner * smooth(1.4, 0.35, along.abs());
    let wrinkles = [0.0_f32, 2.6, -2.6]
        .iter()
        .map(|offset| smooth(0.9, 0.3, (along - offset - across * across * 0.012).abs()))
        .fold(0.0, f32::max);
    let outside = smooth(0.25, 0.7, back) * smooth(7.0, 3.0, across.abs()) * wrinkles;
    color = times(color, 1.0 - 0.36 * inside_crease - 0.2 * outside);
    let mut finish = Finish::skin(color);
    if part.coat == Coat::FingerTip {
        nail(look, &mut finish, [along - end, across], back);
    }
    finish
}

/// A nail, in millimetres from the end of the bone.
fn nail(look: &Look, finish: &mut Finish, at: [f32; 2], back: f32) {
    if back < 0.1 {
        return;
    }
    let d = (((at[0] - 0.2) / 7.6).abs().powi(3) + (at[1] / 5.6).abs().powi(3)).powf(1.0 / 3.0);
    let plate = smooth(1.04, 0.94, d) * smooth(0.1, 0.3, back);
    let rim = smooth(1.28, 1.06, d) * smooth(0.1, 0.3, back);
    let pink = mix(times(look.skin, 1.1), rgb(246, 196, 186), 0.55);
    let free_edge = smooth(4.6, 5.6, at[0]);
    let color = mix(pink, rgb(250, 240, 232), free_edge * 0.8);
    finish.color = mix(times(finish.color, 1.0 - 0.3 * rim), color, plate);
    finish.gloss += 0.16 * plate;
    finish.sharp = if plate > 0.5 { 30 } else { finish.sharp };
}
