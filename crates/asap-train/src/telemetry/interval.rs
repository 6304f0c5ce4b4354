//! Intervals of shares and means.

/// The level of every interval that a run shows.
pub const LEVEL: f64 = 0.95;

/// The quantile of the normal distribution at (1 + [`LEVEL`]) / 2.
const Z: f64 = 1.959_963_984_540_054;

/// Quantiles of Student's t at the same place for 1 to 10 degrees of freedom.
const T: [f64; 10] = [
    12.7062, 4.3027, 3.1824, 2.7764, 2.5706, 2.4469, 2.3646, 2.3060, 2.2622, 2.2281,
];

/// Wilson's score interval of `hits` out of `n`; `None` where `n` is 0.
///
/// # Units
/// Shares of 1, at [`LEVEL`].
/// # Source
/// E. B. Wilson, Probable inference, the law of succession, and statistical inference, JASA 22, 1927.
pub fn wilson(hits: u64, n: u64) -> Option<[f64; 2]> {
    if n == 0 {
        return None;
    }
    let n = n as f64;
    let share = hits as f64 / n;
    let scale = 1.0 + Z * Z / n;
    let centre = (share + Z * Z / (2.0 * n)) / scale;
    let half = Z / scale * (share * (1.0 - share) / n + Z * Z / (4.0 * n * n)).sqrt();
    Some([(centre - half).max(0.0), (centre + half).min(1.0)])
}

/// The mean of `values` with Student's interval at [`LEVEL`]. No mean without values, and no interval with fewer
/// than two values or with one that is not finite.
///
/// # Deviation
/// Above 10 degrees of freedom the quantile is the expansion of Abramowitz and Stegun, 26.7.5, to three terms; it
/// is off by less than 0.0005.
pub fn mean_interval(values: &[f64]) -> Option<(f64, Option<[f64; 2]>)> {
    let n = values.len();
    if n == 0 {
        return None;
    }
    let mean = values.iter().sum::<f64>() / n as f64;
    if n == 1 || !mean.is_finite() {
        return Some((mean, None));
    }
    let variance = values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / (n - 1) as f64;
    let half = student(n - 1) * (variance / n as f64).sqrt();
    Some((mean, Some([mean - half, mean + half])))
}

fn student(degrees: usize) -> f64 {
    if let Some(quantile) = T.get(degrees - 1) {
        return *quantile;
    }
    let v = degrees as f64;
    let first = (Z.powi(3) + Z) / (4.0 * v);
    let second = (5.0 * Z.powi(5) + 16.0 * Z.powi(3) + 3.0 * Z) / (96.0 * v * v);
    let third = (3.0 * Z.powi(7) + 19.0 * Z.powi(5) + 17.0 * Z.powi(3) - 15.0 * Z) / (384.0 * v.powi(3));
    Z + first + second + third
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wilson_equals_published_numbers() {
        // statsmodels.stats.proportion.proportion_confint(8, 10, method="wilson").
        let [low, high] = wilson(8, 10).unwrap();
        assert!(
            (low - 0.490_162).abs() < 1e-6 && (high - 0.943_318).abs() < 1e-6,
            "{low} {high}"
        );
        assert_eq!(wilson(0, 0), None);
        assert_eq!(wilson(5, 5).unwrap()[1], 1.0);
    }

    #[test]
    fn the_interval_of_a_mean_is_students() {
        let (mean, interval) = mean_interval(&[1.0, 2.0, 3.0, 4.0]).unwrap();
        // scipy.stats.t.interval(0.95, 3, 2.5, sem): half width 3.18245 * 0.645497.
        let [low, high] = interval.unwrap();
        assert_eq!(mean, 2.5);
        assert!(
            (high - 4.5542).abs() < 1e-3 && (low - 0.4458).abs() < 1e-3,
            "{low} {high}"
        );
        assert!((student(11) - 2.200_99).abs() < 5e-4 && (student(30) - 2.042_27).abs() < 5e-4);
        assert_eq!(mean_interval(&[]), None);
        assert_eq!(mean_interval(&[1.0]), Some((1.0, None)));
        assert!(mean_interval(&[1.0, f64::NAN]).unwrap().0.is_nan());
    }
}
