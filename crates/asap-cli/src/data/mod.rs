//! `asap data`: looks into, checks, exchanges and maintains a dataset.

mod digest;
mod exchange;
mod list;
mod lpips;
mod show;
mod stats;
mod upkeep;
mod verify;

use anyhow::Result;

use crate::args::DataCommand;
use crate::printer::Printer;

pub(crate) async fn run(command: DataCommand, printer: Printer) -> Result<()> {
    match command {
        DataCommand::List(args) => list::run(&args, printer).await,
        DataCommand::Stats(args) => stats::run(&args, printer).await,
        DataCommand::Verify(args) => verify::run(&args, printer).await,
        DataCommand::Export(args) => exchange::export(&args, printer).await,
        DataCommand::Import(args) => exchange::import(&args, printer).await,
        DataCommand::Versions(args) => upkeep::versions(&args, printer).await,
        DataCommand::Compact(args) => upkeep::compact(&args, printer).await,
        DataCommand::Show(args) => show::run(&args, printer).await,
    }
}
