//! The `asap` command: parse, settle, call, print, exit code.

mod args;
mod bench;
mod clock;
mod curate;
mod data;
mod failure;
mod interrupt;
mod logs;
mod pose_map;
mod printer;
mod progress;
mod serve;
mod settings;
mod synth;
mod table;
mod votes;
mod weights;

use std::process::ExitCode;

use anyhow::{Context as _, Result};
use clap::{CommandFactory as _, Parser as _};

use crate::args::{Cli, Command};
use crate::printer::Printer;

fn main() -> ExitCode {
    let cli = Cli::parse();
    logs::start(&cli.global);
    match run(cli) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) if failure::is_closed_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => {
            printer::to_stderr(&failure::render(&error));
            ExitCode::FAILURE
        }
    }
}

fn run(cli: Cli) -> Result<()> {
    let printer = Printer::new(&cli.global);
    if let Command::Completions(args) = &cli.command {
        let mut script = Vec::new();
        clap_complete::generate(args.shell, &mut Cli::command(), "asap", &mut script);
        return printer::to_stdout(&String::from_utf8_lossy(&script));
    }
    let runtime = tokio::runtime::Runtime::new().context("cannot start the worker threads")?;
    runtime.block_on(dispatch(cli.command, printer))
}

async fn dispatch(command: Command, printer: Printer) -> Result<()> {
    match command {
        Command::Synth { source } => synth::run(settings::synth(source)?, printer).await,
        Command::Curate(args) => curate::run(args, printer).await,
        Command::Data { action } => data::run(action, printer).await,
        Command::Bench { action } => bench::run(action, printer).await,
        Command::PoseMap(args) => pose_map::run(&args, printer),
        Command::Serve(args) => serve::run(settings::serve(args)?, printer).await,
        Command::Votes { action } => votes::run(action, printer).await,
        Command::Weights { action } => weights::run(&action, printer),
        // Answered before the runtime was started.
        Command::Completions(_) => Ok(()),
    }
}
