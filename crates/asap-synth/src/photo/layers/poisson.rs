//! Seamless cloning: gradients of one place, colours of another (Pérez, Gangnet, Blake 2003).

use crate::photo::canvas::{Plane, Rgb};

/// Over-relaxation of the Gauss-Seidel sweeps.
const OMEGA: f32 = 1.9;
/// Sweeps at most; features are some tens of pixels wide, for which this is ample.
const MAX_SWEEPS: usize = 400;
/// Stops when no pixel moved by more than this many grey levels in a sweep.
const TOLERANCE: f32 = 0.02;

/// Solves `laplacian(f) = laplacian(guide)` where `inside` is set, with `f = target` everywhere else.
///
/// Shapes: three planes of one size. Pixels of `inside` on the border of the plane are left as they are.
/// Units: grey levels. Source: Pérez et al. (2003), Eq. 7 to 9 with v = gradient of the guide; 5-point
/// stencil, successive over-relaxation started from the guide shifted to the target's mean.
pub(crate) fn cloned(target: &Plane<Rgb>, guide: &Plane<Rgb>, inside: &Plane<bool>) -> Plane<Rgb> {
    let width = target.width;
    let cells: Vec<usize> = (0..target.data.len())
        .filter(|&at| {
            let (x, y) = (at % width, at / width);
            inside.data[at] && x > 0 && y > 0 && x + 1 < width && y + 1 < target.height
        })
        .collect();
    let mut out = target.clone();
    let laplacian: Vec<Rgb> = cells
        .iter()
        .map(|&at| {
            std::array::from_fn(|c| {
                4.0 * guide.data[at][c]
                    - guide.data[at - 1][c]
                    - guide.data[at + 1][c]
                    - guide.data[at - width][c]
                    - guide.data[at + width][c]
            })
        })
        .collect();
    let shift = mean_difference(target, guide, &cells);
    for &at in &cells {
        out.data[at] = std::array::from_fn(|c| guide.data[at][c] + shift[c]);
    }
    for _ in 0..MAX_SWEEPS {
        let mut largest = 0.0f32;
        for (&at, laplacian) in cells.iter().zip(&laplacian) {
            let (left, right) = (out.data[at - 1], out.data[at + 1]);
            let (up, down) = (out.data[at - width], out.data[at + width]);
            for c in 0..3 {
                let wanted = 0.25 * (left[c] + right[c] + up[c] + down[c] + laplacian[c]);
                let step = OMEGA * (wanted - out.data[at][c]);
                out.data[at][c] += step;
                largest = largest.max(step.abs());
            }
        }
        if largest < TOLERANCE {
            break;
        }
    }
    for &at in &cells {
        out.data[at] = out.data[at].map(|v| v.clamp(0.0, 255.0));
    }
    out
}

/// The mean of target minus guide over the rim of the cells.
fn mean_difference(target: &Plane<Rgb>, guide: &Plane<Rgb>, cells: &[usize]) -> Rgb {
    let mut inner = vec![false; target.data.len()];
    cells.iter().for_each(|&at| inner[at] = true);
    let mut sum = [0.0f64; 3];
    let mut n = 0.0f64;
    for &at in cells {
        for next in [at - 1, at + 1, at - target.width, at + target.width] {
            if !inner[next] {
                for (c, sum) in sum.iter_mut().enumerate() {
                    *sum += f64::from(target.data[next][c] - guide.data[next][c]);
                }
                n += 1.0;
            }
        }
    }
    sum.map(|v| (v / n.max(1.0)) as f32)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_harmonic_target_is_restored_from_a_flat_guide() {
        // x^2 - y^2 is harmonic and the 5-point stencil is exact for it: with a guide without gradients
        // the closed form is the solution.
        let closed = Plane::from_fn(33, 27, |x, y| {
            let (x, y) = (x as f32 - 16.0, y as f32 - 13.0);
            [128.0 + 0.3 * (x * x - y * y), 100.0 + x, 90.0 + 0.1 * x * y]
        });
        let inside = Plane::from_fn(33, 27, |x, y| (x as f32 - 16.0).hypot(y as f32 - 13.0) < 9.0);
        let broken = Plane::from_fn(33, 27, |x, y| {
            if inside.at(x, y) {
                [0.0; 3]
            } else {
                closed.at(x, y)
            }
        });
        let out = cloned(&broken, &Plane::filled(33, 27, [0.0; 3]), &inside);
        for (got, expected) in out.data.iter().zip(&closed.data) {
            for c in 0..3 {
                assert!((got[c] - expected[c]).abs() < 0.2, "{got:?} {expected:?}");
            }
        }
    }

    #[test]
    fn a_guide_keeps_its_shape_and_takes_the_level_of_the_target() {
        let target = Plane::filled(21, 21, [200.0; 3]);
        let bump = |x: usize, y: usize| {
            let r = (x as f32 - 10.0).hypot(y as f32 - 10.0);
            (6.0 - r).max(0.0) * 4.0
        };
        let guide = Plane::from_fn(21, 21, |x, y| [50.0 + bump(x, y); 3]);
        let inside = Plane::from_fn(21, 21, |x, y| (x as f32 - 10.0).hypot(y as f32 - 10.0) < 8.0);
        let out = cloned(&target, &guide, &inside);
        assert!((out.at(10, 10)[0] - 224.0).abs() < 0.5);
        assert_eq!(out.at(0, 0), [200.0; 3]);
    }
}
