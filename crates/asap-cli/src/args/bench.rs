//! Arguments of `asap bench`.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum, ValueHint};

use super::PromptsCommand;

#[derive(Debug, Subcommand)]
pub(crate) enum BenchCommand {
    /// Draw the images of a benchmark with a model behind a server
    Generate(GenerateArgs),
    /// Make a run out of a folder of images that something else drew
    Adopt(AdoptArgs),
    /// Make two runs out of the preferred and the rejected images of a HAP dataset, with the answers that are known
    FromHap(FromHapArgs),
    /// Let a model, people or known answers judge the images of a run
    Judge(JudgeArgs),
    /// Write votes of made-up raters, to rehearse a study before people are asked
    Rehearse(RehearseArgs),
    /// Check and count sets of prompts
    Prompts {
        #[command(subcommand)]
        action: PromptsCommand,
    },
    /// Compute all figures of some runs and write them as a page with tables and plots
    Report(ReportArgs),
    /// Compute every figure of a report again from the logs in it
    Verify(VerifyReportArgs),
    /// Let learned scorers look at the images of a run
    Score(ScoreArgs),
}

#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  asap bench generate --endpoint http://127.0.0.1:8000/v1 --model flux1-dev --out runs/flux
  asap bench generate --endpoint http://127.0.0.1:8188 --comfy-workflow f.json --model m --out r

Without a workflow the server is one of OpenAI's images endpoint; with one it is ComfyUI, and the file is a graph
exported with `Export (API)` that has {{prompt}} and {{seed}} in its inputs. The same command goes on with a run that
was interrupted. No image is ever overwritten. Keys come from the environment: OPENAI_API_KEY.")]
pub(crate) struct GenerateArgs {
    /// Address of the server
    #[arg(long, value_name = "URL", value_hint = ValueHint::Url)]
    pub(crate) endpoint: String,
    /// The model's id on the server, and its name in tables
    #[arg(long, value_name = "M")]
    pub(crate) model: String,
    /// Name in tables, if not the id
    #[arg(long, value_name = "NAME")]
    pub(crate) name: Option<String>,
    /// Folder of the run
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub(crate) out: PathBuf,
    /// Prompts: a JSONL file, or the folder of a benchmark
    #[arg(long, value_name = "FILE_OR_DIR", default_value = "prompts/haf-bench", value_hint = ValueHint::AnyPath)]
    pub(crate) prompts: PathBuf,
    /// Images of each prompt [default: as the protocol says, 1]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1000))]
    pub(crate) samples: Option<u32>,
    /// Seed of the first image of each prompt; the next ones count up [default: as the protocol says, 0]
    #[arg(long, value_name = "S")]
    pub(crate) seed: Option<u64>,
    /// Side of the images in pixels [default: as the protocol says, 1024]
    #[arg(long, value_name = "PX", value_parser = clap::value_parser!(u32).range(64..=8192))]
    pub(crate) size: Option<u32>,
    /// A ComfyUI graph in its API form
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) comfy_workflow: Option<PathBuf>,
    /// A further field of the request: `quality=high`, `steps=28`; may be repeated
    #[arg(long = "set", value_name = "NAME=VALUE", conflicts_with = "comfy_workflow")]
    pub(crate) fields: Vec<String>,
    /// Ask for images without a seed, from servers that refuse one; the run says so
    #[arg(long, conflicts_with = "comfy_workflow")]
    pub(crate) no_seed: bool,
    /// A generation protocol of your own [default: generation.v1]
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) protocol: Option<PathBuf>,
    /// Images under way at one time
    #[arg(long, value_name = "N", default_value_t = 4, value_parser = clap::value_parser!(u16).range(1..=256))]
    pub(crate) concurrency: u16,
}

#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  asap bench adopt runs/flux --model flux-asap --prompts prompts/haf-bench
  asap bench adopt runs/flux --model flux-asap --prompts prompts.jsonl --set steps=28

