//! The records of a run.

use std::collections::BTreeMap;

use asap_core::{Mechanism, PairId, Part};
use serde::{Deserialize, Serialize};

use super::interval::{mean_interval, wilson};
use super::number;

/// One line of `telemetry.jsonl`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Record {
    /// A step of the optimiser.
    Step(Step),
    /// A measurement on held-out pairs.
    Eval(Eval),
    /// Images that were drawn.
    Sampled(Sampled),
    /// Something that a reader should know.
    Note(Note),
}

impl Record {
    /// The step that it belongs to; 0 is before the first update.
    pub const fn step(&self) -> u64 {
        match self {
            Self::Step(Step { step, .. })
            | Self::Eval(Eval { step, .. })
            | Self::Sampled(Sampled { step, .. })
            | Self::Note(Note { step, .. }) => *step,
        }
    }
}

/// A step of the optimiser. Means go over the pairs of the step.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Step {
    /// Which one, from 1.
    pub step: u64,
    /// How often the data was gone through before, from 0.
    pub epoch: u64,
    /// The mean loss.
    #[serde(with = "number")]
    pub loss: f64,
    /// The mean preference gap (Eq. 5): the sum of the two advantages.
    #[serde(with = "number")]
    pub delta: f64,
    /// Reference error minus policy error on the preferred image: positive where it is denoised better than before.
    #[serde(with = "number")]
    pub winner_advantage: f64,
    /// Policy error minus reference error on the rejected image: positive where it is denoised worse than before.
    #[serde(with = "number")]
    pub loser_advantage: f64,
    /// The share of pairs with a gap above 0.
    #[serde(with = "number")]
    pub accuracy: f64,
    /// The share of pairs with a gap above tau; `None` for an objective without margin.
    #[serde(with = "number::option")]
    pub share_past_tau: Option<f64>,
    /// The norm of the gradient before it was clipped.
    #[serde(with = "number")]
    pub grad_norm: f64,
    /// The learning rate of this step.
    #[serde(with = "number")]
    pub learning_rate: f64,
    /// How long the step took.
    #[serde(with = "number")]
    pub seconds: f64,
    /// How much of it was waiting for data.
    #[serde(with = "number")]
    pub data_wait_seconds: f64,
    /// The highest memory use so far, where the device tells it.
    pub memory_peak_bytes: Option<u64>,
    /// The pairs of the step.
    pub pairs: Vec<PairRecord>,
}

/// One pair at one draw of time and noise.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PairRecord {
    /// The pair.
    pub pair_id: PairId,
    /// Its timestep as a share of the schedule: 0 is the image, 1 is noise.
    #[serde(with = "number")]
    pub time: f64,
    /// How much noise there is: the sigma of FLUX, the timestep of SDXL over 1000.
    #[serde(with = "number")]
    pub sigma: f64,
    /// The mean of the training mask on the latent grid.
    #[serde(with = "number")]
    pub mask_area_share: f64,
    /// The part of the body that is wrong in the rejected image; `None` where the dataset does not say.
    pub part: Option<Part>,
    /// Where the error was made.
    pub mechanism: Mechanism,
    /// The gap of this pair.
    #[serde(with = "number")]
    pub delta: f64,
    /// As in [`Step::winner_advantage`].
    #[serde(with = "number")]
    pub winner_advantage: f64,
    /// As in [`Step::loser_advantage`].
    #[serde(with = "number")]
    pub loser_advantage: f64,
    /// Errors on the preferred image.
    pub winner: ImageErrors,
    /// Errors on the rejected image.
    pub loser: ImageErrors,
    /// The mean square of the difference between policy and reference outside of the mask; `None` where the
    /// reference's prediction was not at hand (its errors came from the cache).
    #[serde(with = "number::option")]
    pub background_drift: Option<f64>,
}

/// Errors on one image.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ImageErrors {
    /// With the adapter.
    pub policy: Errors,
    /// Without.
    pub reference: Errors,
}

/// Mean squared errors inside and outside of the mask.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Errors {
    /// Inside; `None` where the mask is empty.
    #[serde(with = "number::option")]
    pub inside: Option<f64>,
    /// Outside; `None` where the mask covers everything.
    #[serde(with = "number::option")]
    pub outside: Option<f64>,
}

impl Errors {
    /// Takes the errors inside and outside apart.
    ///
    /// # Units
    /// `e0` is the mean of d², `e1` that of M d², for the difference d and the mask M on the latent grid;
    /// `mask_area_share` is the mean of M.
    /// # Deviation
    /// On the border of the mask M is between 0 and 1; a latent there counts by M inside and by 1 - M outside. The
    /// third error of the cache, the mean of M² d², is not needed.
    pub fn from_sums(e0: f64, e1: f64, mask_area_share: f64) -> Self {
        let outside_share = 1.0 - mask_area_share;
        Self {
            inside: (mask_area_share > 0.0).then(|| e1 / mask_area_share),
            outside: (outside_share > 0.0).then(|| (e0 - e1) / outside_share),
        }
    }
}

