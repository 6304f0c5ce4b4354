//! Colours and light: what a ray's end looks like.

use super::look::{Look, Pattern, Rgb, mix, rgb, times};
use super::noise::{smooth, value_noise};
use super::scene::{Coat, Part, Scene, dot};

/// A ray's end.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Spot {
    pub(crate) position: [f32; 3],
    pub(crate) normal: [f32; 3],
    /// How open the space above it is, 0 to 1.
    pub(crate) open: f32,
    /// How much of the light reaches it, 0 to 1.
    pub(crate) lit: f32,
}

/// How a surface answers light.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Finish {
    pub(crate) color: Rgb,
    /// How far light creeps round.
    pub(crate) wrap: f32,
    pub(crate) gloss: f32,
    /// Sharpness of the highlight.
    pub(crate) sharp: i32,
    /// How much light runs through, as in skin.
    pub(crate) glow: f32,
}

impl Finish {
    pub(crate) const fn skin(color: Rgb) -> Self {
        Self {
            color,
            wrap: 0.34,
            gloss: 0.10,
            sharp: 14,
            glow: 1.0,
        }
    }

    pub(crate) const fn cloth(color: Rgb) -> Self {
        Self {
            color,
            wrap: 0.22,
            gloss: 0.015,
            sharp: 6,
            glow: 0.0,
        }
    }
}

/// The colour of a ray's end in linear light.
pub(crate) fn shade(scene: &Scene, look: &Look, part: &Part, spot: &Spot) -> Rgb {
    let local = part.grain.local_mm(spot.position);
    let mut spot = *spot;
    let finish = match part.coat {
        Coat::Skin | Coat::Ear => Finish::skin(super::paint_skin::plain(look, part, local)),
        Coat::Palm => Finish::skin(super::paint_skin::palm(look, part, local, spot.normal)),
        Coat::Phalanx | Coat::FingerTip => super::paint_skin::finger(look, part, local, spot.normal),
        Coat::Head => scene.face.paint(look, part, local, spot.position),
        Coat::Hair => hair(look, local),
        Coat::Torso => torso(look, local, &mut spot),
        Coat::Sleeve => sleeve(look, part, local, &mut spot),
        Coat::Bottom if below_waist(scene, look, part, local, spot.position) => {
            fold(&mut spot, local, look.texture_seed ^ 3, 0.3);
            Finish::cloth(look.bottom.color)
        }
        Coat::Bottom => {
            let on_torso = scene.torso.map_or(local, |torso| torso.local_mm(spot.position));
            torso(look, on_torso, &mut spot)
        }
        Coat::Shoe => shoe(look, local),
        Coat::Thing(color) => thing(look, color),
    };
    if part.coat == Coat::Head {
        // The hollows between nose, lips and chin are shallow: half of their shade is enough.
        spot.open += (1.0 - spot.open) * 0.5;
        spot.lit += (1.0 - spot.lit) * 0.4;
    }
    light(look, &finish, &spot)
}

/// The lower edge of the shirt, in millimetres below the neck.
const fn hem(look: &Look) -> f32 {
    if look.is_tucked { 420.0 } else { 520.0 }
}

/// Whether a place on a leg or a skirt is below the shirt; legs begin inside the torso.
fn below_waist(scene: &Scene, look: &Look, part: &Part, local: [f32; 3], at: [f32; 3]) -> bool {
    let Some(torso) = scene.torso else {
        return true;
    };
    let is_thigh = matches!(part.piece.bone, Some((asap_core::Segment::Thigh(_), 0)));
    !(is_thigh && local[0] < 130.0) || torso.local_mm(at)[1] > hem(look)
}

