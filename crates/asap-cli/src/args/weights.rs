//! `asap weights`: its part of the command line.

use std::path::PathBuf;

use asap_metrics::LpipsNet;
use clap::{Args, Subcommand, ValueEnum, ValueHint};

#[derive(Debug, Subcommand)]
pub(crate) enum WeightsCommand {
    /// List the files of weights: what for, where to get them, licence, whether they are there
    #[command(
        after_help = "Examples:\n  asap weights list\n  asap weights list --weights weights/\n  asap weights list --json"
    )]
    List(ListArgs),
    /// Write the tensors of a torch file as safetensors; nothing in the file is run
    Convert(ConvertArgs),
    /// Look at every safetensors file of a folder; exits 1 when one is wrong
    Check(CheckArgs),
}

#[derive(Args, Debug)]
pub(crate) struct ListArgs {
    /// Folder of weights
    #[arg(long, value_name = "DIR", env = "ASAP_WEIGHTS", value_hint = ValueHint::DirPath)]
    pub(crate) weights: Option<PathBuf>,
}

#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  asap weights convert --from alex.pth --to weights/lpips-alex.safetensors
  asap weights convert --from alexnet-owt-7be5be79.pth --to weights/alexnet.safetensors")]
pub(crate) struct ConvertArgs {
    /// File that `torch.save` wrote, in its zip format or the one before torch 1.6
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) from: PathBuf,
    /// Safetensors file to write; one that is there is replaced
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) to: PathBuf,
}

#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  asap weights check weights/
  asap weights check weights/ --pin      # from now on a file of another content is refused")]
pub(crate) struct CheckArgs {
    /// Folder of weights
    #[arg(value_hint = ValueHint::DirPath)]
    pub(crate) dir: PathBuf,
    /// Pin the content that the files have, in `weights.pins.toml` beside them
    #[arg(long)]
    pub(crate) pin: bool,
}

/// The networks of LPIPS.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum Net {
    /// AlexNet: the usual one
    Alex,
    /// VGG16: about 24 times the work
    Vgg,
}

impl From<Net> for LpipsNet {
    fn from(net: Net) -> Self {
        match net {
            Net::Alex => Self::Alex,
            Net::Vgg => Self::Vgg,
        }
    }
}
