//! `asap-train`: parses, settles, calls, prints.
#![expect(
    clippy::print_stdout,
    reason = "a program speaks to the person at the terminal"
)]
#![expect(clippy::print_stderr, reason = "errors go to stderr")]

mod screen;

use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context as _, bail};
use asap_diffusion::lora::{AdapterFile, Format, export};
use asap_diffusion::runtime::{open_libraries, set_threads};
use asap_train::args::{Cli, Command, ExportArgs, ExportFormat, PresetArgs, SweepArgs, TrainArgs};
use asap_train::config::{Device, Layer, PRESETS, Settings};
use asap_train::folder::RunFolder;
use asap_train::report::write_report;
use asap_train::session::{self, Job};
use asap_train::sweep::{self, Axis, Sweep};
use clap::Parser as _;

use screen::Screen;

fn main() -> ExitCode {
    match run(&Cli::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(cli: &Cli) -> anyhow::Result<()> {
    match &cli.command {
        None => train(&cli.train),
        Some(Command::Export(args)) => export_adapter(args),
        Some(Command::Report(args)) => {
            let written = write_report(&RunFolder::open(&args.run)?)?;
            println!("{}", written.page.display());
            Ok(())
        }
        Some(Command::Preset(args)) => preset(args),
        Some(Command::Cache(args)) => fill_cache(args),
        Some(Command::Sweep(args)) => run_sweep(args),
    }
}

fn train(args: &TrainArgs) -> anyhow::Result<()> {
    let job = job(args)?;
    if args.settings {
        print!("{}", job.settings.to_toml());
        return Ok(());
    }
    open(job.settings.run.device, args.threads)?;
    let screen = Screen::new()?;
    let ended = session::run(&job, &screen)?;
    screen.finish();
    if let Some(adapter) = ended.adapter {
        println!("adapter: {}", adapter.display());
    }
    if let Some(report) = ended.report {
        println!("report:  {}", report.page.display());
        for alarm in report.alarms {
            println!("look at: {alarm}");
        }
    }
    Ok(())
}

/// Makes libtorch ready.
fn open(device: Device, n_threads: Option<usize>) -> anyhow::Result<()> {
    // Before anything asks libtorch for CUDA: what it answers first, it keeps.
    if device != Device::Cpu
        && let Err(error) = open_libraries()
    {
        match device {
            Device::Cuda(_) => return Err(error.into()),
            Device::Auto | Device::Cpu => eprintln!("note: {error}; training goes on the processor"),
        }
    }
    if let Some(n_threads) = n_threads {
        set_threads(n_threads)?;
    }
    Ok(())
}

fn fill_cache(args: &TrainArgs) -> anyhow::Result<()> {
    let job = job(args)?;
    if args.settings {
        print!("{}", job.settings.to_toml());
        return Ok(());
    }
    open(job.settings.run.device, args.threads)?;
    let screen = Screen::new()?;
    let filled = session::fill_cache(&job, &screen)?;
    screen.finish();
    println!("{}", filled.counts);
    if !filled.is_whole {
        println!("stopped; the same command goes on");
    }
    Ok(())
}

fn run_sweep(args: &SweepArgs) -> anyhow::Result<()> {
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
    let sweep = Sweep::plan(&layers(&args.train)?, axis, &values, &out)?;
    if args.train.settings {
        print!("{}", sweep.settings_toml());
        return Ok(());
    }
    open(sweep.device(), args.train.threads)?;
    let screen = Screen::new()?;
    let compared = sweep::run(&sweep, &screen)?;
    screen.finish();
    match compared {
        Some(comparison) => {
            print!("{}", comparison.table);
            println!("comparison: {}", comparison.page.display());
        }
        None => println!("stopped; the same command goes on"),
    }
    Ok(())
}

fn job(args: &TrainArgs) -> anyhow::Result<Job> {
    if let Some(run) = &args.resume {
        let folder = RunFolder::open(run)?;
        let text = folder.settings_toml()?;
        return Ok(Job {
            settings: Settings::resolve(&[Layer::text(&text, &run.join("settings.toml"))?])?,
            out: run.clone(),
            resume: true,
        });
    }
    let settings = Settings::resolve(&layers(args)?)?;
    if settings.data.path.is_none() {
        bail!("no dataset: name one by `--data`; `asap synth figures --n 100 --out hap.lance` makes one");
    }
    Ok(Job {
        settings,
        out: args.out.clone().context("`--out` names the folder of the run")?,
        resume: false,
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
