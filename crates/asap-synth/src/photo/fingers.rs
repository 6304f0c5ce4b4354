//! The five fingers of a hand with known keypoints: chains, strips and who owns which pixel.

use asap_core::skeleton::N_HAND;
use asap_core::{Finger, Point};

use super::canvas::{Plane, Rgb, smoothstep};
use super::hand::{Decline, Wrist};
use super::layers::components;
use super::layers::matte::{self, Hints};
use super::layers::strip::Chain;

/// Thinner fingers are left alone: they are a few pixels wide.
const MIN_HALF_WIDTH_PX: f64 = 2.6;
/// Half-widths along a finger over the half-width at its base: base, middle joint, last joint, tip.
const TAPER: [f64; 4] = [1.08, 1.0, 0.9, 0.8];

/// The fingers of a hand, in pixels of the crop.
pub(crate) struct Fingers {
    /// Thumb first; each from the joint at the palm to the tip.
    pub(crate) chains: Vec<Chain>,
    /// Alpha of each finger alone.
    pub(crate) strips: Vec<Plane<f32>>,
    /// How far each finger stands apart: the share of its outline that borders on ground and not on the
    /// rest of the hand. 0 for one that cannot be cut out at all.
    pub(crate) openness: [f64; 5],
}

/// Half the mean distance of the joints at the palm.
fn half_width(points: &[Point; N_HAND]) -> f64 {
    (points[5].distance(points[9]) + points[9].distance(points[13]) + points[13].distance(points[17])) / 6.0
}

/// The bones from the root to the fingers: the palm.
fn palm_bones(points: &[Point; N_HAND]) -> Vec<(Point, Point)> {
    [1, 5, 9, 13, 17]
        .iter()
        .map(|&first| (points[0], points[first]))
        .collect()
}

fn finger_points(points: &[Point; N_HAND], finger: Finger) -> [Point; 4] {
    let first = 1 + 4 * finger.idx();
    std::array::from_fn(|joint| points[first + joint])
}

fn bone_distance(p: Point, (a, b): (Point, Point)) -> f64 {
    let d = b - a;
    let t = (((p - a).x * d.x + (p - a).y * d.y) / (d.x * d.x + d.y * d.y).max(1e-9)).clamp(0.0, 1.0);
    p.distance(a.lerp(b, t))
}

/// The alpha of the skin around the keypoints, arm included, and half the width of a finger.
pub(crate) fn skin(lab: &Plane<Rgb>, points: &[Point; N_HAND]) -> Result<(Plane<f32>, f64), Decline> {
    let palm_px = points[0].distance(points[9]);
    // Seen from the side the joints lie close together, but a finger keeps its width: a palm is about
    // eight half-widths long.
    let half_width = half_width(points).clamp(0.085 * palm_px, 0.18 * palm_px);
    if half_width < 1.2 {
        return Err("the fingers are too thin");
    }
    let mut bones = palm_bones(points);
    for finger in Finger::ALL {
        let joints = finger_points(points, finger);
        bones.extend((0..3).map(|i| (joints[i], joints[i + 1])));
    }
    let distance = Plane::from_fn(lab.width, lab.height, |x, y| {
        let p = Point::new(x as f64, y as f64);
        bones
            .iter()
            .map(|&bone| bone_distance(p, bone))
            .fold(f64::INFINITY, f64::min)
            / half_width
    });
    let wrist = points[0];
    let middle = points[5].lerp(points[17], 0.5);
    let into_hand = (middle - wrist) * (1.0 / middle.distance(wrist).max(1e-6));
    let arm_width = 0.75 * palm_px;
    let prior = Plane::from_fn(lab.width, lab.height, |x, y| {
        let d = Point::new(x as f64, y as f64) - wrist;
        let along = d.x * into_hand.x + d.y * into_hand.y;
        let across = (d.y * into_hand.x - d.x * into_hand.y).abs();
        let near = 1.0 - smoothstep(1.2, 3.0, distance.at(x, y));
        let arm = (1.0 - smoothstep(0.6 * arm_width, arm_width, across)) * smoothstep(0.0, 4.0, -along);
        (0.02 + 0.68 * near.max(0.75 * arm)) as f32
    });
    let hints = Hints {
        seeds: &distance.map(|d| d < 0.35),
        prior: &prior,
        background: &prior.map(|p| p < 0.05),
        radius_px: (0.6 * half_width).ceil().max(2.0) as usize,
    };
    let alpha = matte::cut_out(lab, &hints).ok_or("the hand cannot be told from its surroundings")?;
    let capsules = distance.data.iter().filter(|&&d| d < 1.0).count() as f32;
    let inside: f32 = (0..alpha.data.len())
        .filter(|&at| distance.data[at] < 3.0)
        .map(|at| alpha.data[at])
        .sum();
    if !(0.5..2.2).contains(&(inside / capsules.max(1.0))) {
        return Err("the outline of the hand does not fit its keypoints");
    }
    Ok((alpha, half_width))
}

