//! `asap bench`: draws, judges and compares the images of a benchmark.

mod adopt;
mod batch;
mod endpoint;
mod generate;
mod judge;
mod report;
mod session;
mod verdict_table;
mod verify;

use anyhow::Result;
use asap_bench::Error;
use asap_bench::run::{Depth, Run};

use crate::args::BenchCommand;
use crate::failure::hinted;
use crate::printer::Printer;

pub(crate) async fn run(command: BenchCommand, printer: Printer) -> Result<()> {
    match command {
        BenchCommand::Generate(args) => generate::run(args, printer).await,
        BenchCommand::Adopt(args) => adopt::run(&args, printer),
        BenchCommand::Judge(args) => judge::run(args, printer).await,
        BenchCommand::Report(args) => report::run(args, printer),
        BenchCommand::Verify(args) => verify::run(&args, printer),
    }
}

/// Reads a run and checks every pixel; tells all that is wrong with it, one line each.
fn load_run(dir: &std::path::Path, printer: Printer) -> Result<Run> {
    if !dir.join("run.json").exists() && dir.is_dir() {
        return Err(hinted(
            format!("`{}` is no run: it has no run.json", dir.display()),
            format!(
                "make it one with `asap bench adopt {} --model NAME --prompts FILE`, if it holds PROMPT/SEED.png",
                dir.display()
            ),
        ));
    }
    Run::load(dir, Depth::Pixels).map_err(|error| with_problems(error, printer))
}

/// Tells the problems of a run and leaves their number to the error.
fn with_problems(error: Error, printer: Printer) -> anyhow::Error {
    let Error::Run { path, problems } = error else {
        return error.into();
    };
    for problem in &problems {
        printer.note(&format!("problem: {problem}"));
    }
    let n = match problems.len() {
        1 => "1 problem".to_owned(),
        n => format!("{n} problems"),
    };
    anyhow::anyhow!("run `{}` is not whole: {n}", path.display())
}

/// Settings given as `NAME=VALUE`: a value that is JSON is taken as such, any other as text.
fn named_values(texts: &[String]) -> Result<std::collections::BTreeMap<String, serde_json::Value>> {
    let mut values = std::collections::BTreeMap::new();
    for text in texts {
        let (name, value) = text
            .split_once('=')
            .filter(|(name, _)| !name.is_empty())
            .ok_or_else(|| {
                hinted(
                    format!("`--set {text}`: expected NAME=VALUE"),
                    "for example `--set steps=28`",
                )
            })?;
        let value = serde_json::from_str(value).unwrap_or_else(|_not_json| value.into());
        if values.insert(name.to_owned(), value).is_some() {
            return Err(hinted(
                format!("`--set {name}=...` is there twice"),
                "give each name once",
            ));
        }
    }
    Ok(values)
}
