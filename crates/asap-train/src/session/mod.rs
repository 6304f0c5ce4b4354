//! A training run from its settings to its report.

mod base;
mod fill;
mod ladder;
mod micro_batch;
mod proof;
mod state;
mod steps;

use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::{Context as _, bail};
use asap_core::time::rfc3339;
use asap_diffusion::device::{Place, Placement, Precision};
use asap_diffusion::distributed::{Group, Member, Transport};
use asap_diffusion::flux::FluxConfig;
use asap_diffusion::lora::{Attachment, Init, LoraSpec};
use asap_diffusion::optim::AdamWSettings;
use asap_diffusion::training::{NetworkFiles, Optimiser, Trainee};
use asap_diffusion::{Checkpointing, Residual};

use crate::config::{self, Backbone, Device, Settings};
use crate::data::{self, Encoder};
use crate::doctor::{self, OnError};
use crate::folder::{BASE, RunFolder, RunRecord};
use crate::objective::Objective;
use crate::report::{self, Written};
use crate::telemetry::{EventFile, Note, Record, TelemetryLog};
pub use fill::{Filled, fill_cache};
pub use steps::ReferenceCounts;
use steps::Steps;

/// How long a process waits for the others: the first one evaluates and samples alone. One that ended is noticed at
/// once; this is for one that hangs.
const PATIENCE: Duration = Duration::from_secs(1800);

/// What a run tells while it goes.
pub trait Progress {
    /// One line for a person.
    fn say(&self, line: &str);
    /// A record was written; `n_steps` are all steps of the run.
    fn record(&self, record: &Record, n_steps: u64);
    /// Whether a person asked for an end: the step is finished, and the run saved.
    fn is_stopped(&self) -> bool;
}

/// What is to be run.
pub struct Job {
    /// The settings; `data.path` is set.
    pub settings: Settings,
    /// The folder of the run.
    pub out: PathBuf,
    /// Whether the folder holds a run that goes on.
    pub resume: bool,
    /// What is done where pairs have wrong masks.
    pub on_bad_pairs: OnError,
}

/// How a run ended.
pub struct Ended {
    /// The last step that was made.
    pub step: u64,
    /// The adapter, as diffusers loads it; `None` in all processes but the first.
    pub adapter: Option<PathBuf>,
    /// The report; `None` in all processes but the first.
    pub report: Option<Written>,
}

/// Runs the job.
///
/// # Errors
/// What went wrong, with what was saved before untouched.
pub fn run(job: &Job, progress: &dyn Progress) -> anyhow::Result<Ended> {
    let settings = &job.settings;
    check_supported(settings)?;
    let member = Member::from_env()?;
    let place = place_of(settings.run.device, member.as_ref())?;
    let precision = precision_of(settings);
    let group = match member {
        Some(member) => Some(Group::meet(member, Transport::for_place(place), PATIENCE)?),
        None => None,
    };
    if !job.resume && RunFolder::open(&job.out).is_ok() {
        let out = job.out.display();
        bail!(
            "`{out}` holds a run already; `--resume {out}` goes on with it, another `--out` begins a new one"
        );
    }
    let is_first = group.as_ref().is_none_or(|group| group.rank() == 0);

    let stored = stored(settings)?;
    check_pairs(job, progress)?;
    progress.say("reading and encoding the pairs");
    let guidance = embedded_guidance(settings, stored.as_ref())?;
    let encoder = Encoder::open(settings, guidance, (place, precision))?;
    let chosen = read(settings, &encoder, progress)?;
    let files = match stored {
        Some(files) => files,
        None => {
            let make = || base::ready(&job.out.join(BASE), settings, &chosen, progress);
            first_then_others(group.as_ref(), make)?
        }
    };
    let mut trainee = trainee(settings, &files, (place, precision))?;
    progress.say(&format!("{} numbers are trained", trainee.n_trainable()));

    let record = record(settings, &files, &chosen)?;
    let folder = first_then_others(group.as_ref(), || match (job.resume, is_first) {
        (false, true) => Ok(RunFolder::create(&job.out, &record, &settings.to_toml())?),
        (true, _) | (false, false) => Ok(RunFolder::open(&job.out)?),
    })?;
    check_same(&folder, &record)?;
    // Taking the lock tidies what a killed run left; the others look at checkpoints after that.
    let _lock = first_then_others(group.as_ref(), || {
        is_first.then(|| folder.lock()).transpose().map_err(Into::into)
    })?;
    let first = state::restore(&folder, &mut trainee, job.resume, progress)?;
    agree(group.as_ref(), first)?;
    if let Some(group) = &group {
        trainee.share(group)?;
    }
    let cut_prompts = chosen.cut_prompts();
    let mut steps = Steps::new(settings, chosen, (trainee, place), group)?;
    if is_first {
        attach(&mut steps, &folder, first)?;
    }
    steps.open_cache(&files, &record.base_hash, progress)?;
    if first == 0 {
        if let Some(text) = cut_prompts {
            steps.note(0, text, progress)?;
        }
        proof::step_0(&mut steps, progress)?;
        steps.evaluate(0, progress)?;
        steps.sample(0, &encoder, &folder, progress)?;
    } else {
        steps.note(first, format!("resumed after step {first}"), progress)?;
    }
    let last = train(&mut steps, first, &encoder, &folder, progress)?;
    steps.keep_references()?;
    steps.tell_references(last, progress)?;
    let adapter = state::save(&folder, last, &mut steps)?;
    let report = is_first.then(|| report::write_report(&folder)).transpose()?;
    Ok(Ended {
        step: last,
        adapter,
        report,
    })
}

