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
  asap-train --preset flux-asap --base ~/FLUX.1-dev --data hap.lance --out runs/asap --doctor
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
    fn a_resumed_run_takes_no_other_settings() {
        assert!(Cli::try_parse_from(["asap-train", "--resume", "r"]).is_ok());
        assert!(Cli::try_parse_from(["asap-train", "--resume", "r", "--data", "d"]).is_err());
        assert!(Cli::try_parse_from(["asap-train", "--preset", "tiny"]).is_err());
    }
}
