//! Puts an edited crop back: feathered at the border of its budget and byte for byte equal outside.

use asap_core::BoxPx;
use image::RgbImage;

use super::canvas::{Plane, Rgb, smoothstep};

/// The width of the feather over the short side of the budget, and its limits in pixels.
const FEATHER: (f64, f64, f64) = (0.02, 2.0, 12.0);

/// The image with the crop laid over it inside the budget.
///
/// `crop` is the place of `pixels`; both boxes are in pixels of the image. The weight of the edit rises
/// from 0 at the border of the budget to 1 over `clamp(0.02 * side, 2, 12)` px; where the budget ends at the
/// frame nothing needs to be hidden and there is no feather.
pub(crate) fn paste(image: &RgbImage, crop: BoxPx, budget: BoxPx, pixels: &Plane<Rgb>) -> RgbImage {
    let mut out = image.clone();
    let side = f64::from(budget.width().min(budget.height()));
    let feather = (FEATHER.0 * side).clamp(FEATHER.1, FEATHER.2);
    let (width, height) = image.dimensions();
    let margin = |v: u32, low: u32, high: u32, end: u32| {
        let from_low = if low == 0 {
            f64::INFINITY
        } else {
            f64::from(v - low)
        };
        let from_high = if high == end {
            f64::INFINITY
        } else {
            f64::from(high - 1 - v)
        };
        from_low.min(from_high)
    };
    for y in budget.y0.max(crop.y0)..budget.y1.min(crop.y1) {
        for x in budget.x0.max(crop.x0)..budget.x1.min(crop.x1) {
            let depth = margin(x, budget.x0, budget.x1, width).min(margin(y, budget.y0, budget.y1, height));
            let weight = smoothstep(0.0, feather, depth) as f32;
            let new = pixels.at((x - crop.x0) as usize, (y - crop.y0) as usize);
            let old = image.get_pixel(x, y).0;
            let mixed = std::array::from_fn(|c| {
                let old = f32::from(old[c]);
                (old + weight * (new[c] - old)).round().clamp(0.0, 255.0) as u8
            });
            out.put_pixel(x, y, image::Rgb(mixed));
        }
    }
    out
}

/// The number of pixels that differ outside the budget.
pub(crate) fn changed_outside_px(a: &RgbImage, b: &RgbImage, budget: BoxPx) -> u64 {
    a.enumerate_pixels()
        .zip(b.pixels())
        .filter(|((x, y, old), new)| old != new && !budget.contains(*x, *y))
        .count() as u64
}