/// The wrist of a hand with keypoints: its root, as wide as the skin is there.
pub(crate) fn wrist(points: &[Point; N_HAND], skin: &Plane<f32>, half_width: f64) -> Wrist {
    let middle = points[5].lerp(points[17], 0.5);
    let into_hand = (middle - points[0]) * (1.0 / middle.distance(points[0]).max(1e-6));
    let across = Point::new(-into_hand.y, into_hand.x);
    let reach = |sign: f64| {
        (0..(5.0 * half_width) as usize)
            .map(|step| points[0] + across * (sign * step as f64))
            .take_while(|&p| skin.holds(p) && skin.bilinear(p) > 0.5)
            .count() as f64
    };
    let (left, right) = (reach(-1.0), reach(1.0));
    let width = (left + right).clamp(3.0 * half_width, 7.0 * half_width);
    Wrist {
        at: points[0] + across * (0.5 * (right - left)).clamp(-half_width, half_width),
        into_hand,
        half_width: 0.5 * width,
    }
}

impl Fingers {
    /// Cuts the hand into fingers; `None` where none can be cut out well.
    pub(crate) fn new(points: &[Point; N_HAND], hand: &Plane<f32>, half_width: f64) -> Option<Self> {
        if half_width < MIN_HALF_WIDTH_PX {
            return None;
        }
        let points = &registered(points, hand, half_width);
        let chains: Vec<Chain> = Finger::ALL
            .into_iter()
            .map(|finger| {
                let scale = if finger == Finger::Little { 0.85 } else { 1.0 };
                let joints = finger_points(points, finger);
                let chain = Chain {
                    // The bone of a thumb at the palm is the ball of the thumb; what moves starts after it.
                    joints: joints.to_vec(),
                    radii: TAPER.iter().map(|t| t * scale * half_width).collect(),
                };
                reaching(&centered(&chain, hand, half_width), hand)
            })
            .collect();
        let owner = owners(&chains, points, hand, half_width);
        let strips: Vec<Plane<f32>> = (0..chains.len())
            .map(|finger| {
                let own = owner
                    .map(|o| if usize::from(o) == finger { 1.0f32 } else { 0.0 })
                    .blurred(0.7);
                Plane {
                    width: hand.width,
                    height: hand.height,
                    data: own.data.iter().zip(&hand.data).map(|(o, h)| o * h).collect(),
                }
            })
            .collect();
        let openness = std::array::from_fn(|finger| {
            if is_clean(&chains[finger], &strips[finger], half_width) {
                openness(&chains[finger], &strips[finger], hand)
            } else {
                0.0
            }
        });
        openness.iter().any(|&share| share > 0.0).then_some(Self {
            chains,
            strips,
            openness,
        })
    }
}

