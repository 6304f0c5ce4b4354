//! The pairs that go through the network together.

use anyhow::{Context as _, bail};
use asap_diffusion::Adapter;
use asap_diffusion::device::Place;
use asap_diffusion::training::{Conditioning, Descent, ErrorWeights, Errors, PairInput, Rejected};

use super::Progress;
use super::ladder::{Attempt, Layout, climb};
use super::steps::{Drawn, Set, Steps, input, sides};
use crate::config::Kind;
use crate::data::Example;
use crate::draw::Level;
use crate::objective::{self, DrawErrors, Outcome, Pair};
use crate::order::{self, Slot};
use crate::telemetry::{self, ImageErrors, PairRecord};

/// Errors of the pairs of a micro-batch at one draw.
type OfDraw = Vec<Pair<objective::Errors>>;

/// What a process finds in its pairs of a step.
type Found = (Vec<Outcome>, Vec<PairRecord>);

/// The gradients of a step, which can be computed in another layout from the same draws.
struct Gradients<'a> {
    steps: &'a mut Steps,
    step: u64,
    slots: &'a [Slot],
    units: &'a [Vec<f64>],
    n_drifts: usize,
    progress: &'a dyn Progress,
}

impl Attempt for Gradients<'_> {
    type Done = Found;

    fn attempt(&mut self, layout: Layout) -> anyhow::Result<Found> {
        self.steps.take(layout)?;
        let found = self.of_all();
        if found.is_err() {
            self.steps.trainee.forget_sum()?;
        }
        found
    }

    fn told(&mut self, text: String) -> anyhow::Result<()> {
        self.steps.note(self.step, text, self.progress)
    }
}

impl Gradients<'_> {
    fn of_all(&mut self) -> anyhow::Result<Found> {
        let (mut outcomes, mut pairs) = (Vec::new(), Vec::new());
        for slots in self.steps.micro_batches(self.slots) {
            let n_drifts = self.n_drifts.saturating_sub(pairs.len());
            let found = self.steps.micro_batch(&slots, self.units, n_drifts)?;
            for (slot, (outcome, record)) in slots.iter().zip(found) {
                if !outcome.loss.is_finite() {
                    let id = self.steps.chosen.train[slot.pair_idx].id;
                    bail!(
                        "step {}: the loss of pair `{id}` is {}: expected a number; the checkpoints are as they were",
                        self.step,
                        outcome.loss
                    );
                }
                outcomes.push(outcome);
                pairs.push(record);
            }
        }
        Ok((outcomes, pairs))
    }
}

impl Steps {
    /// Adds the gradients of the pairs of this process to the sum. Where there is no memory left, the layout of this
    /// and the following steps is changed and told.
    pub(super) fn gradients(
        &mut self,
        (step, slots): (u64, &[Slot]),
        (units, n_drifts): (&[Vec<f64>], usize),
        progress: &dyn Progress,
    ) -> anyhow::Result<Found> {
        let n_swappable = match self.place {
            // The host's memory is that of the device.
            Place::Cpu => 0,
            Place::Cuda(_) => self.trainee.n_blocks(),
        };
        let mut layout = self.layout;
        let mut gradients = Gradients {
            steps: self,
            step,
            slots,
            units,
            n_drifts,
            progress,
        };
        climb(&mut gradients, &mut layout, n_swappable)
    }

    /// From now on computes in this layout.
    fn take(&mut self, layout: Layout) -> anyhow::Result<()> {
        self.layout = layout;
        self.trainee.checkpointing = layout.checkpointing;
        self.trainee.swap_blocks(layout.swap_blocks)?;
        Ok(())
    }

    /// The pairs of a process in groups of one size.
    pub(super) fn micro_batches(&self, slots: &[Slot]) -> Vec<Vec<Slot>> {
        let sizes = |pair_idx: usize| sizes(&self.chosen.train[pair_idx]);
        order::micro_batches(slots, sizes, self.layout.micro_batch_pairs)
    }