The folder holds PROMPT/SEED.png (or .jpg, .webp), with or without a folder `images` above. Its files stay as they
are; `run.json` and `prompts.jsonl` are written beside them.")]
pub(crate) struct AdoptArgs {
    /// Folder of images
    #[arg(value_hint = ValueHint::DirPath)]
    pub(crate) dir: PathBuf,
    /// The model's name in tables
    #[arg(long, value_name = "NAME")]
    pub(crate) model: String,
    /// Prompts: a JSONL file, or the folder of a benchmark
    #[arg(long, value_name = "FILE_OR_DIR", default_value = "prompts/haf-bench", value_hint = ValueHint::AnyPath)]
    pub(crate) prompts: PathBuf,
    /// What drew the images
    #[arg(long, value_name = "KIND", default_value = "folder")]
    pub(crate) generator: String,
    /// A setting that the images were drawn with: `steps=28`; may be repeated
    #[arg(long = "set", value_name = "NAME=VALUE")]
    pub(crate) settings: Vec<String>,
}

#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  asap bench from-hap hap.lance --out runs
  asap bench judge runs/hap-rejected --protocol aer.v1 --judge known:runs/known.jsonl
  asap bench judge runs/hap-preferred --protocol aer.v1 --judge known:runs/known.jsonl

Every labelled pair becomes a prompt with one image in each run, so that a judge, a protocol or a rater can be tried
out where each answer can be checked. The same command goes on where it was interrupted.")]
pub(crate) struct FromHapArgs {
    /// The dataset
    #[arg(value_hint = ValueHint::DirPath)]
    pub(crate) dataset: PathBuf,
    /// Folder for `hap-preferred`, `hap-rejected` and `known.jsonl`
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub(crate) out: PathBuf,
    /// Take every pair, not only the kept ones
    #[arg(long)]
    pub(crate) all: bool,
    /// Take only so many pairs, spread evenly over the dataset
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) limit: Option<u32>,
}

#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  asap bench rehearse runs/hap-rejected --protocol aer.v1 --known known.jsonl --out votes.jsonl
  asap bench judge runs/hap-rejected --protocol aer.v1 --judge human:votes.jsonl

The raters follow the known answers as people would, with mistakes, and are called simulated-01 and so on. Their votes
show what a study of this size can tell; they say nothing about what people see.")]
pub(crate) struct RehearseArgs {
    /// The run
    #[arg(value_hint = ValueHint::DirPath)]
    pub(crate) run: PathBuf,
    /// Compare with this run, pair by pair
    #[arg(long, value_name = "BASE", value_hint = ValueHint::DirPath)]
    pub(crate) against: Option<PathBuf>,
    /// aer.v1 for single images, rsi.v1 for pairs, or a protocol file of your own
    #[arg(long, value_name = "ID_OR_FILE")]
    pub(crate) protocol: String,
    /// Known answers, as `asap bench from-hap` writes them
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) known: PathBuf,
    /// File of votes to write
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) out: PathBuf,
    /// Raters; the paper had 11
    #[arg(long, value_name = "N", default_value_t = 11, value_parser = clap::value_parser!(u16).range(1..=99))]
    pub(crate) raters: u16,
    /// Votes on each item
    #[arg(long, value_name = "N", default_value_t = 3, value_parser = clap::value_parser!(u16).range(1..=99))]
    pub(crate) votes: u16,
    /// Seed of all random choices
    #[arg(long, value_name = "S", default_value_t = 7)]
    pub(crate) seed: u64,
}

#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  asap bench judge runs/flux --protocol aer.v1 --judge gemini:gemini-3.1-pro-preview --dry-run
  asap bench judge runs/flux --protocol aer.v1 --judge gemini:gemini-3.1-pro-preview --max-usd 30
  asap bench judge runs/flux --against runs/base --protocol rsi.v1 --judge openai:URL#MODEL
  asap bench judge runs/flux --protocol aer.v1 --judge human:votes.csv
  asap bench judge runs/flux --protocol aer.v1 --judge known:labels.jsonl

