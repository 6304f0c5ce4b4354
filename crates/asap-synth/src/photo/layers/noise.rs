//! Gives smooth fills the grain of the photograph around them, so that no seam betrays the edit.

use asap_core::Stream;

use crate::photo::canvas::{Plane, Rgb, luma};

/// The standard deviation of the grain where `weight` is set: brightness minus its blur, robust to edges.
pub(crate) fn grain(image: &Plane<Rgb>, weight: &Plane<f32>) -> f32 {
    let bright = image.map(luma);
    let smooth = bright.blurred(1.0);
    let mut residues: Vec<f32> = (0..bright.data.len())
        .filter(|&at| weight.data[at] > 0.5)
        .map(|at| (bright.data[at] - smooth.data[at]).abs())
        .collect();
    if residues.is_empty() {
        return 0.0;
    }
    residues.sort_by(f32::total_cmp);
    // The median absolute value of a normal variable is 0.6745 of its standard deviation.
    residues[residues.len() / 2] / 0.6745
}

/// Adds grey grain of standard deviation `sigma` (measured as [`grain`] does) where `weight` is set.
pub(crate) fn add_grain(image: &mut Plane<Rgb>, weight: &Plane<f32>, sigma: f32, stream: &mut Stream) {
    // Subtracting the blur takes a part of white noise away: 1 - 1/(4 pi) of the variance is left about
    // the centre tap; a blur of 0.6 px before makes the grain as soft as a demosaiced photograph's.
    let white = Plane::from_fn(image.width, image.height, |_, _| stream.normal() as f32);
    let soft = white.blurred(0.5);
    let flat = Plane::filled(image.width, image.height, 1.0f32);
    let unit = grain(&soft.map(|v| [v; 3]), &flat).max(1e-3);
    for (pixel, (n, w)) in image.data.iter_mut().zip(soft.data.iter().zip(&weight.data)) {
        let shift = n * w * sigma / unit;
        *pixel = pixel.map(|v| v + shift);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn added_grain_is_measured_again() {
        let mut image = Plane::filled(80, 80, [120.0; 3]);
        let weight = Plane::filled(80, 80, 1.0f32);
        assert!(grain(&image, &weight) < 1e-3);
        add_grain(&mut image, &weight, 3.0, &mut Stream::new(1, "grain"));
        let got = grain(&image, &weight);
        assert!((got - 3.0).abs() < 0.3, "{got}");
    }
}
