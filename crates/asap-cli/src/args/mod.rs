//! The command line: what a user may write. Nothing is decided here.

mod bench;
mod prompts;
mod votes;
mod weights;

use std::net::SocketAddr;
use std::path::PathBuf;

use asap_synth::pose_map::DrawAt;
use clap::{ArgAction, Args, Parser, Subcommand, ValueEnum, ValueHint};

pub(crate) use bench::{
    AdoptArgs, BenchCommand, FromHapArgs, GenerateArgs, JudgeArgs, ModeArg, PositionArg, PrecisionArg,
    RehearseArgs, ReportArgs, ScoreArgs, VerifyReportArgs,
};
pub(crate) use prompts::{PromptsCommand, PromptsStatsArgs, ValidateArgs};
pub(crate) use votes::{ExportVotesArgs, VerifyVotesArgs, VotesCommand};
pub(crate) use weights::{CheckArgs, ConvertArgs, ListArgs, Net, WeightsCommand};

/// Pairs of human images, one good and one with a local anatomical error: build, curate, keep, look at.
#[derive(Debug, Parser)]
#[command(name = "asap", version, propagate_version = true, after_help = AFTER_HELP)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) global: GlobalArgs,
    #[command(subcommand)]
    pub(crate) command: Command,
}

const AFTER_HELP: &str = "\
Examples:
  asap synth figures --n 200 --seed 7 --size 512 --out hap.lance
  asap curate hap.lance
  asap data stats hap.lance
  asap serve --data hap.lance

Exit codes: 0 done, 1 failed, 2 wrong command line";

#[derive(Args, Debug)]
pub(crate) struct GlobalArgs {
    /// No progress, no summary: only data and errors
    #[arg(long, short, global = true)]
    pub(crate) quiet: bool,
    /// Print data as JSON
    #[arg(long, global = true)]
    pub(crate) json: bool,
    /// Log to stderr: -v information, -vv details; RUST_LOG has the last word
    #[arg(long, short, global = true, action = ArgAction::Count)]
    pub(crate) verbose: u8,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Build pairs from photographs or from rendered figures
    Synth {
        #[command(subcommand)]
        source: SynthCommand,
    },
    /// Decide which pairs are kept, with a reason for every rejected one
    Curate(CurateArgs),
    /// Look into, check, exchange and maintain a dataset
    Data {
        #[command(subcommand)]
        action: DataCommand,
    },
    /// Draw, judge and compare the images of a benchmark
    Bench {
        #[command(subcommand)]
        action: BenchCommand,
    },
    /// Draw the pose map of an image as ControlNet models expect it
    PoseMap(PoseMapArgs),
    /// Serve the viewer to a browser
    Serve(ServeArgs),
    /// Check and write out the log of a crowd's votes
    Votes {
        #[command(subcommand)]
        action: VotesCommand,
    },
    /// List, convert and check the weights of the networks behind LPIPS and the scorers
    Weights {
        #[command(subcommand)]
        action: WeightsCommand,
    },
    /// Print the completion script of a shell
    Completions(CompletionsArgs),
}

#[derive(Debug, Subcommand)]
pub(crate) enum SynthCommand {
    /// Corrupt photographs in their pixels
    Photos(PhotosArgs),
    /// Draw people, corrupt their skeletons and draw them again
    Figures(FiguresArgs),
}

#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  asap synth photos people --poses people/people.json --out hap.lance
  asap synth photos people --out hap.lance --pairs-per-part 4 --long-side 768

Each photograph needs keypoints or hand and face boxes in the poses file; one with neither is refused by
name and the run goes on. The same command continues a run that was interrupted, without duplicates.")]
pub(crate) struct PhotosArgs {
    /// Folder of photographs (JPEG, PNG, WebP)
    #[arg(value_hint = ValueHint::DirPath)]
    pub(crate) dir: PathBuf,
    /// Keypoints and boxes [default: people.json or poses.json in the folder]
    #[arg(long, value_hint = ValueHint::FilePath)]
    pub(crate) poses: Option<PathBuf>,
    /// Pairs to try for each hand and face
    #[arg(long, value_name = "K", default_value_t = 2, value_parser = clap::value_parser!(u32).range(1..=1000))]
    pub(crate) pairs_per_part: u32,
    /// Shrink photographs to this long side in pixels; 0 keeps their size
    #[arg(long, value_name = "PX", default_value_t = 1024, value_parser = parse_long_side)]
    pub(crate) long_side: u32,
    #[command(flatten)]
    pub(crate) build: BuildArgs,
}

#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  asap synth figures --n 200 --seed 7 --size 512 --out hap.lance
  asap synth figures --n 1000 --size 768 --out hap.lance --jobs 8