    /// Adds the gradient of pairs of one size to the sum. `units` are those of the global batch for each draw; the
    /// drift of the first `n_drifts` pairs is measured.
    pub(super) fn micro_batch(
        &mut self,
        slots: &[Slot],
        units: &[Vec<f64>],
        n_drifts: usize,
    ) -> anyhow::Result<Vec<(Outcome, PairRecord)>> {
        let draws = (0u32..)
            .zip(units)
            .map(|(draw_idx, units)| self.draw(slots, draw_idx, |slot| units[slot.place]))
            .collect::<anyhow::Result<Vec<_>>>()?;
        let mut references: Vec<OfDraw> = Vec::new();
        for drawn in &draws {
            references.push(self.references_of(slots, references.len() as u32, drawn)?);
        }
        let (policies, outcomes) = match (draws.as_slice(), references.as_slice()) {
            ([drawn], [reference]) => {
                let (policy, outcomes) = self.descend(slots, drawn, reference)?;
                (vec![policy], outcomes)
            }
            _ => self.descend_draws(slots, &draws, &references)?,
        };
        let first = draws.first().context("a step has at least one draw")?;
        let mut found = Vec::with_capacity(slots.len());
        for (at, outcome) in outcomes.into_iter().enumerate() {
            let example = &self.chosen.train[slots[at].pair_idx];
            let drift = (at < n_drifts)
                .then(|| self.trainee.background_drift(&input(example, &first[at])))
                .transpose()?;
            let errors = (policies[0][at], references[0][at]);
            let record = pair_record(example, first[at].level, errors, &outcome, drift);
            found.push((outcome, record));
        }
        Ok(found)
    }

    /// Errors of policy and reference on the first `n` pairs of the training set at one fixed draw, each as a step
    /// computes it: the policy's with its gradient, which is then forgotten.
    pub(super) fn both_errors(&mut self, n: usize) -> anyhow::Result<Vec<[[Errors; 2]; 2]>> {
        let slots: Vec<Slot> = (0..n)
            .map(|pair_idx| Slot {
                pair_idx,
                epoch: 0,
                place: pair_idx,
            })
            .collect();
        let mut found = Vec::with_capacity(n);
        for slots in self.micro_batches(&slots) {
            let drawn = self.draw(&slots, 0, |_| 0.5)?;
            let inputs = inputs(&self.chosen.train, &slots, &drawn);
            let reference = self.trainee.errors(&inputs, Adapter::Off, self.layout.backward)?;
            let descent = self.descent(&slots);
            let policy = self
                .trainee
                .accumulate(&inputs, &descent, |policy| vec![[0.0; 2]; policy.len()])?;
            self.trainee.forget_sum()?;
            found.extend(policy.into_iter().zip(reference).map(<[_; 2]>::from));
        }
        Ok(found)
    }

    /// One draw for each pair.
    fn draw(&self, slots: &[Slot], draw_idx: u32, unit: impl Fn(&Slot) -> f64) -> anyhow::Result<Vec<Drawn>> {
        let drawn = slots.iter().map(|slot| {
            let example = &self.chosen.train[slot.pair_idx];
            self.drawn(example, &self.key(*slot, draw_idx), unit(slot))
        });
        drawn.collect()
    }

    fn references_of(&mut self, slots: &[Slot], draw_idx: u32, drawn: &[Drawn]) -> anyhow::Result<OfDraw> {
        let pairs: Vec<usize> = slots.iter().map(|slot| slot.pair_idx).collect();
        let keys: Vec<_> = slots.iter().map(|slot| self.key(*slot, draw_idx)).collect();
        self.references((Set::Train, &pairs), &keys, drawn)
    }

    fn measured(&self, slots: &[Slot], drawn: &[Drawn], adapter: Adapter) -> anyhow::Result<OfDraw> {
        let inputs = inputs(&self.chosen.train, slots, drawn);
        let found = self.trainee.errors(&inputs, adapter, self.layout.backward)?;
        Ok(found.into_iter().map(sides).collect())
    }

    fn descent(&self, slots: &[Slot]) -> Descent {
        let weights = slots.iter().map(|slot| {
            let means = self.chosen.train[slot.pair_idx].mask_means;
            ErrorWeights(self.objective.coefficients(means))
        });
        Descent {
            weights: weights.collect(),
            backward: self.layout.backward,
            rejected: match self.settings.objective.kind {
                Kind::Sft => Rejected::Measured,
                Kind::Dpo | Kind::Ipo | Kind::BoundedLocal => Rejected::Trained,
            },
        }
    }

