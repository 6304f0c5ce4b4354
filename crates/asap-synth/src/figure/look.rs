//! How a person and the picture look: everything that a pair shares.

use asap_core::Stream;

use super::space::{V3, v3};

/// A colour: red, green, blue in linear light, 0 to 1.
pub(crate) type Rgb = [f32; 3];

/// A colour from its 8-bit values. The transfer curve is a plain square, and so is its inverse.
pub(crate) const fn rgb(red: u8, green: u8, blue: u8) -> Rgb {
    const fn linear(value: u8) -> f32 {
        let unit = value as f32 / 255.0;
        unit * unit
    }
    [linear(red), linear(green), linear(blue)]
}

/// Between two colours.
pub(crate) fn mix(a: Rgb, b: Rgb, t: f32) -> Rgb {
    std::array::from_fn(|i| a[i] + (b[i] - a[i]) * t)
}

/// A colour made lighter or darker.
pub(crate) fn times(a: Rgb, factor: f32) -> Rgb {
    a.map(|c| c * factor)
}

/// The way hair is worn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum HairStyle {
    Cropped,
    Short,
    Quiff,
    Bob,
    Long,
    Bun,
    Curly,
    Bald,
}

/// What a shirt has on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Pattern {
    Plain,
    Stripes,
    Dots,
    Checks,
    Block,
}

/// How far sleeves reach.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sleeves {
    None,
    Short,
    Long,
}

/// What the legs wear.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Legwear {
    Trousers,
    Shorts,
    Skirt,
}

/// A colour with the word for it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Named {
    pub(crate) name: &'static str,
    pub(crate) color: Rgb,
}

const fn named(name: &'static str, color: Rgb) -> Named {
    Named { name, color }
}

const SKINS: [Rgb; 9] = [
    rgb(247, 214, 192),
    rgb(240, 198, 170),
    rgb(229, 184, 150),
    rgb(214, 162, 124),
    rgb(194, 140, 102),
    rgb(170, 116, 80),
    rgb(142, 93, 62),
    rgb(112, 72, 50),
    rgb(86, 56, 42),
];
const HAIRS: [Named; 8] = [
    named("black", rgb(38, 32, 32)),
    named("dark brown", rgb(62, 42, 32)),
    named("brown", rgb(98, 64, 42)),
    named("auburn", rgb(124, 60, 36)),
    named("red", rgb(172, 84, 40)),
    named("blond", rgb(212, 172, 104)),
    named("light blond", rgb(232, 206, 150)),
    named("grey", rgb(164, 164, 166)),
];
const SHIRTS: [Named; 12] = [
    named("white", rgb(236, 234, 228)),
    named("black", rgb(52, 52, 58)),
    named("navy", rgb(52, 70, 112)),
    named("blue", rgb(84, 132, 196)),
    named("teal", rgb(58, 142, 142)),
    named("green", rgb(92, 146, 94)),
    named("yellow", rgb(236, 192, 84)),
    named("orange", rgb(230, 138, 72)),
    named("red", rgb(198, 72, 68)),
    named("pink", rgb(232, 152, 168)),
    named("purple", rgb(128, 98, 168)),
    named("grey", rgb(150, 154, 160)),
];
const BOTTOMS: [Named; 6] = [
    named("dark blue", rgb(58, 74, 112)),
    named("black", rgb(50, 50, 56)),
    named("beige", rgb(204, 180, 142)),
    named("grey", rgb(122, 126, 134)),
    named("brown", rgb(118, 86, 64)),
    named("olive", rgb(106, 112, 78)),
];
const IRISES: [Rgb; 6] = [
    rgb(84, 54, 34),
    rgb(58, 40, 30),
    rgb(104, 82, 44),
    rgb(76, 116, 156),
    rgb(88, 128, 92),
    rgb(112, 124, 130),
];
const SHOES: [Rgb; 5] = [
    rgb(236, 234, 230),
    rgb(54, 52, 56),
    rgb(134, 88, 58),
    rgb(176, 66, 62),
    rgb(76, 96, 136),
];

/// What is behind the person.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Backdrop {
    Studio,
    Room,
    Window,
    Garden,
}

impl Backdrop {
    /// The key of the caption file.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Studio => "studio",
            Self::Room => "room",
            Self::Window => "window",
            Self::Garden => "garden",
        }
    }
}