The same command continues a run that was interrupted, without duplicates.")]
pub(crate) struct FiguresArgs {
    /// How many pairs to try; two share a figure
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=10_000_000))]
    pub(crate) n: u32,
    /// Side of the images in pixels
    #[arg(long, value_name = "PX", default_value_t = 512, value_parser = clap::value_parser!(u32).range(256..=2048))]
    pub(crate) size: u32,
    #[command(flatten)]
    pub(crate) build: BuildArgs,
}

#[derive(Args, Debug)]
pub(crate) struct BuildArgs {
    /// Dataset to append to; made when it does not exist
    #[arg(long, value_name = "DATASET", value_hint = ValueHint::DirPath)]
    pub(crate) out: PathBuf,
    /// Seed of all random choices
    #[arg(long, value_name = "S", default_value_t = 7)]
    pub(crate) seed: u64,
    /// Threads; the result does not depend on it [default: one for each core]
    #[arg(long, short, value_name = "N", env = "ASAP_JOBS", value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub(crate) jobs: Option<u16>,
}

#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  asap curate hap.lance
  asap curate hap.lance --write-thresholds strict.toml     # then edit the file
  asap curate hap.lance --thresholds strict.toml --report report/")]
pub(crate) struct CurateArgs {
    /// The dataset
    #[arg(value_hint = ValueHint::DirPath)]
    pub(crate) dataset: PathBuf,
    /// Thresholds as TOML [default: those that `--write-thresholds` writes]
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) thresholds: Option<PathBuf>,
    /// Write the thresholds in force to a file
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) write_thresholds: Option<PathBuf>,
    /// Write the funnel as text, JSON and chart, and thumbnails of the worst kept and best rejected
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub(crate) report: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum DataCommand {
    /// List the pairs, one a line
    #[command(
        after_help = "Examples:\n  asap data list hap.lance\n  asap data list hap.lance --json | jq '.[0]'"
    )]
    List(DatasetArgs),
    /// Count what a dataset holds
    Stats(StatsArgs),
    /// Check every hash, mask and paste-back; exits 1 when something is wrong
    Verify(VerifyArgs),
    /// Write Parquet in the Hugging Face convention with a dataset card
    Export(ExportArgs),
    /// Read what `export` wrote, or a Pick-a-Pic-style Parquet file
    Import(ImportArgs),
    /// List the versions of a dataset
    #[command(
        after_help = "Examples:\n  asap data versions hap.lance\n  asap data versions hap.lance --json"
    )]
    Versions(DatasetArgs),
    /// Merge small files, which many appends leave behind
    #[command(after_help = "Examples:\n  asap data compact hap.lance")]
    Compact(DatasetArgs),
    /// Print one pair
    Show(ShowArgs),
}

#[derive(Args, Debug)]
pub(crate) struct DatasetArgs {
    /// The dataset
    #[arg(value_hint = ValueHint::DirPath)]
    pub(crate) dataset: PathBuf,
}

#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  asap data stats hap.lance
  asap data stats hap.lance --json | jq .n_pairs
  asap data stats hap.lance --at 3                # as it was at version 3
  asap data stats hap.lance --lpips --weights weights/

LPIPS needs weights that are not part of this program: `asap weights list` says where they are to be had.
What was measured is stored with the pairs, as a new version, and is not measured again.")]
pub(crate) struct StatsArgs {
    /// The dataset
    #[arg(value_hint = ValueHint::DirPath)]
    pub(crate) dataset: PathBuf,
    /// Look at an earlier version (`asap data versions`)
    #[arg(long, value_name = "VERSION")]
    pub(crate) at: Option<u64>,
    /// Measure LPIPS of every pair that has none of this network yet, and store it
    #[arg(long, conflicts_with = "at")]
    pub(crate) lpips: bool,
    /// Folder of weights
    #[arg(long, value_name = "DIR", env = "ASAP_WEIGHTS", value_hint = ValueHint::DirPath)]
    pub(crate) weights: Option<PathBuf>,
    /// The network of LPIPS
    #[arg(long, value_enum, default_value = "alex")]
    pub(crate) lpips_net: Net,
}

#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  asap data verify hap.lance
  asap data verify hap.lance --sample 1000 --json")]
pub(crate) struct VerifyArgs {
    /// The dataset
    #[arg(value_hint = ValueHint::DirPath)]
    pub(crate) dataset: PathBuf,
    /// Pairs whose statistics are computed again
    #[arg(long, value_name = "N", default_value_t = 64)]
    pub(crate) sample: u64,
}

