//! Fills the place that a part leaves with texture from around it (exemplar inpainting).
//!
//! Multi-scale PatchMatch (Barnes et al. 2009) with voting as in Wexler, Shechtman, Irani (2007): every
//! 7x7 patch that touches the hole looks for its nearest neighbour among patches of the surroundings, the
//! neighbours vote for the pixels of the hole, and the levels of a pyramid go from coarse to fine.

use asap_core::{Point, Stream};

use super::components::{dilated, distances};
use super::extend::extended;
use crate::photo::canvas::{Plane, Rgb};

/// Half the side of a patch.
const RADIUS: i64 = 3;
/// Pyramid levels at most.
const MAX_LEVELS: usize = 5;
/// Rounds of search and vote: at the coarsest level, at the finest, and between.
const ROUNDS: [usize; 3] = [8, 2, 3];

/// What is to be filled and what it may be filled from.
#[derive(Clone, Debug)]
pub(crate) struct Hole {
    /// Pixels to fill.
    pub(crate) bits: Plane<bool>,
    /// Pixels that must not be copied, such as other skin. The hole itself is always forbidden.
    pub(crate) forbidden: Plane<bool>,
}

/// The image with its hole filled; `None` where the surroundings hold too few whole patches.
pub(crate) fn filled(image: &Plane<Rgb>, hole: &Hole, stream: &mut Stream) -> Option<Plane<Rgb>> {
    let mut levels = vec![Level::finest(image, hole)];
    while levels.len() < MAX_LEVELS {
        let last = &levels[levels.len() - 1];
        let depth = distances(&last.hole.map(|bit| !bit))
            .data
            .iter()
            .copied()
            .fold(0.0, f32::max);
        let next = last.halved();
        if depth < 4.0 || next.sources.len() < 64 {
            break;
        }
        levels.push(next);
    }
    if levels[0].sources.len() < 64 {
        return None;
    }
    let n_levels = levels.len();
    let mut guess: Option<(Plane<Rgb>, Plane<Match>)> = None;
    for (idx, level) in levels.into_iter().enumerate().rev() {
        let n_rounds = match idx {
            _ if idx + 1 == n_levels => ROUNDS[0],
            0 => ROUNDS[1],
            _ => ROUNDS[2],
        };
        guess = Some(level.solve(guess, n_rounds, stream));
    }
    guess.map(|(image, _)| image)
}

/// The mean gradient of the brightness where `weight` is false, in grey levels per pixel: on busy ground a
/// filled hole shows, and operators that only add are the better choice.
pub(crate) fn texture_energy(image: &Plane<Rgb>, excluded: &Plane<bool>) -> f32 {
    let (mut sum, mut n) = (0.0f64, 0u32);
    for y in 1..image.height {
        for x in 1..image.width {
            if excluded.at(x, y) || excluded.at(x - 1, y) || excluded.at(x, y - 1) {
                continue;
            }
            let here = crate::photo::canvas::luma(image.at(x, y));
            let dx = here - crate::photo::canvas::luma(image.at(x - 1, y));
            let dy = here - crate::photo::canvas::luma(image.at(x, y - 1));
            sum += f64::from(dx.hypot(dy));
            n += 1;
        }
    }
    (sum / f64::from(n.max(1))) as f32
}

/// Where the nearest patch lies and how far it is.
#[derive(Clone, Copy, Debug)]
struct Match {
    x: u16,
    y: u16,
    distance: f32,
}

struct Level {
    image: Plane<Rgb>,
    hole: Plane<bool>,
    forbidden: Plane<bool>,
    /// Centres of whole patches without hole or forbidden pixels.
    sources: Vec<(u16, u16)>,
    is_source: Plane<bool>,
    /// Pixels whose patch touches the hole.
    targets: Vec<(u16, u16)>,
}

impl Level {
    fn finest(image: &Plane<Rgb>, hole: &Hole) -> Self {
        Self::new(image.clone(), hole.bits.clone(), hole.forbidden.clone())
    }

