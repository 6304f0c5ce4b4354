//! Statistics of a pair inside and outside a mask.

use asap_core::{Mask, RegionStats, StatRegion};
use rayon::prelude::*;

use crate::difference::RegionDifference;
use crate::kernel::{RADIUS, WINDOW};
use crate::scan::{Differences, EqualWindows, for_each_run};
use crate::{Result, RgbView, SSIM_PROFILE};

/// The fewest pixels that a mean is given for: those of one SSIM window.
///
/// A mean over fewer says more about where the mask was cut than about the images.
pub const AREA_FLOOR_PX: u64 = (WINDOW * WINDOW) as u64;

/// How SSIM is attributed to the inside and the outside of a mask `M`.
///
/// A window of 11 pixels near the rim of the mask sees both sides, so the rule decides what a number means.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum RegionRule {
    /// Counterfactual images (the default of this toolkit): outside, `SSIM(x, where(M, x, y))` averaged over
    /// not-M; inside, `SSIM(x, where(M, y, x))` averaged over M. Each side sees its own differences only, and
    /// the outside is exactly 1 where nothing outside was changed.
    Composite,
    /// Means of the one map of `SSIM(x, y)` over M and over not-M. Differences inside leak up to 5 pixels into
    /// the outside; kept to compare with numbers that were computed so.
    Map,
    /// As [`RegionRule::Map`], over the pixels of M, and of not-M, that are farther than this many pixels
    /// (Euclidean) from the other side. From 8 on no window sees both sides.
    Eroded(u32),
}

impl RegionRule {
    /// The profile string of [`RegionStats::profile`], such as `ssim/wang11-rgb-valid/v1+composite`.
    pub fn profile(self) -> String {
        match self {
            Self::Composite => format!("{SSIM_PROFILE}+composite"),
            Self::Map => format!("{SSIM_PROFILE}+map"),
            Self::Eroded(radius_px) => format!("{SSIM_PROFILE}+eroded{radius_px}"),
        }
    }
}

/// Measures a pair inside and outside `mask`.
///
/// # Shapes
/// Both images and the mask `width x height`, of any size.
///
/// # Units
/// Differences in grey levels of 0..255; PSNR in dB over all three channels.
///
/// # What is `None`
/// A mean over fewer than [`AREA_FLOOR_PX`] pixels. For SSIM these are the pixels that are averaged: not those
/// within [`crate::BORDER_PX`] of the image's edge and not those that erosion takes away; images under
/// [`crate::WINDOW_PX`] have none. PSNR also where the outside is equal, for it would be infinite. LPIPS
/// always: it is not measured here.
///
/// # Errors
/// [`crate::Error::SizesDiffer`].
///
/// # Source
/// Region SSIM inside and outside of the paper's section 4.1, which names neither window nor rule: hence
/// [`RegionStats::profile`].
pub fn region_stats(
    preferred: RgbView<'_>,
    rejected: RgbView<'_>,
    mask: &Mask,
    region: StatRegion,
    rule: RegionRule,
) -> Result<RegionStats> {
    preferred.check_same_size("rejected image", (rejected.width(), rejected.height()))?;
    preferred.check_same_size("mask", (mask.width(), mask.height()))?;
    let (ssim_inside, ssim_outside) = match rule {
        RegionRule::Composite => composite_means(preferred, rejected, mask),
        RegionRule::Map => map_means(preferred, rejected, mask, &mask.complement()),
        RegionRule::Eroded(radius_px) => map_means(
            preferred,
            rejected,
            &mask.eroded(radius_px),
            &mask.complement().eroded(radius_px),
        ),
    };
    let difference = RegionDifference::measure(preferred, rejected, mask);
    Ok(RegionStats {
        region,
        profile: rule.profile(),
        area_px: difference.inside_px,
        ssim_inside,
        ssim_outside,
        lpips_inside: None,
        lpips_outside: None,
        psnr_outside_db: difference.psnr_outside_db(),
        mean_abs_diff_inside: difference.mean_abs_inside(),
        max_abs_diff_outside: difference.max_abs_outside,
        changed_outside_px: difference.changed_outside_px,
    })
}