/// Lambert with wrap, a highlight, light from the sky and the floor, a rim, and darkened corners.
fn light(look: &Look, finish: &Finish, spot: &Spot) -> Rgb {
    let n = spot.normal;
    let l = super::solid::single(look.light);
    let facing = dot(n, l);
    let diffuse = ((facing + finish.wrap) / (1.0 + finish.wrap)).clamp(0.0, 1.0);
    let lit = 0.25 + 0.75 * spot.lit;
    let key = diffuse * lit * 0.84;
    let sky = (0.46 - 0.16 * n[1]) * (0.25 + 0.75 * spot.open);
    let warm = [1.0 + 0.05 * look.warmth, 1.0, 1.0 - 0.08 * look.warmth];
    let cool = [0.95, 0.98, 1.06];
    let half = [l[0], l[1], l[2] + 1.0];
    let half_length = dot(half, half).sqrt();
    let shine = (dot(n, half) / half_length).max(0.0).powi(finish.sharp) * finish.gloss * lit;
    // Seen at a flat angle a surface turns darker, so that neighbouring fingers are told apart.
    let flat = 1.0 - n[2].clamp(0.0, 1.0);
    let outline = 1.0 - 0.42 * smooth(0.55, 1.0, flat);
    let rim = smooth(0.5, 1.0, flat) * (0.5 - 0.5 * n[1]).max(0.0) * 0.08 * spot.open;
    let creep = finish.glow * smooth(-0.35, 0.1, facing) * smooth(0.55, 0.0, facing) * 0.10;
    let corner = 0.30 + 0.70 * spot.open;
    std::array::from_fn(|i| {
        let glow = [1.0, 0.32, 0.2][i] * creep;
        let bright = key * warm[i] + sky * cool[i] + glow;
        // Light that bounces between walls of a crease takes on their colour.
        let bounced = corner + (1.0 - corner) * finish.color[i] * 0.25;
        (finish.color[i] * bright * bounced * outline) + shine + rim * finish.color[i].sqrt()
    })
}

/// Tilts the normal as folds of cloth do.
fn fold(spot: &mut Spot, local: [f32; 3], seed: u32, depth: f32) {
    let at = [
        local[0] * 0.017,
        local[1] * 0.009 + local[0] * 0.006,
        local[2] * 0.012,
    ];
    let height = |d: [f32; 3]| value_noise(std::array::from_fn(|i| at[i] + d[i]), seed);
    let here = height([0.0; 3]);
    let tilt = [height([0.12, 0.0, 0.0]) - here, height([0.0, 0.12, 0.0]) - here];
    let n = &mut spot.normal;
    n[0] -= tilt[0] * depth * 8.0 * 0.25;
    n[1] -= tilt[1] * depth * 8.0 * 0.25;
    let length = dot(*n, *n).sqrt().max(1e-6);
    *n = n.map(|c| c / length);
}

fn hair(look: &Look, local: [f32; 3]) -> Finish {
    let around = local[0].atan2(local[2] + 40.0);
    let strand = value_noise([around * 26.0, local[1] * 0.012, 0.0], look.texture_seed) * 0.6
        + value_noise([around * 70.0, local[1] * 0.02, 3.0], look.texture_seed) * 0.4;
    let color = times(look.hair.color, 0.62 + 0.76 * strand);
    Finish {
        color,
        wrap: 0.3,
        gloss: 0.05 + 0.06 * strand,
        sharp: 9,
        glow: 0.0,
    }
}

