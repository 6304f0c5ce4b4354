//! A hand in a photograph, taken apart: its matte, its colours, the arm, the ground behind, the fingers.

use std::cell::OnceCell;

use asap_core::skeleton::N_HAND;
use asap_core::{BoxPx, Point, Stream};
use image::RgbImage;

use super::canvas::{Plane, Rgb, crop, luma, mix, smoothstep};
use super::fingers::{self, Fingers};
use super::layers::components::{self, dilated};
use super::layers::extend::extended;
use super::layers::lab::{lab_plane, may_be_skin};
use super::layers::matte::{self, Hints};
use super::layers::plate::{self, Hole};
use super::poses::Rect;

/// Hands with a shorter side are left alone: their fingers are a pixel or two wide.
pub(crate) const MIN_SIDE_PX: f64 = 24.0;

/// A hand that is cut at more of the line around its box is no hand.
const MAX_CUT_SHARE: f64 = 0.14;

/// What is known of a hand, in pixels of the picture.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct HandSpec {
    /// The box around it.
    pub(crate) rect: Rect,
    /// Its 21 points, root first, where they are known well.
    pub(crate) keypoints: Option<[Point; N_HAND]>,
}

/// Where the hand hangs on the arm, in pixels of the crop.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Wrist {
    /// The middle of the wrist.
    pub(crate) at: Point,
    /// Unit vector from the wrist into the hand.
    pub(crate) into_hand: Point,
    /// Half the width of the wrist in pixels.
    pub(crate) half_width: f64,
}

/// A hand taken apart. All planes have the size of the crop.
pub(crate) struct HandScene {
    /// The crop in the picture.
    pub(crate) crop: BoxPx,
    /// Where pixels may change, in the picture.
    pub(crate) budget: BoxPx,
    /// The crop as it is.
    pub(crate) source: Plane<Rgb>,
    /// Alpha of the hand.
    pub(crate) hand: Plane<f32>,
    /// Alpha of the skin that is joined to it, with a round end at the wrist.
    pub(crate) stump: Plane<f32>,
    /// The colours of hand and arm, carried outward.
    pub(crate) colors: Plane<Rgb>,
    /// The middle of the hand.
    pub(crate) center: Point,
    /// The square root of its area, in pixels.
    pub(crate) size_px: f64,
    /// Half the width of a finger, in pixels.
    pub(crate) half_width: f64,
    /// Where it hangs on the arm.
    pub(crate) wrist: Option<Wrist>,
    /// The fingers, where keypoints are known.
    pub(crate) fingers: Option<Fingers>,
    /// Whether the frame of the picture leaves the whole hand: a cut hand cannot be moved.
    pub(crate) is_whole: bool,
    /// How far the soft rim of the hand and the light that it throws reach, in pixels.
    pub(crate) margin_px: f64,
    skin: Plane<f32>,
    ground: OnceCell<Option<Plane<Rgb>>>,
    texture_energy: OnceCell<f32>,
}

/// Why a part is left alone.
pub(crate) type Decline = &'static str;

