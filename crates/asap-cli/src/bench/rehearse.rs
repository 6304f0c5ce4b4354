//! `asap bench rehearse`: votes of made-up raters.

use anyhow::Result;
use asap_bench::judge::{Rehearsal, Runs, rehearse};
use asap_bench::protocol::ShowPrompt;
use serde::Serialize;

use super::judge::{check_kind, protocol};
use super::load_run;
use crate::args::RehearseArgs;
use crate::printer::Printer;

#[derive(Serialize)]
struct Rehearsed {
    votes: String,
    n_votes: usize,
    n_raters: u16,
}

pub(crate) fn run(args: &RehearseArgs, printer: Printer) -> Result<()> {
    let protocol = protocol(&args.protocol, ShowPrompt::Never)?;
    check_kind(&protocol, args.against.as_deref())?;
    let run = load_run(&args.run, printer)?;
    let baseline = args
        .against
        .as_deref()
        .map(|dir| load_run(dir, printer))
        .transpose()?;
    let runs = Runs {
        run: &run,
        baseline: baseline.as_ref(),
    };
    let rehearsal = Rehearsal {
        n_raters: args.raters.into(),
        votes_per_item: args.votes.min(args.raters).into(),
        seed: args.seed,
    };
    let rehearsed = Rehearsed {
        votes: args.out.display().to_string(),
        n_votes: rehearse(runs, &args.known, &protocol, rehearsal, &args.out)?,
        n_raters: args.raters,
    };
    let text = format!(
        "{} votes of {} made-up raters in `{}`",
        rehearsed.n_votes, rehearsed.n_raters, rehearsed.votes
    );
    printer.summary(&text, &rehearsed)
}
