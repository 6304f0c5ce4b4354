//! Set-up and chores of the workspace, called as `cargo xtask COMMAND`.
//!
//! It gets what a machine lacks into `<target>/tools`, and calls cargo, the built `asap` and Python. It stays
//! small, for everything else waits until it is compiled.
#![expect(
    clippy::print_stdout,
    reason = "a chore runner speaks to the person at the terminal"
)]
#![expect(clippy::print_stderr, reason = "errors and what was lost go to stderr")]

mod args;
mod ci;
mod context;
mod demo;
mod doctor;
mod golden;
mod pictures;
mod python;
mod shell;
mod test;
mod tidy;
mod tools;
mod train;
mod web;

use std::process::ExitCode;

use anyhow::{Result, bail};

use crate::args::Args;
use crate::context::Context;

const HELP: &str = "\
Set-up and chores of the ASAP toolkit

Usage: cargo xtask COMMAND [OPTIONS] [-- EXTRA]

Commands:
  demo     Get what is missing, build, make the demo dataset, serve the viewer
             --photos DIR    add pairs made from the photographs in DIR
             --poses FILE    keypoints and boxes of these photographs
             --fresh         make the dataset anew
             --no-serve      stop before serving
             --addr A:P      where to listen [default: 127.0.0.1:3000]
  test     Get what is missing and run every test; after `--`, what the test runner is given
  train    Get libtorch, build the trainer, train the tiny model on the demo dataset;
           after `--`, what `asap-train` is given instead
  serve    Serve the demo dataset, or what is given after `--` to `asap serve`
  web      Build the browser client into <target>/site
  doctor   List every tool: found, or the command that gets it
  golden   Write the golden numbers anew with their reference programs
             --check         only compare with those that stand
  pictures Make the README's pictures anew: the viewer on the demo dataset, in Chromium
  tidy     Check the rules of the workspace that no compiler checks
  ci       Formatting, tidy, clippy, then `test`
  help     Print this

Nothing is installed system-wide where ASAP_NO_APT is set.";

fn main() -> ExitCode {
    match run() {
        Ok(code) => code,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<ExitCode> {
    let mut words = std::env::args().skip(1);
    let command = words.next().unwrap_or_else(|| "help".to_owned());
    let mut args = Args::new(words);
    if matches!(command.as_str(), "help" | "--help" | "-h") || args.flag("--help") || args.flag("-h") {
        println!("{HELP}");
        return Ok(ExitCode::SUCCESS);
    }
    let context = Context::find()?;
    match command.as_str() {
        "demo" => demo::demo(&context, args)?,
        "train" => train::train(&context, args)?,
        "serve" => demo::serve(&context, args)?,
        "test" => test::test(&context, args)?,
        "web" => web::command(&context, args)?,
        "doctor" => doctor::doctor(&context, args)?,
        "pictures" => pictures::command(&context, args)?,
        "golden" => golden::golden(&context, args)?,
        "tidy" => tidy::command(&context, args)?,
        "ci" => ci::ci(&context, args)?,
        other => bail!("there is no command `{other}`; `cargo xtask help` lists them"),
    }
    Ok(ExitCode::SUCCESS)
}
