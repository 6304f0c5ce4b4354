//! Carries the colours of a layer outward over its edge, so that a moved layer shows no fringe.

use crate::photo::canvas::{Plane, Rgb, mix};

/// Fills the pixels whose `weight` is 0 from those around them, smoothly (pull-push over a pyramid).
///
/// Pixels of weight 1 keep their colour; those between are mixed.
pub(crate) fn extended(image: &Plane<Rgb>, weight: &Plane<f32>) -> Plane<Rgb> {
    let premultiplied = Plane {
        width: image.width,
        height: image.height,
        data: image
            .data
            .iter()
            .zip(&weight.data)
            .map(|(c, &w)| c.map(|v| v * w))
            .collect(),
    };
    fill(&premultiplied, weight)
}

fn fill(premultiplied: &Plane<Rgb>, weight: &Plane<f32>) -> Plane<Rgb> {
    let (width, height) = (weight.width, weight.height);
    let coarse = (width > 1 || height > 1).then(|| {
        let halved = premultiplied.halved();
        // Weights grow as they are pulled, so that a thin layer still reaches far.
        let weights = weight.halved();
        let grown = weights.map(|w| (2.0 * w).min(1.0));
        let scaled = Plane {
            width: halved.width,
            height: halved.height,
            data: halved
                .data
                .iter()
                .zip(weights.data.iter().zip(&grown.data))
                .map(|(c, (&w, &g))| if w > 0.0 { c.map(|v| v * g / w) } else { [0.0; 3] })
                .collect(),
        };
        fill(&scaled, &grown)
    });
    Plane::from_fn(width, height, |x, y| {
        let w = weight.at(x, y);
        let own = if w > 0.0 {
            premultiplied.at(x, y).map(|v| v / w)
        } else {
            [0.0; 3]
        };
        match &coarse {
            Some(coarse) if w < 1.0 => {
                let below = coarse.bilinear(asap_core::Point::new(
                    (x as f64 - 0.5) / 2.0,
                    (y as f64 - 0.5) / 2.0,
                ));
                mix(below, own, w)
            }
            _ => own,
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_pixels_stay_and_one_color_spreads() {
        let image = Plane::from_fn(
            40,
            30,
            |x, _| if x < 10 { [200.0, 100.0, 50.0] } else { [0.0; 3] },
        );
        let weight = Plane::from_fn(40, 30, |x, _| if x < 10 { 1.0 } else { 0.0 });
        let out = extended(&image, &weight);
        for pixel in &out.data {
            for (got, expected) in pixel.iter().zip([200.0, 100.0, 50.0]) {
                assert!((got - expected).abs() < 0.5, "{pixel:?}");
            }
        }
    }
}