impl HandScene {
    /// Takes a hand apart, or says why not.
    pub(crate) fn new(image: &RgbImage, spec: &HandSpec) -> Result<Self, Decline> {
        let frame = Frame::around(image, spec)?;
        let source = crop(image, frame.crop);
        let lab = lab_plane(&source);
        let (skin, half_width) = match &frame.keypoints {
            Some(points) => fingers::skin(&lab, points)?,
            None => (frame.skin_of_box(&lab)?, 0.0),
        };
        let wrist = match &frame.keypoints {
            Some(points) => Some(fingers::wrist(points, &skin, half_width)),
            None => frame.wrist_of_box(&skin),
        };
        let hand = frame.cut_at_wrist(&skin, wrist);
        let area: f32 = hand.data.iter().sum();
        let size_px = f64::from(area).sqrt();
        let box_area = frame.rect.width * frame.rect.height;
        if f64::from(area) < 0.12 * box_area {
            return Err("the hand cannot be told from its surroundings");
        }
        let half_width = if half_width > 0.0 {
            half_width
        } else {
            0.09 * size_px
        };
        if frame.keypoints.is_none() && frame.cut_share(&hand, wrist) > MAX_CUT_SHARE {
            return Err("the hand cannot be told from its surroundings");
        }
        let is_whole = frame_share(&hand, frame.crop, image) < 0.12 * size_px;
        let stump = Plane::from_fn(skin.width, skin.height, |x, y| {
            let is_cap = wrist.is_some_and(|wrist| {
                Point::new(x as f64, y as f64).distance(wrist.at) < 0.95 * wrist.half_width
            });
            // What is left of the skin without the hand. A product of alphas would leave a seam of skin
            // along the outline, where both are one half.
            if is_cap {
                skin.at(x, y)
            } else {
                (skin.at(x, y) - hand.at(x, y)).max(0.0)
            }
        });
        let solid = skin.map(|a| if a > 0.9 { 1.0f32 } else { 0.0 });
        let colors = extended(&source, &solid);
        let fingers = frame
            .keypoints
            .as_ref()
            .and_then(|points| Fingers::new(points, &hand, half_width));
        let edge_width_px = edge_width_px(&source, &skin, size_px);
        Ok(Self {
            crop: frame.crop,
            budget: frame.budget,
            center: centroid(&hand),
            source,
            hand,
            stump,
            colors,
            size_px,
            half_width,
            wrist,
            fingers,
            is_whole,
            margin_px: (1.5 + 0.9 * edge_width_px).clamp(3.0, 14.0),
            skin,
            ground: OnceCell::new(),
            texture_energy: OnceCell::new(),
        })
    }

    /// The picture without the hand: the ground behind it and the arm up to the wrist.
    pub(crate) fn ground(&self) -> Result<&Plane<Rgb>, Decline> {
        self.ground
            .get_or_init(|| self.fill_ground())
            .as_ref()
            .ok_or("there is too little ground around the hand to fill its place")
    }

    fn fill_ground(&self) -> Option<Plane<Rgb>> {
        let margin = self.margin_px;
        let (width, height) = (self.skin.width as u32, self.skin.height as u32);
        let budget = self.budget_in_crop().grown(2, width, height);
        let skin = dilated(&self.skin.map(|a| a > 0.05), margin);
        let hole = Hole {
            bits: Plane::from_fn(skin.width, skin.height, |x, y| {
                skin.at(x, y) && budget.contains(x as u32, y as u32)
            }),
            forbidden: skin,
        };
        let mut stream = Stream::new(0, "photo/ground");
        let filled = plate::filled(&self.source, &hole, &mut stream)?;
        // Beside the arm nothing needs to be filled: only what the hand and its rim covered.
        let to_hand = components::distances(&self.hand.map(|a| a > 0.05));
        Some(Plane::from_fn(filled.width, filled.height, |x, y| {
            let bare = mix(filled.at(x, y), self.colors.at(x, y), self.stump.at(x, y));
            let near = 1.0 - smoothstep(margin, margin + 3.0, f64::from(to_hand.at(x, y)));
            mix(self.source.at(x, y), bare, near as f32)
        }))
    }

    /// How busy the ground around the hand is: see [`plate::texture_energy`].
    pub(crate) fn texture_energy(&self) -> f32 {
        *self.texture_energy.get_or_init(|| {
            plate::texture_energy(
                &self.source,
                &dilated(&self.skin.map(|a| a > 0.05), self.margin_px),
            )
        })
    }

    /// The budget in pixels of the crop.
    pub(crate) fn budget_in_crop(&self) -> BoxPx {
        BoxPx {
            x0: self.budget.x0 - self.crop.x0,
            y0: self.budget.y0 - self.crop.y0,
            x1: self.budget.x1 - self.crop.x0,
            y1: self.budget.y1 - self.crop.y0,
        }
    }

    /// The direction from the wrist into the hand; the long axis of the hand where there is no wrist.
    pub(crate) fn axis(&self) -> Point {
        self.wrist
            .map_or_else(|| long_axis(&self.hand, self.center), |wrist| wrist.into_hand)
    }