/// The keypoints moved as a whole to where the fingers cover most of the hand: estimates and drawn points
/// are often off by half a finger in one direction.
fn registered(points: &[Point; N_HAND], hand: &Plane<f32>, half_width: f64) -> [Point; N_HAND] {
    let samples: Vec<Point> = Finger::ALL
        .into_iter()
        .flat_map(|finger| {
            let joints = finger_points(points, finger);
            (0..3).flat_map(move |bone| {
                (1..=4).map(move |i| joints[bone].lerp(joints[bone + 1], 0.25 * f64::from(i)))
            })
        })
        .collect();
    // Thin sections: the middle of a finger lies deep in the hand, its rim does not.
    let depth = components::distances(&hand.map(|a| a < 0.5));
    let limit = half_width as f32;
    let mut best = (f64::NEG_INFINITY, Point::default());
    for dy in -5..=5 {
        for dx in -5..=5 {
            let shift = Point::new(f64::from(dx), f64::from(dy)) * (0.4 * half_width);
            let covered: f64 = samples
                .iter()
                .map(|&p| p + shift)
                .map(|p| {
                    if depth.holds(p) {
                        f64::from(depth.bilinear(p).min(limit))
                    } else {
                        0.0
                    }
                })
                .sum();
            let score = covered / (samples.len() as f64 * half_width) - 0.04 * shift.length() / half_width;
            if score > best.0 {
                best = (score, shift);
            }
        }
    }
    points.map(|p| p + best.1)
}

/// The share of a finger's outline beyond which there is no hand: both sides along the axis, and the tip.
fn openness(chain: &Chain, strip: &Plane<f32>, hand: &Plane<f32>) -> f64 {
    let (mut open, mut total) = (0.0, 0.0);
    let mut look = |from: Point, direction: Point, limit: f64| {
        let mut reach = 0.0;
        let inside = |p: Point| strip.holds(p) && strip.bilinear(p) > 0.4;
        while reach < limit && inside(from + direction * reach) {
            reach += 0.5;
        }
        let beyond = from + direction * (reach + 2.0);
        total += 1.0;
        if reach < limit && (!hand.holds(beyond) || hand.bilinear(beyond) < 0.5) {
            open += 1.0;
        }
    };
    for bone in 0..chain.joints.len() - 1 {
        let (start, end) = (chain.joints[bone], chain.joints[bone + 1]);
        let axis = (end - start) * (1.0 / start.distance(end).max(1e-6));
        let across = Point::new(-axis.y, axis.x);
        for i in 0..6 {
            // Next to the palm every finger has neighbours.
            let t = (f64::from(i) + 0.5) / 6.0;
            if bone == 0 && t < 0.4 {
                continue;
            }
            look(start.lerp(end, t), across, 2.0 * chain.radii[bone]);
            look(start.lerp(end, t), across * -1.0, 2.0 * chain.radii[bone]);
        }
        if bone + 2 == chain.joints.len() {
            for _ in 0..4 {
                look(end, axis, 3.0 * chain.radii[bone]);
            }
        }
    }
    open / total
}

/// Moves the joints of a finger to the middle of what is seen of it: keypoints are a few pixels off.
fn centered(chain: &Chain, hand: &Plane<f32>, half_width: f64) -> Chain {
    let mut out = chain.clone();
    let n = chain.joints.len();
    for joint in 1..n {
        let axis = chain.joints[joint] - chain.joints[joint - 1];
        let length = axis.length();
        if length < 1.0 {
            continue;
        }
        let across = Point::new(-axis.y / length, axis.x / length);
        // At the tip the section is taken a little before the end.
        let at = if joint + 1 == n {
            chain.joints[joint] - axis * (0.5 * half_width / length).min(0.5)
        } else {
            chain.joints[joint]
        };
        let inside = |offset: f64| {
            let p = at + across * offset;
            hand.holds(p) && hand.bilinear(p) > 0.5
        };
        let limit = 1.3 * half_width;
        // The nearest skin, then the middle of that run if it is as narrow as one finger.
        let steps = (2.0 * limit) as i64;
        let Some(start) = (0..=steps)
            .flat_map(|i| [0.5 * i as f64, -0.5 * i as f64])
            .find(|&offset| inside(offset))
        else {
            continue;
        };
        let run = |sign: f64| {
            (1..(6.0 * half_width) as usize)
                .take_while(|&i| inside(start + sign * 0.5 * i as f64))
                .count() as f64
                * 0.5
        };
        let (low, high) = (run(-1.0), run(1.0));
        if low + high < 3.0 * half_width && low + high > 0.8 * half_width {
            let shift = start + 0.5 * (high - low);
            if shift.abs() <= limit {
                out.joints[joint] = chain.joints[joint] + across * shift;
            }
        } else if start != 0.0 {
            out.joints[joint] = chain.joints[joint] + across * start;
        }
    }
    out
}