/// The arguments of one [`region_stats`].
#[derive(Clone, Copy, Debug)]
pub struct RegionJob<'a> {
    /// The preferred image.
    pub preferred: RgbView<'a>,
    /// The rejected image.
    pub rejected: RgbView<'a>,
    /// Which pixels are inside.
    pub mask: &'a Mask,
    /// What the mask stands for.
    pub region: StatRegion,
    /// How SSIM is attributed.
    pub rule: RegionRule,
}

/// [`region_stats`] of every job, in parallel over the jobs, in their order.
///
/// Each job is done by one thread, so the numbers do not depend on how many there are.
///
/// # Errors
/// Those of [`region_stats`], each in its own place.
pub fn region_stats_many(jobs: &[RegionJob<'_>]) -> Vec<Result<RegionStats>> {
    jobs.par_iter()
        .map(|job| region_stats(job.preferred, job.rejected, job.mask, job.region, job.rule))
        .collect()
}

/// Means under [`RegionRule::Composite`].
fn composite_means(x: RgbView<'_>, y: RgbView<'_>, mask: &Mask) -> (Option<f64>, Option<f64>) {
    let outside_mask = mask.complement();
    let mut inside = Mean::new(mask);
    let mut outside = Mean::new(&outside_mask);
    let skip = EqualWindows::Skip;
    for_each_run(x, y, Differences::Inside(mask), skip, |x, y, run| {
        inside.add(x, y, run);
    });
    for_each_run(x, y, Differences::Outside(mask), skip, |x, y, run| {
        outside.add(x, y, run);
    });
    (inside.finish(), outside.finish())
}

/// Means of the map of the images as they are.
fn map_means(x: RgbView<'_>, y: RgbView<'_>, inside: &Mask, outside: &Mask) -> (Option<f64>, Option<f64>) {
    let mut inside = Mean::new(inside);
    let mut outside = Mean::new(outside);
    for_each_run(x, y, Differences::Everywhere, EqualWindows::Skip, |x, y, run| {
        inside.add(x, y, run);
        outside.add(x, y, run);
    });
    (inside.finish(), outside.finish())
}

/// A mean of SSIM over the marked pixels that have a whole window in the image.
///
/// What is summed up is how much is missing to 1, so windows that are skipped as equal add their exact nothing.
struct Mean<'a> {
    mask: &'a Mask,
    deficit: f64,
}

impl<'a> Mean<'a> {
    const fn new(mask: &'a Mask) -> Self {
        Self { mask, deficit: 0.0 }
    }

    fn add(&mut self, x: usize, y: usize, run: &[f64]) {
        let first = y * self.mask.width() as usize + x;
        let bits = &self.mask.bits()[first..first + run.len()];
        let marked = run.iter().zip(bits).filter(|(_, bit)| **bit);
        self.deficit += marked.map(|(value, _)| 1.0 - value).sum::<f64>();
    }

    fn finish(self) -> Option<f64> {
        let (width, height) = (self.mask.width() as usize, self.mask.height() as usize);
        if width < WINDOW || height < WINDOW {
            return None;
        }
        let rows = self.mask.bits().chunks_exact(width);
        let n_pixels: u64 = rows
            .skip(RADIUS)
            .take(height - 2 * RADIUS)
            .map(|row| count(&row[RADIUS..width - RADIUS]))
            .sum();
        (n_pixels >= AREA_FLOOR_PX).then(|| 1.0 - self.deficit / n_pixels as f64)
    }
}

/// The marked pixels of a row.
fn count(bits: &[bool]) -> u64 {
    bits.iter().map(|&bit| u64::from(bit)).sum()
}