    /// The point that the hand turns about: the wrist, or its middle where there is none.
    pub(crate) fn pivot(&self) -> Point {
        self.wrist.map_or(self.center, |wrist| wrist.at)
    }
}

/// The boxes of a hand, and its geometry in pixels of the crop.
struct Frame {
    crop: BoxPx,
    budget: BoxPx,
    rect: Rect,
    keypoints: Option<[Point; N_HAND]>,
}

impl Frame {
    fn around(image: &RgbImage, spec: &HandSpec) -> Result<Self, Decline> {
        let (width, height) = image.dimensions();
        let rect = spec.rect;
        if rect.width.min(rect.height) < MIN_SIDE_PX {
            return Err("the hand is smaller than 24 px");
        }
        let side = rect.width.max(rect.height);
        let corners = [
            Point::new(rect.x, rect.y),
            Point::new(rect.x + rect.width - 1.0, rect.y + rect.height - 1.0),
        ];
        let inside = BoxPx::around(&corners, 0.0, width, height).ok_or("the hand is out of the frame")?;
        if (inside.area_px() as f64) < 0.6 * rect.width * rect.height {
            return Err("most of the hand is out of the frame");
        }
        let around = |margin: f64| BoxPx::around(&corners, margin * side, width, height);
        let budget = around(0.6).ok_or("the hand is out of the frame")?;
        let crop = around(0.85).ok_or("the hand is out of the frame")?;
        let into_crop = |p: Point| p - Point::new(f64::from(crop.x0), f64::from(crop.y0));
        let corner = into_crop(corners[0]);
        Ok(Self {
            crop,
            budget,
            rect: Rect {
                x: corner.x,
                y: corner.y,
                ..rect
            },
            keypoints: spec.keypoints.map(|points| points.map(into_crop)),
        })
    }

    /// Coordinates of a point relative to the box: 0 in the middle, 1 on the border.
    fn relative(&self, x: usize, y: usize) -> Point {
        Point::new(
            (x as f64 - self.rect.x - 0.5 * self.rect.width) / (0.5 * self.rect.width),
            (y as f64 - self.rect.y - 0.5 * self.rect.height) / (0.5 * self.rect.height),
        )
    }

    /// The skin that is joined to the middle of the box, where only a box is known.
    fn skin_of_box(&self, lab: &Plane<Rgb>) -> Result<Plane<f32>, Decline> {
        let middle = Plane::from_fn(lab.width, lab.height, |x, y| self.relative(x, y).length() < 0.62);
        let seeds = Plane::from_fn(lab.width, lab.height, |x, y| {
            middle.at(x, y) && may_be_skin(lab.at(x, y))
        });
        let count = |bits: &Plane<bool>| bits.data.iter().filter(|&&bit| bit).count();
        if count(&seeds) * 4 < count(&middle) {
            return Err("no bare skin in the middle of the box");
        }
        let skin_color = median(lab, &seeds);
        // The seeds that look like most of them: a held object in the middle is not the hand.
        let seeds = Plane::from_fn(lab.width, lab.height, |x, y| {
            seeds.at(x, y) && difference(lab.at(x, y), skin_color) < 22.0
        });
        let background = Plane::from_fn(lab.width, lab.height, |x, y| {
            let p = self.relative(x, y);
            p.x.abs().max(p.y.abs()) > 1.15 && difference(lab.at(x, y), skin_color) > 20.0
        });
        let prior = Plane::from_fn(lab.width, lab.height, |x, y| {
            let p = self.relative(x, y);
            (0.62 - 0.3 * smoothstep(0.9, 1.3, p.x.abs().max(p.y.abs()))) as f32
        });
        let hints = Hints {
            seeds: &seeds,
            prior: &prior,
            background: &background,
            radius_px: (0.03 * self.rect.width.max(self.rect.height)).ceil().max(2.0) as usize,
        };
        matte::cut_out(lab, &hints).ok_or("the hand cannot be told from its surroundings")
    }

