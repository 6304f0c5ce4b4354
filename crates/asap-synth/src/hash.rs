//! Perceptual hashes: 64 bits that stay nearly the same when a picture is scaled or encoded anew.

use asap_core::BoxPx;
use image::RgbImage;

/// Side of the picture that the DCT of [`phash`] sees.
const DCT_SIDE: usize = 32;
/// Side of the block of low frequencies that becomes bits.
const LOW_SIDE: usize = 8;
/// DCT coefficients nearer to zero than this are rounding, not picture (grey levels).
const COEFFICIENT_FLOOR: f64 = 1e-6;

/// The DCT hash of a part of an image.
///
/// # Shapes
/// Any image; `bounds_px` is cut to it. An empty box hashes to 0.
///
/// # Units
/// 64 bits, row by row from the lowest frequency, most significant bit first: set where the coefficient
/// is above the median of the 8x8 lowest, DC among them.
///
/// # Source
/// Zauner (2010), as `imagehash.phash` arranges it.
///
/// # Deviation
/// The picture is brought to 32x32 by area averaging of unrounded Rec. 601 luma, not by a Lanczos filter of
/// whole grey levels, so single bits may differ from `imagehash`.
pub fn phash(image: &RgbImage, bounds_px: BoxPx) -> u64 {
    let Some(grey) = shrink(image, bounds_px, DCT_SIDE, DCT_SIDE) else {
        return 0;
    };
    let low = low_frequencies(&grey);
    let mut sorted = low;
    sorted.sort_by(f64::total_cmp);
    let median = (sorted[LOW_SIDE * LOW_SIDE / 2 - 1] + sorted[LOW_SIDE * LOW_SIDE / 2]) / 2.0;
    bits(low.iter().map(|&coefficient| coefficient > median))
}

/// The difference hash of a part of an image: whether each cell of an 8x8 grid is darker than the next one to
/// its right.
///
/// Shapes and empty boxes as for [`phash`]; the grid is 9 cells wide. Source: Krawetz (2013), as
/// `imagehash.dhash` arranges it, with the same deviation as [`phash`].
pub fn dhash(image: &RgbImage, bounds_px: BoxPx) -> u64 {
    let Some(grey) = shrink(image, bounds_px, LOW_SIDE + 1, LOW_SIDE) else {
        return 0;
    };
    let rows = grey.chunks_exact(LOW_SIDE + 1);
    bits(rows.flat_map(|row| row.windows(2).map(|pair| pair[1] > pair[0] + COEFFICIENT_FLOOR)))
}

/// The whole of an image.
pub fn whole(image: &RgbImage) -> BoxPx {
    BoxPx {
        x0: 0,
        y0: 0,
        x1: image.width(),
        y1: image.height(),
    }
}

/// The number of bits in which two hashes differ.
pub const fn distance(a: u64, b: u64) -> u32 {
    (a ^ b).count_ones()
}

fn bits(flags: impl Iterator<Item = bool>) -> u64 {
    flags.fold(0, |hash, flag| (hash << 1) | u64::from(flag))
}

/// Cells of a grid over pixels: the first pixel that a cell covers and the weight of each from there on.
struct Cell {
    first: usize,
    weights: Vec<f64>,
}

/// Divides `n_pixels` into `n_cells` of equal width, pixels shared in proportion.
fn cells(n_pixels: usize, n_cells: usize) -> Vec<Cell> {
    let width = n_pixels as f64 / n_cells as f64;
    (0..n_cells)
        .map(|idx| {
            let (start, end) = (idx as f64 * width, (idx + 1) as f64 * width);
            let first = (start as usize).min(n_pixels - 1);
            let last = (end.ceil() as usize).clamp(first + 1, n_pixels);
            let weights = (first..last)
                .map(|pixel| (end.min((pixel + 1) as f64) - start.max(pixel as f64)).max(0.0) / width)
                .collect();
            Cell { first, weights }
        })
        .collect()
}

/// Luma averaged over the cells of a grid; `None` for an empty box.
fn shrink(image: &RgbImage, bounds_px: BoxPx, n_columns: usize, n_rows: usize) -> Option<Vec<f64>> {
    let (x0, x1) = (bounds_px.x0, bounds_px.x1.min(image.width()));
    let (y0, y1) = (bounds_px.y0, bounds_px.y1.min(image.height()));
    if x0 >= x1 || y0 >= y1 {
        return None;
    }
    let columns = cells((x1 - x0) as usize, n_columns);
    let rows = cells((y1 - y0) as usize, n_rows);
    let mut luma = vec![0.0; (x1 - x0) as usize];
    let mut grey = vec![0.0; n_columns * n_rows];
    for (row, out) in rows.iter().zip(grey.chunks_exact_mut(n_columns)) {
        for (offset, &row_weight) in row.weights.iter().enumerate() {
            let y = y0 as usize + row.first + offset;
            let start = (y * image.width() as usize + x0 as usize) * 3;
            let bytes = &image.as_raw()[start..start + luma.len() * 3];
            for (luma, rgb) in luma.iter_mut().zip(bytes.chunks_exact(3)) {
                *luma = 0.299 * f64::from(rgb[0]) + 0.587 * f64::from(rgb[1]) + 0.114 * f64::from(rgb[2]);
            }
            for (cell, out) in columns.iter().zip(out.iter_mut()) {
                let pixels = &luma[cell.first..cell.first + cell.weights.len()];
                let sum: f64 = pixels
                    .iter()
                    .zip(&cell.weights)
                    .map(|(luma, weight)| luma * weight)
                    .sum();
                *out += row_weight * sum;
            }
        }
    }
    Some(grey)
}