    /// The gradient at the only draw: the factors are known as soon as the errors are.
    fn descend(
        &mut self,
        slots: &[Slot],
        drawn: &[Drawn],
        reference: &OfDraw,
    ) -> anyhow::Result<(OfDraw, Vec<Outcome>)> {
        let descent = self.descent(slots);
        let inputs = inputs(&self.chosen.train, slots, drawn);
        let (objective, examples) = (self.objective, &self.chosen.train);
        let mut outcomes = Vec::with_capacity(slots.len());
        let policy = self.trainee.accumulate(&inputs, &descent, |policy| {
            let mut factors = Vec::with_capacity(policy.len());
            for ((policy, reference), slot) in policy.iter().zip(reference).zip(slots) {
                let means = examples[slot.pair_idx].mask_means;
                let outcome = objective.outcome(sides(*policy), *reference, means);
                factors.push([outcome.factors[0].preferred, outcome.factors[0].rejected]);
                outcomes.push(outcome);
            }
            factors
        })?;
        Ok((policy.into_iter().map(sides).collect(), outcomes))
    }

    /// The gradient at several draws: the factors of one depend on all, so the errors are measured first.
    fn descend_draws(
        &mut self,
        slots: &[Slot],
        draws: &[Vec<Drawn>],
        references: &[OfDraw],
    ) -> anyhow::Result<(Vec<OfDraw>, Vec<Outcome>)> {
        let mut policies = Vec::with_capacity(draws.len());
        for drawn in draws {
            policies.push(self.measured(slots, drawn, Adapter::On)?);
        }
        let outcome = |(at, slot): (usize, &Slot)| {
            let draws = policies.iter().zip(references);
            let all: Vec<DrawErrors> = draws
                .map(|(policy, reference)| DrawErrors {
                    policy: policy[at],
                    reference: reference[at],
                })
                .collect();
            self.objective
                .outcome_of_draws(&all, self.chosen.train[slot.pair_idx].mask_means)
        };
        let outcomes: Vec<Outcome> = slots.iter().enumerate().map(outcome).collect();
        let descent = self.descent(slots);
        for (draw_idx, drawn) in draws.iter().enumerate() {
            let factors = outcomes.iter().map(|outcome| {
                let factor = &outcome.factors[draw_idx];
                [factor.preferred, factor.rejected]
            });
            let factors = factors.collect();
            let inputs = inputs(&self.chosen.train, slots, drawn);
            self.trainee.accumulate(&inputs, &descent, |_| factors)?;
        }
        Ok((policies, outcomes))
    }
}

fn inputs<'a>(examples: &'a [Example], slots: &[Slot], drawn: &'a [Drawn]) -> Vec<PairInput<'a>> {
    let pairs = slots.iter().zip(drawn);
    pairs
        .map(|(slot, drawn)| input(&examples[slot.pair_idx], drawn))
        .collect()
}

/// What must be equal for pairs to go together: the sizes of the latent and the tokens of the text.
fn sizes(example: &Example) -> ([usize; 3], usize) {
    let mut latent = [0; 3];
    for (size, of_latent) in latent.iter_mut().zip(example.preferred.mean.shape()) {
        *size = *of_latent;
    }
    let tokens = match &example.conditioning {
        Conditioning::Flux { t5: tokens, .. } | Conditioning::Sdxl { tokens, .. } => tokens,
    };
    (latent, tokens.shape()[0])
}

fn pair_record(
    example: &Example,
    level: Level,
    (policy, reference): (Pair<objective::Errors>, Pair<objective::Errors>),
    outcome: &Outcome,
    drift: Option<f64>,
) -> PairRecord {
    let share = example.mask_means.m1;
    let shown = |errors: objective::Errors| telemetry::Errors::from_sums(errors.e0, errors.e1, share);
    PairRecord {
        pair_id: example.id,
        time: share_of_noise(level),
        sigma: share_of_noise(level),
        mask_area_share: share,
        part: example.part,
        mechanism: example.mechanism,
        delta: outcome.delta,
        winner_advantage: outcome.winner_advantage,
        loser_advantage: outcome.loser_advantage,
        winner: ImageErrors {
            policy: shown(policy.preferred),
            reference: shown(reference.preferred),
        },
        loser: ImageErrors {
            policy: shown(policy.rejected),
            reference: shown(reference.rejected),
        },
        background_drift: drift,
    }
}

/// FLUX: sigma. SDXL: the timestep over 1000.
fn share_of_noise(level: Level) -> f64 {
    match level {
        Level::Sigma(sigma) => f64::from(sigma),
        Level::Timestep(step) => f64::from(step) / 1000.0,
    }
}
