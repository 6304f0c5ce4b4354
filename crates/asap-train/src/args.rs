//! The command line of `asap-train`.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::config::{Backbone, Device, Precision};
use crate::generate::Shard;

/// Preference training of LoRA adapters on FLUX and SDXL, localized and margin-bounded, with SFT and DPO as baselines
#[derive(Debug, Parser)]
#[command(name = "asap-train", version, args_conflicts_with_subcommands = true, after_help = EXAMPLES)]
pub struct Cli {
    /// Something else than training.
    #[command(subcommand)]
    pub command: Option<Command>,
    /// Training.
    #[command(flatten)]
    pub train: TrainArgs,
}

const EXAMPLES: &str = "\
Examples:
  asap-train --preset tiny --data hap.lance --out runs/tiny
  asap-train --preset flux-asap --base ~/FLUX.1-dev --data hap.lance --out runs/asap
  asap-train --preset sdxl-dpo --base ~/sdxl --data hap.lance --out runs/dpo --set run.steps=500
  asap-train --plan --preset flux-asap --base ~/FLUX.1-dev --data hap.lance --device-tflops 400 --device-gib 80
  asap-train --preset flux-asap --base ~/FLUX.1-dev --data hap.lance --out runs/asap --doctor
  asap-train --resume runs/asap
  asap-train generate --base ~/FLUX.1-dev --prompts prompts/haf-bench --seeds 0 --out runs/flux
  torchrun --no-python --nproc-per-node 8 asap-train --preset flux-asap ...";

/// What else it does.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Write a trained adapter in the form of another program, and prove that it is the same
    Export(ExportArgs),
    /// Draw images for the prompts of a benchmark, as a run that `asap bench` judges
    Generate(Box<GenerateArgs>),
    /// Write the report of a run anew
    Report(ReportArgs),
    /// Print the settings of a preset, with the source of each value
    Preset(PresetArgs),
    /// Compute the errors of the base model for all draws of a run, and keep them for every run that draws the same
    Cache(Box<TrainArgs>),
    /// Train with one value of a setting after the other, on one reference cache, and compare the runs
    Sweep(Box<SweepArgs>),
}

/// Arguments of training.
#[derive(Args, Debug)]
pub struct TrainArgs {
    /// Settings to begin with
    #[arg(long, value_name = "NAME", default_value = "tiny")]
    pub preset: String,
    /// Settings over those of the preset, as TOML
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// One setting over all others, such as `objective.tau=0.003`; may be given again
    #[arg(long = "set", value_name = "KEY=VALUE")]
    pub set: Vec<String>,
    /// Folder of the base model, as diffusers has it
    #[arg(long, value_name = "DIR")]
    pub base: Option<PathBuf>,
    /// The dataset
    #[arg(long, value_name = "DATASET")]
    pub data: Option<PathBuf>,
    /// Folder of the run
    #[arg(long, value_name = "DIR", required_unless_present_any = ["resume", "plan"])]
    pub out: Option<PathBuf>,
    /// Go on with the run in this folder, with its own settings
    #[arg(long, value_name = "DIR", conflicts_with_all = ["out", "preset", "config", "set", "base", "data"])]
    pub resume: Option<PathBuf>,
    /// Look at the pairs, write `doctor.json` and `doctor.png` into the folder of the run, and end
    #[arg(long)]
    pub doctor: bool,
    /// Look at as many pairs, drawn by the seed; all are looked at without
    #[arg(long, value_name = "N", requires = "doctor", value_parser = clap::value_parser!(u64).range(1..))]
    pub doctor_pairs: Option<u64>,
    /// Train on pairs whose masks are wrong, too
    #[arg(long, conflicts_with = "doctor")]
    pub force: bool,
    /// Print the settings and end
    #[arg(long)]
    pub settings: bool,
    /// Threads of the processor
    #[arg(long, value_name = "N")]
    pub threads: Option<usize>,
    /// Print what the run will cost, and end: the base needs no weights for that, only its `config.json`
    #[arg(long)]
    pub plan: bool,
    /// The plan as JSON
    #[arg(long, requires = "plan")]
    pub json: bool,
    /// Matrix products of the device, 1e12 operations per second [default: measured on this one]
    #[arg(long, value_name = "X", requires = "plan")]
    pub device_tflops: Option<f64>,
    /// Memory of the device [default: that of this one]
    #[arg(long, value_name = "X", requires = "plan")]
    pub device_gib: Option<f64>,
    /// Processes, each with such a device
    #[arg(long, value_name = "N", default_value_t = 1, requires = "plan")]
    pub processes: u32,
}

