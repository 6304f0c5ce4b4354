//! `asap bench adopt`: makes a run out of a folder of images.

use anyhow::Result;
use asap_bench::protocol::GenerationProtocol;
use asap_bench::run::{Generator, RunPrompts, adopt};
use serde::Serialize;

use super::{named_values, with_problems};
use crate::args::AdoptArgs;
use crate::printer::Printer;

#[derive(Serialize)]
struct Adopted<'a> {
    run: String,
    model: &'a str,
    n_images: usize,
    n_missing: usize,
}

pub(crate) fn run(args: &AdoptArgs, printer: Printer) -> Result<()> {
    let prompts = RunPrompts::read(&args.prompts)?;
    let generator = Generator {
        kind: args.generator.clone(),
        settings: named_values(&args.settings)?,
    };
    let protocol = GenerationProtocol::built_in()?.reference;
    let run = adopt(&args.dir, &args.model, generator, protocol, &prompts)
        .map_err(|error| with_problems(error, printer))?;
    for gap in run.gaps() {
        printer.note(&format!("missing: {gap}"));
    }
    let adopted = Adopted {
        run: args.dir.display().to_string(),
        model: run.model(),
        n_images: run.manifest().images.len(),
        n_missing: run.gaps().len(),
    };
    let text = format!(
        "`{}` is a run of `{}`: {} images, {} missing",
        adopted.run, adopted.model, adopted.n_images, adopted.n_missing
    );
    printer.summary(&text, &adopted)
}
