//! Wilcoxon's signed-rank test.

use serde::{Deserialize, Serialize};

use super::distribution::normal_two_sided;
use super::{Error, Result};

/// The largest number of differences whose exact distribution is used, SciPy's limit.
const MAX_EXACT: usize = 50;

/// What is done with differences of 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ZeroMethod {
    /// Left out before ranks are given (Wilcoxon).
    Wilcox,
    /// Ranked, then left out (Pratt).
    Pratt,
    /// Ranked, half of the ranks given to each side. A prompt without a difference speaks for neither model, so
    /// this is what scores are compared with.
    ZSplit,
}

/// Which distribution a p-value comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SignedRankMethod {
    /// That of all signs: up to 50 differences, none 0, no two of one size.
    Exact,
    /// The normal one with correction for ties, none for continuity.
    Normal,
}

/// The result of the test.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct SignedRank {
    /// The sum of the ranks of positive differences.
    pub positive: f64,
    /// The sum of the ranks of negative differences.
    pub negative: f64,
    /// The two-sided p-value; 1 where all differences are 0.
    pub p: f64,
    /// Where it comes from.
    pub method: SignedRankMethod,
}

/// Tests whether differences lie evenly around 0.
///
/// # Errors
/// [`Error::TooFew`] without differences, [`Error::NotFinite`] for one that is not a number.
///
/// # Source
/// Wilcoxon, Biometrics Bulletin 1 (1945); Pratt, JASA 54 (1959). `scipy.stats.wilcoxon` with the same
/// `zero_method`, `correction=False` and `method="exact"` or `"approx"` as [`SignedRankMethod`] says.
pub fn signed_rank(differences: &[f64], zeros: ZeroMethod) -> Result<SignedRank> {
    check(differences)?;
    let mut kept: Vec<f64> = differences.to_vec();
    if zeros == ZeroMethod::Wilcox {
        kept.retain(|difference| *difference != 0.0);
    }
    kept.sort_by(|a, b| a.abs().total_cmp(&b.abs()));
    let mut sums = Sums::default();
    let mut below = 0;
    for group in kept.chunk_by(|a, b| a.abs() == b.abs()) {
        sums.add(group, below, zeros);
        below += group.len();
    }
    let n = kept.len();
    let (p, method) = match n <= MAX_EXACT && !sums.has_ties && sums.n_zeros == 0 && n > 0 {
        true => (exact_p(n, sums.positive), SignedRankMethod::Exact),
        false => (sums.normal_p(n as f64, zeros), SignedRankMethod::Normal),
    };
    Ok(SignedRank {
        positive: sums.positive,
        negative: sums.negative,
        p,
        method,
    })
}

fn check(differences: &[f64]) -> Result<()> {
    if differences.is_empty() {
        return Err(Error::TooFew {
            what: "differences",
            least: 1,
            got: 0,
        });
    }
    match differences.iter().position(|difference| !difference.is_finite()) {
        Some(index) => Err(Error::NotFinite {
            what: "difference",
            index,
            got: differences[index],
        }),
        None => Ok(()),
    }
}

#[derive(Default)]
struct Sums {
    positive: f64,
    negative: f64,
    n_zeros: usize,
    has_ties: bool,
    /// Σ (t³ - t) over groups of one size.
    tie_term: f64,
}

impl Sums {
    /// Adds differences of one size, above `below` smaller ones.
    fn add(&mut self, group: &[f64], below: usize, zeros: ZeroMethod) {
        let size = group.len() as f64;
        let rank = below as f64 + 0.5 * (size + 1.0);
        let is_zero = group[0] == 0.0;
        if is_zero {
            self.n_zeros = group.len();
        }
        if !is_zero || zeros == ZeroMethod::ZSplit {
            self.tie_term += size * size * size - size;
            self.has_ties |= group.len() > 1;
        }
        match (is_zero, zeros) {
            (true, ZeroMethod::ZSplit) => {
                self.positive += 0.5 * rank * size;
                self.negative += 0.5 * rank * size;
            }
            (true, _) => {}
            (false, _) => {
                let n_positive = group.iter().filter(|difference| **difference > 0.0).count() as f64;
                self.positive += rank * n_positive;
                self.negative += rank * (size - n_positive);
            }
        }
    }

    fn normal_p(&self, n: f64, zeros: ZeroMethod) -> f64 {
        let mut mean = n * (n + 1.0) / 4.0;
        let mut variance = n * (n + 1.0) * (2.0 * n + 1.0) - 0.5 * self.tie_term;
        if zeros == ZeroMethod::Pratt {
            let m = self.n_zeros as f64;
            mean -= m * (m + 1.0) / 4.0;
            variance -= m * (m + 1.0) * (2.0 * m + 1.0);
        }
        let deviation = self.positive.min(self.negative) - mean;
        match variance > 0.0 && self.positive + self.negative > 0.0 && deviation != 0.0 {
            true => normal_two_sided(deviation / (variance / 24.0).sqrt()),
            false => 1.0,
        }
    }
}

/// The two-sided p-value of a sum of positive ranks among all signs of the ranks 1 to n.
fn exact_p(n: usize, positive: f64) -> f64 {
    let most = n * (n + 1) / 2;
    // ways[s]: the share of signs whose positive ranks sum up to s.
    let mut ways = vec![0.0; most + 1];
    ways[0] = 1.0;
    for rank in 1..=n {
        for sum in (0..=most).rev() {
            let with = if sum >= rank { ways[sum - rank] } else { 0.0 };
            ways[sum] = 0.5 * (ways[sum] + with);
        }
    }
    // Without ties ranks are whole, and so is their sum.
    let smaller = (positive as usize).min(most - positive as usize);
    (2.0 * ways[..=smaller].iter().sum::<f64>()).min(1.0)
}