/// The base model that the settings name; `None` where it is made here.
fn stored(settings: &Settings) -> anyhow::Result<Option<NetworkFiles>> {
    match settings.model.backbone {
        Backbone::Tiny => Ok(None),
        Backbone::Flux | Backbone::Sdxl => {
            let base = settings.model.base.as_deref();
            let base = base.context("`model.base` names no folder")?;
            Ok(Some(NetworkFiles::in_folder(base)?))
        }
    }
}

/// The guidance of the settings, where the network embeds one.
fn embedded_guidance(settings: &Settings, stored: Option<&NetworkFiles>) -> anyhow::Result<Option<f64>> {
    match stored {
        Some(files) if settings.model.backbone == Backbone::Flux => {
            let embeds = FluxConfig::read(&files.config)?.guidance_embeds;
            Ok(settings.model.guidance.filter(|_| embeds))
        }
        _ => Ok(None),
    }
}

/// Wrong masks are told before anything is encoded: that takes hours.
fn check_pairs(job: &Job, progress: &dyn Progress) -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    for line in runtime.block_on(doctor::gate(&job.settings, job.on_bad_pairs))? {
        progress.say(&format!("forced: {line}"));
    }
    Ok(())
}

fn read(settings: &Settings, encoder: &Encoder, progress: &dyn Progress) -> anyhow::Result<data::Chosen> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let chosen = runtime.block_on(data::read(settings, encoder))?;
    progress.say(&format!(
        "{} pairs to train on, {} held out",
        chosen.train.len(),
        chosen.held_out.len()
    ));
    Ok(chosen)
}

/// Opens the logs after step `first`.
fn attach(steps: &mut Steps, folder: &RunFolder, first: u64) -> anyhow::Result<()> {
    if first == 0 && folder.telemetry().exists() {
        // Nothing was trained yet: what was told about the start is told again.
        fs_err::remove_file(folder.telemetry())?;
    }
    steps.attach(
        TelemetryLog::open_after(&folder.telemetry(), first)?,
        EventFile::create(folder.root(), "asap-train", now(), first + 1)?,
    );
    Ok(())
}

fn train(
    steps: &mut Steps,
    first: u64,
    encoder: &Encoder,
    folder: &RunFolder,
    progress: &dyn Progress,
) -> anyhow::Result<u64> {
    let run = steps.settings.run.clone();
    let is_due =
        |every: Option<u32>, step: u64| every.is_some_and(|n| n > 0 && step.is_multiple_of(u64::from(n)));
    for step in first + 1..=u64::from(run.steps) {
        steps.step(step, progress)?;
        let is_last = step == u64::from(run.steps);
        let evaluates = is_last || is_due(run.eval_every_steps, step);
        let samples = is_last || is_due(run.sample_every_steps, step);
        // What is judged is what will be used: the average, where one is kept.
        steps.trainee.swap_average()?;
        if evaluates {
            steps.evaluate(step, progress)?;
        }
        if samples {
            steps.sample(step, encoder, folder, progress)?;
        }
        steps.trainee.swap_average()?;
        if steps.is_stopped {
            progress.say(&format!(
                "stopped after step {step}; `--resume {}` goes on",
                folder.root().display()
            ));
            return Ok(step);
        }
        if !is_last && is_due(Some(run.save_every_steps), step) {
            steps.keep_references()?;
            state::save(folder, step, steps)?;
        }
    }
    Ok(u64::from(run.steps).max(first))
}

fn trainee(
    settings: &Settings,
    files: &NetworkFiles,
    (place, precision): (Place, Precision),
) -> anyhow::Result<Trainee> {
    let spec = LoraSpec {
        rank: settings.lora.rank as usize,
        alpha: settings.lora.alpha,
        targets: settings.lora.targets.suffixes(settings.model.backbone),
        init: match settings.lora.init {
            config::Init::Gaussian => Init::Gaussian,
            config::Init::Kaiming => Init::Kaiming,
        },
        seed: settings.run.seed,
    };
    let mut trainee = Trainee::with_adapters(
        files,
        &Attachment::New(spec),
        Placement {
            place,
            precision,
            swap_blocks: settings.run.swap_blocks as usize,
        },
        optimiser(settings),
    )?;
    trainee.residual = match settings.model.residual {
        config::Residual::Model => Residual::Model,
        config::Residual::F32 => Residual::F32,
    };
    trainee.checkpointing = match settings.run.checkpointing {
        config::Checkpointing::Off => Checkpointing::Off,
        config::Checkpointing::Every(n) => Checkpointing::EveryNth(n as usize),
        config::Checkpointing::All => Checkpointing::EveryNth(1),
    };
    Ok(trainee)
}

