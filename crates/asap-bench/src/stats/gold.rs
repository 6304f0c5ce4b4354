//! How well each rater does on items whose answer is known.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::distribution::{normal_density, normal_quantile};
use super::{Interval, Level, Rate, Result};

/// An answer on one image that has an error, or has none, by construction.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DetectionAnswer {
    /// Who answered.
    pub rater: String,
    /// The grade of difficulty, 1 for the easiest.
    pub grade: u8,
    /// Whether there is an error.
    pub has_error: bool,
    /// Whether the rater said so.
    pub said_error: bool,
}

/// An answer on two images of which one is better by construction.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChoiceAnswer {
    /// Who answered.
    pub rater: String,
    /// The grade of difficulty, 1 for the easiest.
    pub grade: u8,
    /// What was chosen.
    pub choice: GoldChoice,
}

/// What a rater chose of two images of which one is better.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GoldChoice {
    /// The better one.
    Better,
    /// Neither.
    Tie,
    /// The worse one.
    Worse,
}

/// The sensitivity index of signal detection: 0 at chance.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct DPrime {
    /// d'.
    pub value: f64,
    /// Its interval, by the normal approximation.
    pub interval: Interval,
}

/// One rater on single images.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DetectionSkill {
    /// The rater.
    pub rater: String,
    /// Errors that were found; `None` where none was shown.
    pub hits: Option<Rate>,
    /// Good images that were called wrong; `None` where none was shown.
    pub false_alarms: Option<Rate>,
    /// d' with errors and good images; `None` without either.
    pub d_prime: Option<DPrime>,
    /// Errors that were found, by grade.
    pub grades: Vec<(u8, Rate)>,
}

/// One rater on two images.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ChoiceSkill {
    /// The rater.
    pub rater: String,
    /// The better image chosen, over all answers: a tie is not a hit, for one image is better.
    pub hits: Rate,
    /// Ties over all answers.
    pub ties: Rate,
    /// d' of the answers that are no tie; `None` without any.
    pub d_prime: Option<DPrime>,
    /// The better image chosen, by grade.
    pub grades: Vec<(u8, Rate)>,
}

/// Measures each rater on single images, sorted by name. Intervals of rates are Wilson's.
///
/// # Errors
/// None that answers can cause.
///
/// # Source
/// Hit and false-alarm rates; [`d_prime_detection`].
pub fn detection_skills(answers: &[DetectionAnswer], level: Level) -> Result<Vec<DetectionSkill>> {
    let by_rater = group(answers, |answer| answer.rater.clone());
    let skill = |(rater, answers): (String, Vec<&DetectionAnswer>)| {
        let (bad, good): (Vec<_>, Vec<_>) = answers.into_iter().partition(|answer| answer.has_error);
        let said = |answer: &&DetectionAnswer| answer.said_error;
        let grades = group(bad.iter().copied(), |answer| answer.grade);
        let (hits, false_alarms) = (count(&bad, said), count(&good, said));
        Ok(DetectionSkill {
            rater,
            hits: rate(hits, level)?,
            false_alarms: rate(false_alarms, level)?,
            d_prime: (!bad.is_empty() && !good.is_empty())
                .then(|| d_prime_detection(hits, false_alarms, level)),
            grades: by_grade(grades, said, level)?,
        })
    };
    by_rater.into_iter().map(skill).collect()
}

