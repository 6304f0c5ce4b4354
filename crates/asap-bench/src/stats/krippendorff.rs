//! Krippendorff's alpha of any number of raters with missing values.

use super::agreement::{Measured, check_class};
use super::{Bootstrap, Error, Result};

/// What one item adds to alpha.
struct Unit {
    /// Σ_{c≠k} n_c n_k / (m - 1): disagreeing pairs of its m values.
    disagreement: f64,
    /// How often each class was given.
    counts: Vec<f64>,
}

/// Alpha for classes without order, with the percentile interval over items drawn with replacement.
///
/// `alpha = 1 - (n - 1) Σ_u Σ_{c≠k} n_uc n_uk / (m_u - 1) / Σ_{c≠k} n_c n_k`, over items u with m_u >= 2 values, n
/// values in all. It is 1 where all agree, 0 where they agree as often as chance, and not defined where only one
/// class was given.
///
/// # Shapes
/// For each item the classes that its raters gave, in any order; a rater who gave none is not in the list. Items
/// with fewer than two values are passed over.
///
/// # Errors
/// [`Error::TooMany`] for a class that is not under `n_classes`, [`Error::TooFew`] where no item has two values.
///
/// # Source
/// Krippendorff, "Content analysis" (4th edition, 2019); the package `krippendorff`,
/// `alpha(level_of_measurement="nominal")`.
///
/// # Deviation
/// Krippendorff's own bootstrap draws pairs of values; drawing items allows for the likeness of an item's values.
pub fn alpha(items: &[Vec<usize>], n_classes: usize, bootstrap: &Bootstrap) -> Result<Measured> {
    for class in items.iter().flatten() {
        check_class(*class, n_classes)?;
    }
    let units: Vec<Unit> = items
        .iter()
        .filter(|values| values.len() > 1)
        .map(|values| Unit::new(values, n_classes))
        .collect();
    if units.is_empty() {
        return Err(Error::TooFew {
            what: "values of one item",
            least: 2,
            got: items.iter().map(Vec::len).max().unwrap_or(0),
        });
    }
    let value = weighted_alpha(&units, n_classes, |_| 1.0);
    let replicates = bootstrap.items("alpha", units.len(), |drawn| {
        weighted_alpha(&units, n_classes, |unit| f64::from(drawn[unit]))
    });
    Ok(Measured::new(value, &replicates, bootstrap))
}

impl Unit {
    fn new(values: &[usize], n_classes: usize) -> Self {
        let mut counts = vec![0.0; n_classes];
        for class in values {
            counts[*class] += 1.0;
        }
        Self {
            disagreement: unequal_pairs(&counts) / (values.len() - 1) as f64,
            counts,
        }
    }
}

/// Σ_{c≠k} n_c n_k.
fn unequal_pairs(counts: &[f64]) -> f64 {
    let n: f64 = counts.iter().sum();
    n * n - counts.iter().map(|count| count * count).sum::<f64>()
}

fn weighted_alpha(units: &[Unit], n_classes: usize, weight: impl Fn(usize) -> f64) -> Option<f64> {
    let mut observed = 0.0;
    let mut counts = vec![0.0; n_classes];
    for (place, unit) in units.iter().enumerate() {
        let weight = weight(place);
        observed += weight * unit.disagreement;
        for (sum, count) in counts.iter_mut().zip(&unit.counts) {
            *sum += weight * count;
        }
    }
    let n: f64 = counts.iter().sum();
    let expected = unequal_pairs(&counts);
    (expected > 0.0).then(|| 1.0 - (n - 1.0) * observed / expected)
}
