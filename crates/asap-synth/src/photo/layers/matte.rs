//! Cuts a part out of a photograph without a model: seeds, colours, edges.
//!
//! Seeds say where the part surely is and a prior where it may be. Two colour mixtures are fitted, the
//! probability of the part is taken at every pixel, smoothed along edges with a guided filter (He, Sun,
//! Tang 2010) whose guide is the direction in Lab that tells part and surroundings apart, and cut down to
//! the pieces that hold the seeds.

use super::color_model::ColorModel;
use super::components::{dilated, fill_holes, keep_seeded};
use crate::photo::canvas::{Plane, Rgb, smoothstep};

/// Clusters of the part and of what is around it.
const N_CLUSTERS: (usize, usize) = (4, 6);
/// Rounds of fitting colours and assigning pixels.
const N_ROUNDS: usize = 3;

/// Where a part surely is and where it may be.
pub(crate) struct Hints<'a> {
    /// Surely the part.
    pub(crate) seeds: &'a Plane<bool>,
    /// 0 where the part cannot be, 1 where nothing speaks against it.
    pub(crate) prior: &'a Plane<f32>,
    /// Surely not the part.
    pub(crate) background: &'a Plane<bool>,
    /// Radius of the edge-aware smoothing in pixels.
    pub(crate) radius_px: usize,
}

/// The part's alpha, 0 to 1; `None` where its colours cannot be told from the surroundings.
pub(crate) fn cut_out(lab: &Plane<Rgb>, hints: &Hints<'_>) -> Option<Plane<f32>> {
    let mut inside: Vec<Rgb> = select(lab, |at| hints.seeds.data[at]);
    let mut outside: Vec<Rgb> = select(lab, |at| hints.background.data[at]);
    let mut probability = Plane::filled(lab.width, lab.height, 0.0f32);
    let mut guide_axis = [1.0, 0.0, 0.0];
    for _ in 0..N_ROUNDS {
        let part = ColorModel::fit(&inside, N_CLUSTERS.0)?;
        let rest = ColorModel::fit(&outside, N_CLUSTERS.1)?;
        for at in 0..lab.data.len() {
            let (f, b) = (part.density(lab.data[at]), rest.density(lab.data[at]));
            let prior = 0.97 * hints.prior.data[at];
            let share = f * prior / (f * prior + b * (1.0 - prior) + 1e-9);
            probability.data[at] = if hints.seeds.data[at] {
                share.max(0.8)
            } else {
                share
            };
        }
        guide_axis = direction(part.mean(), rest.mean());
        inside = select(lab, |at| probability.data[at] > 0.8);
        outside = select(lab, |at| probability.data[at] < 0.2);
    }
    let guide = lab.map(|c| c[0] * guide_axis[0] + c[1] * guide_axis[1] + c[2] * guide_axis[2]);
    let smooth = guided(&guide, &probability, hints.radius_px, 4.0);
    let bits = smooth.map(|p| p > 0.5);
    let kept = keep_seeded(&bits, hints.seeds);
    let n_kept = kept.data.iter().filter(|&&bit| bit).count();
    let solid = fill_holes(&kept, n_kept / 60);
    let near = dilated(&solid, 1.5);
    let mut alpha = Plane::from_fn(lab.width, lab.height, |x, y| {
        let edge = smoothstep(0.25, 0.75, f64::from(smooth.at(x, y))) as f32;
        match (solid.at(x, y), kept.at(x, y), near.at(x, y)) {
            (true, true, _) => edge.max(0.5),
            (true, false, _) => 1.0,
            (false, _, true) => edge.min(0.5),
            _ => 0.0,
        }
    });
    alpha = alpha.blurred(0.6);
    (n_kept > 0).then_some(alpha)
}

fn select(lab: &Plane<Rgb>, takes: impl Fn(usize) -> bool) -> Vec<Rgb> {
    (0..lab.data.len())
        .filter(|&at| takes(at))
        .map(|at| lab.data[at])
        .collect()
}

fn direction(from: Rgb, to: Rgb) -> Rgb {
    let d: Rgb = std::array::from_fn(|axis| from[axis] - to[axis]);
    let length = d.iter().map(|v| v * v).sum::<f32>().sqrt();
    if length < 1.0 {
        [1.0, 0.0, 0.0]
    } else {
        d.map(|v| v / length)
    }
}

