//! Arguments of `asap votes`.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueHint};

#[derive(Debug, Subcommand)]
pub(crate) enum VotesCommand {
    /// Follow the log of votes from its first entry to its head; exits 1 where it breaks
    Verify(VerifyVotesArgs),
    /// Write the log of votes, a line of JSON for each entry
    Export(ExportVotesArgs),
}

#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  asap votes verify sqlite:arena.db --tables
  asap votes verify votes.jsonl --published $HEAD

An entry that is changed, removed or inserted breaks the chain. Entries that
were cut off at the end do not: write the head down elsewhere from time to
time, and give it as `--published`.")]
pub(crate) struct VerifyVotesArgs {
    /// Address of the database, or a log that was exported
    #[arg(value_name = "DATABASE_OR_FILE")]
    pub(crate) log: String,
    /// The hash of a head that was written down: the log must still lead to it
    #[arg(long, value_name = "HASH")]
    pub(crate) published: Option<String>,
    /// Derive the votes from the log again and compare the tables with them
    #[arg(long)]
    pub(crate) tables: bool,
}

#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  asap votes export sqlite:arena.db --out votes.jsonl

Raters are pseudonyms in it. It has the known answers of gold items: publish
it when their campaign is closed.")]
pub(crate) struct ExportVotesArgs {
    /// Address of the database: `sqlite:FILE` or `postgres://USER@HOST/NAME`
    #[arg(value_name = "DATABASE")]
    pub(crate) database: String,
    /// The file to write; it must not be there yet
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) out: PathBuf,
}
