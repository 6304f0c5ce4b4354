//! The inner loops of SSIM: one row of one strip of columns.
//!
//! The statistics are taken of `s = x + y` and `d = x - y` instead of `x` and `y`. With m and V for weighted
//! mean and population variance, `2 mx my = (ms^2 - md^2) / 2`, `mx^2 + my^2 = (ms^2 + md^2) / 2`,
//! `2 Cov(x, y) = (Vs - Vd) / 2` and `Vx + Vy = (Vs + Vd) / 2`. So four filtered maps do instead of five, the
//! result is symmetric in x and y to the last bit, and where the windows are equal it is exactly 1.
//!
//! Filtering is in f64: the variances are differences of large numbers, and in f32 flat bright regions would be
//! wrong by more than 1e-5. Sums of two squares of `s` or `d` are integers under 2^24, hence exact in f32, and
//! only those are stored. There is no fused multiply-add, so the bits are the same for every vector width.

use multiversion::multiversion;

/// Side of the window.
pub(crate) const WINDOW: usize = 11;
/// Pixels from the middle of the window to its edge.
pub(crate) const RADIUS: usize = WINDOW / 2;
/// Columns of results that are computed at once.
pub(crate) const STRIP: usize = 128;
/// Columns of pixels that a strip of results looks at, rounded up to whole cache lines.
pub(crate) const LOADED: usize = (STRIP + WINDOW - 1).next_multiple_of(16);

/// Half of the window, from its edge to its middle: exp(-k^2 / (2 * 1.5^2)) for k = 5..0, the whole normalised.
///
/// Written out so that they do not depend on a platform's `exp`.
pub(crate) const TAPS: [f64; RADIUS + 1] = [
    0.001_028_380_084_479_11,
    0.007_598_758_135_239_185,
    0.036_000_772_128_430_83,
    0.109_360_689_509_700_02,
    0.213_005_537_711_253_7,
    0.266_011_724_861_794_36,
];

/// Luminance constant, (0.01 * 255)^2.
const C1: f64 = 6.5025;
/// Contrast constant, (0.03 * 255)^2.
const C2: f64 = 58.5225;

/// A row of pixels of one channel, as `x + y` or `x - y`.
pub(crate) type Line = [f32; LOADED];

/// The four vertically filtered maps of one channel.
#[repr(align(64))]
pub(crate) struct Columns {
    sum: [f64; LOADED],
    sum_squared: [f64; LOADED],
    difference: [f64; LOADED],
    difference_squared: [f64; LOADED],
}

impl Columns {
    pub(crate) const fn new() -> Self {
        Self {
            sum: [0.0; LOADED],
            sum_squared: [0.0; LOADED],
            difference: [0.0; LOADED],
            difference_squared: [0.0; LOADED],
        }
    }
}

/// Adds the SSIM of one channel to `row`: result i has its window at columns `i..i + WINDOW` of the lines.
#[multiversion(
    targets("x86_64+avx512f+avx512vl+avx512dq", "x86_64+avx2", "aarch64+neon"),
    dispatcher = "direct"
)]
pub(crate) fn add_ssim(
    sums: &[Line; WINDOW],
    differences: &[Line; WINDOW],
    columns: &mut Columns,
    row: &mut [f64; STRIP],
) {
    add_ssim_inlined(sums, differences, columns, row);
}

/// [`add_ssim`], compiled with the instructions of whoever calls it.
#[inline(always)]
fn add_ssim_inlined(
    sums: &[Line; WINDOW],
    differences: &[Line; WINDOW],
    columns: &mut Columns,
    row: &mut [f64; STRIP],
) {
    filter_columns(sums, &mut columns.sum, &mut columns.sum_squared);
    filter_columns(
        differences,
        &mut columns.difference,
        &mut columns.difference_squared,
    );
    for (i, out) in row.iter_mut().enumerate() {
        let sum = filter_at(&columns.sum, i);
        let difference = filter_at(&columns.difference, i);
        let sum_variance = filter_at(&columns.sum_squared, i) - sum * sum;
        let difference_variance = filter_at(&columns.difference_squared, i) - difference * difference;
        // Every factor is doubled against the usual form, which leaves the quotient as it is.
        let above = (sum * sum - difference * difference + 2.0 * C1)
            * (sum_variance - difference_variance + 2.0 * C2);
        let below = (sum * sum + difference * difference + 2.0 * C1)
            * (sum_variance + difference_variance + 2.0 * C2);
        *out += above / below;
    }
}

/// Filters values and squares of the values vertically.
#[inline(always)]
fn filter_columns(lines: &[Line; WINDOW], mean: &mut [f64; LOADED], mean_squared: &mut [f64; LOADED]) {
    for i in 0..LOADED {
        let middle = lines[RADIUS][i];
        let mut first = TAPS[RADIUS] * f64::from(middle);
        let mut second = TAPS[RADIUS] * f64::from(middle * middle);
        for k in 0..RADIUS {
            let (above, below) = (lines[k][i], lines[WINDOW - 1 - k][i]);
            first += TAPS[k] * f64::from(above + below);
            second += TAPS[k] * f64::from(above * above + below * below);
        }
        mean[i] = first;
        mean_squared[i] = second;
    }
}

/// The horizontal filter over `values[i..i + WINDOW]`.
#[inline(always)]
fn filter_at(values: &[f64; LOADED], i: usize) -> f64 {
    let mut total = TAPS[RADIUS] * values[i + RADIUS];
    for k in 0..RADIUS {
        total += TAPS[k] * (values[i + k] + values[i + WINDOW - 1 - k]);
    }
    total
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_machine_computes_the_same_bits() {
        let mut stream = asap_core::Stream::new(1, "lines");
        let mut lines = |low: f64, high: f64| {
            let mut lines = [[0.0; LOADED]; WINDOW];
            lines
                .iter_mut()
                .flatten()
                .for_each(|value| *value = stream.between(low, high).floor() as f32);
            lines
        };
        let (sums, differences) = (lines(0.0, 511.0), lines(-255.0, 256.0));
        let (mut here, mut baseline) = ([0.0; STRIP], [0.0; STRIP]);
        add_ssim(&sums, &differences, &mut Columns::new(), &mut here);
        add_ssim_inlined(&sums, &differences, &mut Columns::new(), &mut baseline);
        assert_eq!(here, baseline);
        assert!(here.iter().all(|value| value.abs() <= 1.0 && *value != 0.0));
    }

    #[test]
    fn taps_are_the_normalised_gaussian() {
        let raw: Vec<f64> = (-5..=5).map(|k| (-f64::from(k * k) / 4.5).exp()).collect();
        let total: f64 = raw.iter().sum();
        for (tap, raw) in TAPS.iter().zip(&raw) {
            assert!((tap - raw / total).abs() < 1e-16, "{tap} {}", raw / total);
        }
    }
}
