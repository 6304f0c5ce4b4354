//! Plain differences: PSNR, grey levels, changed pixels.

use asap_core::Mask;

use crate::region::AREA_FLOOR_PX;
use crate::{Result, RgbView};

/// Peak signal-to-noise ratio of two images over all pixels and channels, in dB; `None` where they are equal.
///
/// `10 log10(255^2 / MSE)`; the images are `width x height` each and may be of any size.
///
/// # Errors
/// [`crate::Error::SizesDiffer`].
pub fn psnr(a: RgbView<'_>, b: RgbView<'_>) -> Result<Option<f64>> {
    a.check_same_size("second image", (b.width(), b.height()))?;
    let squared: u64 = a
        .data()
        .iter()
        .zip(b.data())
        .map(|(a, b)| u64::from(a.abs_diff(*b)).pow(2))
        .sum();
    Ok(psnr_db(squared, a.data().len() as u64))
}

/// PSNR from a sum of squared differences of bytes and the number of bytes.
fn psnr_db(squared_sum: u64, n_bytes: u64) -> Option<f64> {
    (squared_sum > 0).then(|| 10.0 * (255.0 * 255.0 * n_bytes as f64 / squared_sum as f64).log10())
}

/// Exact integer sums over the two sides of a mask.
#[derive(Default)]
pub(crate) struct RegionDifference {
    pub(crate) inside_px: u64,
    pub(crate) outside_px: u64,
    pub(crate) abs_sum_inside: u64,
    pub(crate) squared_sum_outside: u64,
    pub(crate) max_abs_outside: u8,
    pub(crate) changed_outside_px: u64,
}

impl RegionDifference {
    /// Compares images and mask of one size.
    pub(crate) fn measure(a: RgbView<'_>, b: RgbView<'_>, mask: &Mask) -> Self {
        let inside_px = mask.area_px();
        let mut found = Self {
            inside_px,
            outside_px: mask.bits().len() as u64 - inside_px,
            ..Self::default()
        };
        /// Pixels that are compared at once, to leave out what is equal.
        const BLOCK: usize = 64;
        let blocks = a.data().chunks(BLOCK * 3).zip(b.data().chunks(BLOCK * 3));
        for ((a, b), bits) in blocks.zip(mask.bits().chunks(BLOCK)) {
            if a != b {
                found.add(a, b, bits);
            }
        }
        found
    }

    fn add(&mut self, a: &[u8], b: &[u8], bits: &[bool]) {
        for ((a, b), inside) in a.chunks_exact(3).zip(b.chunks_exact(3)).zip(bits) {
            let gaps = [a[0].abs_diff(b[0]), a[1].abs_diff(b[1]), a[2].abs_diff(b[2])];
            if *inside {
                self.abs_sum_inside += gaps.iter().map(|&gap| u64::from(gap)).sum::<u64>();
            } else {
                let most = gaps[0].max(gaps[1]).max(gaps[2]);
                self.squared_sum_outside += gaps.iter().map(|&gap| u64::from(gap).pow(2)).sum::<u64>();
                self.max_abs_outside = self.max_abs_outside.max(most);
                self.changed_outside_px += u64::from(most > 0);
            }
        }
    }

    /// Mean absolute difference inside in grey levels, over pixels and channels.
    pub(crate) fn mean_abs_inside(&self) -> Option<f64> {
        (self.inside_px >= AREA_FLOOR_PX).then(|| self.abs_sum_inside as f64 / (self.inside_px * 3) as f64)
    }

    /// PSNR outside in dB.
    pub(crate) fn psnr_outside_db(&self) -> Option<f64> {
        if self.outside_px < AREA_FLOOR_PX {
            return None;
        }
        psnr_db(self.squared_sum_outside, self.outside_px * 3)
    }
}
