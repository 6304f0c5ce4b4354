//! Pose maps: a body drawn as coloured sticks, the condition of an OpenPose ControlNet.
//!
//! The picture is what `controlnet_aux`'s DWPose drawing gives, because generators were trained on it: body
//! limbs as flat ellipses on black, the canvas then darkened to 60 %, joints at full brightness, hands as
//! lines in the colours of the rainbow, face landmarks as white dots. Feet are never drawn. [`draw`] takes
//! skeletons of 133 points; [`draw_graph`] takes a [`SkeletonGraph`], whose added pieces get the colour of the
//! piece that they are a copy of: a sixth finger in the map is how a generator is asked for one.

mod opencv;
mod resize;
mod sticks;

use asap_core::{Skeleton, SkeletonGraph};
use image::{Rgb, RgbImage};

use crate::{Error, Result};
use opencv::{convex_polygon, disc, ellipse_polygon, thick_line};
use sticks::{Hand, Sticks};

/// Colours of the 17 drawn limbs and of the 18 joints, in OpenPose's order.
const COLORS: [[u8; 3]; 18] = [
    [255, 0, 0],
    [255, 85, 0],
    [255, 170, 0],
    [255, 255, 0],
    [170, 255, 0],
    [85, 255, 0],
    [0, 255, 0],
    [0, 255, 85],
    [0, 255, 170],
    [0, 255, 255],
    [0, 170, 255],
    [0, 85, 255],
    [0, 0, 255],
    [85, 0, 255],
    [170, 0, 255],
    [255, 0, 255],
    [255, 0, 170],
    [255, 0, 85],
];
/// Colours of the 20 hand edges: 20 hues, rounded as matplotlib rounds them.
const HAND_COLORS: [[u8; 3]; 20] = [
    [255, 0, 0],
    [255, 77, 0],
    [255, 153, 0],
    [255, 229, 0],
    [204, 255, 0],
    [128, 255, 0],
    [51, 255, 0],
    [0, 255, 25],
    [0, 255, 102],
    [0, 255, 179],
    [0, 255, 255],
    [0, 178, 255],
    [0, 102, 255],
    [0, 25, 255],
    [51, 0, 255],
    [128, 0, 255],
    [204, 0, 255],
    [255, 0, 230],
    [255, 0, 153],
    [255, 0, 77],
];
const HAND_JOINT_COLOR: Rgb<u8> = Rgb([0, 0, 255]);
const FACE_COLOR: Rgb<u8> = Rgb([255, 255, 255]);
/// Half the width of a body stick, in pixels.
const STICK_PX: i64 = 4;
const JOINT_RADIUS_PX: i64 = 4;
const FACE_RADIUS_PX: i64 = 3;
const HAND_LINE_PX: i64 = 2;
/// Hand and face points nearer to the origin than this stand for "not found" in the reference.
const ORIGIN_PX: f64 = 0.01;
/// The short side that `controlnet_aux` draws at.
const DETECT_SIDE_PX: u32 = 512;

/// The size that the sticks are drawn at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum DrawAt {
    /// Straight on the canvas: sticks of 8 px at any size.
    Native,
    /// As `controlnet_aux` does from end to end: on a canvas with a short side of 512 px, sides rounded to
    /// multiples of 64, then resized. At 1024 px the sticks are 16 px wide in effect, and soft.
    ShortSide512ThenResize,
    /// Straight on the canvas with thicker sticks on larger ones, as the xinsir SDXL ControlNet expects them.
    NativeScaled,
}

impl DrawAt {
    /// The factor on the half width of a body stick.
    fn stick_scale(self, width: u32, height: u32) -> i64 {
        match (self, width.max(height)) {
            (Self::Native | Self::ShortSide512ThenResize, _) | (_, 0..500) => 1,
            (Self::NativeScaled, longest) => i64::from((2 + longest / 1000).min(7)),
        }
    }
}

/// Draws people.
///
/// # Shapes
/// The map is `width x height`; keypoints are in its pixels and may lie outside.
///
/// # Errors
/// [`Error::Setting`] for a canvas without pixels or with a side over 32 768.
///
/// # Source
/// controlnet_aux `src/controlnet_aux/dwpose/util.py`: `draw_bodypose`, `draw_handpose`, `draw_facepose`.
///
/// # Deviation
/// With [`DrawAt::ShortSide512ThenResize`] positions are scaled exactly to the drawing canvas, where the
/// reference detects them anew in a resized photograph.
pub fn draw(people: &[Skeleton], width: u32, height: u32, draw_at: DrawAt) -> Result<RgbImage> {
    let people: Vec<Sticks> = people.iter().map(Sticks::of_skeleton).collect();
    draw_sticks(people, width, height, draw_at)
}

