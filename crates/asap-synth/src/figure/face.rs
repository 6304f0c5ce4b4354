//! Faces: eyes, brows, lips and nostrils painted where the landmarks of the graph are.

use asap_core::SkeletonGraph;
use asap_core::graph::Feature;

use super::look::{Look, Rgb, mix, rgb, times};
use super::noise::smooth;
use super::paint::Finish;
use super::paint_skin::{to_polyline, to_segment};
use super::scene::Part;

/// The painted features of a picture's faces.
#[derive(Clone, Debug, Default)]
pub(crate) struct FacePaint {
    marks: Vec<Mark>,
}

/// A feature with its outlines in pixels.
#[derive(Clone, Debug, PartialEq)]
struct Mark {
    kind: MarkKind,
    /// Pixels in a millimetre of the feature.
    unit: f32,
    outline: Vec<[f32; 2]>,
    second: Vec<[f32; 2]>,
    center: [f32; 2],
    low: [f32; 2],
    high: [f32; 2],
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum MarkKind {
    Eye,
    Brow,
    Mouth,
    Nose,
}

impl FacePaint {
    /// The features of a graph; `unit` is pixels in a millimetre of the head.
    pub(crate) fn of(graph: &SkeletonGraph, unit: f64) -> Self {
        let marks = graph
            .face
            .iter()
            .filter_map(|feature| {
                let points: Vec<[f32; 2]> = feature.points.iter().map(|p| [p.x as f32, p.y as f32]).collect();
                (points.len() == feature.feature.landmarks().len())
                    .then(|| mark(feature.feature, &points, unit as f32))
                    .flatten()
            })
            .collect();
        Self { marks }
    }

    /// Boxes of the marks of either face that the other one lacks: low and high corners.
    pub(crate) fn differences(&self, other: &Self) -> Vec<([f32; 2], [f32; 2])> {
        let lacking = |a: &Self, b: &Self| -> Vec<([f32; 2], [f32; 2])> {
            a.marks
                .iter()
                .filter(|mark| !b.marks.contains(mark))
                .map(|mark| (mark.low, mark.high))
                .collect()
        };
        let mut boxes = lacking(self, other);
        boxes.extend(lacking(other, self));
        boxes
    }