#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  asap data export hap.lance --out hap-parquet
  asap data export hap.lance --out hap-parquet --all      # rejected and undecided pairs too")]
pub(crate) struct ExportArgs {
    /// The dataset
    #[arg(value_hint = ValueHint::DirPath)]
    pub(crate) dataset: PathBuf,
    /// Folder to write; must not exist yet
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub(crate) out: PathBuf,
    /// Export every pair, not only the kept ones
    #[arg(long)]
    pub(crate) all: bool,
}

#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  asap data import hap-parquet --out copy.lance
  asap data import pickapic-0.parquet pickapic-1.parquet --out preferences.lance")]
pub(crate) struct ImportArgs {
    /// A folder that `export` wrote, or Parquet files
    #[arg(required = true, value_hint = ValueHint::AnyPath)]
    pub(crate) sources: Vec<PathBuf>,
    /// Dataset to append to; made when it does not exist
    #[arg(long, value_name = "DATASET", value_hint = ValueHint::DirPath)]
    pub(crate) out: PathBuf,
}

#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  asap data show hap.lance 3f0a
  asap data show hap.lance 3f0a --images pair/       # preferred.png, rejected.png and the masks")]
pub(crate) struct ShowArgs {
    /// The dataset
    #[arg(value_hint = ValueHint::DirPath)]
    pub(crate) dataset: PathBuf,
    /// Id of the pair, or the first digits of it
    pub(crate) id: String,
    /// Write the images and masks of the pair into a folder
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub(crate) images: Option<PathBuf>,
}

#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  asap pose-map --poses people/people.json --image pexels_941693.jpg --out pose.png")]
pub(crate) struct PoseMapArgs {
    /// Keypoints of the image
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) poses: PathBuf,
    /// File name of the image, as the poses file has it
    #[arg(long, value_name = "NAME")]
    pub(crate) image: String,
    /// PNG to write
    #[arg(long, value_name = "PNG", value_hint = ValueHint::FilePath)]
    pub(crate) out: PathBuf,
    /// How thick the sticks are
    #[arg(long, value_enum, default_value = "resized")]
    pub(crate) sticks: Sticks,
}

/// The canvas that sticks are drawn on.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum Sticks {
    /// As controlnet_aux: drawn with a short side of 512 px, then resized
    Resized,
    /// 8 px wide at any size
    Native,
    /// Wider on larger images, as the xinsir SDXL ControlNet expects
    Scaled,
}

impl From<Sticks> for DrawAt {
    fn from(sticks: Sticks) -> Self {
        match sticks {
            Sticks::Resized => Self::ShortSide512ThenResize,
            Sticks::Native => Self::Native,
            Sticks::Scaled => Self::NativeScaled,
        }
    }
}

#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  asap serve --data hap.lance
  asap serve --data hap.lance --addr 0.0.0.0:8080")]
pub(crate) struct ServeArgs {
    /// The dataset
    #[arg(long, value_name = "DATASET", env = "ASAP_DATA", value_hint = ValueHint::DirPath)]
    pub(crate) data: PathBuf,
    /// Address to listen on; port 0 takes a free one
    #[arg(long, env = "ASAP_ADDR", default_value = "127.0.0.1:3000")]
    pub(crate) addr: SocketAddr,
    /// Style sheet and browser client, as `cargo xtask web` builds them [default: `site` near the program]
    #[arg(long, value_name = "DIR", env = "ASAP_SITE", value_hint = ValueHint::DirPath)]
    pub(crate) site: Option<PathBuf>,
}

#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  asap completions bash > ~/.local/share/bash-completion/completions/asap
  asap completions fish > ~/.config/fish/completions/asap.fish")]
pub(crate) struct CompletionsArgs {
    /// Which shell
    pub(crate) shell: clap_complete::Shell,
}

fn parse_long_side(text: &str) -> Result<u32, String> {
    match text.parse::<u32>() {
        Ok(px) if px == 0 || (128..=16_384).contains(&px) => Ok(px),
        _ => Err("expected 0 or 128 to 16384 pixels".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn every_command_that_takes_arguments_shows_an_example() {
        fn visit(command: &clap::Command, without: &mut Vec<String>) {
            for sub in command.get_subcommands() {
                let takes_own = sub.get_positionals().next().is_some();
                if takes_own
                    && !sub
                        .get_after_help()
                        .is_some_and(|help| help.to_string().contains("Examples:"))
                {
                    without.push(sub.get_name().to_owned());
                }
                visit(sub, without);
            }
        }
        let mut without = Vec::new();
        visit(&Cli::command(), &mut without);
        without.retain(|name| name != "help");
        assert_eq!(without, Vec::<String>::new());
    }
}
