//! The steps of a run: draws, errors, factors, gradients, and what is told about them.

use std::collections::BTreeMap;
use std::time::Instant;

use anyhow::{Context as _, bail};
use asap_core::Stream;
use asap_diffusion::device::Place;
use asap_diffusion::distributed::Group;
use asap_diffusion::runtime::{device_memory, process_peak_bytes};
use asap_diffusion::training::{
    self, Backward, Descent, ErrorWeights, Errors, PairInput, Rejected, Sampling, Trainee,
};
use asap_diffusion::{Adapter, Array};

use super::{Progress, noted, now};
use crate::config::{self, Kind, Settings};
use crate::data::{Chosen, Encoder, Example};
use crate::draw::{Draws, Key, Level, Levels, Side, normals};
use crate::folder::RunFolder;
use crate::lr::learning_rate;
use crate::objective::{self, DrawErrors, Objective, Outcome, Pair};
use crate::order::{Order, Slot, of_rank};
use crate::telemetry::{
    self, Eval, EventFile, ImageErrors, PairRecord, Record, SampleImage, Sampled, Step, TelemetryLog,
};

/// Passes through the network for a sample, and samples at a time.
const N_SAMPLE_STEPS: usize = 20;
const N_SAMPLES: usize = 3;
/// Guidance of samples where it is not embedded: the usual value for SDXL.
const SAMPLE_GUIDANCE: f64 = 5.0;
/// Pairs of a step whose drift is measured when there is an evaluation.
const N_DRIFTS: usize = 4;

/// One draw of a pair: the arrays that a [`PairInput`] points to.
struct Drawn {
    preferred: Array,
    rejected: Array,
    noise: Array,
    level: Level,
}

/// Errors of the frozen network on a held-out pair, one for each evaluation draw.
type Reference = Vec<Pair<objective::Errors>>;

/// A run in the middle of its steps.
pub(super) struct Steps {
    pub(super) settings: Settings,
    pub(super) objective: Objective,
    pub(super) trainee: Trainee,
    place: Place,
    chosen: Chosen,
    draws: Draws,
    levels: Levels,
    order: Order,
    group: Option<Group>,
    held_out_reference: BTreeMap<usize, Reference>,
    log: Option<TelemetryLog>,
    events: Option<EventFile>,
    /// Whether an end was asked for in any process: all end after the same step.
    pub(super) is_stopped: bool,
}

impl Steps {
    pub(super) fn new(
        settings: &Settings,
        chosen: Chosen,
        (trainee, place): (Trainee, Place),
        group: Option<Group>,
    ) -> anyhow::Result<Self> {
        let batch = settings.run.batch_pairs as usize;
        let order =
            Order::new(chosen.train.len(), batch, settings.run.seed).context("no pairs to train on")?;
        Ok(Self {
            objective: Objective::of(settings),
            draws: Draws::of(settings),
            levels: Levels::of(settings),
            settings: settings.clone(),
            order,
            trainee,
            place,
            chosen,
            group,
            held_out_reference: BTreeMap::new(),
            log: None,
            events: None,
            is_stopped: false,
        })
    }

    /// Where records go; only the first process has it.
    pub(super) fn attach(&mut self, log: TelemetryLog, events: EventFile) {
        self.log = Some(log);
        self.events = Some(events);
    }

    pub(super) fn is_first(&self) -> bool {
        self.log.is_some()
    }

    pub(super) fn n_pairs(&self) -> usize {
        self.chosen.train.len()
    }

    /// Brings the log to disk: a checkpoint stands on it.
    pub(super) fn sync(&self) -> anyhow::Result<()> {
        if let Some(log) = &self.log {
            log.sync()?;
        }
        Ok(())
    }

    pub(super) fn note(&mut self, step: u64, text: String, progress: &dyn Progress) -> anyhow::Result<()> {
        self.record(&noted(step, text), progress)
    }