    fn new(image: Plane<Rgb>, hole: Plane<bool>, forbidden: Plane<bool>) -> Self {
        let (width, height) = (image.width, image.height);
        let bad = Plane::from_fn(width, height, |x, y| hole.at(x, y) || forbidden.at(x, y));
        // A square of radius 3 lies inside a disc of radius 4.25.
        let near_bad = dilated(&bad, 4.3);
        let near_hole = dilated(&hole, 4.3);
        let margin = RADIUS as usize;
        let is_source = Plane::from_fn(width, height, |x, y| {
            !near_bad.at(x, y) && x >= margin && y >= margin && x + margin < width && y + margin < height
        });
        let list = |bits: &Plane<bool>| -> Vec<(u16, u16)> {
            (0..bits.data.len())
                .filter(|&at| bits.data[at])
                .map(|at| ((at % width) as u16, (at / width) as u16))
                .collect()
        };
        Self {
            sources: list(&is_source),
            targets: list(&near_hole),
            image,
            hole,
            forbidden,
            is_source,
        }
    }

    /// Half the size; colours of the hole do not leak into the surroundings.
    fn halved(&self) -> Self {
        let known = self.hole.map(|bit| if bit { 0.0f32 } else { 1.0 });
        let clean = extended(&self.image, &known);
        let half = |bits: &Plane<bool>| bits.map(|bit| f32::from(u8::from(bit))).halved();
        Self::new(
            clean.halved(),
            half(&self.hole).map(|share| share >= 0.5),
            half(&self.forbidden).map(|share| share > 0.0),
        )
    }

    fn solve(
        self,
        guess: Option<(Plane<Rgb>, Plane<Match>)>,
        n_rounds: usize,
        stream: &mut Stream,
    ) -> (Plane<Rgb>, Plane<Match>) {
        let (mut current, mut matches) = self.start(guess, stream);
        for round in 0..n_rounds {
            self.refresh(&current, &mut matches);
            self.search(&current, &mut matches, round, stream);
            current = self.vote(&current, &matches);
        }
        (current, matches)
    }

    /// Takes over the coarser level, or a smooth fill and random matches where there is none.
    fn start(
        &self,
        guess: Option<(Plane<Rgb>, Plane<Match>)>,
        stream: &mut Stream,
    ) -> (Plane<Rgb>, Plane<Match>) {
        let (width, height) = (self.image.width, self.image.height);
        let known = self.hole.map(|bit| if bit { 0.0f32 } else { 1.0 });
        let mut current = match &guess {
            None => extended(&self.image, &known),
            Some((coarse, _)) => Plane::from_fn(width, height, |x, y| {
                coarse.bilinear(Point::new((x as f64 - 0.5) / 2.0, (y as f64 - 0.5) / 2.0))
            }),
        };
        for at in 0..current.data.len() {
            if !self.hole.data[at] {
                current.data[at] = self.image.data[at];
            }
        }
        let mut matches = Plane::filled(
            width,
            height,
            Match {
                x: 0,
                y: 0,
                distance: f32::INFINITY,
            },
        );
        for &(x, y) in &self.targets {
            let inherited = guess.as_ref().and_then(|(_, coarse)| {
                let near = coarse.clamped(i64::from(x / 2), i64::from(y / 2));
                let (sx, sy) = (2 * near.x + x % 2, 2 * near.y + y % 2);
                self.may_copy(i64::from(sx), i64::from(sy)).then_some((sx, sy))
            });
            let (sx, sy) = inherited.unwrap_or_else(|| *stream.choose(&self.sources));
            matches.data[usize::from(y) * width + usize::from(x)] = Match {
                x: sx,
                y: sy,
                distance: f32::INFINITY,
            };
        }
        if guess.is_some() {
            // Matches carry the texture; the upsampled colours were only a stand-in.
            for at in 0..matches.data.len() {
                if matches.data[at].distance == f32::INFINITY && self.hole.data[at] {
                    matches.data[at].distance = 1.0;
                }
            }
            current = self.vote(&current, &matches);
        }
        (current, matches)
    }