fn torso(look: &Look, local: [f32; 3], spot: &mut Spot) -> Finish {
    let [x, y, _] = local;
    let neckline = look.neckline as f32;
    let from_neck = (x * x + (y + 12.0) * (y + 12.0) * if y > -12.0 { 0.8 } else { 1.6 }).sqrt();
    if from_neck < neckline {
        return Finish::skin(times(
            look.skin,
            1.0 - 0.1 * smooth(neckline - 12.0, neckline, from_neck),
        ));
    }
    // The armhole of a top without sleeves.
    let from_shoulder = ((x.abs() - 182.0).powi(2) + ((y - 40.0) * 0.62).powi(2)).sqrt();
    if look.sleeves == super::look::Sleeves::None && from_shoulder < 66.0 {
        return Finish::skin(times(look.skin, 1.0 - 0.12 * smooth(58.0, 66.0, from_shoulder)));
    }
    let hem = hem(look);
    if y > hem {
        fold(spot, local, look.texture_seed ^ 3, 0.3);
        let belt = look.is_tucked && y < hem + 26.0;
        return Finish::cloth(if belt { rgb(74, 56, 44) } else { look.bottom.color });
    }
    fold(spot, local, look.texture_seed ^ 1, 0.42);
    let mut color = pattern(look, x, y);
    let collar = smooth(neckline + 11.0, neckline + 9.0, from_neck);
    color = mix(color, times(look.shirt.color, 0.72), collar);
    if look.sleeves == super::look::Sleeves::None {
        color = mix(
            color,
            times(look.shirt.color, 0.72),
            smooth(74.0, 72.0, from_shoulder),
        );
    }
    color = times(
        color,
        1.0 - 0.35 * smooth(hem - 5.0, hem, y) * f32::from(u8::from(!look.is_tucked)),
    );
    Finish::cloth(color)
}

fn sleeve(look: &Look, part: &Part, local: [f32; 3], spot: &mut Spot) -> Finish {
    fold(spot, [local[1], local[0], local[2]], look.texture_seed ^ 2, 0.5);
    let color = match look.pattern {
        Pattern::Block => look.shirt.color,
        _ => pattern(look, local[1] + 20.0, local[0] + 20.0),
    };
    // A seam before the cuff.
    let end = part.grain.length / part.grain.unit;
    let cuff = match look.sleeves {
        super::look::Sleeves::Short => end * 0.52,
        _ => end * 0.86,
    };
    let near_cuff = (local[0] - (cuff - 12.0)).abs();
    Finish::cloth(times(color, 1.0 - 0.2 * smooth(2.6, 1.2, near_cuff)))
}

/// The shirt's colour at a place in millimetres.
fn pattern(look: &Look, x: f32, y: f32) -> Rgb {
    let (first, second) = (look.shirt.color, look.shirt_second);
    let wave = |v: f32, period: f32| ((v / period).rem_euclid(1.0) - 0.5).abs() * period;
    match look.pattern {
        Pattern::Plain => first,
        Pattern::Stripes => mix(first, second, smooth(9.0, 7.6, wave(y, 44.0))),
        Pattern::Dots => {
            let row = (y / 36.0).floor();
            let shifted = x + if row as i32 % 2 == 0 { 18.0 } else { 0.0 };
            let d = (wave(shifted, 36.0).powi(2) + wave(y, 36.0).powi(2)).sqrt();
            mix(first, second, smooth(7.4, 6.0, d))
        }
        Pattern::Checks => {
            let a = smooth(8.8, 7.6, wave(x, 42.0)) * 0.45;
            let b = smooth(8.8, 7.6, wave(y, 42.0)) * 0.45;
            mix(first, second, a + b)
        }
        Pattern::Block => mix(first, second, smooth(118.0, 120.0, y) * smooth(222.0, 220.0, y)),
    }
}

fn shoe(look: &Look, local: [f32; 3]) -> Finish {
    // z looks away from the sole.
    let sole = smooth(-13.0, -15.0, local[2]);
    Finish {
        gloss: 0.06,
        ..Finish::cloth(mix(look.shoe, rgb(228, 224, 214), sole))
    }
}

fn thing(look: &Look, color: u8) -> Finish {
    let (color, gloss) = match color {
        0 => (look.thing, 0.14),
        1 => (rgb(236, 230, 214), 0.02),
        2 => (mix(look.thing, rgb(240, 170, 60), 0.35), 0.12),
        3 => (rgb(44, 46, 52), 0.16),
        4 => (rgb(118, 166, 214), 0.3),
        5 => (rgb(150, 106, 70), 0.06),
        6 => (rgb(222, 190, 146), 0.02),
        _ => (rgb(222, 130, 134), 0.04),
    };
    Finish {
        color,
        wrap: 0.15,
        gloss,
        sharp: 24,
        glow: 0.0,
    }
}