    fn record(&mut self, record: &Record, progress: &dyn Progress) -> anyhow::Result<()> {
        if let (Some(log), Some(events)) = (&mut self.log, &mut self.events) {
            log.write(record)?;
            events.write(now(), record)?;
            progress.record(record, u64::from(self.settings.run.steps));
        }
        Ok(())
    }

    /// One step, counted from 1.
    pub(super) fn step(&mut self, step: u64, progress: &dyn Progress) -> anyhow::Result<()> {
        let started = Instant::now();
        let at = u32::try_from(step - 1).context("too many steps")?;
        let batch = self.order.batch(at);
        let units = self.units(at, &batch);
        let (rank, n_ranks) = self
            .group
            .as_ref()
            .map_or((0, 1), |group| (group.rank(), group.size()));
        let run = &self.settings.run;
        let is_eval = step == u64::from(run.steps)
            || run
                .eval_every_steps
                .is_some_and(|n| n > 0 && step.is_multiple_of(u64::from(n)));
        let mut pairs = Vec::new();
        let mut outcomes = Vec::new();
        for slot in of_rank(&batch, rank, n_ranks) {
            let units: Vec<f64> = units.iter().map(|draw| draw[slot.place]).collect();
            let measures_drift = is_eval && pairs.len() < N_DRIFTS;
            let (outcome, record) = self.pair(slot, &units, measures_drift)?;
            if !outcome.loss.is_finite() {
                let id = self.chosen.train[slot.pair_idx].id;
                self.trainee.forget_sum()?;
                bail!(
                    "step {step}: the loss of pair `{id}` is {}: expected a number; the checkpoints are as they were",
                    outcome.loss
                );
            }
            outcomes.push(outcome);
            pairs.push(record);
        }
        let rate = learning_rate(&self.settings, at);
        let applied = self.trainee.apply(rate, batch.len(), self.group.as_ref())?;
        let record = self.told(step, &batch, &outcomes, (pairs, progress.is_stopped()))?;
        let record = Record::Step(Step {
            grad_norm: applied.grad_norm,
            learning_rate: rate,
            seconds: started.elapsed().as_secs_f64(),
            memory_peak_bytes: self.memory_peak_bytes(),
            ..record
        });
        self.record(&record, progress)
    }

    /// Of the device that is trained on, where it is known.
    fn memory_peak_bytes(&self) -> Option<u64> {
        match self.place {
            Place::Cpu => process_peak_bytes(),
            Place::Cuda(_) => device_memory(self.place).and_then(|memory| memory.peak_bytes),
        }
    }

    /// For each draw, the units of the whole global batch.
    fn units(&self, step: u32, batch: &[Slot]) -> Vec<Vec<f64>> {
        let keys =
            |draw_idx: u32| -> Vec<Key> { batch.iter().map(|slot| self.key(*slot, draw_idx)).collect() };
        (0..self.settings.objective.draws)
            .map(|draw_idx| self.draws.units(step, &keys(draw_idx)))
            .collect()
    }

    fn key(&self, slot: Slot, draw_idx: u32) -> Key {
        Key {
            pair_id: self.chosen.train[slot.pair_idx].id,
            epoch: slot.epoch,
            draw_idx,
        }
    }