/// Measures each rater on two images, sorted by name. Intervals of rates are Wilson's.
///
/// # Errors
/// None that answers can cause.
///
/// # Source
/// Shares of answers; [`d_prime_choice`].
pub fn choice_skills(answers: &[ChoiceAnswer], level: Level) -> Result<Vec<ChoiceSkill>> {
    let by_rater = group(answers, |answer| answer.rater.clone());
    let skill = |(rater, answers): (String, Vec<&ChoiceAnswer>)| {
        let better = |answer: &&ChoiceAnswer| answer.choice == GoldChoice::Better;
        let (hits, n) = count(&answers, better);
        let (ties, _) = count(&answers, |answer| answer.choice == GoldChoice::Tie);
        Ok(ChoiceSkill {
            rater,
            hits: Rate::independent(hits, n, level)?,
            ties: Rate::independent(ties, n, level)?,
            d_prime: (n > ties).then(|| d_prime_choice((hits, n - ties), level)),
            grades: by_grade(group(answers, |answer| answer.grade), better, level)?,
        })
    };
    by_rater.into_iter().map(skill).collect()
}

/// d' of finding errors: `z(H) - z(F)`, with `H = (hits + 1/2) / (n + 1)` and F the same of false alarms, which keeps
/// rates of 0 and 1 finite. Its variance is `H(1-H) / (n φ(z(H))²)` and the same of F.
///
/// # Shapes
/// Each argument is a count and what it is out of.
///
/// # Source
/// Macmillan and Creelman, "Detection theory" (2nd edition, 2005); correction: Hautus, Behavior
/// Research Methods 27 (1995); variance: Gourevitch and Galanter, Psychometrika 32 (1967).
pub fn d_prime_detection(hits: (u64, u64), false_alarms: (u64, u64), level: Level) -> DPrime {
    let (hit, hit_variance) = z_score(hits);
    let (alarm, alarm_variance) = z_score(false_alarms);
    around(hit - alarm, hit_variance + alarm_variance, level)
}

/// d' of choosing the better of two: `sqrt(2) z(P)` with `P = (hits + 1/2) / (n + 1)`.
///
/// # Shapes
/// Hits, and the answers that are no tie.
///
/// # Source
/// Macmillan and Creelman, "Detection theory" (2nd edition, 2005); correction and variance as
/// [`d_prime_detection`].
pub fn d_prime_choice(hits: (u64, u64), level: Level) -> DPrime {
    let (z, variance) = z_score(hits);
    around(std::f64::consts::SQRT_2 * z, 2.0 * variance, level)
}

fn around(value: f64, variance: f64, level: Level) -> DPrime {
    let half = level.z() * variance.sqrt();
    DPrime {
        value,
        interval: Interval {
            low: value - half,
            high: value + half,
        },
    }
}

/// The normal quantile of a corrected rate and its variance.
fn z_score((hits, n): (u64, u64)) -> (f64, f64) {
    let rate = (hits as f64 + 0.5) / (n as f64 + 1.0);
    let z = normal_quantile(rate);
    (z, rate * (1.0 - rate) / (n as f64 * normal_density(z).powi(2)))
}

fn group<'a, K: Ord, A: 'a>(
    answers: impl IntoIterator<Item = &'a A>,
    key: impl Fn(&A) -> K,
) -> BTreeMap<K, Vec<&'a A>> {
    let mut groups: BTreeMap<K, Vec<&A>> = BTreeMap::new();
    for answer in answers {
        groups.entry(key(answer)).or_default().push(answer);
    }
    groups
}

fn count<A>(answers: &[&A], is_hit: impl Fn(&&A) -> bool) -> (u64, u64) {
    (
        answers.iter().filter(|answer| is_hit(answer)).count() as u64,
        answers.len() as u64,
    )
}

fn rate((hits, n): (u64, u64), level: Level) -> Result<Option<Rate>> {
    (n > 0).then(|| Rate::independent(hits, n, level)).transpose()
}

fn by_grade<A>(
    grades: BTreeMap<u8, Vec<&A>>,
    is_hit: impl Fn(&&A) -> bool,
    level: Level,
) -> Result<Vec<(u8, Rate)>> {
    let rate = |(grade, answers): (u8, Vec<&A>)| {
        let (hits, n) = count(&answers, &is_hit);
        Ok((grade, Rate::independent(hits, n, level)?))
    };
    grades.into_iter().map(rate).collect()
}
