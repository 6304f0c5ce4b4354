//! Mixtures of Gaussians over Lab colours: what a part and its surroundings look like.

use crate::photo::canvas::Rgb;

/// Samples are thinned out to at most this many: colours of a part are few.
const MAX_SAMPLES: usize = 3000;
/// Rounds of assignment and update.
const N_ROUNDS: usize = 8;
/// No cluster is narrower than this, in Lab units squared: a flat wall is not one exact colour.
const MIN_VARIANCE: f32 = 6.0;

/// A mixture with diagonal covariances.
#[derive(Clone, Debug)]
pub(crate) struct ColorModel {
    clusters: Vec<Cluster>,
}

#[derive(Clone, Copy, Debug)]
struct Cluster {
    weight: f32,
    mean: Rgb,
    variance: Rgb,
}

impl ColorModel {
    /// Fits `n_clusters` by hard assignment from samples; `None` for too few of them.
    ///
    /// Starts from the quantiles of brightness, so it needs no random numbers.
    pub(crate) fn fit(samples: &[Rgb], n_clusters: usize) -> Option<Self> {
        if samples.len() < 4 * n_clusters {
            return None;
        }
        let step = samples.len().div_ceil(MAX_SAMPLES);
        let mut samples: Vec<Rgb> = samples.iter().copied().step_by(step).collect();
        samples.sort_by(|a, b| a[0].total_cmp(&b[0]));
        let mut means: Vec<Rgb> = (0..n_clusters)
            .map(|k| samples[(2 * k + 1) * samples.len() / (2 * n_clusters)])
            .collect();
        let mut owners = vec![0; samples.len()];
        for _ in 0..N_ROUNDS {
            for (owner, sample) in owners.iter_mut().zip(&samples) {
                *owner = nearest(&means, *sample);
            }
            for (k, mean) in means.iter_mut().enumerate() {
                if let Some((_, new_mean, _)) = moments(&samples, &owners, k) {
                    *mean = new_mean;
                }
            }
        }
        let total = samples.len() as f32;
        let clusters = (0..n_clusters)
            .filter_map(|k| moments(&samples, &owners, k))
            .map(|(n, mean, variance)| Cluster {
                weight: n / total,
                mean,
                variance: variance.map(|v| v.max(MIN_VARIANCE)),
            })
            .collect();
        Some(Self { clusters })
    }

    /// The probability density of a colour, per cubic Lab unit.
    pub(crate) fn density(&self, lab: Rgb) -> f32 {
        self.clusters
            .iter()
            .map(|cluster| {
                let mut exponent = 0.0;
                let mut scale = 1.0;
                for ((value, mean), variance) in lab.iter().zip(cluster.mean).zip(cluster.variance) {
                    exponent += (value - mean).powi(2) / variance;
                    scale *= variance;
                }
                cluster.weight * (-0.5 * exponent).exp() / (15.75 * scale.sqrt())
            })
            .sum()
    }

    /// The mean colour.
    pub(crate) fn mean(&self) -> Rgb {
        std::array::from_fn(|axis| self.clusters.iter().map(|c| c.weight * c.mean[axis]).sum())
    }
}

fn nearest(means: &[Rgb], sample: Rgb) -> usize {
    let distance = |mean: &Rgb| -> f32 { (0..3).map(|axis| (mean[axis] - sample[axis]).powi(2)).sum() };
    let mut best = (0, f32::INFINITY);
    for (k, mean) in means.iter().enumerate() {
        let d = distance(mean);
        if d < best.1 {
            best = (k, d);
        }
    }
    best.0
}

/// Number, mean and variance of the samples of a cluster.
fn moments(samples: &[Rgb], owners: &[usize], k: usize) -> Option<(f32, Rgb, Rgb)> {
    let mut n = 0.0f64;
    let mut sum = [0.0f64; 3];
    let mut squares = [0.0f64; 3];
    for (sample, _) in samples.iter().zip(owners).filter(|(_, owner)| **owner == k) {
        n += 1.0;
        for axis in 0..3 {
            sum[axis] += f64::from(sample[axis]);
            squares[axis] += f64::from(sample[axis]).powi(2);
        }
    }
    (n > 0.0).then(|| {
        let mean = sum.map(|v| v / n);
        let variance = std::array::from_fn(|axis| (squares[axis] / n - mean[axis].powi(2)).max(0.0) as f32);
        (n as f32, mean.map(|v| v as f32), variance)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_heaps_are_told_apart() {
        let samples: Vec<Rgb> = (0..400)
            .map(|i| {
                let jitter = (i % 7) as f32;
                if i % 4 == 0 {
                    [20.0 + jitter, 0.0, 0.0]
                } else {
                    [70.0 + jitter, 10.0, 20.0]
                }
            })
            .collect();
        let model = ColorModel::fit(&samples, 2).unwrap();
        assert!(model.density([73.0, 10.0, 20.0]) > 2.0 * model.density([23.0, 0.0, 0.0]));
        assert!(model.density([23.0, 0.0, 0.0]) > 1e3 * model.density([45.0, 5.0, 10.0]));
        assert!(ColorModel::fit(&samples[..5], 2).is_none());
    }
}
