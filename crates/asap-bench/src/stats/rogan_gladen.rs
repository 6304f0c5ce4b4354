//! The error rate behind a judge that errs.

use serde::{Deserialize, Serialize};

use super::draws::Draws;
use super::{Bootstrap, ClusterCount, Error, Interval, Level, Rate, Replicates, Result};

/// Images that both the judge and people looked at, people being taken for right.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Calibration {
    /// Failures that the judge calls failures.
    pub caught: u64,
    /// Failures that the judge lets pass.
    pub missed: u64,
    /// Good images that the judge calls failures.
    pub false_alarms: u64,
    /// Good images that the judge lets pass.
    pub cleared: u64,
}

impl Calibration {
    /// The share of failures that the judge finds; `None` without failures.
    pub fn sensitivity(&self) -> Option<f64> {
        share(self.caught, self.missed)
    }

    /// The share of good images that the judge lets pass; `None` without any.
    pub fn specificity(&self) -> Option<f64> {
        share(self.cleared, self.false_alarms)
    }

    const fn n(&self) -> u64 {
        self.caught + self.missed + self.false_alarms + self.cleared
    }
}

fn share(hits: u64, misses: u64) -> Option<f64> {
    (hits + misses > 0).then(|| hits as f64 / (hits + misses) as f64)
}

/// An error rate corrected for the judge's errors.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct CorrectedAer {
    /// The rate that the judge gives.
    pub observed: f64,
    /// The share of failures that the judge finds.
    pub sensitivity: Rate,
    /// The share of good images that it lets pass.
    pub specificity: Rate,
    /// The corrected rate before it is cut to 0..1; outside of it where the judge's errors in the calibration do not
    /// fit its rate.
    pub unclipped: f64,
    /// The corrected rate.
    pub value: f64,
    /// The percentile interval over both samples, cut to 0..1.
    pub interval: Interval,
    /// The share of replicates that had to be cut.
    pub clipped_share: f64,
    /// Replicates in which the judge is no better than chance or a class is missing, left out.
    pub n_undefined: u32,
}

/// Corrects the error rate that a judge gives for the errors that the judge makes.
///
/// `AER* = (AER + Sp - 1) / (Se + Sp - 1)`. The interval draws prompts of the rate and images of the calibration,
/// each with replacement and independent of the other.
///
/// # Shapes
/// `clusters` has one entry for each prompt: the judge's failures and verdicts there.
///
/// # Errors
/// [`Error::TooFew`] with fewer than two prompts, or where the calibration lacks failures or good images;
/// [`Error::Undefined`] where sensitivity and specificity sum up to 1 or less: such a judge says nothing.
///
/// # Source
/// Rogan and Gladen, "Estimating prevalence from the results of a screening test", Am. J. Epidemiology 107 (1978).
pub fn corrected_aer(
    clusters: &[ClusterCount],
    calibration: &Calibration,
    bootstrap: &Bootstrap,
) -> Result<CorrectedAer> {
    let observed = Rate::clustered(clusters, bootstrap.level)?;
    if clusters.len() < 2 {
        return Err(Error::TooFew {
            what: "prompts of a bootstrap",
            least: 2,
            got: clusters.len(),
        });
    }
    let (sensitivity, specificity) = accuracies(calibration, bootstrap.level)?;
    let unclipped = correct(observed.value, calibration).ok_or(Error::Undefined {
        what: "corrected error rate",
        why: "expected sensitivity and specificity of the judge to sum up to more than 1",
    })?;
    let values = bootstrap.collect(
        "rogan_gladen",
        || (),
        |draws, ()| {
            let rate = drawn_rate(clusters, draws)?;
            correct(rate, &drawn_calibration(calibration, draws))
        },
    );
    let n_clipped = values
        .iter()
        .flatten()
        .filter(|value| !(0.0..=1.0).contains(*value))
        .count();
    let replicates = Replicates::new(values);
    Ok(CorrectedAer {
        observed: observed.value,
        sensitivity,
        specificity,
        unclipped,
        value: unclipped.clamp(0.0, 1.0),
        // Cutting keeps the order, so the percentiles of what was cut are the percentiles cut.
        interval: replicates.interval(bootstrap.level)?.within(0.0, 1.0),
        clipped_share: n_clipped as f64 / replicates.sorted().len() as f64,
        n_undefined: replicates.n_undefined(),
    })
}

fn accuracies(calibration: &Calibration, level: Level) -> Result<(Rate, Rate)> {
    let rate = |hits, misses, what| match hits + misses {
        0 => Err(Error::TooFew {
            what,
            least: 1,
            got: 0,
        }),
        n => Rate::independent(hits, n, level),
    };
    Ok((
        rate(
            calibration.caught,
            calibration.missed,
            "failures in the calibration",
        )?,
        rate(
            calibration.cleared,
            calibration.false_alarms,
            "good images in the calibration",
        )?,
    ))
}

fn correct(observed: f64, calibration: &Calibration) -> Option<f64> {
    let (sensitivity, specificity) = (calibration.sensitivity()?, calibration.specificity()?);
    let gain = sensitivity + specificity - 1.0;
    (gain > 0.0).then(|| (observed + specificity - 1.0) / gain)
}

fn drawn_rate(clusters: &[ClusterCount], draws: &mut Draws) -> Option<f64> {
    let mut sum = ClusterCount::default();
    for _ in 0..clusters.len() {
        let cluster = clusters[draws.below(clusters.len())];
        sum.hits += cluster.hits;
        sum.n += cluster.n;
    }
    (sum.n > 0).then(|| sum.hits as f64 / sum.n as f64)
}

fn drawn_calibration(calibration: &Calibration, draws: &mut Draws) -> Calibration {
    let Calibration {
        caught,
        missed,
        false_alarms,
        ..
    } = *calibration;
    let mut drawn = Calibration::default();
    for _ in 0..calibration.n() {
        let image = draws.below(calibration.n() as usize) as u64;
        *match image {
            _ if image < caught => &mut drawn.caught,
            _ if image < caught + missed => &mut drawn.missed,
            _ if image < caught + missed + false_alarms => &mut drawn.false_alarms,
            _ => &mut drawn.cleared,
        } += 1;
    }
    drawn
}
