//! A model that is asked about the images of a run.

use std::collections::BTreeSet;

use anyhow::Result;
use asap_bench::cost::{Price, Tariff};
use asap_bench::judge::{
    AnswerLog, Backend, BatchLog, JudgeOptions, Mode, PendingBatch, Question, Runs, Summary, export, plan,
    run_judge, said,
};
use asap_bench::protocol::Protocol;
use asap_core::Sha256;
use asap_core::chat::{ChatFailure, ChatFailureKind, ChatReply, ChatRequest};
use asap_remote::{ChatClient, Environment, JudgeAddress};
use serde::Serialize;

use super::batch;
use super::endpoint::{Endpoint, transport};
use super::verdict_table::{dry_run_text, stopped, text, undone};
use crate::args::{JudgeArgs, ModeArg};
use crate::clock;
use crate::failure::hinted;
use crate::interrupt::Interrupt;
use crate::printer::Printer;
use crate::progress::Progress;

/// What judging came to, and where everything is.
#[derive(Serialize)]
struct Judged<'a> {
    protocol: &'a str,
    judge: &'a str,
    #[serde(flatten)]
    summary: &'a Summary,
    answers: Option<String>,
    judgements: Option<String>,
}

/// A model that is asked, and about what.
pub(super) struct Session<'a> {
    pub(super) runs: Runs<'a>,
    pub(super) protocol: &'a Protocol,
    pub(super) address: JudgeAddress,
    pub(super) judge: String,
    pub(super) questions: Vec<Question>,
    pub(super) price: Option<Price>,
    pub(super) args: &'a JudgeArgs,
    pub(super) printer: Printer,
}

/// Asks nobody: every answer is in the log.
struct Nobody;

impl Backend for Nobody {
    async fn ask(&self, _request: &ChatRequest) -> std::result::Result<ChatReply, ChatFailure> {
        Err(ChatFailure {
            kind: ChatFailureKind::Rejected,
            url: "replay-only".to_owned(),
            status: None,
            message: "nobody is asked".to_owned(),
            attempts: 0,
            unanswered: 0,
        })
    }
}

impl Session<'_> {
    pub(super) fn client(&self) -> Result<ChatClient> {
        let transport = transport(self.args.concurrency)?;
        Ok(ChatClient::new(
            self.address.clone(),
            &Environment::from_env()?,
            &transport,
        )?)
    }

    pub(super) fn dry_run(&self) -> Result<()> {
        let log = AnswerLog::replay(self.runs.run, &self.judge)?;
        let tariff = if self.args.batch {
            Tariff::Batch
        } else {
            Tariff::Live
        };
        let (mode, price) = (self.mode(), self.price.as_ref());
        let plan = plan(&self.questions, &log, mode, self.protocol, price, tariff);
        self.printer.data(&dry_run_text(&plan), &plan)
    }

    fn mode(&self) -> Mode {
        match self.args.mode {
            ModeArg::Live => Mode::Live,
            ModeArg::Record => Mode::Record,
            ModeArg::ReplayOnly => Mode::ReplayOnly,
            ModeArg::Refresh => Mode::Refresh,
        }
    }

    pub(super) fn open_log(&self) -> Result<AnswerLog> {
        let run = self.runs.run;
        let log = match self.args.mode {
            ModeArg::Live => AnswerLog::in_memory(),
            ModeArg::ReplayOnly => AnswerLog::replay(run, &self.judge)?,
            ModeArg::Record | ModeArg::Refresh => AnswerLog::open(run, &self.judge)?,
        };
        if let Some(torn) = log.torn() {
            self.printer.note(&format!("repaired: {torn}"));
        }
        log.check_protocol(self.protocol)?;
        Ok(log)
    }

    pub(super) async fn ask(&self, log: &mut AnswerLog) -> Result<Summary> {
        self.check_no_batch()?;
        let interrupt = Interrupt::listen();
        let progress = Progress::new(self.printer);
        let options = JudgeOptions {
            protocol: self.protocol,
            mode: self.mode(),
            concurrency: self.args.concurrency.into(),
            price: self.price.as_ref(),
            most_usd: self.args.max_usd,
            now: &clock::now,
            is_stopping: &|| interrupt.is_requested(),
            reporter: &progress,
        };
        if self.args.mode == ModeArg::ReplayOnly {
            return Ok(run_judge(&Nobody, self.runs, &self.questions, log, &options).await?);
        }
        let client = self.client()?;
        let summary = run_judge(&Endpoint(&client), self.runs, &self.questions, log, &options).await?;
        for adjustment in client.adjustments() {
            self.printer.note(&format!(
                "note: the server made us change our requests: {adjustment:?}"
            ));
        }
        Ok(summary)
    }

    /// A live run beside a batch would pay for the same answers.
    fn check_no_batch(&self) -> Result<()> {
        if !BatchLog::exists(self.runs.run, &self.judge) || self.args.mode == ModeArg::ReplayOnly {
            return Ok(());
        }
        let batches = BatchLog::open(self.runs.run, &self.judge)?;
        batch::check_unknown(&batches)?;
        let keys: BTreeSet<Sha256> = self.questions.iter().map(|question| question.key).collect();
        let has_ours = |batch: &&PendingBatch| batch.calls.iter().any(|call| keys.contains(&call.key));
        match batches.pending().iter().find(has_ours) {
            None => Ok(()),
            Some(batch) => Err(hinted(
                format!(
                    "a batch with some of these questions is under way since {} ({} questions)",
                    batch.time,
                    batch.calls.len()
                ),
                "go on with it by the same command and `--batch`",
            )),
        }
    }

    pub(super) fn finish(&self, log: &AnswerLog, summary: &Summary) -> Result<()> {
        for change in &summary.model_changes {
            self.printer.note(&format!(
                "note: behind `{}` the model changed from `{}` to `{}` at {}; verdicts of both are in the log",
                self.judge, change.from, change.to, change.time
            ));
        }
        let is_kept = self.args.mode != ModeArg::Live;
        if !is_kept {
            self.print_verdicts(log);
        }
        let judgements = is_kept.then(|| export(self.runs.run)).transpose()?;
        let judged = Judged {
            protocol: &self.protocol.id,
            judge: &self.judge,
            summary,
            answers: is_kept.then(|| log.path().display().to_string()),
            judgements: judgements.map(|(path, _)| path.display().to_string()),
        };
        let mut text = text(summary);
        if let (Some(answers), Some(judgements)) = (&judged.answers, &judged.judgements) {
            text.push_str(&format!(
                "answers: `{answers}`; all verdicts of the run: `{judgements}`\n"
            ));
        }
        self.printer.summary(&text, &judged)?;
        match (&summary.stop, undone(summary)) {
            (Some(stop), _) => Err(stopped(stop, self.args.max_usd)),
            (None, Some(undone)) => Err(undone),
            (None, None) => Ok(()),
        }
    }

    /// The verdicts of a run that keeps nothing.
    fn print_verdicts(&self, log: &AnswerLog) {
        for record in log.records() {
            let said = said(&record.asked.subject, &record.event);
            let word = said.unscored().map_or(said.word(), |reason| reason.name());
            self.printer.note(&format!("{}: {word}", record.asked.subject));
        }
    }
}
