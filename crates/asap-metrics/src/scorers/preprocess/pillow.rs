//! Pillow's bicubic resize of 8-bit images, bit by bit.

use super::taps::Taps;
use super::window::Window;
use crate::RgbView;

/// Fractional bits of the fixed-point weights: 32 less 8 of a pixel less 2 for overshoot.
const PRECISION_BITS: u32 = 32 - 8 - 2;

/// Resizes an image and cuts a window out of the result.
///
/// Only what the window shows is computed; its bytes are those of the whole resize.
///
/// # Shapes
/// In `W x H` RGB8, out `window.width x window.height` RGB8, packed.
///
/// # Source
/// Pillow 11 `src/libImaging/Resample.c` (`ImagingResampleHorizontal_8bpc`, `ImagingResampleVertical_8bpc`):
/// columns first, then rows, rounded to bytes in between; a pass that changes no size is left out.
///
/// # Deviation
/// Pillow 13 takes rows first where the height shrinks more than the width and where images are more than twice
/// as high as wide (pull request 9549), and so rounds some bytes otherwise. Published scores are older.
pub(crate) fn resize_bicubic(image: RgbView<'_>, window: Window) -> Vec<u8> {
    let rows = vertical_taps(image, window);
    let reach = rows.as_ref().map_or(
        window.y as usize..(window.y + window.height) as usize,
        Taps::reach,
    );
    let narrow = horizontal(image, window, reach.clone());
    match rows {
        None => narrow,
        Some(taps) => vertical(&narrow, window.width as usize * 3, reach.start, &taps),
    }
}

fn vertical_taps(image: RgbView<'_>, window: Window) -> Option<Taps> {
    let n_out = window.resized_height;
    (image.height() != n_out)
        .then(|| Taps::antialiased(image.height(), n_out).window(window.y, window.height))
}

/// The columns of the window, for the given rows of the image.
fn horizontal(image: RgbView<'_>, window: Window, rows: std::ops::Range<usize>) -> Vec<u8> {
    let (x0, x1) = (window.x as usize, (window.x + window.width) as usize);
    if image.width() == window.resized_width {
        return rows.flat_map(|y| image.span(y, x0, x1)).copied().collect();
    }
    let taps = Taps::antialiased(image.width(), window.resized_width).window(window.x, window.width);
    let taps: Vec<(usize, Vec<i32>)> = taps.rows().map(|(first, row)| (first, fixed(row))).collect();
    let mut out = Vec::with_capacity(rows.len() * window.width as usize * 3);
    for y in rows {
        let row = image.row(y);
        for (first, weights) in &taps {
            let mut sums = [1_i32 << (PRECISION_BITS - 1); 3];
            for (pixel, weight) in row[first * 3..].chunks_exact(3).zip(weights) {
                for (sum, value) in sums.iter_mut().zip(pixel) {
                    *sum += i32::from(*value) * weight;
                }
            }
            out.extend(sums.map(to_byte));
        }
    }
    out
}

/// Rows of `row_bytes` bytes, the first of which is row `first_row` of the image.
fn vertical(bytes: &[u8], row_bytes: usize, first_row: usize, taps: &Taps) -> Vec<u8> {
    let mut out = Vec::with_capacity(taps.rows().len() * row_bytes);
    for (first, weights) in taps.rows() {
        let mut sums = vec![1_i32 << (PRECISION_BITS - 1); row_bytes];
        let rows = bytes[(first - first_row) * row_bytes..].chunks_exact(row_bytes);
        for (row, weight) in rows.zip(fixed(weights)) {
            for (sum, value) in sums.iter_mut().zip(row) {
                *sum += i32::from(*value) * weight;
            }
        }
        out.extend(sums.into_iter().map(to_byte));
    }
    out
}

/// Weights as whole numbers, halves away from zero.
fn fixed(weights: &[f64]) -> Vec<i32> {
    let one = f64::from(1 << PRECISION_BITS);
    weights
        .iter()
        .map(|weight| (weight * one).round() as i32)
        .collect()
}

fn to_byte(sum: i32) -> u8 {
    (sum >> PRECISION_BITS).clamp(0, 255) as u8
}
