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
use asap_train::args::{Cli, Command, ExportArgs, ExportFormat, GenerateArgs, PresetArgs, TrainArgs};
use asap_train::config::{Device, Layer, PRESETS, Settings};
use asap_train::folder::RunFolder;
use asap_train::generate::{Asked, generate};
use asap_train::report::write_report;
use asap_train::session::{self, Job, Progress as _};
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
        Some(Command::Generate(args)) => draw(args),
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
    prepare(job.settings.run.device, args.threads)?;
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

fn draw(args: &GenerateArgs) -> anyhow::Result<()> {
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
    })
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