fn optimiser(settings: &Settings) -> Optimiser {
    let optimiser = &settings.optimiser;
    Optimiser {
        adamw: AdamWSettings {
            beta1: optimiser.beta_1,
            beta2: optimiser.beta_2,
            epsilon: optimiser.epsilon,
            weight_decay: optimiser.weight_decay,
        },
        clip_norm: optimiser.clip_norm,
        ema_decay: optimiser.ema_decay,
    }
}

/// Where a process of its own computes.
///
/// # Errors
/// A device that is not there.
pub fn place(settings: &Settings) -> anyhow::Result<Place> {
    place_of(settings.run.device, None)
}

/// `auto` is the GPU with the number of this process on its machine, where there is one.
fn place_of(device: Device, member: Option<&Member>) -> anyhow::Result<Place> {
    let own = member.map_or(0, |member| member.local_rank);
    Ok(match device {
        Device::Cpu => Place::Cpu,
        Device::Cuda(number) => Place::Cuda(number as usize).checked()?,
        Device::Auto => Place::Cuda(own).checked().unwrap_or(Place::Cpu),
    })
}

/// Settings that are spelled but not computed yet are refused: a run must be what its settings say.
fn check_supported(settings: &Settings) -> anyhow::Result<()> {
    if settings.data.prefetch_batches != 0 {
        bail!("`data.prefetch_batches`: expected 0; other values are not computed yet");
    }
    Ok(())
}

pub(crate) fn precision_of(settings: &Settings) -> Precision {
    match settings.model.precision {
        config::Precision::F32 => Precision::F32,
        config::Precision::Bf16 => Precision::Bf16,
    }
}

/// Lets the first process do what the others then find done.
fn first_then_others<T>(
    group: Option<&Group>,
    make: impl FnOnce() -> anyhow::Result<T>,
) -> anyhow::Result<T> {
    let Some(group) = group else {
        return make();
    };
    if group.rank() == 0 {
        let made = make()?;
        group.barrier()?;
        return Ok(made);
    }
    group.barrier()?;
    make()
}

/// All processes go on after the same step.
fn agree(group: Option<&Group>, first: u64) -> anyhow::Result<()> {
    let Some(group) = group else { return Ok(()) };
    let mut sum = [first as f64];
    group.sum_f64(&mut sum)?;
    if sum[0] == first as f64 * group.size() as f64 {
        return Ok(());
    }
    bail!(
        "this process found the checkpoint of step {first}, others found another one: expected one folder for all"
    )
}

/// A run goes on with what it began with.
fn check_same(folder: &RunFolder, now: &RunRecord) -> anyhow::Result<()> {
    let then = folder.record();
    let pairs = [
        ("the base model", &then.base_hash, &now.base_hash),
        ("the pairs", &then.data_sha256, &now.data_sha256),
    ];
    for (what, then, now) in pairs {
        if then != now {
            bail!(
                "`{}` was begun with {what} of hash {then}, expected the same, got {now}; begin a new run with another \
                 `--out`",
                folder.root().display()
            );
        }
    }
    Ok(())
}

fn record(settings: &Settings, files: &NetworkFiles, chosen: &data::Chosen) -> anyhow::Result<RunRecord> {
    let name = |path: Option<&Path>| {
        path.and_then(Path::file_name)
            .map_or_else(|| "tiny".to_owned(), |name| name.to_string_lossy().into_owned())
    };
    Ok(RunRecord {
        toolkit_version: env!("CARGO_PKG_VERSION").to_owned(),
        commit: option_env!("ASAP_COMMIT").map(str::to_owned),
        backbone: settings.model.backbone.name().to_owned(),
        base: name(settings.model.base.as_deref()),
        base_hash: asap_diffusion::weights::Checkpoint::open(&files.weights)?.hash(),
        data: name(settings.data.path.as_deref()),
        data_version: chosen.version,
        data_sha256: chosen.sha256.clone(),
        n_pairs: chosen.train.len() as u64,
        objective: settings.objective.kind.name().to_owned(),
        tau: Objective::of(settings).tau(),
        n_steps: u64::from(settings.run.steps),
        seed: settings.run.seed,
        started: rfc3339(now() as i64),
    })
}

/// Seconds since 1970.
pub(crate) fn now() -> f64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0.0, |since| since.as_secs_f64())
}

/// A note for the log, as a record.
fn noted(step: u64, text: String) -> Record {
    Record::Note(Note { step, text })
}