    /// Adds the gradient of one pair to the sum.
    fn pair(
        &mut self,
        slot: Slot,
        units: &[f64],
        measures_drift: bool,
    ) -> anyhow::Result<(Outcome, PairRecord)> {
        let keys: Vec<Key> = (0..units.len() as u32)
            .map(|draw_idx| self.key(slot, draw_idx))
            .collect();
        let example = &self.chosen.train[slot.pair_idx];
        let drawn = keys
            .iter()
            .zip(units)
            .map(|(key, unit)| self.drawn(example, key, *unit))
            .collect::<anyhow::Result<Vec<_>>>()?;
        let backward = self.backward();
        let mut references = Vec::new();
        for draw in &drawn {
            references.push(sides(self.trainee.errors(
                &input(example, draw),
                Adapter::Off,
                backward,
            )?));
        }
        let descent = Descent {
            weights: ErrorWeights(self.objective.coefficients(example.mask_means)),
            backward,
            rejected: match self.settings.objective.kind {
                Kind::Sft => Rejected::Measured,
                Kind::Dpo | Kind::Ipo | Kind::BoundedLocal => Rejected::Trained,
            },
        };
        let (objective, means) = (self.objective, example.mask_means);
        let (policies, outcome) = if let ([draw], [reference]) = (drawn.as_slice(), references.as_slice()) {
            let mut outcome = None;
            let policy = self
                .trainee
                .accumulate(&input(example, draw), descent, |policy| {
                    let found = objective.outcome(sides(policy), *reference, means);
                    let factor = found.factors[0];
                    outcome = Some(found);
                    [factor.preferred, factor.rejected]
                })?;
            (vec![sides(policy)], outcome.context("the outcome of a pair")?)
        } else {
            // The factors of one draw depend on all: the errors are measured first.
            let mut policies = Vec::new();
            for draw in &drawn {
                policies.push(sides(self.trainee.errors(
                    &input(example, draw),
                    Adapter::On,
                    backward,
                )?));
            }
            let together = policies.iter().zip(&references);
            let all: Vec<DrawErrors> = together
                .map(|(policy, reference)| DrawErrors {
                    policy: *policy,
                    reference: *reference,
                })
                .collect();
            let outcome = objective.outcome_of_draws(&all, means);
            for (draw, factor) in drawn.iter().zip(&outcome.factors) {
                let factor = [factor.preferred, factor.rejected];
                self.trainee
                    .accumulate(&input(example, draw), descent, |_| factor)?;
            }
            (policies, outcome)
        };
        let drift = if measures_drift {
            Some(self.trainee.background_drift(&input(example, &drawn[0]))?)
        } else {
            None
        };
        let record = pair_record(
            example,
            drawn[0].level,
            (policies[0], references[0]),
            &outcome,
            drift,
        );
        Ok((outcome, record))
    }

    fn drawn(&self, example: &Example, key: &Key, unit: f64) -> anyhow::Result<Drawn> {
        let shape = example.preferred.mean.shape();
        let n: usize = shape.iter().product();
        let latent = |side: Side| {
            let latent = match side {
                Side::Preferred => &example.preferred,
                Side::Rejected => &example.rejected,
            };
            // An exact encoder draws nothing.
            let normals = latent
                .std
                .as_ref()
                .and_then(|_| self.draws.vae_noise(key, side, n));
            latent.drawn(normals.as_deref())
        };
        Ok(Drawn {
            preferred: latent(Side::Preferred),
            rejected: latent(Side::Rejected),
            noise: Array::new(shape, self.draws.noise(key, n))?,
            level: self.levels.level(unit, n_tokens(shape))?,
        })
    }

    fn backward(&self) -> Backward {
        match self.settings.run.backward {
            config::Backward::Split => Backward::Split,
            config::Backward::Joint => Backward::Joint,
        }
    }

    /// Means over the global batch: the sums of all processes are added.
    fn told(
        &mut self,
        step: u64,
        batch: &[Slot],
        outcomes: &[Outcome],
        (pairs, is_stopped): (Vec<PairRecord>, bool),
    ) -> anyhow::Result<Step> {
        let sum = |of: &dyn Fn(&Outcome) -> f64| outcomes.iter().map(of).sum::<f64>();
        let mut sums = [
            sum(&|outcome| outcome.loss),
            sum(&|outcome| outcome.delta),
            sum(&|outcome| outcome.winner_advantage),
            sum(&|outcome| outcome.loser_advantage),
            sum(&|outcome| outcome.accuracy_credit),
            sum(&|outcome| f64::from(u8::from(outcome.is_past_tau == Some(true)))),
            f64::from(u8::from(is_stopped)),
        ];
        if let Some(group) = &self.group {
            group.sum_f64(&mut sums)?;
        }
        self.is_stopped = sums[6] > 0.0;
        let [loss, delta, winner, loser, accuracy, past_tau, _] = sums.map(|sum| sum / batch.len() as f64);
        Ok(Step {
            step,
            epoch: batch.first().map_or(0, |slot| u64::from(slot.epoch)),
            loss,
            delta,
            winner_advantage: winner,
            loser_advantage: loser,
            accuracy,
            share_past_tau: self.objective.tau().map(|_| past_tau),
            grad_norm: 0.0,
            learning_rate: 0.0,
            seconds: 0.0,
            data_wait_seconds: 0.0,
            memory_peak_bytes: None,
            pairs,
        })
    }