    fn may_copy(&self, x: i64, y: i64) -> bool {
        x >= 0
            && y >= 0
            && (x as usize) < self.image.width
            && (y as usize) < self.image.height
            && self.is_source.at(x as usize, y as usize)
    }

    fn refresh(&self, current: &Plane<Rgb>, matches: &mut Plane<Match>) {
        for &(x, y) in &self.targets {
            let at = usize::from(y) * self.image.width + usize::from(x);
            let found = matches.data[at];
            matches.data[at].distance = self.distance(current, (x, y), (found.x, found.y), f32::INFINITY);
        }
    }

    /// One pass of propagation and random search, forwards or backwards in turn.
    fn search(&self, current: &Plane<Rgb>, matches: &mut Plane<Match>, round: usize, stream: &mut Stream) {
        let step: i64 = if round.is_multiple_of(2) { 1 } else { -1 };
        let n = self.targets.len();
        let width = self.image.width;
        let reach = self.image.width.max(self.image.height) as f64;
        for i in 0..n {
            let (x, y) = self.targets[if step > 0 { i } else { n - 1 - i }];
            let at = usize::from(y) * width + usize::from(x);
            let mut best = matches.data[at];
            let consider = |sx: i64, sy: i64, best: &mut Match| {
                if self.may_copy(sx, sy) && (sx, sy) != (i64::from(best.x), i64::from(best.y)) {
                    let (sx, sy) = (sx as u16, sy as u16);
                    let distance = self.distance(current, (x, y), (sx, sy), best.distance);
                    if distance < best.distance {
                        *best = Match {
                            x: sx,
                            y: sy,
                            distance,
                        };
                    }
                }
            };
            for (dx, dy) in [(step, 0), (0, step)] {
                let (nx, ny) = (i64::from(x) - dx, i64::from(y) - dy);
                if nx >= 0 && ny >= 0 && (nx as usize) < width && (ny as usize) < self.image.height {
                    let next = matches.at(nx as usize, ny as usize);
                    if next.distance.is_finite() {
                        consider(i64::from(next.x) + dx, i64::from(next.y) + dy, &mut best);
                    }
                }
            }
            let mut radius = reach;
            while radius >= 1.0 {
                let bits = stream.bits();
                let offset = |bits: u64| ((bits & 0xffff_ffff) as f64 / 2f64.powi(31) - 1.0) * radius;
                let sx = f64::from(best.x) + offset(bits);
                let sy = f64::from(best.y) + offset(bits >> 32);
                consider(sx.round() as i64, sy.round() as i64, &mut best);
                radius *= 0.4;
            }
            matches.data[at] = best;
        }
    }

    /// Sum of squared differences of two patches, given up once it passes `limit`.
    fn distance(&self, current: &Plane<Rgb>, target: (u16, u16), source: (u16, u16), limit: f32) -> f32 {
        let width = self.image.width;
        let (tx, ty) = (i64::from(target.0), i64::from(target.1));
        let (sx, sy) = (usize::from(source.0), usize::from(source.1));
        let radius = RADIUS as usize;
        let is_inner = tx >= RADIUS
            && ty >= RADIUS
            && tx + RADIUS < width as i64
            && ty + RADIUS < self.image.height as i64;
        let mut sum = 0.0;
        for j in 0..=2 * radius {
            let from = (sy + j - radius) * width + sx - radius;
            let source_row = &self.image.data[from..=from + 2 * radius];
            if is_inner {
                let to = (ty as usize + j - radius) * width + tx as usize - radius;
                for (a, b) in current.data[to..=to + 2 * radius].iter().zip(source_row) {
                    sum += squared(*a, *b);
                }
            } else {
                for (i, b) in source_row.iter().enumerate() {
                    let a = current.clamped(tx + i as i64 - RADIUS, ty + j as i64 - RADIUS);
                    sum += squared(a, *b);
                }
            }
            if sum >= limit {
                return f32::INFINITY;
            }
        }
        sum
    }

