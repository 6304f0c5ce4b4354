//! SSIM of whole images.

use crate::kernel::{RADIUS, WINDOW};
use crate::scan::{Differences, EqualWindows, for_each_run};
use crate::{Error, Result, RgbView};

/// The profile that every SSIM of this crate follows; written beside every number.
///
/// Per channel on sRGB code values, 11-tap Gaussian window with sigma 1.5, population variances, K1 = 0.01,
/// K2 = 0.03, L = 255, averaged over the channels and over the pixels whose whole window lies in the image.
pub const SSIM_PROFILE: &str = "ssim/wang11-rgb-valid/v1";

/// The side of the SSIM window in pixels: no smaller image has a value.
pub const WINDOW_PX: u32 = WINDOW as u32;

/// The pixels along each edge of an image that no mean counts, for their window does not lie in the image.
pub const BORDER_PX: u32 = RADIUS as u32;

/// The mean SSIM of two images.
///
/// # Shapes
/// Both `width x height`, at least [`WINDOW_PX`] each way; the mean is over the
/// `(width - 10) x (height - 10)` pixels that are [`BORDER_PX`] or more away from the edge.
///
/// # Units
/// None: 1 for equal images, and exactly 1; at least -1.
///
/// # Errors
/// [`Error::SizesDiffer`], [`Error::TooSmall`].
///
/// # Source
/// Wang, Bovik, Sheikh, Simoncelli (2004), equation 13. Equal to scikit-image's `structural_similarity` with
/// `gaussian_weights=True, sigma=1.5, use_sample_covariance=False, data_range=255, channel_axis=-1`.
///
/// # Deviation
/// None from these; averaging SSIM over RGB is scikit-image's, the paper of 2004 knows only luminance.
pub fn ssim(a: RgbView<'_>, b: RgbView<'_>) -> Result<f64> {
    a.check_same_size("second image", (b.width(), b.height()))?;
    check_holds_window(a)?;
    let mut deficit = 0.0;
    for_each_run(
        a,
        b,
        Differences::Everywhere,
        EqualWindows::Skip,
        |_, _, values| deficit += values.iter().map(|value| 1.0 - value).sum::<f64>(),
    );
    let n_pixels = u64::from(a.width() - 2 * BORDER_PX) * u64::from(a.height() - 2 * BORDER_PX);
    Ok(1.0 - deficit / n_pixels as f64)
}

/// The SSIM around every pixel of an image pair, averaged over the channels.
#[derive(Clone, Debug, PartialEq)]
pub struct SsimMap {
    width: u32,
    height: u32,
    values: Vec<f32>,
}

impl SsimMap {
    /// Columns, those of the images.
    pub const fn width(&self) -> u32 {
        self.width
    }

    /// Rows, those of the images.
    pub const fn height(&self) -> u32 {
        self.height
    }

    /// Row by row.
    pub fn values(&self) -> &[f32] {
        &self.values
    }

    /// The value at a pixel, `None` beyond the image.
    pub fn get(&self, x: u32, y: u32) -> Option<f32> {
        (x < self.width && y < self.height)
            .then(|| self.values[y as usize * self.width as usize + x as usize])
    }
}

/// The map whose mean over all but the border is [`ssim`].
///
/// # Shapes
/// As large as the images, at least [`WINDOW_PX`] each way. Within [`BORDER_PX`] of the edge the images are
/// continued by reflection (`d c b a | a b c d`), as scikit-image does with `full=True`; no mean counts these.
///
/// # Errors
/// [`Error::SizesDiffer`], [`Error::TooSmall`].
pub fn ssim_map(a: RgbView<'_>, b: RgbView<'_>) -> Result<SsimMap> {
    a.check_same_size("second image", (b.width(), b.height()))?;
    check_holds_window(a)?;
    let (width, height) = (a.width(), a.height());
    let (grown_a, grown_b) = (reflected(a), reflected(b));
    let (grown_width, grown_height) = (width + 2 * BORDER_PX, height + 2 * BORDER_PX);
    let a = RgbView::new(grown_width, grown_height, &grown_a)?;
    let b = RgbView::new(grown_width, grown_height, &grown_b)?;
    let mut values = vec![1.0; width as usize * height as usize];
    for_each_run(a, b, Differences::Everywhere, EqualWindows::Skip, |x, y, run| {
        let first = (y - RADIUS) * width as usize + (x - RADIUS);
        for (out, value) in values[first..first + run.len()].iter_mut().zip(run) {
            *out = *value as f32;
        }
    });
    Ok(SsimMap {
        width,
        height,
        values,
    })
}

/// Refuses an image in which no window fits.
fn check_holds_window(image: RgbView<'_>) -> Result<()> {
    if image.width() >= WINDOW_PX && image.height() >= WINDOW_PX {
        return Ok(());
    }
    Err(Error::TooSmall {
        width: image.width(),
        height: image.height(),
        least_px: WINDOW_PX,
    })
}

/// The image with [`BORDER_PX`] more on every side, the edge pixel repeated once and then mirrored.
///
/// The image must hold a window, so one reflection is enough.
fn reflected(image: RgbView<'_>) -> Vec<u8> {
    let (width, height) = (image.width() as usize, image.height() as usize);
    let columns = mirrored(width);
    let mut bytes = Vec::with_capacity((width + 2 * RADIUS) * (height + 2 * RADIUS) * 3);
    for y in mirrored(height) {
        let row = image.row(y);
        for &x in &columns {
            bytes.extend_from_slice(&row[x * 3..x * 3 + 3]);
        }
    }
    bytes
}

/// The indices `0..n` with [`RADIUS`] mirrored ones on either side.
fn mirrored(n: usize) -> Vec<usize> {
    let before = (0..RADIUS).rev();
    let after = (n - RADIUS..n).rev();
    before.chain(0..n).chain(after).collect()
}
