//! How sharp a part of an image is.

use asap_core::BoxPx;

use crate::{Error, Result, RgbView};

/// Variance of the Laplacian inside a box, in squared grey levels: small where the image is blurred.
///
/// # Shapes
/// `bounds_px` must lie in the image; `None` where it is empty.
///
/// # Units
/// Grey levels are the luma of Rec. 601, `0.299 R + 0.587 G + 0.114 B` on 0..255, not rounded. The Laplacian is
/// the five-point one, `[0 1 0; 1 -4 1; 0 1 0]`; beyond the image the pixels are mirrored without repeating
/// the edge (`c b | a b c`). Neighbours outside the box are read, so a box has the value that its pixels have in the
/// image and no edge of its own. The variance is that of the population.
///
/// # Errors
/// [`Error::BoxOutside`].
///
/// # Source
/// Pech-Pacheco et al. (2000), the "variance of the Laplacian" of focus measures.
///
/// # Deviation
/// OpenCV's `Laplacian` with kernel size 1 has the same kernel and border, after luma was rounded to whole
/// grey levels.
pub fn laplacian_variance(image: RgbView<'_>, bounds_px: BoxPx) -> Result<Option<f64>> {
    if bounds_px.x1 > image.width() || bounds_px.y1 > image.height() {
        return Err(Error::BoxOutside {
            bounds_px,
            width: image.width(),
            height: image.height(),
        });
    }
    if bounds_px.area_px() == 0 {
        return Ok(None);
    }
    let (mut sum, mut sum_squared) = (0.0, 0.0);
    for y in bounds_px.y0..bounds_px.y1 {
        let (up, down) = neighbours(y, image.height());
        for x in bounds_px.x0..bounds_px.x1 {
            let (left, right) = neighbours(x, image.width());
            let around =
                luma(image, x, up) + luma(image, x, down) + luma(image, left, y) + luma(image, right, y);
            // Thousandths of a grey level are whole numbers: the sums stay exact up to 2^53.
            let laplacian = f64::from(around - 4 * luma(image, x, y)) / 1000.0;
            sum += laplacian;
            sum_squared += laplacian * laplacian;
        }
    }
    let n_pixels = bounds_px.area_px() as f64;
    let mean = sum / n_pixels;
    Ok(Some((sum_squared / n_pixels - mean * mean).max(0.0)))
}

/// Luma in thousandths of a grey level.
fn luma(image: RgbView<'_>, x: u32, y: u32) -> i32 {
    let row = image.row(y as usize);
    let pixel = &row[x as usize * 3..x as usize * 3 + 3];
    299 * i32::from(pixel[0]) + 587 * i32::from(pixel[1]) + 114 * i32::from(pixel[2])
}

/// The indices before and after `i` in `0..n`, mirrored at the ends without repeating them.
fn neighbours(i: u32, n: u32) -> (u32, u32) {
    let last = n - 1;
    let before = if i == 0 { 1.min(last) } else { i - 1 };
    let after = if i == last { last.saturating_sub(1) } else { i + 1 };
    (before, after)
}