    /// The longest run of skin across the border of the box: there the arm comes in.
    fn wrist_of_box(&self, skin: &Plane<f32>) -> Option<Wrist> {
        let (w, h) = (self.rect.width, self.rect.height);
        let n = (2.0 * (w + h)) as usize;
        let border: Vec<Point> = (0..n)
            .map(|i| {
                let t = i as f64;
                let p = if t < w {
                    Point::new(t, 0.0)
                } else if t < w + h {
                    Point::new(w, t - w)
                } else if t < 2.0 * w + h {
                    Point::new(2.0 * w + h - t, h)
                } else {
                    Point::new(0.0, 2.0 * (w + h) - t)
                };
                Point::new(self.rect.x, self.rect.y) + p
            })
            .collect();
        let is_skin: Vec<bool> = border
            .iter()
            .map(|&p| skin.holds(p) && skin.bilinear(p) > 0.5)
            .collect();
        let first_gap = is_skin.iter().position(|&bit| !bit)?;
        let (mut best, mut start) = ((0, 0), None);
        for i in 0..=n {
            let at = (first_gap + i) % n;
            match (is_skin[at] && i < n, start) {
                (true, None) => start = Some(i),
                (false, Some(from)) => {
                    if i - from > best.1 - best.0 {
                        best = (from, i);
                    }
                    start = None;
                }
                _ => {}
            }
        }
        let (from, to) = (
            border[(first_gap + best.0) % n],
            border[(first_gap + best.1.max(1) - 1) % n],
        );
        let half_width = 0.5 * from.distance(to);
        let middle = Point::new(self.rect.x + 0.5 * w, self.rect.y + 0.5 * h);
        let at = from.lerp(to, 0.5);
        let side = w.min(h);
        let reach = middle.distance(at);
        (half_width > 0.12 * side && half_width < 0.48 * side && reach > 0.2 * side).then(|| Wrist {
            at,
            into_hand: (middle - at) * (1.0 / reach),
            half_width,
        })
    }

    /// The share of the line around the box at which the hand is cut off, the wrist left out. A matte that
    /// reaches this line widely is no hand but ground of the same colour.
    fn cut_share(&self, hand: &Plane<f32>, wrist: Option<Wrist>) -> f64 {
        let (mut cut, mut total) = (0u32, 0u32);
        for y in 0..hand.height {
            for x in 0..hand.width {
                let p = self.relative(x, y);
                if !(1.05..1.11).contains(&p.x.abs().max(p.y.abs())) {
                    continue;
                }
                total += 1;
                let d = wrist.map_or(f64::INFINITY, |w| {
                    w.at.distance(Point::new(x as f64, y as f64)) / w.half_width
                });
                cut += u32::from(d > 1.4 && hand.at(x, y) > 0.5);
            }
        }
        f64::from(cut) / f64::from(total.max(1))
    }

    /// The part of the skin that is the hand: beyond the wrist, and near the box.
    fn cut_at_wrist(&self, skin: &Plane<f32>, wrist: Option<Wrist>) -> Plane<f32> {
        let cut = Plane::from_fn(skin.width, skin.height, |x, y| {
            let beyond = wrist.map_or(1.0, |wrist| {
                let d = Point::new(x as f64, y as f64) - wrist.at;
                smoothstep(-1.5, 1.5, d.x * wrist.into_hand.x + d.y * wrist.into_hand.y)
            });
            let p = self.relative(x, y);
            let near = 1.0 - smoothstep(1.12, 1.2, p.x.abs().max(p.y.abs()));
            skin.at(x, y) * (beyond * near) as f32
        });
        let middle = Plane::from_fn(skin.width, skin.height, |x, y| {
            self.relative(x, y).length() < 0.7 && cut.at(x, y) > 0.5
        });
        let kept = components::keep_seeded(&cut.map(|a| a > 0.5), &middle);
        let near = dilated(&kept, 1.5);
        Plane::from_fn(skin.width, skin.height, |x, y| {
            if near.at(x, y) { cut.at(x, y) } else { 0.0 }
        })
    }
}