/// Draws a body with all the pieces that a corruption gave it, as [`draw`] does.
///
/// # Errors
/// Those of [`draw`].
pub fn draw_graph(graph: &SkeletonGraph, width: u32, height: u32, draw_at: DrawAt) -> Result<RgbImage> {
    draw_sticks(vec![Sticks::of_graph(graph)], width, height, draw_at)
}

fn draw_sticks(mut people: Vec<Sticks>, width: u32, height: u32, draw_at: DrawAt) -> Result<RgbImage> {
    const SIDES: std::ops::RangeInclusive<u32> = 1..=32_768;
    if !SIDES.contains(&width) || !SIDES.contains(&height) {
        return Err(Error::Setting {
            name: "canvas",
            got: format!("{width}x{height}"),
            expected: "sides between 1 and 32768 pixels",
        });
    }
    let (drawn_width, drawn_height) = match draw_at {
        DrawAt::Native | DrawAt::NativeScaled => (width, height),
        DrawAt::ShortSide512ThenResize => detect_size(width, height),
    };
    people
        .iter_mut()
        .for_each(|person| person.rescale((width, height), (drawn_width, drawn_height)));
    let mut canvas = RgbImage::new(drawn_width, drawn_height);
    paint(&mut canvas, &people, draw_at.stick_scale(width, height));
    if (drawn_width, drawn_height) == (width, height) {
        return Ok(canvas);
    }
    Ok(resize::bilinear(&canvas, width, height))
}

/// Sides with the short one at 512, both rounded to multiples of 64, half to even as in numpy.
fn detect_size(width: u32, height: u32) -> (u32, u32) {
    let scale = f64::from(DETECT_SIDE_PX) / f64::from(width.min(height));
    let side = |px: u32| (f64::from(px) * scale / 64.0).round_ties_even().max(1.0) as u32 * 64;
    (side(width), side(height))
}

/// Bodies of all people, then hands (all left ones first), then faces.
fn paint(canvas: &mut RgbImage, people: &[Sticks], stick_scale: i64) {
    for (limb, &color) in COLORS.iter().enumerate().take(sticks::N_LIMBS) {
        for person in people {
            for (_, from, to) in person.limbs.iter().filter(|(idx, ..)| *idx == limb) {
                paint_limb(canvas, *from, *to, stick_scale, Rgb(color));
            }
        }
    }
    for byte in canvas.iter_mut() {
        *byte = (f64::from(*byte) * 0.6) as u8;
    }
    for (joint, &color) in COLORS.iter().enumerate() {
        for person in people {
            for (_, at) in person.joints.iter().filter(|(idx, _)| *idx == joint) {
                disc(canvas, truncated(*at), JOINT_RADIUS_PX, Rgb(color));
            }
        }
    }
    for side in 0..2 {
        for hand in people.iter().flat_map(|person| &person.hands[side]) {
            paint_hand(canvas, hand);
        }
    }
    for point in people
        .iter()
        .flat_map(|person| &person.face)
        .filter(|p| is_found(**p))
    {
        disc(canvas, truncated(*point), FACE_RADIUS_PX, FACE_COLOR);
    }
}

fn paint_limb(
    canvas: &mut RgbImage,
    from: asap_core::Point,
    to: asap_core::Point,
    stick_scale: i64,
    color: Rgb<u8>,
) {
    let center = truncated(from.lerp(to, 0.5));
    let half_length = (from.distance(to) / 2.0) as i64;
    let angle_deg = (from.y - to.y).atan2(from.x - to.x).to_degrees() as i64;
    let outline = ellipse_polygon(center, (half_length, STICK_PX * stick_scale), angle_deg);
    convex_polygon(canvas, &outline, color);
}

fn paint_hand(canvas: &mut RgbImage, hand: &Hand) {
    for &(edge, from, to) in hand
        .edges
        .iter()
        .filter(|(_, from, to)| is_found(*from) && is_found(*to))
    {
        let color = Rgb(HAND_COLORS[edge]);
        thick_line(canvas, truncated(from), truncated(to), HAND_LINE_PX, color);
    }
    for &joint in hand.joints.iter().filter(|joint| is_found(**joint)) {
        disc(canvas, truncated(joint), JOINT_RADIUS_PX, HAND_JOINT_COLOR);
    }
}

fn is_found(point: asap_core::Point) -> bool {
    point.x > ORIGIN_PX && point.y > ORIGIN_PX
}

/// Towards zero, as Python's `int` does.
fn truncated(point: asap_core::Point) -> opencv::Grid {
    (point.x as i64, point.y as i64)
}

#[cfg(test)]
mod tests;
