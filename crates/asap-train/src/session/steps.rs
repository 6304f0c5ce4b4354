//! The steps of a run: draws, errors, factors, gradients, and what is told about them.

mod fill;
mod reference;

use std::collections::BTreeMap;
use std::slice;
use std::time::Instant;

use anyhow::Context as _;
use asap_core::Stream;
use asap_diffusion::device::Place;
use asap_diffusion::distributed::Group;
use asap_diffusion::runtime::{device_memory, process_peak_bytes};
use asap_diffusion::training::{self, Backward, PairInput, Sampling, Trainee};
use asap_diffusion::{Adapter, Array};

use super::ladder::Layout;
use super::{Progress, noted, now};
use crate::config::{self, Settings};
use crate::data::{Chosen, Encoder, Example};
use crate::draw::{Draws, Key, Level, Levels, Side, normals};
use crate::folder::RunFolder;
use crate::lr::learning_rate;
use crate::objective::{self, DrawErrors, Objective, Outcome, Pair};
use crate::order::{Order, Slot, of_rank};
use crate::telemetry::{Eval, EventFile, PairRecord, Record, SampleImage, Sampled, Step, TelemetryLog};

use reference::Kept;
pub use reference::ReferenceCounts;
pub(super) use reference::Set;

/// Passes through the network for a sample, and samples at a time.
const N_SAMPLE_STEPS: usize = 20;
const N_SAMPLES: usize = 3;
/// Guidance of samples where it is not embedded: the usual value for SDXL.
const SAMPLE_GUIDANCE: f64 = 5.0;
/// Pairs of a step whose drift is measured when there is an evaluation.
const N_DRIFTS: usize = 4;

/// One draw of a pair: the arrays that a [`PairInput`] points to.
pub(super) struct Drawn {
    preferred: Array,
    rejected: Array,
    noise: Array,
    pub(super) level: Level,
}

/// Errors of the frozen network on a held-out pair, one for each evaluation draw.
type Reference = Vec<Pair<objective::Errors>>;

/// A run in the middle of its steps.
pub(super) struct Steps {
    pub(super) settings: Settings,
    pub(super) objective: Objective,
    pub(super) trainee: Trainee,
    /// How much of a step is in memory at once: at first as the settings say.
    pub(super) layout: Layout,
    pub(super) place: Place,
    pub(super) chosen: Chosen,
    draws: Draws,
    levels: Levels,
    order: Order,
    group: Option<Group>,
    held_out_reference: BTreeMap<usize, Reference>,
    kept: Option<Kept>,
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
            layout: Layout {
                checkpointing: trainee.checkpointing,
                swap_blocks: settings.run.swap_blocks as usize,
                micro_batch_pairs: settings.run.micro_batch_pairs as usize,
                backward: match settings.run.backward {
                    config::Backward::Split => Backward::Split,
                    config::Backward::Joint => Backward::Joint,
                },
            },
            trainee,
            place,
            chosen,
            group,
            held_out_reference: BTreeMap::new(),
            kept: None,
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
        let n_drifts = if is_eval { N_DRIFTS } else { 0 };
        let own = of_rank(&batch, rank, n_ranks);
        let (outcomes, pairs) = self.gradients((step, &own), (&units, n_drifts), progress)?;
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

    pub(super) fn key(&self, slot: Slot, draw_idx: u32) -> Key {
        Key {
            pair_id: self.chosen.train[slot.pair_idx].id,
            epoch: slot.epoch,
            draw_idx,
        }
    }

    pub(super) fn drawn(&self, example: &Example, key: &Key, unit: f64) -> anyhow::Result<Drawn> {
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
            level: self.level(example, unit)?,
        })
    }

    fn level(&self, example: &Example, unit: f64) -> anyhow::Result<Level> {
        Ok(self
            .levels
            .level(unit, n_tokens(example.preferred.mean.shape()))?)
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

    /// The errors of one pair alone.
    fn errors(
        &self,
        example: &Example,
        drawn: &Drawn,
        adapter: Adapter,
    ) -> anyhow::Result<Pair<objective::Errors>> {
        let found = self
            .trainee
            .errors(&[input(example, drawn)], adapter, self.layout.backward)?;
        Ok(sides(found[0]))
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
            let plain = self.errors(example, &drawn, Adapter::Off)?;
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
            let moved = self.errors(example, &moved, Adapter::Off)?;
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
            let (mut keys, mut drawn, mut policy) = (Vec::new(), Vec::new(), Vec::new());
            for (draw_idx, unit) in (0..).zip(&units) {
                let key = Key::held_out(example.id, draw_idx);
                let draw = self.drawn(example, &key, *unit)?;
                policy.push(self.errors(example, &draw, Adapter::On)?);
                keys.push(key);
                drawn.push(draw);
            }
            if !self.held_out_reference.contains_key(&pair_idx) {
                let mut reference = Vec::with_capacity(drawn.len());
                for (key, draw) in keys.iter().zip(&drawn) {
                    let pairs = (Set::HeldOut, &[pair_idx][..]);
                    reference.extend(self.references(pairs, slice::from_ref(key), slice::from_ref(draw))?);
                }
                self.held_out_reference.insert(pair_idx, reference);
            }
            let example = &self.chosen.held_out[pair_idx];
            let reference = &self.held_out_reference[&pair_idx];
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

pub(super) fn input<'a>(example: &'a Example, drawn: &'a Drawn) -> PairInput<'a> {
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

pub(super) fn sides(errors: [training::Errors; 2]) -> Pair<objective::Errors> {
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

fn png(rgb: Vec<u8>, width: usize, height: usize) -> anyhow::Result<Vec<u8>> {
    let image =
        image::RgbImage::from_raw(width as u32, height as u32, rgb).context("a picture of its size")?;
    let mut bytes = std::io::Cursor::new(Vec::new());
    image.write_to(&mut bytes, image::ImageFormat::Png)?;
    Ok(bytes.into_inner())
}
