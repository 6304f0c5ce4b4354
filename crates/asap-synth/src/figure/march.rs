//! The surface of a tile: its distance field, where rays meet it, and which way it looks.

use super::lanes::{F8, LANES, P8};
use super::scene::{Blend, Part};
use super::solid::blended;

/// Steps along a ray before it counts as a miss.
const MAX_STEPS: usize = 72;
/// The parts that matter in a tile.
pub(crate) struct Tile<'a> {
    pub(crate) near: Vec<(u16, &'a Part)>,
    /// Places of parts in `near`, and the width of their blend.
    pub(crate) melts: Vec<(Vec<usize>, f32)>,
    pub(crate) blends: Vec<Blend>,
    pub(crate) casting: Vec<&'a Part>,
    pub(crate) top: f32,
    pub(crate) bottom: f32,
}

/// The distance to the scene's surface.
#[inline(never)]
pub(crate) fn field(tile: &Tile<'_>, p: &P8, scratch: &mut Vec<F8>) -> F8 {
    scratch.clear();
    let mut nearest = F8::splat(f32::INFINITY);
    for (_, part) in &tile.near {
        let d = part.solid.distance(p);
        scratch.push(d);
        nearest = nearest.min(d);
    }
    for (parts, width) in &tile.melts {
        let melted = parts[1..]
            .iter()
            .fold(scratch[parts[0]], |d, &part| blended(d, scratch[part], *width));
        scratch.push(melted);
        nearest = nearest.min(melted);
    }
    for blend in &tile.blends {
        nearest = nearest.min(blended(scratch[blend.a], scratch[blend.b], blend.width));
    }
    nearest
}

/// Where eight rays meet the surface; `None` if all miss.
pub(crate) fn march(
    tile: &Tile<'_>,
    at: &[(f32, f32); LANES],
    scratch: &mut Vec<F8>,
) -> Option<(P8, [bool; LANES])> {
    let mut p = P8 {
        x: F8(at.map(|(x, _)| x)),
        y: F8(at.map(|(_, y)| y)),
        z: F8::splat(tile.top),
    };
    let mut last = F8::splat(f32::INFINITY);
    for step in 0..MAX_STEPS {
        // The longer a ray grazes a surface, the larger its steps, or it would never get past it.
        let least = 0.08 + 0.03 * step as f32;
        last = field(tile, &p, scratch);
        let mut is_busy = false;
        for lane in 0..LANES {
            let d = last.0[lane];
            let is_moving = d > 0.02 && p.z.0[lane] > tile.bottom;
            p.z.0[lane] -= if is_moving { (d * 0.96).max(least) } else { 0.0 };
            is_busy |= is_moving;
        }
        if !is_busy {
            break;
        }
    }
    // Large steps may have ended inside: back to the surface.
    for _ in 0..2 {
        last = field(tile, &p, scratch);
        for lane in 0..LANES {
            p.z.0[lane] -= last.0[lane].clamp(-2.0, 0.0);
        }
    }
    let is_hit: [bool; LANES] = std::array::from_fn(|lane| last.0[lane] < 0.3 && p.z.0[lane] > tile.bottom);
    is_hit.iter().any(|&hit| hit).then_some((p, is_hit))
}

/// The index of the part whose surface is nearest.
pub(crate) fn nearest(tile: &Tile<'_>, p: &P8) -> [u16; LANES] {
    let mut best = F8::splat(f32::INFINITY);
    let mut ids = [0; LANES];
    for (idx, part) in &tile.near {
        let d = part.solid.distance(p);
        for ((&d, best), id) in d.0.iter().zip(&mut best.0).zip(&mut ids) {
            if d < *best {
                *best = d;
                *id = *idx;
            }
        }
    }
    ids
}

/// Unit normals by differences over the corners of a tetrahedron.
pub(crate) fn normals(tile: &Tile<'_>, p: &P8, scratch: &mut Vec<F8>) -> P8 {
    const STEP: f32 = 0.5;
    let zero = F8::splat(0.0);
    let mut sum = P8 {
        x: zero,
        y: zero,
        z: zero,
    };
    for corner in [
        [1.0, -1.0, -1.0],
        [-1.0, -1.0, 1.0],
        [-1.0, 1.0, -1.0],
        [1.0, 1.0, 1.0],
    ] {
        let d = field(tile, &p.shifted(corner.map(|c: f32| c * STEP)), scratch);
        sum.x = sum.x + d.scale(corner[0]);
        sum.y = sum.y + d.scale(corner[1]);
        sum.z = sum.z + d.scale(corner[2]);
    }
    let length = (sum.x * sum.x + sum.y * sum.y + sum.z * sum.z)
        .sqrt()
        .max(F8::splat(1e-9));
    let inverse = length.recip();
    P8 {
        x: sum.x * inverse,
        y: sum.y * inverse,
        z: sum.z * inverse,
    }
}