/// Moves the tip to where the finger ends: the last keypoint lies in the nail, not at the end.
fn reaching(chain: &Chain, hand: &Plane<f32>) -> Chain {
    let mut out = chain.clone();
    let n = chain.joints.len();
    let (before, tip) = (chain.joints[n - 2], chain.joints[n - 1]);
    let length = tip.distance(before).max(1e-6);
    let axis = (tip - before) * (1.0 / length);
    let radius = chain.radii[n - 1];
    let limit = 2.5 * radius;
    let mut reach = 0.0;
    while reach < limit {
        let p = tip + axis * (reach + 0.5);
        if !hand.holds(p) || hand.bilinear(p) < 0.5 {
            break;
        }
        reach += 0.5;
    }
    // A finger that goes on much farther runs into something else: there the keypoint is right.
    if reach < limit {
        out.joints[n - 1] = tip + axis * (reach - radius).max(-0.4 * length);
    }
    out
}

/// The finger that each pixel of the hand belongs to; 255 for the palm.
fn owners(chains: &[Chain], points: &[Point; N_HAND], hand: &Plane<f32>, half_width: f64) -> Plane<u8> {
    let palm = palm_bones(points);
    let owner = Plane::from_fn(hand.width, hand.height, |x, y| {
        let p = Point::new(x as f64, y as f64);
        if hand.at(x, y) < 0.02 {
            // The rim of a finger is its own too, so that soft edges move along.
            return nearest(chains, p, 1.9).map_or(255, |(finger, _)| finger as u8);
        }
        let Some((finger, distance)) = nearest(chains, p, 1.6) else {
            return 255;
        };
        let to_palm = palm
            .iter()
            .map(|&bone| bone_distance(p, bone))
            .fold(f64::INFINITY, f64::min);
        if to_palm / (1.15 * half_width) < distance {
            255
        } else {
            finger as u8
        }
    });
    // Scattered pixels beyond the finger are not part of it.
    let mut out = owner.clone();
    for (finger, chain) in chains.iter().enumerate() {
        let bits = owner.map(|o| usize::from(o) == finger);
        let seeds = Plane::from_fn(hand.width, hand.height, |x, y| {
            bits.at(x, y) && chain.place(Point::new(x as f64, y as f64)).relative_distance < 0.6
        });
        let kept = components::keep_seeded(&bits, &seeds);
        for at in 0..out.data.len() {
            if bits.data[at] && !kept.data[at] {
                out.data[at] = 255;
            }
        }
    }
    out
}

fn nearest(chains: &[Chain], p: Point, limit: f64) -> Option<(usize, f64)> {
    let mut best: Option<(usize, f64)> = None;
    for (finger, chain) in chains.iter().enumerate() {
        let distance = chain.place(p).relative_distance;
        if distance < limit && best.is_none_or(|(_, d)| distance < d) {
            best = Some((finger, distance));
        }
    }
    best
}

/// Whether a finger is long enough, seen along its whole axis and as wide as a finger.
fn is_clean(chain: &Chain, strip: &Plane<f32>, half_width: f64) -> bool {
    let n = 24;
    let seen = (0..n)
        .filter(|i| {
            let mut left_px = chain.length_px() * f64::from(*i) / f64::from(n - 1);
            let mut bone = 0;
            while bone + 2 < chain.joints.len() && left_px > chain.bone_px(bone) {
                left_px -= chain.bone_px(bone);
                bone += 1;
            }
            let p = chain.beside(bone, left_px.min(chain.bone_px(bone)), 0.0);
            strip.holds(p) && strip.bilinear(p) > 0.4
        })
        .count();
    let area: f32 = strip.data.iter().sum();
    let expected = chain.length_px() * 1.8 * half_width;
    chain.length_px() > 3.2 * half_width
        && seen * 100 >= 75 * n as usize
        && (0.45..1.8).contains(&(f64::from(area) / expected.max(1.0)))
}
