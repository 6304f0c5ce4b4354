//! Exact tests of counts, and Holm's correction for many of them.

use serde::{Deserialize, Serialize};

use super::distribution::{fair_coin, normal_two_sided};

/// A two-sided test whether a coin is fair: the sign test on wins and losses, McNemar's on discordant pairs.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct CoinTest {
    /// The exact p-value.
    pub p: f64,
    /// The mid-p value: the observed outcome counts half. Closer to the nominal level, and no longer a guarantee.
    pub mid_p: f64,
}

/// Tests whether `first` and `second` are halves of what was counted.
///
/// With k the smaller and n the sum: `p = min(1, 2 P(X <= k))`, `mid_p = 2 P(X <= k) - P(X = k)` where the two
/// differ and 1 where they are equal, X a fair coin tossed n times. Both are 1 where nothing was counted.
///
/// # Source
/// McNemar, Psychometrika 12 (1947), exact form: `statsmodels.stats.contingency_tables.mcnemar(exact=True)`;
/// sign test: `scipy.stats.binomtest(first, n)`; mid-p: Fagerland, Lydersen and Laake, BMC Med. Res. Methodol. 13
/// (2013).
pub fn coin_test(first: u64, second: u64) -> CoinTest {
    if first == second {
        return CoinTest { p: 1.0, mid_p: 1.0 };
    }
    let (up_to, at) = fair_coin(first.min(second), first + second);
    CoinTest {
        p: (2.0 * up_to).min(1.0),
        mid_p: (2.0 * up_to - at).min(1.0),
    }
}

/// The two-sided p-value of `Σd / sqrt(Σd²)` against the normal distribution: 1 where all d are 0.
///
/// Each d is of one prompt: pairs in favour of one model less pairs in favour of the other. With one pair for each
/// prompt it is McNemar's test, or the sign test, in its normal form without continuity correction.
///
/// # Source
/// The score test of no difference with pairs in clusters, Durkalski, Palesch, Lipsitz and Rust, Statistics in
/// Medicine 22 (2003).
///
/// # Deviation
/// Prompts weigh by their number of pairs, so that the difference that is reported is the one that is tested.
pub fn cluster_sign_test(differences: impl IntoIterator<Item = f64>) -> f64 {
    let add = |(sum, squares), d: f64| (sum + d, squares + d * d);
    let (sum, squares): (f64, f64) = differences.into_iter().fold((0.0, 0.0), add);
    if squares == 0.0 {
        1.0
    } else {
        normal_two_sided(sum / squares.sqrt())
    }
}

/// p-values corrected for their number by Holm's step-down procedure, in the order given.
///
/// The i-th smallest of m, counted from 0, becomes the largest of `(m - j) p_j` over j <= i, at most 1.
///
/// # Source
/// Holm, Scandinavian Journal of Statistics 6 (1979);
/// `statsmodels.stats.multitest.multipletests(method="holm")`.
pub fn holm(p_values: &[f64]) -> Vec<f64> {
    let n = p_values.len();
    let mut order: Vec<usize> = (0..n).collect();
    order.sort_by(|&a, &b| p_values[a].total_cmp(&p_values[b]));
    let mut adjusted = vec![0.0; n];
    let mut largest: f64 = 0.0;
    for (rank, index) in order.into_iter().enumerate() {
        largest = largest.max((n - rank) as f64 * p_values[index]).min(1.0);
        adjusted[index] = largest;
    }
    adjusted
}