    /// Errors of policy and reference on a pair of the training set at one fixed draw, each as a step computes it:
    /// the policy's with its gradient, which is then forgotten.
    pub(super) fn both_errors(&mut self, pair_idx: usize) -> anyhow::Result<[[Errors; 2]; 2]> {
        let slot = Slot {
            pair_idx,
            epoch: 0,
            place: 0,
        };
        let example = &self.chosen.train[pair_idx];
        let drawn = self.drawn(example, &self.key(slot, 0), 0.5)?;
        let backward = self.backward();
        let descent = Descent {
            weights: ErrorWeights(self.objective.coefficients(example.mask_means)),
            backward,
            rejected: Rejected::Trained,
        };
        let reference = self
            .trainee
            .errors(&input(example, &drawn), Adapter::Off, backward)?;
        let policy = self
            .trainee
            .accumulate(&input(example, &drawn), descent, |_| [0.0, 0.0])?;
        self.trainee.forget_sum()?;
        Ok([policy, reference])
    }

    /// How much delta moves when the latents of a pair are rounded up or down by half a unit of the network's numbers:
    /// root mean square over the first `n` pairs.
    pub(super) fn noise_floor(&self, n: usize) -> anyhow::Result<f64> {
        let ulp = match self.settings.model.precision {
            config::Precision::F32 => 2f32.powi(-24),
            config::Precision::Bf16 => 2f32.powi(-9),
        };
        let mut squares = 0.0;
        for pair_idx in 0..n {
            let slot = Slot {
                pair_idx,
                epoch: 0,
                place: 0,
            };
            let example = &self.chosen.train[pair_idx];
            let key = self.key(slot, 0);
            let drawn = self.drawn(example, &key, 0.5)?;
            let plain = sides(
                self.trainee
                    .errors(&input(example, &drawn), Adapter::Off, self.backward())?,
            );
            let mut stream = Stream::new(self.settings.run.seed, &format!("noise-floor/{}", example.id));
            let mut dither = |array: &Array| {
                let moved = array
                    .values()
                    .iter()
                    .map(|value| value * (1.0 + ulp * (2.0 * stream.unit() as f32 - 1.0)));
                Array::new(array.shape(), moved.collect())
            };
            let moved = Drawn {
                preferred: dither(&drawn.preferred)?,
                rejected: dither(&drawn.rejected)?,
                noise: drawn.noise.clone(),
                level: drawn.level,
            };
            let moved = sides(
                self.trainee
                    .errors(&input(example, &moved), Adapter::Off, self.backward())?,
            );
            squares += self
                .objective
                .outcome(moved, plain, example.mask_means)
                .delta
                .powi(2);
        }
        Ok((squares / n.max(1) as f64).sqrt())
    }