/// The 8x8 lowest coefficients of the orthonormal DCT-II of a 32x32 picture.
fn low_frequencies(grey: &[f64]) -> [f64; LOW_SIDE * LOW_SIDE] {
    let side = DCT_SIDE as f64;
    let wave = |frequency: usize, at: usize| {
        let scale = if frequency == 0 {
            (1.0 / side).sqrt()
        } else {
            (2.0 / side).sqrt()
        };
        scale * (std::f64::consts::PI * frequency as f64 * (2 * at + 1) as f64 / (2.0 * side)).cos()
    };
    let basis: Vec<[f64; DCT_SIDE]> = (0..LOW_SIDE)
        .map(|frequency| std::array::from_fn(|at| wave(frequency, at)))
        .collect();
    let rows: Vec<Vec<f64>> = grey
        .chunks_exact(DCT_SIDE)
        .map(|row| basis.iter().map(|wave| dot(wave, row)).collect())
        .collect();
    std::array::from_fn(|idx| {
        let (v, u) = (idx / LOW_SIDE, idx % LOW_SIDE);
        let column: Vec<f64> = rows.iter().map(|row| row[u]).collect();
        let coefficient = dot(&basis[v], &column);
        if coefficient.abs() < COEFFICIENT_FLOOR {
            0.0
        } else {
            coefficient
        }
    })
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use asap_core::Stream;

    /// Smooth blobs, so that scaling and noise have little to change.
    fn picture(seed: u64, side: u32) -> RgbImage {
        let mut stream = Stream::new(seed, "hash picture");
        let blobs: Vec<[f64; 4]> = (0..9)
            .map(|_| {
                [
                    stream.unit(),
                    stream.unit(),
                    stream.between(0.05, 0.3),
                    stream.between(-90.0, 90.0),
                ]
            })
            .collect();
        RgbImage::from_fn(side, side, |x, y| {
            let (u, v) = (f64::from(x) / f64::from(side), f64::from(y) / f64::from(side));
            let sum: f64 = blobs
                .iter()
                .map(|[bu, bv, r, a]| a * (-((u - bu).powi(2) + (v - bv).powi(2)) / (2.0 * r * r)).exp())
                .sum();
            let grey = (120.0 + sum).clamp(0.0, 255.0) as u8;
            image::Rgb([grey, grey, grey.saturating_sub(9)])
        })
    }

    #[test]
    fn a_gradient_has_the_bits_worked_out_by_hand() {
        let ramp = RgbImage::from_fn(64, 64, |x, _| image::Rgb([4 * x as u8; 3]));
        // Brighter to the right everywhere.
        assert_eq!(dhash(&ramp, whole(&ramp)), u64::MAX);
        // Only the first row of frequencies is not 0: DC is positive, the odd ones negative, the even ones
        // vanish; the median is 0, so the one bit is DC.
        assert_eq!(phash(&ramp, whole(&ramp)), 1 << 63);
        let flat = RgbImage::from_pixel(50, 40, image::Rgb([7, 7, 7]));
        assert_eq!(
            (phash(&flat, whole(&flat)), dhash(&flat, whole(&flat))),
            (1 << 63, 0)
        );
    }

    #[test]
    fn scaling_keeps_the_hash_and_another_picture_does_not() {
        for seed in 0..6 {
            let (large, small) = (picture(seed, 256), picture(seed, 96));
            assert!(distance(phash(&large, whole(&large)), phash(&small, whole(&small))) <= 6);
            assert!(distance(dhash(&large, whole(&large)), dhash(&small, whole(&small))) <= 8);
            let other = picture(seed + 100, 256);
            assert!(distance(phash(&large, whole(&large)), phash(&other, whole(&other))) > 10);
        }
    }

    #[test]
    fn a_box_is_hashed_as_its_crop_would_be() {
        let image = picture(3, 120);
        let bounds = BoxPx {
            x0: 10,
            y0: 20,
            x1: 90,
            y1: 75,
        };
        let crop = image::imageops::crop_imm(&image, 10, 20, 80, 55).to_image();
        assert_eq!(phash(&image, bounds), phash(&crop, whole(&crop)));
        assert_eq!(dhash(&image, bounds), dhash(&crop, whole(&crop)));
        let empty = BoxPx {
            x0: 130,
            y0: 0,
            x1: 140,
            y1: 10,
        };
        assert_eq!((phash(&image, empty), dhash(&image, empty)), (0, 0));
        let dot = BoxPx {
            x0: 4,
            y0: 4,
            x1: 5,
            y1: 5,
        };
        assert_eq!(dhash(&image, dot), 0);
    }
}
