//! Agreement of two judges on the same items.

use asap_core::Outcome;
use serde::{Deserialize, Serialize};

use super::{Bootstrap, Error, Interval, Replicates, Result};

/// How often each class of one judge met each class of another.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Confusion {
    /// `cells[a][b]`: items that the first judge put into class `a` and the second into class `b`.
    pub cells: Vec<Vec<u64>>,
}

impl Confusion {
    /// Counts pairs of classes.
    ///
    /// # Errors
    /// [`Error::TooMany`] for a class that is not under `n_classes`.
    pub fn of(pairs: &[(usize, usize)], n_classes: usize) -> Result<Self> {
        let mut cells = vec![vec![0; n_classes]; n_classes];
        for &(first, second) in pairs {
            check_class(first.max(second), n_classes)?;
            cells[first][second] += 1;
        }
        Ok(Self { cells })
    }

    /// All items.
    pub fn n(&self) -> u64 {
        self.cells.iter().flatten().sum()
    }

    /// Items on which both agree, over all; `None` without items.
    pub fn exact(&self) -> Option<f64> {
        self.mean(|first, second| Some(f64::from(first == second)))
    }

    /// As [`Confusion::exact`], over the items to which neither gave the class `tie`.
    pub fn decisive(&self, tie: usize) -> Option<f64> {
        self.mean(|first, second| (first != tie && second != tie).then(|| f64::from(first == second)))
    }

    /// As [`Confusion::exact`], with half a point where exactly one of them said `tie`.
    pub fn half_credit(&self, tie: usize) -> Option<f64> {
        self.mean(|first, second| match first == second {
            true => Some(1.0),
            false if first == tie || second == tie => Some(0.5),
            false => Some(0.0),
        })
    }

    /// Cohen's kappa, `(p_o - p_e) / (1 - p_e)` with `p_e = Σ_k p_k. p_.k`; `None` where `p_e` is 1.
    ///
    /// # Source
    /// Cohen, Educational and Psychological Measurement 20 (1960); `sklearn.metrics.cohen_kappa_score`.
    pub fn kappa(&self) -> Option<f64> {
        let n = self.n() as f64;
        let (rows, columns) = self.margins();
        let chance = rows
            .iter()
            .zip(&columns)
            .map(|(row, column)| row * column)
            .sum::<f64>()
            / (n * n);
        corrected(self.exact()?, chance)
    }

    /// Gwet's AC1, `(p_o - p_e) / (1 - p_e)` with `p_e = Σ_k π_k (1 - π_k) / (q - 1)` over q classes, `π_k` the mean
    /// of both margins; `None` with fewer than two classes. Unlike kappa it holds where one class is rare.
    ///
    /// # Source
    /// Gwet, British Journal of Mathematical and Statistical Psychology 61 (2008); `irrCAC`.
    ///
    /// # Deviation
    /// q counts the classes that there are, not those that were met.
    pub fn ac1(&self) -> Option<f64> {
        let n = self.n() as f64;
        if self.cells.len() < 2 {
            return None;
        }
        let (rows, columns) = self.margins();
        let shares = rows
            .iter()
            .zip(&columns)
            .map(|(row, column)| (row + column) / (2.0 * n));
        let chance = shares.map(|share| share * (1.0 - share)).sum::<f64>() / (self.cells.len() - 1) as f64;
        corrected(self.exact()?, chance)
    }

    /// The mean of a value of the cells that have one, each by its items.
    fn mean(&self, value: impl Fn(usize, usize) -> Option<f64>) -> Option<f64> {
        let (mut sum, mut n) = (0.0, 0);
        for (first, row) in self.cells.iter().enumerate() {
            for (second, count) in row.iter().enumerate() {
                if let Some(value) = value(first, second) {
                    sum += value * *count as f64;
                    n += count;
                }
            }
        }
        (n > 0).then(|| sum / n as f64)
    }

    fn margins(&self) -> (Vec<f64>, Vec<f64>) {
        let column = |class: usize| self.cells.iter().map(|row| row[class]).sum::<u64>() as f64;
        (
            self.cells
                .iter()
                .map(|row| row.iter().sum::<u64>() as f64)
                .collect(),
            (0..self.cells.len()).map(column).collect(),
        )
    }
}