    /// The held-out pairs at their fixed draws.
    pub(super) fn evaluate(&mut self, step: u64, progress: &dyn Progress) -> anyhow::Result<()> {
        if !self.is_first() || self.chosen.held_out.is_empty() {
            return Ok(());
        }
        let units = Draws::eval_units(self.settings.run.n_eval_draws);
        let mut gaps = Vec::new();
        for pair_idx in 0..self.chosen.held_out.len() {
            let example = &self.chosen.held_out[pair_idx];
            let mut policy = Vec::new();
            let mut reference = Vec::new();
            for (draw_idx, unit) in units.iter().enumerate() {
                let key = Key {
                    pair_id: example.id,
                    epoch: u32::MAX,
                    draw_idx: draw_idx as u32,
                };
                let drawn = self.drawn(example, &key, *unit)?;
                let errors = |adapter| -> anyhow::Result<Pair<objective::Errors>> {
                    Ok(sides(self.trainee.errors(
                        &input(example, &drawn),
                        adapter,
                        self.backward(),
                    )?))
                };
                policy.push(errors(Adapter::On)?);
                if !self.held_out_reference.contains_key(&pair_idx) {
                    reference.push(errors(Adapter::Off)?);
                }
            }
            let reference = self.held_out_reference.entry(pair_idx).or_insert(reference);
            let draws: Vec<DrawErrors> = policy
                .into_iter()
                .zip(reference.iter())
                .map(|(policy, reference)| DrawErrors {
                    policy,
                    reference: *reference,
                })
                .collect();
            let outcome = self.objective.outcome_of_draws(&draws, example.mask_means);
            gaps.push((example.part, outcome.delta));
        }
        self.record(&Record::Eval(Eval::of(step, &gaps)), progress)
    }

    /// Pictures of the first held-out prompts, from the same noise at every step.
    pub(super) fn sample(
        &mut self,
        step: u64,
        encoder: &Encoder,
        folder: &RunFolder,
        progress: &dyn Progress,
    ) -> anyhow::Result<()> {
        if !self.is_first() {
            return Ok(());
        }
        let examples = self.chosen.held_out.iter().chain(&self.chosen.train);
        let mut prompts: Vec<&Example> = Vec::new();
        for example in examples {
            if prompts.len() < N_SAMPLES && prompts.iter().all(|chosen| chosen.prompt != example.prompt) {
                prompts.push(example);
            }
        }
        let mut images = Vec::new();
        for (seed, example) in prompts.into_iter().enumerate() {
            let shape = example.preferred.mean.shape();
            let mut stream = Stream::new(seed as u64, "train/sample");
            let noise = Array::new(shape, normals(&mut stream, shape.iter().product()))?;
            let negative = Encoder::nothing(&example.conditioning)?;
            let request = Sampling {
                noise: &noise,
                conditioning: &example.conditioning,
                negative: negative.as_ref(),
                n_steps: N_SAMPLE_STEPS,
                guidance: SAMPLE_GUIDANCE,
            };
            let latent = self.trainee.sample(&request, Adapter::On)?;
            let (rgb, width, height) = encoder.picture(&latent)?;
            let png = png(rgb, width, height)?;
            let file = folder.write_sample(step, seed, &png)?;
            if let Some(events) = &mut self.events {
                events.write_image(now(), step, &format!("sample/{seed}"), &png)?;
            }
            images.push(SampleImage {
                file,
                prompt: example.prompt.clone(),
                seed: seed as u64,
            });
        }
        self.record(&Record::Sampled(Sampled { step, images }), progress)
    }
}

fn input<'a>(example: &'a Example, drawn: &'a Drawn) -> PairInput<'a> {
    PairInput {
        preferred: &drawn.preferred,
        rejected: &drawn.rejected,
        mask: &example.mask,
        noise: &drawn.noise,
        time: match drawn.level {
            Level::Sigma(sigma) => f64::from(sigma),
            Level::Timestep(step) => f64::from(step),
        },
        conditioning: &example.conditioning,
    }
}

fn sides(errors: [training::Errors; 2]) -> Pair<objective::Errors> {
    let [preferred, rejected] = errors.map(|errors| objective::Errors {
        e0: errors.e0,
        e1: errors.e1,
        e2: errors.e2,
    });
    Pair { preferred, rejected }
}

/// Tokens of a latent `[C, h, w]` that is packed two by two.
fn n_tokens(shape: &[usize]) -> usize {
    shape[1..].iter().product::<usize>() / 4
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

fn png(rgb: Vec<u8>, width: usize, height: usize) -> anyhow::Result<Vec<u8>> {
    let image =
        image::RgbImage::from_raw(width as u32, height as u32, rgb).context("a picture of its size")?;
    let mut bytes = std::io::Cursor::new(Vec::new());
    image.write_to(&mut bytes, image::ImageFormat::Png)?;
    Ok(bytes.into_inner())
}
