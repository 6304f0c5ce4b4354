//! Bilinear scaling as `cv2.resize` does it, for maps that are drawn at another size.

use image::RgbImage;

/// Where an output pixel reads: the two source pixels and the weight of the second.
struct Tap {
    first: usize,
    second: usize,
    weight: f64,
}

/// Pixel centers are aligned, the edge is repeated, and nothing is averaged when shrinking.
fn taps(n_from: u32, n_to: u32) -> Vec<Tap> {
    let scale = f64::from(n_from) / f64::from(n_to);
    let last = f64::from(n_from - 1);
    (0..n_to)
        .map(|to| {
            let at = ((f64::from(to) + 0.5) * scale - 0.5).clamp(0.0, last);
            let first = at.floor();
            Tap {
                first: first as usize,
                second: (first + 1.0).min(last) as usize,
                weight: at - first,
            }
        })
        .collect()
}

/// Scales an image that has pixels.
///
/// # Deviation
/// `cv2.resize` with `INTER_LINEAR` computes in 11-bit fixed point: single values differ by one grey level.
pub(super) fn bilinear(image: &RgbImage, width: u32, height: u32) -> RgbImage {
    let (columns, rows) = (taps(image.width(), width), taps(image.height(), height));
    let stride = image.width() as usize * 3;
    let row_of = |y: usize| &image.as_raw()[y * stride..(y + 1) * stride];
    let mut bytes = Vec::with_capacity(width as usize * height as usize * 3);
    for row in &rows {
        let (upper, lower) = (row_of(row.first), row_of(row.second));
        for column in &columns {
            for channel in 0..3 {
                let mix = |line: &[u8]| {
                    let [a, b] = [column.first, column.second].map(|x| f64::from(line[x * 3 + channel]));
                    a + (b - a) * column.weight
                };
                let (a, b) = (mix(upper), mix(lower));
                bytes.push((a + (b - a) * row.weight).round() as u8);
            }
        }
    }
    RgbImage::from_raw(width, height, bytes).expect("three bytes were pushed for every pixel")
}