    /// A head's skin with what is painted on it.
    pub(crate) fn paint(&self, look: &Look, part: &Part, local: [f32; 3], at: [f32; 3]) -> Finish {
        let mut finish = Finish::skin(complexion(look, local));
        if local[2] < 0.0 {
            return finish;
        }
        let p = [at[0], at[1]];
        let aa = 0.7 / part.grain.unit.max(0.05);
        for mark in &self.marks {
            if (0..2).all(|i| p[i] > mark.low[i] && p[i] < mark.high[i]) {
                match mark.kind {
                    MarkKind::Eye => mark.eye(look, p, aa, &mut finish),
                    MarkKind::Brow => mark.brow(look, p, aa, &mut finish),
                    MarkKind::Mouth => mark.mouth(look, p, aa, &mut finish),
                    MarkKind::Nose => mark.nose(p, aa, &mut finish),
                }
            }
        }
        finish
    }
}

/// Cheeks, eye sockets and beard, in millimetres of the head.
fn complexion(look: &Look, local: [f32; 3]) -> Rgb {
    let [x, y, z] = local;
    let cheek = smooth(
        30.0,
        6.0,
        ((x.abs() - 44.0).powi(2) + ((y - 32.0) * 1.15).powi(2)).sqrt(),
    ) * smooth(10.0, 50.0, z);
    let socket = smooth(
        25.0,
        8.0,
        (((x.abs() - 32.0) * 0.85).powi(2) + ((y + 16.0) * 1.35).powi(2)).sqrt(),
    );
    let mut color = look.skin;
    color = [
        color[0] * (1.0 + 0.02 * cheek),
        color[1] * (1.0 - 0.16 * cheek),
        color[2] * (1.0 - 0.13 * cheek),
    ];
    color = times(color, 1.0 - 0.10 * socket * smooth(20.0, 60.0, z));
    if look.beard > 0.0 {
        let jaw = smooth(30.0, 62.0, y + x.abs() * 0.28) * smooth(-26.0, 0.0, z);
        let mustache = smooth(
            11.0,
            6.0,
            ((y - 53.0 - x.abs() * 0.16).powi(2) + (x * 0.22).powi(2)).sqrt(),
        );
        let lip = smooth(9.0, 13.0, (((x) * 0.42).powi(2) + (y - 69.0).powi(2)).sqrt());
        let grain = super::noise::value_noise([x * 0.9, y * 0.5, z * 0.9], look.texture_seed);
        let amount = (jaw.max(mustache) * lip * look.beard * (0.75 + 0.35 * grain)).min(0.94);
        color = mix(color, times(look.hair.color, 0.9), amount);
    }
    color
}

fn mark(feature: Feature, points: &[[f32; 2]], unit: f32) -> Option<Mark> {
    let mean = |points: &[[f32; 2]]| {
        let sum = points.iter().fold([0.0; 2], |s, p| [s[0] + p[0], s[1] + p[1]]);
        sum.map(|c| c / points.len() as f32)
    };
    let width = |a: usize, b: usize| {
        ((points[a][0] - points[b][0]).powi(2) + (points[a][1] - points[b][1]).powi(2)).sqrt()
    };
    let (kind, unit, outline, second) = match feature {
        Feature::Jaw => return None,
        Feature::Brow(_) => (MarkKind::Brow, unit, curve(points, 4), Vec::new()),
        Feature::Eye(_) => {
            let upper = curve(&points[..4], 5);
            let lower = curve(&[points[3], points[4], points[5], points[0]], 5);
            // An eye that was enlarged has a larger iris too.
            (MarkKind::Eye, (width(0, 3) / 28.0).max(unit * 0.55), upper, lower)
        }
        Feature::Mouth => (
            MarkKind::Mouth,
            (width(0, 6) / 52.0).max(unit * 0.5),
            closed(&points[..12], 6),
            closed(&points[12..], 4),
        ),
        Feature::Nose => (
            MarkKind::Nose,
            (width(4, 8) / 30.0).max(unit * 0.5),
            points.to_vec(),
            Vec::new(),
        ),
    };
    let margin = 16.0 * unit;
    let all = || outline.iter().chain(&second);
    let low = std::array::from_fn(|i| all().map(|p| p[i]).fold(f32::INFINITY, f32::min) - margin);
    let high = std::array::from_fn(|i| all().map(|p| p[i]).fold(f32::NEG_INFINITY, f32::max) + margin);
    Some(Mark {
        kind,
        unit,
        center: mean(points),
        outline,
        second,
        low,
        high,
    })
}

/// A smooth line through points (Catmull-Rom), `n` pieces between two of them.
fn curve(points: &[[f32; 2]], n: usize) -> Vec<[f32; 2]> {
    let last = points.len() - 1;
    let at = |idx: isize| points[idx.clamp(0, last as isize) as usize];
    let mut line = Vec::with_capacity(last * n + 1);
    for idx in 0..last as isize {
        for step in 0..n {
            line.push(between(
                [at(idx - 1), at(idx), at(idx + 1), at(idx + 2)],
                step as f32 / n as f32,
            ));
        }
    }
    line.push(points[last]);
    line
}

/// A closed line: smooth, but sharp at its first point and at the one opposite, as lips are.
fn closed(points: &[[f32; 2]], opposite: usize) -> Vec<[f32; 2]> {
    let mut back: Vec<[f32; 2]> = points[opposite..].to_vec();
    back.push(points[0]);
    let mut line = curve(&points[..=opposite], 4);
    line.pop();
    line.extend(curve(&back, 4));
    line.pop();
    line
}

fn between(p: [[f32; 2]; 4], t: f32) -> [f32; 2] {
    std::array::from_fn(|i| {
        let (a, b, c, d) = (p[0][i], p[1][i], p[2][i], p[3][i]);
        b + 0.5 * t * (c - a + t * (2.0 * a - 5.0 * b + 4.0 * c - d + t * (3.0 * (b - c) + d - a)))
    })
}

/// The signed distance to a polygon, negative inside.
fn to_polygon(p: [f32; 2], polygon: &[[f32; 2]]) -> f32 {
    let mut nearest = f32::INFINITY;
    let mut is_inside = false;
    for (idx, &a) in polygon.iter().enumerate() {
        let b = polygon[(idx + 1) % polygon.len()];
        nearest = nearest.min(to_segment(p, a, b));
        if (a[1] > p[1]) != (b[1] > p[1]) && p[0] < (b[0] - a[0]) * (p[1] - a[1]) / (b[1] - a[1]) + a[0] {
            is_inside = !is_inside;
        }
    }
    if is_inside { -nearest } else { nearest }
}

impl Mark {
    /// White, iris, pupil, light, lids and lashes.
    fn eye(&self, look: &Look, p: [f32; 2], aa: f32, finish: &mut Finish) {
        let u = self.unit;
        let mut polygon = self.outline.clone();
        polygon.extend(&self.second[1..self.second.len() - 1]);
        let d = to_polygon(p, &polygon) / u;
        let upper = to_polyline(p, &self.outline) / u;
        let lower = to_polyline(p, &self.second) / u;
        let inside = smooth(aa, -aa, d);
        let to_center = [(p[0] - self.center[0]) / u, (p[1] - self.center[1]) / u + 0.6];
        let r = (to_center[0].powi(2) + to_center[1].powi(2)).sqrt();
        let white = times(rgb(244, 240, 236), 1.0 - 0.32 * smooth(4.2, 0.4, upper));
        let ring = smooth(7.6, 6.2, r);
        let iris = times(look.iris, 0.75 + 0.9 * smooth(-3.0, 6.0, to_center[1]));
        let iris = mix(times(look.iris, 0.45), iris, ring);
        let mut color = mix(white, iris, smooth(7.9 + aa, 7.9 - aa, r));
        color = mix(color, rgb(18, 14, 14), smooth(3.5 + aa, 3.5 - aa, r));
        let side = if look.light.x > 0.0 { 1.0 } else { -1.0 };
        let spark = ((to_center[0] - 2.6 * side).powi(2) + (to_center[1] + 2.8).powi(2)).sqrt();
        color = mix(color, [1.15; 3], smooth(2.0 + aa, 2.0 - aa, spark));
        finish.color = mix(finish.color, color, inside);
        finish.glow *= 1.0 - inside;
        finish.gloss *= 1.0 - 0.7 * inside;
        // The upper lid throws a dark line, the lower one a faint one; the fold lies above.
        let lash = if look.bust > 0.0 { 2.1 } else { 1.35 };
        finish.color = mix(
            finish.color,
            rgb(38, 26, 24),
            0.92 * smooth(lash + aa, lash - aa, upper),
        );
        finish.color = times(
            finish.color,
            1.0 - 0.3 * smooth(0.9 + aa, 0.9 - aa, lower) * (1.0 - inside),
        );
        let is_above = f32::from(u8::from(p[1] < self.center[1]));
        let crease = smooth(1.2 + aa, 0.3, (d - 4.6).abs()) * is_above * (1.0 - inside);
        finish.color = times(finish.color, 1.0 - 0.22 * crease);
    }

