//! Weights of one-dimensional bicubic resampling.

/// For each output position: the first input position that it looks at, and the weights from there on.
pub(super) struct Taps {
    rows: Vec<(usize, Vec<f64>)>,
}

impl Taps {
    /// Bicubic with a = -0.5, widened when shrinking so that every input position counts ("antialias").
    ///
    /// # Source
    /// Pillow `src/libImaging/Resample.c`, `precompute_coeffs` with `bicubic_filter`; torch's
    /// `_upsample_bicubic2d_aa` has the same weights in f32.
    pub(super) fn antialiased(n_in: u32, n_out: u32) -> Self {
        let scale = f64::from(n_in) / f64::from(n_out);
        let stretch = scale.max(1.0);
        let support = 2.0 * stretch;
        // Multiplied with and not divided by, so that weights round as Pillow's do.
        let shrink = 1.0 / stretch;
        let rows = (0..n_out).map(|out| {
            let center = (f64::from(out) + 0.5) * scale;
            // Both are truncated, as C does it.
            let first = (center - support + 0.5).max(0.0) as usize;
            let end = ((center + support + 0.5) as usize).min(n_in as usize);
            let weights: Vec<f64> = (first..end)
                .map(|position| cubic((position as f64 - center + 0.5) * shrink, -0.5))
                .collect();
            let sum: f64 = weights.iter().sum();
            (first, weights.into_iter().map(|weight| weight / sum).collect())
        });
        Self { rows: rows.collect() }
    }

    /// Bicubic with a = -0.75 through four neighbours, whatever the scale; beyond the edge the edge counts.
    ///
    /// # Source
    /// torch `upsample_bicubic2d` with `align_corners=False`.
    pub(super) fn four_neighbours(n_in: u32, n_out: u32) -> Self {
        // torch computes positions in f32, and so decides in f32 which neighbours are meant.
        let scale = n_in as f32 / n_out as f32;
        let last = n_in as usize - 1;
        let rows = (0..n_out).map(|out| {
            let source = scale * (out as f32 + 0.5) - 0.5;
            let floor = source.floor();
            let fraction = f64::from(source - floor);
            let neighbour = |k: i64| (floor as i64 + k).clamp(0, last as i64) as usize;
            let first = neighbour(-1);
            let mut weights = vec![0.0; neighbour(2) - first + 1];
            for k in -1..=2 {
                weights[neighbour(k) - first] += cubic(k as f64 - fraction, -0.75);
            }
            (first, weights)
        });
        Self { rows: rows.collect() }
    }

    /// Those of the output positions `start..start + n`.
    pub(super) fn window(mut self, start: u32, n: u32) -> Self {
        self.rows.truncate((start + n) as usize);
        self.rows.drain(..start as usize);
        self
    }

    /// The input positions that any of them looks at.
    pub(super) fn reach(&self) -> std::ops::Range<usize> {
        let first = self.rows.iter().map(|(first, _)| *first).min().unwrap_or(0);
        let end = self
            .rows
            .iter()
            .map(|(first, weights)| first + weights.len())
            .max();
        first..end.unwrap_or(0)
    }

    /// First position and weights, by output position.
    pub(super) fn rows(&self) -> impl ExactSizeIterator<Item = (usize, &[f64])> {
        self.rows
            .iter()
            .map(|(first, weights)| (*first, weights.as_slice()))
    }
}

/// The cubic convolution kernel (Keys 1981) at `x`.
fn cubic(x: f64, a: f64) -> f64 {
    let x = x.abs();
    if x < 1.0 {
        ((a + 2.0) * x - (a + 3.0)) * x * x + 1.0
    } else if x < 2.0 {
        (((x - 5.0) * x + 8.0) * x - 4.0) * a
    } else {
        0.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weights_sum_to_one_and_stay_inside() {
        for (n_in, n_out) in [(1, 1), (1, 9), (7, 3), (3, 7), (1000, 224), (224, 224), (5, 224)] {
            for taps in [Taps::antialiased(n_in, n_out), Taps::four_neighbours(n_in, n_out)] {
                assert_eq!(taps.rows().len(), n_out as usize);
                for (first, weights) in taps.rows() {
                    assert!((weights.iter().sum::<f64>() - 1.0).abs() < 1e-6);
                    assert!(!weights.is_empty() && first + weights.len() <= n_in as usize);
                }
            }
        }
    }

    #[test]
    fn the_two_differ_in_sharpness_and_in_what_they_see_when_shrinking() {
        let n_taps = |taps: Taps| taps.rows().nth(10).map(|(_, weights)| weights.len());
        assert_eq!(n_taps(Taps::four_neighbours(200, 20)), Some(4));
        assert!(n_taps(Taps::antialiased(200, 20)) >= Some(40));
    }
}