/// The form of another program.
#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
pub enum ExportFormat {
    /// diffusers and PEFT
    Diffusers,
    /// sd-scripts
    Kohya,
    /// ComfyUI
    Comfyui,
}

/// Arguments of `export`.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  asap-train export --lora runs/asap/checkpoints/step-003000/adapter.safetensors \\
      --format comfyui --out asap.safetensors")]
pub struct ExportArgs {
    /// The adapter, in any form that is known here
    #[arg(long, value_name = "FILE")]
    pub lora: PathBuf,
    /// The program that will load it
    #[arg(long, value_enum)]
    pub format: ExportFormat,
    /// Where it goes
    #[arg(long, value_name = "FILE")]
    pub out: PathBuf,
}

/// Arguments of `generate`.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  asap-train generate --base ~/FLUX.1-dev --prompts prompts/haf-bench --seeds 0,1 --out runs/flux
  asap-train generate --base ~/FLUX.1-dev --lora asap.safetensors --prompts prompts/haf-bench --seeds 0,1 \\
      --out runs/flux-asap
  asap-train generate --base runs/tiny/base --prompts prompts.jsonl --seeds 0 --out drawn
  asap bench judge runs/flux ...")]
pub struct GenerateArgs {
    /// Folder of the base model, as diffusers has it, or `RUN/base` of the tiny preset
    #[arg(long, value_name = "DIR")]
    pub base: PathBuf,
    /// What the base must be: `flux`, `sdxl` or `tiny`; else told by its files
    #[arg(long, value_name = "NAME", value_parser = backbone)]
    pub backbone: Option<Backbone>,
    /// An adapter, in any form that is known here
    #[arg(long, value_name = "FILE")]
    pub lora: Option<PathBuf>,
    /// What the effect of the adapter is multiplied by
    #[arg(
        long,
        value_name = "X",
        default_value_t = 1.0,
        requires = "lora",
        allow_negative_numbers = true
    )]
    pub lora_scale: f64,
    /// Prompts: a JSONL file, or the folder of a benchmark
    #[arg(long, value_name = "FILE_OR_DIR")]
    pub prompts: PathBuf,
    /// Seeds that every prompt is drawn with
    #[arg(long, value_name = "N,N", value_delimiter = ',', required = true)]
    pub seeds: Vec<u64>,
    /// Folder of the images; one that was begun is gone on with
    #[arg(long, value_name = "DIR")]
    pub out: PathBuf,
    /// The model's name in tables [default: base, and adapter]
    #[arg(long, value_name = "NAME")]
    pub name: Option<String>,
    /// Passes through the network [default: 50 for FLUX.1-dev and SDXL]
    #[arg(long, value_name = "N")]
    pub steps: Option<u32>,
    /// Guidance [default: 3.5 for FLUX.1-dev, 5 for SDXL]
    #[arg(long, value_name = "X")]
    pub guidance: Option<f64>,
    /// SDXL: what is kept away from [default: nothing, as HAF-Bench asks]
    #[arg(long, value_name = "TEXT")]
    pub negative: Option<String>,
    /// Columns [default: 1024]
    #[arg(long, value_name = "PX")]
    pub width: Option<u32>,
    /// Rows [default: 1024]
    #[arg(long, value_name = "PX")]
    pub height: Option<u32>,
    /// Numbers of the network: `f32` or `bf16` [default: bf16 on a GPU, f32 on the processor]
    #[arg(long, value_name = "NAME", value_parser = precision)]
    pub precision: Option<Precision>,
    /// Where it is computed: `auto`, `cpu` or `cuda:N`
    #[arg(long, value_name = "DEVICE", default_value = "auto", value_parser = device)]
    pub device: Device,
    /// Share i of n of the images, from 0/n on: several processes may fill one folder
    #[arg(long, value_name = "i/n", default_value = "0/1")]
    pub shard: Shard,
    /// Threads of the processor
    #[arg(long, value_name = "N")]
    pub threads: Option<usize>,
}