    fn brow(&self, look: &Look, p: [f32; 2], aa: f32, finish: &mut Finish) {
        let n = self.outline.len() - 1;
        let mut amount = 0.0_f32;
        for (idx, ends) in self.outline.windows(2).enumerate() {
            let t = idx as f32 / n as f32;
            // Thick in the inner half and thin at the ends; which end is inner does not matter much.
            let thick = 1.7 + 2.0 * (t * (1.0 - t) * 4.0).sqrt();
            let d = to_segment(p, ends[0], ends[1]) / self.unit;
            amount = amount.max(smooth(thick + aa + 0.6, thick - aa - 0.6, d));
        }
        let dark = times(look.hair.color, 0.62);
        finish.color = mix(finish.color, dark, amount * 0.86);
    }

    fn mouth(&self, look: &Look, p: [f32; 2], aa: f32, finish: &mut Finish) {
        let u = self.unit;
        let outer = to_polygon(p, &self.outline) / u;
        let inner = to_polygon(p, &self.second) / u;
        let on_lip = smooth(0.5 + aa, -0.9 - aa, outer);
        let middle = self.second.iter().map(|q| q[1]).sum::<f32>() / self.second.len() as f32;
        let below = smooth(-1.0, 1.0, (p[1] - middle) / u);
        let lip = times(look.lips, 0.84 + 0.22 * below);
        finish.color = mix(finish.color, lip, on_lip * 0.92);
        finish.gloss += 0.08 * on_lip * below;
        let opening = self.second.iter().map(|q| q[1]).fold(f32::NEG_INFINITY, f32::max)
            - self.second.iter().map(|q| q[1]).fold(f32::INFINITY, f32::min);
        let is_open = smooth(3.0, 7.5, opening / u);
        let hollow = smooth(aa, -aa, inner);
        let teeth = mix(
            rgb(70, 26, 26),
            rgb(246, 242, 236),
            smooth(7.2, 5.6, (p[1] - middle) / u + opening / u * 0.5),
        );
        finish.color = mix(finish.color, teeth, hollow * is_open);
        let seam = smooth(1.0 + aa, 0.2, inner.abs());
        finish.color = times(finish.color, 1.0 - 0.62 * seam);
        finish.glow *= 1.0 - hollow;
        // A soft shadow below the lower lip.
        let d = (((p[0] - self.center[0]) / u).powi(2) * 0.3 + ((p[1] - self.center[1]) / u - 17.0).powi(2))
            .sqrt();
        finish.color = times(finish.color, 1.0 - 0.10 * smooth(7.0, 1.0, d) * (1.0 - on_lip));
    }

    fn nose(&self, p: [f32; 2], aa: f32, finish: &mut Finish) {
        let u = self.unit;
        for idx in [5, 7] {
            let at = self.outline[idx];
            let d = [(p[0] - at[0]) / u, (p[1] - at[1]) / u];
            let r = ((d[0] / 4.6).powi(2) + (d[1] / 2.3).powi(2)).sqrt();
            finish.color = times(finish.color, 1.0 - 0.5 * smooth(1.1 + aa * 0.3, 0.6, r));
        }
        // The shadow under the tip and the wings.
        for (idx, sign) in [(4, -1.0_f32), (8, 1.0)] {
            let at = self.outline[idx];
            let d = [(p[0] - at[0]) / u - sign * 1.5, (p[1] - at[1]) / u + 3.0];
            let r = ((d[0] / 2.2).powi(2) + (d[1] / 6.5).powi(2)).sqrt();
            finish.color = times(finish.color, 1.0 - 0.12 * smooth(1.3, 0.4, r));
        }
    }
}
