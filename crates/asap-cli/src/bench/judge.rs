//! `asap bench judge`: asks a judge about the images of a run, or takes over verdicts of people and known answers.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::Result;
use asap_bench::cost::{Price, PriceList};
use asap_bench::judge::{
    ImportedJudge, Question, Runs, Said, VerdictRow, export, image_questions, import, limited, pair_questions,
};
use asap_bench::protocol::{Kind, Protocol, ShowPrompt};
use asap_bench::run::Run;
use asap_remote::JudgeAddress;
use serde::Serialize;

use super::session::Session;
use super::verdict_table::counts;
use super::{batch, load_run};
use crate::args::{JudgeArgs, ModeArg};
use crate::failure::hinted;
use crate::printer::Printer;

/// Verdicts that were taken over.
#[derive(Serialize)]
struct Imported {
    n_verdicts: usize,
    verdicts: BTreeMap<&'static str, usize>,
    judgements: String,
}

pub(crate) async fn run(args: JudgeArgs, printer: Printer) -> Result<()> {
    let protocol = protocol(&args)?;
    check_kind(&args, &protocol)?;
    let run = load_run(&args.run, printer)?;
    let baseline = args
        .against
        .as_deref()
        .map(|dir| load_run(dir, printer))
        .transpose()?;
    tell_gaps([Some(&run), baseline.as_ref()], &args, printer)?;
    let runs = Runs {
        run: &run,
        baseline: baseline.as_ref(),
    };
    match ImportedJudge::parse(&args.judge) {
        Some(judge) => take_over(runs, &judge, &protocol, &args, printer),
        None => ask(runs, &protocol, &args, printer).await,
    }
}

fn protocol(args: &JudgeArgs) -> Result<Protocol> {
    let show_prompt = if args.show_prompt {
        ShowPrompt::Always
    } else {
        ShowPrompt::Never
    };
    if let Some(protocol) = Protocol::built_in(&args.protocol, show_prompt) {
        return Ok(protocol?);
    }
    let path = Path::new(&args.protocol);
    if path.is_file() {
        return Ok(Protocol::read(path, show_prompt)?);
    }
    let known: Vec<&str> = Protocol::built_in_ids().collect();
    Err(hinted(
        format!("no protocol `{}`", args.protocol),
        format!(
            "the built-in ones are {}; any other is the path of a file",
            known.join(" and ")
        ),
    ))
}

fn check_kind(args: &JudgeArgs, protocol: &Protocol) -> Result<()> {
    match (protocol.file.kind, &args.against) {
        (Kind::Image, None) | (Kind::Pair, Some(_)) => Ok(()),
        (Kind::Pair, None) => Err(hinted(
            format!("`{}` compares two runs, and there is one", protocol.id),
            "name the other one with `--against BASE`",
        )),
        (Kind::Image, Some(_)) => Err(hinted(
            format!(
                "`{}` judges single images, and `--against` names a second run",
                protocol.id
            ),
            "leave `--against` out, or take a protocol of pairs such as rsi.v1",
        )),
    }
}

/// Tells what is missing; an error unless it was said that this is fine.
fn tell_gaps(runs: [Option<&Run>; 2], args: &JudgeArgs, printer: Printer) -> Result<()> {
    let mut n_gaps = 0;
    for run in runs.into_iter().flatten() {
        for gap in run.gaps() {
            printer.note(&format!("missing in `{}`: {gap}", run.dir().display()));
            n_gaps += 1;
        }
    }
    if n_gaps == 0 || args.allow_missing {
        return Ok(());
    }
    Err(hinted(
        format!("{n_gaps} images are missing or broken"),
        "draw them with `asap bench generate`, or leave them unscored with `--allow-missing`",
    ))
}

fn take_over(
    runs: Runs<'_>,
    judge: &ImportedJudge,
    protocol: &Protocol,
    args: &JudgeArgs,
    printer: Printer,
) -> Result<()> {
    if args.batch || args.dry_run || args.max_usd.is_some() || args.prices.is_some() {
        return Err(hinted(
            format!("`{}` costs nothing and asks nobody", args.judge),
            "leave out --batch, --dry-run, --max-usd and --prices",
        ));
    }
    let rows = import(runs, judge, protocol)?;
    let mut verdicts = BTreeMap::new();
    for row in &rows {
        let word = match row {
            VerdictRow::Image(row) => Said::Verdict(row.verdict).word(),
            VerdictRow::Pair(row) => Said::Choice(row.choice).word(),
        };
        *verdicts.entry(word).or_default() += 1;
    }
    let (path, _) = export(runs.run)?;
    let imported = Imported {
        n_verdicts: rows.len(),
        verdicts,
        judgements: path.display().to_string(),
    };
    let text = format!(
        "{} verdicts from `{}`: {}\nall verdicts of the run: `{}`",
        imported.n_verdicts,
        judge.path().display(),
        counts(&imported.verdicts),
        imported.judgements
    );
    printer.summary(&text, &imported)
}

async fn ask(runs: Runs<'_>, protocol: &Protocol, args: &JudgeArgs, printer: Printer) -> Result<()> {
    let address: JudgeAddress = args.judge.parse().map_err(|error: asap_remote::Error| {
        hinted(
            error.to_string(),
            "people and known answers are judges too: `human:FILE`, `known:FILE`",
        )
    })?;
    let judge = address.judge_name();
    let session = Session {
        runs,
        protocol,
        price: price(args, &address, &judge)?,
        questions: questions(runs, protocol, &judge, args)?,
        address,
        judge,
        args,
        printer,
    };
    if args.dry_run {
        return session.dry_run();
    }
    let mut log = session.open_log()?;
    let summary = if args.batch {
        batch::run(&session, &mut log).await?
    } else {
        session.ask(&mut log).await?
    };
    session.finish(&log, &summary)
}

/// The price of a judge. Servers on this machine need none, unless the cost is to be limited.
fn price(args: &JudgeArgs, address: &JudgeAddress, judge: &str) -> Result<Option<Price>> {
    if args.unpriced || args.mode == ModeArg::ReplayOnly {
        return Ok(None);
    }
    let list = match &args.prices {
        Some(path) => PriceList::read(path)?,
        None => PriceList::built_in()?,
    };
    let is_local = address.base().is_some_and(asap_remote::BaseUrl::is_loopback);
    let is_needed = args.prices.is_some() || args.max_usd.is_some() || !is_local;
    match list.get(judge) {
        Ok(price) => Ok(Some(price.clone())),
        Err(_) if !is_needed => Ok(None),
        Err(error) => Err(hinted(
            error.to_string(),
            "add the model to a price file and name it with `--prices FILE`, or judge without a price: `--unpriced`",
        )),
    }
}

fn questions(runs: Runs<'_>, protocol: &Protocol, judge: &str, args: &JudgeArgs) -> Result<Vec<Question>> {
    let questions = match runs.baseline {
        None => image_questions(runs.run, protocol, judge, args.repeat),
        Some(baseline) => pair_questions(runs.run, baseline, protocol, judge, args.repeat)?,
    };
    Ok(match args.limit {
        Some(n_samples) => limited(questions, n_samples as usize),
        None => questions,
    })
}
