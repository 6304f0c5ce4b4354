//! Arguments of `asap bench prompts`.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueHint};

#[derive(Debug, Subcommand)]
pub(crate) enum PromptsCommand {
    /// Check a set of prompts by rules; exits 1 when a prompt breaks one
    Validate(ValidateArgs),
    /// Count what a set of prompts holds
    Stats(PromptsStatsArgs),
}

#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  asap bench prompts validate prompts/haf-bench
  asap bench prompts validate prompts/haf-bench --log rejections.jsonl --against hap.lance
  asap bench prompts validate mine.jsonl --write-rules strict.toml     # then edit the file
  asap bench prompts validate mine.jsonl --rules strict.toml

Findings go to stderr, the table of checks to stdout. Tokens are estimated
from above without `--tokenizers`.")]
pub(crate) struct ValidateArgs {
    /// Folder of a benchmark, or one JSONL file of prompts
    #[arg(value_name = "DIR_OR_FILE", default_value = "prompts/haf-bench", value_hint = ValueHint::AnyPath)]
    pub(crate) prompts: PathBuf,
    /// Thresholds and lexicon as TOML [default: those that `--write-rules` writes]
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) rules: Option<PathBuf>,
    /// Write the rules in force to a file
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) write_rules: Option<PathBuf>,
    /// Write every finding as a line of JSON
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) log: Option<PathBuf>,
    /// Look for prompts in the captions of this dataset
    #[arg(long, value_name = "DATASET", value_hint = ValueHint::DirPath)]
    pub(crate) against: Option<PathBuf>,
    /// Look for prompts in the lines of this text
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) against_text: Option<PathBuf>,
    /// Count tokens exactly: a folder with `clip-tokenizer` and `bert-tokenizer`, as `bench score --weights` has it
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub(crate) tokenizers: Option<PathBuf>,
}

#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  asap bench prompts stats
  asap bench prompts stats mine.jsonl --json | jq .factors")]
pub(crate) struct PromptsStatsArgs {
    /// Folder of a benchmark, or one JSONL file of prompts
    #[arg(value_name = "DIR_OR_FILE", default_value = "prompts/haf-bench", value_hint = ValueHint::AnyPath)]
    pub(crate) prompts: PathBuf,
    /// Count tokens exactly: a folder with `clip-tokenizer` and `bert-tokenizer`, as `bench score --weights` has it
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub(crate) tokenizers: Option<PathBuf>,
}