fn corrected(observed: f64, chance: f64) -> Option<f64> {
    (chance < 1.0).then(|| (observed - chance) / (1.0 - chance))
}

/// Refuses a class that there is not.
pub(crate) fn check_class(class: usize, n_classes: usize) -> Result<()> {
    match class < n_classes {
        true => Ok(()),
        false => Err(Error::TooMany {
            what: "number of a class",
            most: n_classes.saturating_sub(1) as u64,
            got: class as u64,
        }),
    }
}

/// A measure with its interval over items.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Measured {
    /// The measure; `None` where the items do not define it.
    pub value: Option<f64>,
    /// The percentile interval over items drawn with replacement.
    pub interval: Option<Interval>,
    /// Replicates that do not define it, left out of the interval.
    pub n_undefined: u32,
}

impl Measured {
    /// Puts a value and its replicates together.
    pub(crate) fn new(value: Option<f64>, replicates: &Replicates, bootstrap: &Bootstrap) -> Self {
        Self {
            value,
            // Fewer than two replicates are defined: there is no interval.
            interval: value.and_then(|_| replicates.interval(bootstrap.level).ok()),
            n_undefined: replicates.n_undefined(),
        }
    }
}

/// All measures of agreement of two judges.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AgreementReport {
    /// Items that both judged.
    pub n_items: u64,
    /// The first judge's classes in rows.
    pub confusion: Confusion,
    /// [`Confusion::exact`].
    pub exact: Measured,
    /// [`Confusion::decisive`]; `None` where no class is a tie.
    pub decisive: Option<Measured>,
    /// [`Confusion::half_credit`]; `None` where no class is a tie.
    pub half_credit: Option<Measured>,
    /// [`Confusion::kappa`].
    pub kappa: Measured,
    /// [`Confusion::ac1`].
    pub ac1: Measured,
}

/// Measures the agreement of two judges on the same items.
///
/// # Shapes
/// One pair of classes, each under `n_classes`, for each item; `tie` is the class that means a tie, if one does.
///
/// # Errors
/// [`Error::TooFew`] without items, [`Error::TooMany`] for a class that is not under `n_classes`.
pub fn agreement(
    pairs: &[(usize, usize)],
    n_classes: usize,
    tie: Option<usize>,
    bootstrap: &Bootstrap,
) -> Result<AgreementReport> {
    if pairs.is_empty() {
        return Err(Error::TooFew {
            what: "items judged by both",
            least: 1,
            got: 0,
        });
    }
    let confusion = Confusion::of(pairs, n_classes)?;
    let replicates = bootstrap.collect(
        "agreement",
        || (),
        |draws, ()| {
            let mut cells = vec![vec![0; n_classes]; n_classes];
            for _ in 0..pairs.len() {
                let (first, second) = pairs[draws.below(pairs.len())];
                cells[first][second] += 1;
            }
            Confusion { cells }
        },
    );
    let measured = |measure: &dyn Fn(&Confusion) -> Option<f64>| {
        let values = Replicates::new(replicates.iter().map(measure).collect());
        Measured::new(measure(&confusion), &values, bootstrap)
    };
    Ok(AgreementReport {
        n_items: confusion.n(),
        exact: measured(&Confusion::exact),
        decisive: tie.map(|tie| measured(&|confusion| confusion.decisive(tie))),
        half_credit: tie.map(|tie| measured(&|confusion| confusion.half_credit(tie))),
        kappa: measured(&Confusion::kappa),
        ac1: measured(&Confusion::ac1),
        confusion,
    })
}

/// [`agreement`] on outcomes, in the classes win, tie, loss.
///
/// # Errors
/// [`Error::TooFew`] without items.
pub fn outcome_agreement(pairs: &[(Outcome, Outcome)], bootstrap: &Bootstrap) -> Result<AgreementReport> {
    let pairs: Vec<(usize, usize)> = pairs.iter().map(|(a, b)| (*a as usize, *b as usize)).collect();
    agreement(&pairs, 3, Some(Outcome::Tie as usize), bootstrap)
}