/// A measurement on held-out pairs, at fixed draws.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Eval {
    /// After which step.
    pub step: u64,
    /// Pairs (or draws of pairs) with a gap above 0.
    pub n_correct: u64,
    /// All of them.
    pub n: u64,
    /// Wilson's interval of the share; `None` where there are none.
    #[serde(with = "number::interval")]
    pub accuracy_interval: Option<[f64; 2]>,
    /// The mean gap; `None` where there are none.
    #[serde(with = "number::option")]
    pub delta: Option<f64>,
    /// Student's interval of the mean gap.
    #[serde(with = "number::interval")]
    pub delta_interval: Option<[f64; 2]>,
    /// The same by part of the body, in the order of the taxonomy.
    pub by_part: Vec<PartEval>,
}

/// Held-out pairs of one part of the body.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PartEval {
    /// The part.
    pub part: Part,
    /// Pairs with a gap above 0.
    pub n_correct: u64,
    /// All of them.
    pub n: u64,
    /// The mean gap.
    #[serde(with = "number")]
    pub delta: f64,
}

impl Eval {
    /// Counts the gaps of held-out pairs. A gap of exactly 0, or one that is no number, is not correct.
    pub fn of(step: u64, gaps: &[(Option<Part>, f64)]) -> Self {
        let all: Vec<f64> = gaps.iter().map(|(_, gap)| *gap).collect();
        let mut parts: BTreeMap<Part, Vec<f64>> = BTreeMap::new();
        for (part, gap) in gaps {
            if let Some(part) = part {
                parts.entry(*part).or_default().push(*gap);
            }
        }
        let mean = mean_interval(&all);
        Self {
            step,
            n_correct: n_correct(&all),
            n: all.len() as u64,
            accuracy_interval: wilson(n_correct(&all), all.len() as u64),
            delta: mean.map(|(mean, _)| mean),
            delta_interval: mean.and_then(|(_, interval)| interval),
            by_part: parts
                .into_iter()
                .map(|(part, gaps)| PartEval {
                    part,
                    n_correct: n_correct(&gaps),
                    n: gaps.len() as u64,
                    delta: gaps.iter().sum::<f64>() / gaps.len() as f64,
                })
                .collect(),
        }
    }

    /// The share of correct pairs; `None` where there are none.
    pub fn accuracy(&self) -> Option<f64> {
        (self.n > 0).then(|| self.n_correct as f64 / self.n as f64)
    }
}

fn n_correct(gaps: &[f64]) -> u64 {
    gaps.iter().filter(|gap| **gap > 0.0).count() as u64
}

/// Images that were drawn; step 0 is the base model.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sampled {
    /// After which step.
    pub step: u64,
    /// The images, in the order of the prompts.
    pub images: Vec<SampleImage>,
}

/// A drawn image.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SampleImage {
    /// Its PNG, relative to the run's folder, with `/` between names.
    pub file: String,
    /// What it was asked to show.
    pub prompt: String,
    /// The seed of its noise.
    pub seed: u64,
}

/// Something that a reader should know: what the memory ladder changed, where a run was taken up again, the noise
/// floor of the gap, the proof of step 0.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Note {
    /// At which step.
    pub step: u64,
    /// In one sentence.
    pub text: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_are_taken_apart_by_the_mask() {
        // Four latents, one masked: squares 8 inside and 1, 2, 3 outside.
        let errors = Errors::from_sums(14.0 / 4.0, 8.0 / 4.0, 0.25);
        assert_eq!((errors.inside, errors.outside), (Some(8.0), Some(2.0)));
        assert_eq!(Errors::from_sums(1.0, 0.0, 0.0).inside, None);
        assert_eq!(Errors::from_sums(1.0, 1.0, 1.0).outside, None);
    }

    #[test]
    fn held_out_pairs_are_counted_by_part() {
        let gaps = [
            (Some(Part::Hand), 0.5),
            (None, -0.5),
            (Some(Part::Face), 0.0),
            (Some(Part::Hand), -0.25),
        ];
        let eval = Eval::of(7, &gaps);
        assert_eq!((eval.n_correct, eval.n, eval.accuracy()), (1, 4, Some(0.25)));
        assert_eq!(eval.delta, Some(-0.0625));
        let parts: Vec<_> = eval
            .by_part
            .iter()
            .map(|p| (p.part, p.n_correct, p.n, p.delta))
            .collect();
        assert_eq!(parts, [(Part::Face, 0, 1, 0.0), (Part::Hand, 1, 2, 0.125)]);
        assert_eq!(Eval::of(0, &[]).accuracy(), None);
        assert_eq!(Eval::of(0, &[(None, f64::NAN)]).n_correct, 0);
    }
}