A judge is gemini:MODEL, openai:MODEL, openai:URL#MODEL (vLLM, llama.cpp, Ollama, ...), human:FILE (JSONL, or CSV with
rater,prompt_id,seed,verdict or rater,prompt_id,seed,order,choice) or known:FILE (JSONL of image_sha256 and verdict).
Every answer is kept in RUN/answers as it came. The same command goes on where a run ended, however it ended, and pays
for no answer twice. All verdicts of a run are written to RUN/judgements.jsonl. Keys come from the environment:
GEMINI_API_KEY, OPENAI_API_KEY.")]
pub(crate) struct JudgeArgs {
    /// The run
    #[arg(value_hint = ValueHint::DirPath)]
    pub(crate) run: PathBuf,
    /// Compare with this run, pair by pair
    #[arg(long, value_name = "BASE", value_hint = ValueHint::DirPath)]
    pub(crate) against: Option<PathBuf>,
    /// aer.v1 for single images, rsi.v1 for pairs, or a protocol file of your own
    #[arg(long, value_name = "ID_OR_FILE")]
    pub(crate) protocol: String,
    /// Who judges
    #[arg(long, value_name = "ADDRESS")]
    pub(crate) judge: String,
    /// Make no call that could bring the cost of this judge over this sum, earlier runs included
    #[arg(long, value_name = "USD", value_parser = parse_usd)]
    pub(crate) max_usd: Option<f64>,
    /// Say what it would cost, and ask nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Where answers come from
    #[arg(long, value_enum, default_value = "record")]
    pub(crate) mode: ModeArg,
    /// Ask everything this often
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=100))]
    pub(crate) repeat: u32,
    /// Judge only so many images or pairs, spread evenly over the run
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) limit: Option<u32>,
    /// Questions under way at one time; a server that is asked too much gets fewer
    #[arg(long, value_name = "N", default_value_t = 8, value_parser = clap::value_parser!(u16).range(1..=256))]
    pub(crate) concurrency: u16,
    /// Send everything as a batch, at half the price and within a day, and wait for it
    #[arg(long)]
    pub(crate) batch: bool,
    /// Go on although an earlier command ended while it submitted a batch that the server may have
    #[arg(long, requires = "batch")]
    pub(crate) forget_batch: bool,
    /// Seconds between two looks at a batch
    #[arg(long, value_name = "SECS", default_value_t = 60, value_parser = clap::value_parser!(u64).range(1..=86_400))]
    pub(crate) poll_secs: u64,
    /// Show the judge the text of each prompt; the protocol is then another one, with `+prompt` in its id
    #[arg(long)]
    pub(crate) show_prompt: bool,
    /// Prices of your own [default: those of prompts/haf-bench/protocol/prices.toml]
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) prices: Option<PathBuf>,
    /// Judge without a price: no cost is shown or kept
    #[arg(long, conflicts_with_all = ["prices", "max_usd"])]
    pub(crate) unpriced: bool,
    /// Go on although images are missing or broken; they are unscored
    #[arg(long)]
    pub(crate) allow_missing: bool,
}