/// The median width of the outline in pixels: the contrast across it over the steepest slope in it. Narrow
/// in focus, wide out of it.
fn edge_width_px(source: &Plane<Rgb>, alpha: &Plane<f32>, size_px: f64) -> f64 {
    let reach = (0.1 * size_px).clamp(5.0, 14.0);
    let slope = alpha.blurred(1.5);
    let mut widths = Vec::new();
    for y in (2..alpha.height.saturating_sub(2)).step_by(2) {
        for x in 2..alpha.width.saturating_sub(2) {
            if alpha.at(x, y) < 0.5 || alpha.at(x - 1, y) >= 0.5 && alpha.at(x, y - 1) >= 0.5 {
                continue;
            }
            let gradient = Point::new(
                f64::from(slope.at(x + 1, y) - slope.at(x - 1, y)),
                f64::from(slope.at(x, y + 1) - slope.at(x, y - 1)),
            );
            let length = gradient.length();
            if length < 0.05 {
                continue;
            }
            let inward = gradient * (1.0 / length);
            let here = Point::new(x as f64, y as f64);
            let level = |d: f64| luma(source.bilinear(here + inward * d));
            let contrast = (level(reach) - level(-reach)).abs();
            let steepest = (-6..6)
                .map(|i| (level(0.5 * f64::from(i)) - level(0.5 * f64::from(i) + 1.0)).abs())
                .fold(0.0f32, f32::max);
            if contrast > 25.0 && steepest > 1.0 {
                widths.push(contrast / steepest);
            }
        }
    }
    widths.sort_by(f32::total_cmp);
    widths
        .get(widths.len() / 2)
        .map_or(4.0, |&width| f64::from(width))
}

/// The number of pixels of the hand on the frame of the picture.
fn frame_share(hand: &Plane<f32>, crop: BoxPx, image: &RgbImage) -> f64 {
    let (w, h) = (hand.width, hand.height);
    let mut n = 0u32;
    for x in 0..w {
        n += u32::from(crop.y0 == 0 && hand.at(x, 0) > 0.5);
        n += u32::from(crop.y1 == image.height() && hand.at(x, h - 1) > 0.5);
    }
    for y in 0..h {
        n += u32::from(crop.x0 == 0 && hand.at(0, y) > 0.5);
        n += u32::from(crop.x1 == image.width() && hand.at(w - 1, y) > 0.5);
    }
    f64::from(n)
}

fn median(lab: &Plane<Rgb>, bits: &Plane<bool>) -> Rgb {
    std::array::from_fn(|axis| {
        let mut values: Vec<f32> = lab
            .data
            .iter()
            .zip(&bits.data)
            .filter(|(_, bit)| **bit)
            .map(|(c, _)| c[axis])
            .collect();
        values.sort_by(f32::total_cmp);
        values.get(values.len() / 2).copied().unwrap_or_default()
    })
}

/// A distance of two Lab colours that counts brightness less: a hand has light and shade.
pub(crate) fn difference(a: Rgb, b: Rgb) -> f32 {
    (0.36 * (a[0] - b[0]).powi(2) + (a[1] - b[1]).powi(2) + (a[2] - b[2]).powi(2)).sqrt()
}

fn centroid(alpha: &Plane<f32>) -> Point {
    let (mut sum, mut total) = (Point::default(), 0.0);
    for y in 0..alpha.height {
        for x in 0..alpha.width {
            let a = f64::from(alpha.at(x, y));
            sum = sum + Point::new(x as f64, y as f64) * a;
            total += a;
        }
    }
    sum * (1.0 / total.max(1e-6))
}

/// The direction in which the alpha spreads most.
fn long_axis(alpha: &Plane<f32>, center: Point) -> Point {
    let (mut xx, mut yy, mut xy) = (0.0, 0.0, 0.0);
    for y in 0..alpha.height {
        for x in 0..alpha.width {
            let a = f64::from(alpha.at(x, y));
            let d = Point::new(x as f64, y as f64) - center;
            xx += a * d.x * d.x;
            yy += a * d.y * d.y;
            xy += a * d.x * d.y;
        }
    }
    let angle = 0.5 * (2.0 * xy).atan2(xx - yy);
    Point::new(angle.cos(), angle.sin())
}
