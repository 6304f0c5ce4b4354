//! The command line of `asap-train`.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

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
  asap-train --resume runs/asap
  torchrun --no-python --nproc-per-node 8 asap-train --preset flux-asap ...";

/// What else it does.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Write a trained adapter in the form of another program, and prove that it is the same
    Export(ExportArgs),
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
    #[arg(long, value_name = "DIR", required_unless_present = "resume")]
    pub out: Option<PathBuf>,
    /// Go on with the run in this folder, with its own settings
    #[arg(long, value_name = "DIR", conflicts_with_all = ["out", "preset", "config", "set", "base", "data"])]
    pub resume: Option<PathBuf>,
    /// Print the settings and end
    #[arg(long)]
    pub settings: bool,
    /// Threads of the processor
    #[arg(long, value_name = "N")]
    pub threads: Option<usize>,
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