    /// Every pixel of the hole becomes the weighted mean of what the patches over it say.
    fn vote(&self, current: &Plane<Rgb>, matches: &Plane<Match>) -> Plane<Rgb> {
        let (width, height) = (self.image.width as i64, self.image.height as i64);
        let mut finite: Vec<f32> = self
            .targets
            .iter()
            .map(|&(x, y)| matches.at(usize::from(x), usize::from(y)).distance)
            .filter(|d| d.is_finite())
            .collect();
        finite.sort_by(f32::total_cmp);
        let scale = finite.get(finite.len() / 2).map_or(1.0, |d| d.max(1.0));
        let mut sums = Plane::filled(width as usize, height as usize, [0.0f32; 4]);
        for &(x, y) in &self.targets {
            let found = matches.at(usize::from(x), usize::from(y));
            let weight = if found.distance.is_finite() {
                (-2.0 * found.distance / scale).exp().max(1e-6)
            } else {
                1e-6
            };
            for j in -RADIUS..=RADIUS {
                for i in -RADIUS..=RADIUS {
                    let (px, py) = (i64::from(x) + i, i64::from(y) + j);
                    if px < 0 || py < 0 || px >= width || py >= height {
                        continue;
                    }
                    let at = (py * width + px) as usize;
                    if self.hole.data[at] {
                        let source = self.image.clamped(i64::from(found.x) + i, i64::from(found.y) + j);
                        // The centre of a patch is surer than its rim: this keeps the fill sharp.
                        let w = weight / (1.0 + (i * i + j * j) as f32);
                        let sum = &mut sums.data[at];
                        *sum = [
                            sum[0] + w * source[0],
                            sum[1] + w * source[1],
                            sum[2] + w * source[2],
                            sum[3] + w,
                        ];
                    }
                }
            }
        }
        let mut out = current.clone();
        for (pixel, sum) in out.data.iter_mut().zip(&sums.data) {
            if sum[3] > 0.0 {
                *pixel = [sum[0] / sum[3], sum[1] / sum[3], sum[2] / sum[3]];
            }
        }
        out
    }
}

fn squared(a: Rgb, b: Rgb) -> f32 {
    let (r, g, b) = (a[0] - b[0], a[1] - b[1], a[2] - b[2]);
    r * r + g * g + b * b
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stripes_go_on_through_the_hole() {
        let stripes = Plane::from_fn(96, 64, |x, _| if x / 6 % 2 == 0 { [210.0; 3] } else { [60.0; 3] });
        let hole = Hole {
            bits: Plane::from_fn(96, 64, |x, y| (38..58).contains(&x) && (22..42).contains(&y)),
            forbidden: Plane::filled(96, 64, false),
        };
        let broken = Plane::from_fn(96, 64, |x, y| {
            if hole.bits.at(x, y) {
                [255.0, 0.0, 0.0]
            } else {
                stripes.at(x, y)
            }
        });
        let out = filled(&broken, &hole, &mut Stream::new(3, "plate")).unwrap();
        let mut error = 0.0;
        let mut n = 0.0;
        for at in 0..out.data.len() {
            if hole.bits.data[at] {
                error += (out.data[at][0] - stripes.data[at][0]).abs();
                n += 1.0;
            } else {
                assert_eq!(out.data[at], broken.data[at]);
            }
        }
        assert!(error / n < 20.0, "mean error {}", error / n);
    }

    #[test]
    fn a_hole_without_surroundings_is_refused() {
        let image = Plane::filled(12, 12, [0.0; 3]);
        let hole = Hole {
            bits: Plane::filled(12, 12, true),
            forbidden: Plane::filled(12, 12, false),
        };
        assert!(filled(&image, &hole, &mut Stream::new(3, "plate")).is_none());
    }

    #[test]
    fn texture_energy_grows_with_texture() {
        let none = Plane::filled(20, 20, false);
        let flat = Plane::filled(20, 20, [90.0; 3]);
        let busy = Plane::from_fn(20, 20, |x, y| [((x * 31 + y * 17) % 50) as f32; 3]);
        assert_eq!(texture_energy(&flat, &none), 0.0);
        assert!(texture_energy(&busy, &none) > 5.0);
    }
}