fn backbone(text: &str) -> Result<Backbone, String> {
    chosen(text, Backbone::ALL, |choice| choice.name())
}

fn precision(text: &str) -> Result<Precision, String> {
    chosen(text, Precision::ALL, |choice| choice.name())
}

fn chosen<T: Copy>(text: &str, all: &[T], name: impl Fn(&T) -> &'static str) -> Result<T, String> {
    let names = || all.iter().map(&name).collect::<Vec<_>>().join(", ");
    let found = all.iter().find(|choice| name(choice) == text);
    found
        .copied()
        .ok_or_else(|| format!("expected one of: {}", names()))
}

fn device(text: &str) -> Result<Device, String> {
    match text {
        "auto" => Ok(Device::Auto),
        "cpu" => Ok(Device::Cpu),
        word => word
            .strip_prefix("cuda:")
            .and_then(|number| number.parse().ok())
            .map(Device::Cuda)
            .ok_or_else(|| "expected `auto`, `cpu` or `cuda:N`".to_owned()),
    }
}

/// Arguments of `sweep`.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  asap-train sweep --preset flux-asap --base ~/FLUX.1-dev --data hap.lance --out sweeps/tau --tau 0.003,0.01,0.03

A run folder for each value lies in `--out`; the same command goes on where it was stopped.")]
pub struct SweepArgs {
    /// What all runs share; `--out` is the folder of the sweep.
    #[command(flatten)]
    pub train: TrainArgs,
    /// What they do not.
    #[command(flatten)]
    pub swept: SweptArgs,
}

/// The setting that a sweep changes.
#[derive(Args, Debug)]
#[group(required = true, multiple = false)]
pub struct SweptArgs {
    /// Margins of the preference gap
    #[arg(long, value_name = "NUMBERS", value_delimiter = ',')]
    pub tau: Option<Vec<String>>,
    /// Weights of the mask
    #[arg(long, value_name = "NUMBERS", value_delimiter = ',')]
    pub alpha: Option<Vec<String>>,
    /// Strengths of DPO and IPO
    #[arg(long, value_name = "NUMBERS", value_delimiter = ',')]
    pub beta: Option<Vec<String>>,
    /// Learning rates
    #[arg(long, value_name = "NUMBERS", value_delimiter = ',')]
    pub learning_rate: Option<Vec<String>>,
}

/// Arguments of `report`.
#[derive(Args, Debug)]
pub struct ReportArgs {
    /// Folder of the run
    #[arg(value_name = "RUN")]
    pub run: PathBuf,
}

/// Arguments of `preset`.
#[derive(Args, Debug)]
pub struct PresetArgs {
    /// Its name; all names are listed without one
    #[arg(value_name = "NAME")]
    pub name: Option<String>,
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn a_sweep_changes_one_setting() {
        let parsed =
            |words: &str| Cli::try_parse_from(format!("asap-train sweep --out s {words}").split_whitespace());
        let cli = parsed("--tau 0.001,0.003").unwrap();
        let Some(Command::Sweep(args)) = cli.command else {
            panic!("a sweep");
        };
        let taus = args.swept.tau.unwrap();
        assert_eq!(taus, ["0.001", "0.003"]);
        assert!(parsed("").is_err());
        assert!(parsed("--tau 1 --beta 2").is_err());
    }

    #[test]
    fn a_resumed_run_takes_no_other_settings() {
        assert!(Cli::try_parse_from(["asap-train", "--resume", "r"]).is_ok());
        assert!(Cli::try_parse_from(["asap-train", "--resume", "r", "--data", "d"]).is_err());
        assert!(Cli::try_parse_from(["asap-train", "--preset", "tiny"]).is_err());
    }
}