#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  asap bench report runs/flux-asap runs/flux-base --out report
  asap bench report runs/* --out report --baseline flux-base --human votes.jsonl

The page opens from the disk. Figures that nothing was measured for are told as not computed. Where several judges or
protocols have verdicts, choose with --judge and --protocol. Votes of people are in the runs (asap bench judge --judge
human:FILE) or in a JSONL file of verdicts with a judge {\"human\":\"PSEUDONYM\"}. The same inputs give the same bytes.")]
pub(crate) struct ReportArgs {
    /// The runs, in the order of the tables
    #[arg(required = true, value_name = "RUN", value_hint = ValueHint::DirPath)]
    pub(crate) runs: Vec<PathBuf>,
    /// Folder of the report; an older report in it is replaced
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub(crate) out: PathBuf,
    /// The model that the others are compared with [default: what pairs were compared with, else the last run]
    #[arg(long, value_name = "NAME")]
    pub(crate) baseline: Option<String>,
    /// Votes of people, as JSONL of verdicts
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) human: Option<PathBuf>,
    /// A protocol, where there are several; once for images and once for pairs
    #[arg(long = "protocol", value_name = "ID")]
    pub(crate) protocols: Vec<String>,
    /// Whose verdicts count: a judge's name, `known` or `people` [default: the only model]
    #[arg(long, value_name = "NAME")]
    pub(crate) judge: Option<String>,
    /// What answers in two orders count as
    #[arg(long, value_enum, default_value = "strict")]
    pub(crate) position: PositionArg,
    /// Show rates although fewer than 98 % of the images were scored; they are marked
    #[arg(long)]
    pub(crate) force: bool,
    /// Seed of the bootstraps
    #[arg(long, value_name = "S", default_value_t = 0)]
    pub(crate) seed: u64,
    /// Replicates of the bootstraps
    #[arg(long, value_name = "N", default_value_t = 10_000, value_parser = clap::value_parser!(u32).range(100..=1_000_000))]
    pub(crate) replicates: u32,
    /// A date to print on the page; none is printed otherwise
    #[arg(long, value_name = "TEXT")]
    pub(crate) date: Option<String>,
}

/// What a judge's answers in two orders count as.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum PositionArg {
    /// One vote: the outcome where both orders agree, else a tie
    Strict,
    /// Each order is half a vote
    Pooled,
    /// Each pair was shown in one order only
    Single,
}

#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  asap bench verify report
  asap bench verify report --json | jq .differences

Checks the hash of every file, then computes all figures, tables, plots and the page again from the logs in the folder,
and lists each difference. Exit code 1 if there is any. Needs neither the runs nor the network.")]
pub(crate) struct VerifyReportArgs {
    /// Folder of the report
    #[arg(value_name = "REPORT", value_hint = ValueHint::DirPath)]
    pub(crate) report: PathBuf,
}

/// Where answers come from, and where they go.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum ModeArg {
    /// Use kept answers, ask for the others and keep them
    Record,
    /// Ask everything and keep nothing: to try a judge out
    Live,
    /// Use kept answers only; one that is missing is an error
    ReplayOnly,
    /// Ask everything again; new answers count from then on
    Refresh,
}

#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  asap bench score runs/flux --scorers aesthetic,pickscore,hpsv2.1,imagereward --weights weights
  asap bench score runs/flux --scorers pickscore --weights weights --dtype bf16 --batch 32

Values are written to RUN/scores, one file for each scorer; the same command goes on where it ended. A scorer whose
weights are not there is told as not computed. Scores of different scorers have different scales; a score is comparable
only with scores of the same profile. PickScore and HPSv2.1 need the folder `clip-tokenizer` beside the weights, with the
tokenizer.json of any CLIP network, such as openai/clip-vit-large-patch14. `hpsv2.1-antialias` is HPSv2.1 with images resized as torchvision does since 0.17.")]
pub(crate) struct ScoreArgs {
    /// The run
    #[arg(value_hint = ValueHint::DirPath)]
    pub(crate) run: PathBuf,
    /// Which scorers, with commas between them
    #[arg(long, value_name = "NAMES", value_delimiter = ',', required = true)]
    pub(crate) scorers: Vec<String>,
    /// Folder of weights (`asap weights list`)
    #[arg(long, value_name = "DIR", env = "ASAP_WEIGHTS", value_hint = ValueHint::DirPath)]
    pub(crate) weights: PathBuf,
    /// The floats that networks compute with
    #[arg(long, value_enum, default_value = "f32")]
    pub(crate) dtype: PrecisionArg,
    /// Images that a network looks at together
    #[arg(long, value_name = "N", default_value_t = 8, value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub(crate) batch: u16,
}

/// The floats that networks compute with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum PrecisionArg {
    /// 32 bits, as the references
    F32,
    /// 16 bits: half the memory
    Bf16,
}

fn parse_usd(text: &str) -> Result<f64, String> {
    let usd: f64 = text
        .parse()
        .map_err(|_ignored| "expected a sum such as 30 or 0.5".to_owned())?;
    if usd.is_finite() && usd >= 0.0 {
        return Ok(usd);
    }
    Err("expected a sum of 0 or more".to_owned())
}
