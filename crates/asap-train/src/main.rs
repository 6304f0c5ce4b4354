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
use asap_train::args::{Cli, Command, ExportArgs, ExportFormat, PresetArgs, TrainArgs};
use asap_train::config::{Device, Layer, PRESETS, Settings};
use asap_train::doctor::{self, OnError, Severity};
use asap_train::folder::RunFolder;
use asap_train::report::write_report;
use asap_train::session::{self, Job};
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
    }
}

fn train(args: &TrainArgs) -> anyhow::Result<()> {
    let job = job(args)?;
    if args.settings {
        print!("{}", job.settings.to_toml());
        return Ok(());
    }
    // Before anything asks libtorch for CUDA: what it answers first, it keeps.
    if job.settings.run.device != Device::Cpu
        && let Err(error) = open_libraries()
    {
        match job.settings.run.device {
            Device::Cuda(_) => return Err(error.into()),
            Device::Auto | Device::Cpu => eprintln!("note: {error}; training goes on the processor"),
        }
    }
    if let Some(n_threads) = args.threads {
        set_threads(n_threads)?;
    }
    if args.doctor {
        return examine(&job, args.doctor_pairs);
    }
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
    let settings = Settings::resolve(&layers)?;
    if settings.data.path.is_none() {
        bail!("no dataset: name one by `--data`; `asap synth figures --n 100 --out hap.lance` makes one");
    }
    Ok(Job {
        settings,
        out: args.out.clone().context("`--out` names the folder of the run")?,
        resume: false,
        on_bad_pairs: on_bad_pairs(args),
    })
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