/// Guided filter: smooths `input` but keeps the edges of `guide`. `eps` is in squared units of the guide.
pub(crate) fn guided(guide: &Plane<f32>, input: &Plane<f32>, radius_px: usize, eps: f32) -> Plane<f32> {
    let product = |a: &Plane<f32>, b: &Plane<f32>| Plane {
        width: a.width,
        height: a.height,
        data: a.data.iter().zip(&b.data).map(|(a, b)| a * b).collect(),
    };
    let mean = |plane: &Plane<f32>| box_mean(plane, radius_px);
    let (mean_guide, mean_input) = (mean(guide), mean(input));
    let (mean_cross, mean_square) = (mean(&product(guide, input)), mean(&product(guide, guide)));
    let mut slope = mean_guide.clone();
    let mut offset = mean_guide.clone();
    for at in 0..slope.data.len() {
        let covariance = mean_cross.data[at] - mean_guide.data[at] * mean_input.data[at];
        let variance = mean_square.data[at] - mean_guide.data[at].powi(2);
        slope.data[at] = covariance / (variance.max(0.0) + eps);
        offset.data[at] = mean_input.data[at] - slope.data[at] * mean_guide.data[at];
    }
    let (slope, offset) = (mean(&slope), mean(&offset));
    let mut out = guide.clone();
    for (at, value) in out.data.iter_mut().enumerate() {
        *value = (slope.data[at] * *value + offset.data[at]).clamp(0.0, 1.0);
    }
    out
}

/// The mean over a square of side `2 * radius_px + 1`, cut at the border.
fn box_mean(plane: &Plane<f32>, radius_px: usize) -> Plane<f32> {
    let rows = Plane {
        width: plane.width,
        height: plane.height,
        data: plane
            .data
            .chunks_exact(plane.width)
            .flat_map(|row| running_mean(row.iter().copied(), plane.width, radius_px))
            .collect(),
    };
    let mut out = rows.clone();
    for x in 0..plane.width {
        let column = (0..plane.height).map(|y| rows.at(x, y));
        for (y, value) in running_mean(column, plane.height, radius_px)
            .into_iter()
            .enumerate()
        {
            out.data[y * plane.width + x] = value;
        }
    }
    out
}

fn running_mean(values: impl Iterator<Item = f32>, n: usize, radius: usize) -> Vec<f32> {
    let mut sums = Vec::with_capacity(n + 1);
    sums.push(0.0f64);
    for value in values {
        sums.push(sums[sums.len() - 1] + f64::from(value));
    }
    (0..n)
        .map(|i| {
            let (low, high) = (i.saturating_sub(radius), (i + radius + 1).min(n));
            ((sums[high] - sums[low]) / (high - low) as f64) as f32
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_disc_is_cut_out_of_texture_and_a_twin_disc_is_left() {
        let inside = |x: usize, y: usize, cx: f64| (x as f64 - cx).hypot(y as f64 - 40.0) < 20.0;
        let lab = Plane::from_fn(160, 80, |x, y| {
            let texture = ((x * 7 + y * 13) % 11) as f32;
            if inside(x, y, 40.0) || inside(x, y, 120.0) {
                [70.0 + 0.3 * texture, 18.0, 20.0]
            } else {
                [40.0 + texture, -5.0, -10.0 + texture]
            }
        });
        let seeds = Plane::from_fn(160, 80, |x, y| (x as f64 - 40.0).hypot(y as f64 - 40.0) < 8.0);
        let prior = Plane::from_fn(160, 80, |x, _| if x < 80 { 0.6 } else { 0.0 });
        let hints = Hints {
            seeds: &seeds,
            prior: &prior,
            background: &prior.map(|p| p == 0.0),
            radius_px: 4,
        };
        let alpha = cut_out(&lab, &hints).unwrap();
        let wrong = (0..80 * 160)
            .filter(|at| (alpha.data[*at] > 0.5) != inside(at % 160, at / 160, 40.0))
            .count();
        assert!(wrong < 60, "{wrong} wrong pixels");
    }

    #[test]
    fn the_guided_filter_keeps_a_constant() {
        let guide = Plane::from_fn(20, 12, |x, y| ((x * y) % 9) as f32);
        let input = Plane::filled(20, 12, 0.4f32);
        let out = guided(&guide, &input, 3, 4.0);
        assert!(out.data.iter().all(|v| (v - 0.4).abs() < 1e-4));
    }
}
