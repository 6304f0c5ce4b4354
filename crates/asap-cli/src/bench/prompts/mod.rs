//! `asap bench prompts`: checks and counts sets of prompts.

mod counters;
mod counts;
mod validate;

use anyhow::Result;

use crate::args::PromptsCommand;
use crate::printer::Printer;

pub(super) async fn run(command: PromptsCommand, printer: Printer) -> Result<()> {
    match command {
        PromptsCommand::Validate(args) => validate::run(&args, printer).await,
        PromptsCommand::Stats(args) => counts::run(&args, printer),
    }
}
