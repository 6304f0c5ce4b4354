//! `asap-train`: parses, settles, calls, prints.
#![expect(
    clippy::print_stdout,
    reason = "a program speaks to the person at the terminal"
)]
#![expect(clippy::print_stderr, reason = "errors go to stderr")]

mod screen;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context as _, bail};
use asap_diffusion::distributed::Member;
use asap_diffusion::lora::{AdapterFile, Format, export};
use asap_diffusion::runtime::{open_libraries, set_threads};
use asap_train::args::{
    Cli, Command, ExportArgs, ExportFormat, GenerateArgs, PresetArgs, SweepArgs, TrainArgs,
};
use asap_train::config::{Device, Layer, PRESETS, Settings};
use asap_train::doctor::{self, OnError, Severity};
use asap_train::folder::RunFolder;
use asap_train::generate::{Asked, generate};
use asap_train::plan::{
    self, Comparison, DeviceFigures, GivenFigures, Plan, Reference, Sizes, n_pairs, total,
};
use asap_train::report::write_report;
use asap_train::session::{self, Job, Progress as _};
use asap_train::sweep::{self, Axis, Sweep};
use clap::Parser as _;

use screen::Screen;

fn main() -> ExitCode {
    match run(&Cli::parse()) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(cli: &Cli) -> anyhow::Result<ExitCode> {
    match &cli.command {
        None => return train(&cli.train),
        Some(Command::Export(args)) => export_adapter(args)?,
        Some(Command::Generate(args)) => return draw(args),
        Some(Command::Report(args)) => {
            let written = write_report(&RunFolder::open(&args.run)?)?;
            println!("{}", written.page.display());
        }
        Some(Command::Preset(args)) => preset(args)?,
        Some(Command::Cache(args)) => return fill_cache(args),
        Some(Command::Sweep(args)) => return run_sweep(args),
    }
    Ok(ExitCode::SUCCESS)
}

fn train(args: &TrainArgs) -> anyhow::Result<ExitCode> {
    let job = job(args)?;
    if args.settings {
        print!("{}", job.settings.to_toml());
        return Ok(ExitCode::SUCCESS);
    }
    prepare(job.settings.run.device, args.threads)?;
    if args.plan {
        plan(&job.settings, args)?;
        return Ok(ExitCode::SUCCESS);
    }
    if args.doctor {
        examine(&job, args.doctor_pairs)?;
        return Ok(ExitCode::SUCCESS);
    }
    let screen = Screen::new()?;
    let plan = predict(&job.settings, &screen);
    let ended = session::run(&job, &screen)?;
    screen.finish();
    if let Some(adapter) = ended.adapter {
        println!("adapter: {}", adapter.display());
    }
    if let (Some(plan), Some(_)) = (&plan, &ended.report)
        && let Some(comparison) = Comparison::of(plan, &RunFolder::open(&job.out)?)?
    {
        println!("{comparison}");
        println!("plan:    {}", comparison.write(&job.out)?.display());
    }
    if let Some(report) = ended.report {
        println!("report:  {}", report.page.display());
        for alarm in report.alarms {
            println!("look at: {alarm}");
        }
    }
    // A script must not take a run that was stopped for one that is done.
    let is_done = ended.step >= u64::from(job.settings.run.steps);
    Ok(if is_done {
        ExitCode::SUCCESS
    } else {
        ExitCode::from(screen.stopped_code())
    })
}

fn plan(settings: &Settings, args: &TrainArgs) -> anyhow::Result<()> {
    let given = GivenFigures {
        tflop_per_s: args.device_tflops,
        memory_gib: args.device_gib,
        n_processes: args.processes,
    };
    let plan = plan_of(settings, given)?;
    if args.json {
        println!("{}", serde_json::to_string_pretty(&plan)?);
    } else {
        print!("{plan}");
    }
    Ok(())
}

/// The plan of a run in these processes, told by the first of them; a run that cannot be predicted is still run.
fn predict(settings: &Settings, screen: &Screen) -> Option<Plan> {
    let member = Member::from_env().ok()?;
    let (rank, n_processes) = member.map_or((0, 1), |member| (member.rank, member.size));
    if rank > 0 {
        return None;
    }
    let given = GivenFigures {
        n_processes: u32::try_from(n_processes).ok()?,
        ..GivenFigures::default()
    };
    let plan = plan_of(settings, given);
    match &plan {
        Ok(plan) => screen.say(&format!(
            "predicted: {:.3} s a step, {:.2} GiB on the device",
            plan.seconds_per_step,
            total(&plan.device_bytes) / (1u64 << 30) as f64
        )),
        Err(error) => screen.say(&format!("not predicted: {error:#}")),
    }
    plan.ok()
}

fn plan_of(settings: &Settings, given: GivenFigures) -> anyhow::Result<Plan> {
    let sizes = Sizes::of(settings)?;
    let cost = plan::Job {
        n_pairs: n_pairs(settings)?,
        reference: Reference::Computed,
    };
    Ok(Plan::of(
        settings,
        &sizes,
        DeviceFigures::of(settings, given)?,
        cost,
    ))
}

/// Opens what libtorch needs, before anything asks it for CUDA: what it answers first, it keeps.
fn prepare(device: Device, n_threads: Option<usize>) -> anyhow::Result<()> {
    if device != Device::Cpu
        && let Err(error) = open_libraries()
    {
        match device {
            Device::Cuda(_) => return Err(error.into()),
            Device::Auto | Device::Cpu => eprintln!("note: {error}; the processor computes"),
        }
    }
    if let Some(n_threads) = n_threads {
        set_threads(n_threads)?;
    }
    Ok(())
}

fn draw(args: &GenerateArgs) -> anyhow::Result<ExitCode> {
    prepare(args.device, args.threads)?;
    let asked = Asked {
        base: args.base.clone(),
        backbone: args.backbone,
        lora: args.lora.clone().map(|path| (path, args.lora_scale)),
        prompts: args.prompts.clone(),
        seeds: args.seeds.clone(),
        out: args.out.clone(),
        name: args.name.clone(),
        n_steps: args.steps,
        guidance: args.guidance,
        negative: args.negative.clone(),
        width_px: args.width,
        height_px: args.height,
        precision: args.precision,
        device: args.device,
        shard: args.shard,
    };
    let screen = Screen::new()?;
    let drawn = generate(&asked, &screen, &|| screen.is_stopped())?;
    screen.finish();
    let out = args.out.display();
    println!(
        "`{out}`: {} images drawn, {} of {} there",
        drawn.n_drawn,
        drawn.n_images,
        drawn.n_images + drawn.n_missing
    );
    if drawn.n_truncated > 0 {
        println!(
            "{} prompts were longer than the text encoder reads",
            drawn.n_truncated
        );
    }
    if drawn.n_missing > 0 {
        println!("the same command, or that of another shard, draws the rest");
    }
    Ok(if screen.is_stopped() {
        ExitCode::from(screen.stopped_code())
    } else {
        ExitCode::SUCCESS
    })
}

fn fill_cache(args: &TrainArgs) -> anyhow::Result<ExitCode> {
    let job = job(args)?;
    if args.settings {
        print!("{}", job.settings.to_toml());
        return Ok(ExitCode::SUCCESS);
    }
    prepare(job.settings.run.device, args.threads)?;
    let screen = Screen::new()?;
    let filled = session::fill_cache(&job, &screen)?;
    screen.finish();
    println!("{}", filled.counts);
    if !filled.is_whole {
        println!("stopped; the same command goes on");
        return Ok(ExitCode::from(screen.stopped_code()));
    }
    Ok(ExitCode::SUCCESS)
}

fn run_sweep(args: &SweepArgs) -> anyhow::Result<ExitCode> {
    if args.train.resume.is_some() {
        bail!("a sweep goes on by itself: give the same command again, without `--resume`");
    }
    let swept = &args.swept;
    let axes = [
        (Axis::Tau, &swept.tau),
        (Axis::Alpha, &swept.alpha),
        (Axis::Beta, &swept.beta),
        (Axis::LearningRate, &swept.learning_rate),
    ];
    let given = axes
        .into_iter()
        .find_map(|(axis, values)| Some((axis, values.clone()?)));
    let (axis, values) =
        given.context("a sweep needs the values of one setting, such as `--tau 0.003,0.01`")?;
    let out = args
        .train
        .out
        .clone()
        .context("`--out` names the folder of the sweep")?;
    let sweep = Sweep::plan(
        &layers(&args.train)?,
        (axis, &values),
        &out,
        on_bad_pairs(&args.train),
    )?;
    if args.train.settings {
        print!("{}", sweep.settings_toml());
        return Ok(ExitCode::SUCCESS);
    }
    prepare(sweep.device(), args.train.threads)?;
    let screen = Screen::new()?;
    let compared = sweep::run(&sweep, &screen)?;
    screen.finish();
    match compared {
        Some(comparison) => {
            print!("{}", comparison.table);
            println!("comparison: {}", comparison.page.display());
            Ok(ExitCode::SUCCESS)
        }
        None => {
            println!("stopped; the same command goes on");
            Ok(ExitCode::from(screen.stopped_code()))
        }
    }
}

fn job(args: &TrainArgs) -> anyhow::Result<Job> {
    if let Some(run) = &args.resume {
        let folder = RunFolder::open(run)?;
        let text = folder.settings_toml()?;
        return Ok(Job {
            settings: Settings::resolve(&[Layer::text(&text, &run.join("settings.toml"))?])?,
            out: run.clone(),
            resume: true,
            on_bad_pairs: on_bad_pairs(args),
        });
    }
    let settings = Settings::resolve(&layers(args)?)?;
    if settings.data.path.is_none() {
        bail!("no dataset: name one by `--data`; `asap synth figures --n 100 --out hap.lance` makes one");
    }
    let out = match (&args.out, args.plan) {
        (Some(out), _) => out.clone(),
        // A plan makes no folder.
        (None, true) => PathBuf::new(),
        (None, false) => bail!("`--out` names the folder of the run"),
    };
    Ok(Job {
        settings,
        out,
        resume: false,
        on_bad_pairs: on_bad_pairs(args),
    })
}

/// Preset, file and flags of the command line.
fn layers(args: &TrainArgs) -> anyhow::Result<Vec<Layer>> {
    let mut layers = vec![Layer::preset(&args.preset)?];
    if let Some(file) = &args.config {
        layers.push(Layer::file(file)?);
    }
    for (key, path) in [("model.base", &args.base), ("data.path", &args.data)] {
        if let Some(path) = path {
            layers.push(Layer::flag(key, &full(path)?)?);
        }
    }
    for set in &args.set {
        let (key, value) = set
            .split_once('=')
            .with_context(|| format!("`--set {set}`: expected `section.key=value`"))?;
        layers.push(Layer::flag(key.trim(), value.trim())?);
    }
    Ok(layers)
}

fn on_bad_pairs(args: &TrainArgs) -> OnError {
    if args.force {
        OnError::Tell
    } else {
        OnError::Refuse
    }
}

fn examine(job: &Job, n_pairs: Option<u64>) -> anyhow::Result<()> {
    let settings = &job.settings;
    let place = session::place(settings)?;
    let n_pairs = n_pairs.map(|n| usize::try_from(n).unwrap_or(usize::MAX));
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let examination = runtime.block_on(doctor::examine(settings, n_pairs, place))?;
    print!("{}", doctor::table(&examination));
    for path in runtime.block_on(doctor::write(&examination, settings, &job.out))? {
        println!("{}", path.display());
    }
    let bad: Vec<&str> = examination
        .bad(Severity::Error)
        .map(|finding| finding.check)
        .collect();
    if !bad.is_empty() {
        bail!("the pairs are not fit for training: {}", bad.join(", "));
    }
    Ok(())
}

/// A path that stays right when the run is resumed from another folder.
fn full(path: &Path) -> anyhow::Result<String> {
    let full = path
        .canonicalize()
        .with_context(|| format!("`{}` is not there", path.display()))?;
    Ok(full.to_string_lossy().into_owned())
}

fn export_adapter(args: &ExportArgs) -> anyhow::Result<()> {
    let adapter = AdapterFile::read(&args.lora)?;
    let format = match args.format {
        ExportFormat::Diffusers => Format::Diffusers,
        ExportFormat::Kohya => Format::Kohya,
        ExportFormat::Comfyui => Format::ComfyUi,
    };
    let report = export(&adapter, format, &args.out)?;
    println!(
        "{}: {} layers, {} bytes; read back, the largest difference is {:.1e} (layer `{}`)",
        report.path.display(),
        report.n_layers,
        report.size_bytes,
        report.largest_error,
        report.worst_layer
    );
    Ok(())
}

fn preset(args: &PresetArgs) -> anyhow::Result<()> {
    match &args.name {
        Some(name) => print!("{}", asap_train::config::preset_text(name)?),
        None => println!("{}", PRESETS.join("\n")),
    }
    Ok(())
}
