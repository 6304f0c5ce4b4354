//! Finds eyes and mouth in a face box by darkness, symmetry and the usual proportions.
//!
//! No model: eyes are two dark spots of like darkness on skin, on a nearly level line, with a mouth one and
//! a bit eye distances below. A head seen from behind or from the side has no such three spots, and is
//! declined.

use asap_core::{BoxPx, Point};
use image::RgbImage;

use super::canvas::{Plane, crop, luma, smoothstep};
use super::face::Features;
use super::hand::Decline;
use super::layers::lab::{lab, may_be_skin};
use super::poses::Rect;

/// The box is looked at in this many columns.
const COLUMNS: f64 = 64.0;
/// The least darkness of an eye against its surroundings, in grey levels.
const MIN_DARKNESS: f32 = 7.0;
/// The least share of skin in the middle of a face.
const MIN_SKIN: f64 = 0.55;

/// The features of the face in a box.
pub(crate) fn features(image: &RgbImage, rect: Rect) -> Result<Features, Decline> {
    let corners = [
        Point::new(rect.x, rect.y),
        Point::new(rect.x + rect.width - 1.0, rect.y + rect.height - 1.0),
    ];
    let bounds = BoxPx::around(&corners, 0.15 * rect.width, image.width(), image.height())
        .ok_or("the face is out of the frame")?;
    let pixels = crop(image, bounds);
    let px_per_column = rect.width / COLUMNS;
    let rows = (rect.height / px_per_column).round() as usize;
    let origin = Point::new(rect.x - f64::from(bounds.x0), rect.y - f64::from(bounds.y0));
    let to_crop = |x: f64, y: f64| origin + Point::new(x * px_per_column, y * px_per_column);
    let smooth = pixels.blurred(0.4 * px_per_column);
    let small = Plane::from_fn(COLUMNS as usize, rows, |x, y| {
        smooth.bilinear(to_crop(x as f64, y as f64))
    });
    if skin_share(&small) < MIN_SKIN {
        return Err("too little skin in the face box: the face is turned away or covered");
    }
    let bright = small.map(luma);
    // Flat and wide, as eyes and mouths are.
    let wide = bright.blurred(6.5);
    let narrow = bright.blurred(1.6);
    let dark = Plane::from_fn(bright.width, bright.height, |x, y| {
        wide.at(x, y) - narrow.at(x, y)
    });
    let eyes = best_eyes(&dark).ok_or("no pair of eyes is seen in the face box")?;
    let mouth = best_mouth(&dark, &small.map(|c| lab(c)[1]).blurred(1.6), eyes);
    let to_image = |p: Point| to_crop(p.x, p.y) + Point::new(f64::from(bounds.x0), f64::from(bounds.y0));
    let distance = eyes[0].distance(eyes[1]) * px_per_column;
    Ok(Features {
        eyes: eyes.map(to_image),
        eye_widths: [0.46 * distance; 2],
        eye_half_height: 0.2 * distance,
        mouth: to_image(mouth),
        mouth_size: (0.85 * distance, 0.3 * distance),
    })
}

fn skin_share(small: &Plane<[f32; 3]>) -> f64 {
    let (mut skin, mut n) = (0u32, 0u32);
    for y in small.height / 4..small.height * 4 / 5 {
        for x in small.width / 4..small.width * 3 / 4 {
            n += 1;
            skin += u32::from(may_be_skin(lab(small.at(x, y))));
        }
    }
    f64::from(skin) / f64::from(n.max(1))
}

/// How well a value fits a mean, 1 to 0.
fn fits(v: f64, mean: f64, tolerance: f64) -> f64 {
    (-0.5 * ((v - mean) / tolerance).powi(2)).exp()
}

fn best_eyes(dark: &Plane<f32>) -> Option<[Point; 2]> {
    let (w, h) = (dark.width as f64, dark.height as f64);
    let mut best: Option<(f64, [Point; 2])> = None;
    for y in (0.26 * h) as usize..(0.58 * h) as usize {
        for x in (0.08 * w) as usize..(0.6 * w) as usize {
            let left = dark.at(x, y);
            if left < MIN_DARKNESS {
                continue;
            }
            for dx in (0.28 * w) as usize..(0.56 * w) as usize {
                let reach = (0.3 * dx as f64) as i64;
                for dy in -reach..=reach {
                    let (rx, ry) = (x + dx, y as i64 + dy);
                    if rx >= dark.width || ry < 0 || ry >= dark.height as i64 {
                        continue;
                    }
                    let right = dark.at(rx, ry as usize);
                    if right < MIN_DARKNESS {
                        continue;
                    }
                    let (a, b) = (Point::new(x as f64, y as f64), Point::new(rx as f64, ry as f64));
                    let middle = a.lerp(b, 0.5);
                    let down = Point::new(-(b - a).y, (b - a).x);
                    let mouth = (9..=13)
                        .map(|t| f64::from(dark.bilinear(middle + down * (0.1 * f64::from(t)))))
                        .fold(0.0, f64::max);
                    let nose = f64::from(dark.bilinear(middle + down * 0.25)).max(0.0);
                    let darkness = f64::from(left.min(30.0) + right.min(30.0) - 0.8 * (left - right).abs());
                    let shape = fits(middle.y / h, 0.42, 0.07)
                        * fits(middle.x / w, 0.5, 0.1)
                        * fits(dx as f64 / w, 0.42, 0.07)
                        * fits(dy as f64 / dx as f64, 0.0, 0.2);
                    let score = (darkness + mouth.min(25.0) - 0.6 * nose) * shape;
                    if best.is_none_or(|(top, _)| score > top) {
                        best = Some((score, [a, b]));
                    }
                }
            }
        }
    }
    best.filter(|(score, _)| *score > 9.0).map(|(_, eyes)| eyes)
}

/// The place below the eyes that is darkest and reddest.
fn best_mouth(dark: &Plane<f32>, red: &Plane<f32>, eyes: [Point; 2]) -> Point {
    let middle = eyes[0].lerp(eyes[1], 0.5);
    let right = eyes[1] - eyes[0];
    let down = Point::new(-right.y, right.x);
    let mut best = (f64::NEG_INFINITY, middle + down * 1.1);
    for across in 0..=14 {
        for along in -6..=6 {
            let (t, s) = (0.85 + 0.04 * f64::from(across), 0.03 * f64::from(along));
            let p = middle + down * t + right * s;
            let mean = |plane: &Plane<f32>| -> f64 {
                (-3..=3)
                    .map(|i| f64::from(plane.bilinear(p + right * (0.09 * f64::from(i)))))
                    .sum::<f64>()
                    / 7.0
            };
            let score = (mean(dark) + 1.5 * mean(red))
                * fits(t, 1.08, 0.22)
                * (1.0 - 0.4 * smoothstep(0.1, 0.3, s.abs()));
            if score > best.0 {
                best = (score, p);
            }
        }
    }
    best.1
}