/// The look of a picture.
#[derive(Clone, Debug)]
pub(crate) struct Look {
    pub(crate) skin: Rgb,
    pub(crate) lips: Rgb,
    pub(crate) iris: Rgb,
    pub(crate) hair: Named,
    pub(crate) style: HairStyle,
    /// 0 for a clean chin, up to 1 for a full beard.
    pub(crate) beard: f32,
    pub(crate) shirt: Named,
    pub(crate) shirt_second: Rgb,
    pub(crate) pattern: Pattern,
    pub(crate) sleeves: Sleeves,
    pub(crate) bottom: Named,
    pub(crate) legwear: Legwear,
    pub(crate) is_tucked: bool,
    pub(crate) shoe: Rgb,
    /// Radius of the neckline in millimetres.
    pub(crate) neckline: f64,
    /// Width of waist and hips and fullness of the chest.
    pub(crate) waist: f64,
    pub(crate) hips: f64,
    pub(crate) bust: f64,
    pub(crate) thing: Rgb,
    /// Towards the light.
    pub(crate) light: V3,
    pub(crate) warmth: f32,
    pub(crate) backdrop: Backdrop,
    /// Hue of the backdrop, 0 to 1.
    pub(crate) hue: f32,
    /// Names the noise of the backdrop and of the cloth.
    pub(crate) texture_seed: u32,
}

impl Look {
    /// A random look.
    pub(crate) fn sample(stream: &mut Stream) -> Self {
        let skin_idx = stream.below(SKINS.len());
        let skin = mix(
            SKINS[skin_idx],
            SKINS[(skin_idx + 1).min(8)],
            stream.unit() as f32 * 0.8,
        );
        // Fair hair is rare with dark skin.
        let hair = HAIRS[stream.below(if skin_idx > 4 { 3 } else { HAIRS.len() })];
        let is_womanly = stream.chance(0.5);
        let style = style(is_womanly, stream);
        let shirt = *stream.choose(&SHIRTS);
        let second = stream.choose(&SHIRTS).color;
        Self {
            skin,
            lips: lips(skin, is_womanly),
            iris: IRISES[if skin_idx > 4 {
                stream.below(3)
            } else {
                stream.below(6)
            }],
            hair,
            style,
            beard: if !is_womanly && stream.chance(0.3) {
                stream.between(0.45, 1.0) as f32
            } else {
                0.0
            },
            shirt,
            shirt_second: if second == shirt.color {
                rgb(240, 238, 232)
            } else {
                second
            },
            pattern: pattern(stream),
            sleeves: sleeves(stream),
            bottom: *stream.choose(&BOTTOMS),
            legwear: if is_womanly && stream.chance(0.45) {
                Legwear::Skirt
            } else if stream.chance(0.2) {
                Legwear::Shorts
            } else {
                Legwear::Trousers
            },
            is_tucked: stream.chance(0.5),
            shoe: *stream.choose(&SHOES),
            neckline: stream.between(64.0, if is_womanly { 92.0 } else { 72.0 }),
            waist: if is_womanly {
                stream.between(0.86, 0.95)
            } else {
                stream.between(0.97, 1.08)
            },
            hips: if is_womanly {
                stream.between(1.0, 1.08)
            } else {
                stream.between(0.92, 0.99)
            },
            bust: if is_womanly { stream.between(0.5, 1.0) } else { 0.0 },
            thing: stream.choose(&SHIRTS).color,
            light: light(stream),
            warmth: stream.between(0.3, 1.0) as f32,
            backdrop: *stream.choose(&[
                Backdrop::Studio,
                Backdrop::Room,
                Backdrop::Window,
                Backdrop::Garden,
            ]),
            hue: stream.unit() as f32,
            texture_seed: stream.bits() as u32,
        }
    }
}

impl Look {
    /// Adapts clothes to what the person does: a skirt only on legs that stand.
    pub(crate) fn suit(&mut self, posed: &super::pose::Posed) {
        if self.legwear == Legwear::Skirt && !posed.is_upright {
            self.legwear = Legwear::Trousers;
        }
    }
}

fn style(is_womanly: bool, stream: &mut Stream) -> HairStyle {
    use HairStyle::{Bald, Bob, Bun, Cropped, Curly, Long, Quiff, Short};
    if is_womanly {
        *stream.choose(&[Long, Bob, Bun, Curly, Long, Short])
    } else {
        *stream.choose(&[Short, Quiff, Cropped, Curly, Short, Bald])
    }
}

fn pattern(stream: &mut Stream) -> Pattern {
    use Pattern::{Block, Checks, Dots, Plain, Stripes};
    *stream.choose(&[Plain, Plain, Plain, Stripes, Dots, Checks, Block])
}

fn sleeves(stream: &mut Stream) -> Sleeves {
    use Sleeves::{Long, None, Short};
    *stream.choose(&[Short, Short, Long, Long, None])
}

/// From above and before the person, on either side.
fn light(stream: &mut Stream) -> V3 {
    let side = if stream.chance(0.5) { 1.0 } else { -1.0 };
    v3(
        side * stream.between(0.35, 0.7),
        -stream.between(0.45, 0.8),
        stream.between(0.6, 0.85),
    )
    .unit()
}

fn lips(skin: Rgb, is_made_up: bool) -> Rgb {
    let natural = [skin[0] * 0.86, skin[1] * 0.55, skin[2] * 0.56];
    if is_made_up {
        mix(natural, rgb(190, 66, 74), 0.35)
    } else {
        mix(natural, skin, 0.3)
    }
}
