//! `asap bench generate`: draws the images that a run lacks.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use anyhow::Result;
use asap_bench::protocol::GenerationProtocol;
use asap_bench::run::{Generator, RUN_SCHEMA, RunDraft, RunManifest, RunPrompts};
use asap_core::chat::ChatFailureKind;
use asap_core::{PromptId, Reporter as _};
use asap_remote::{Environment, ImageClient, ImageEndpoint, ImageFailure, ImageLimits, ImageRequest};
use futures::StreamExt as _;
use serde::Serialize;
use serde_json::Value;

use super::endpoint::transport;
use super::{named_values, with_problems};
use crate::args::GenerateArgs;
use crate::failure::hinted;
use crate::interrupt::Interrupt;
use crate::printer::Printer;
use crate::progress::Progress;

/// What became of a run.
#[derive(Serialize)]
struct Report {
    run: String,
    n_before: usize,
    n_drawn: usize,
    failures: Vec<Failure>,
    n_missing: usize,
}

/// An image that could not be drawn.
#[derive(Clone, Debug, Serialize)]
struct Failure {
    prompt_id: PromptId,
    seed: u64,
    reason: String,
}

/// So many failures in a row end the run: the server is not well.
const MOST_FAILURES_IN_A_ROW: usize = 8;

/// What images under way share.
struct Easel {
    draft: RunDraft,
    n_drawn: usize,
    n_failures_in_a_row: usize,
    failures: Vec<Failure>,
    /// Why nothing more is drawn.
    stop: Option<anyhow::Error>,
    revised: Option<PromptId>,
}

pub(crate) async fn run(args: GenerateArgs, printer: Printer) -> Result<()> {
    let protocol = match &args.protocol {
        Some(path) => GenerationProtocol::read(path)?,
        None => GenerationProtocol::built_in()?,
    };
    let size_px = args.size.unwrap_or(protocol.file.size);
    let endpoint = endpoint(&args)?;
    let client = ImageClient::new(
        endpoint,
        &Environment::from_env()?,
        &transport(args.concurrency)?,
        ImageLimits::default(),
    )?;
    let prompts = RunPrompts::read(&args.prompts)?;
    let manifest = manifest(&args, &protocol, &prompts, size_px)?;
    let draft =
        RunDraft::open(&args.out, manifest, prompts).map_err(|error| with_problems(error, printer))?;
    let n_before = draft.n_images();
    let easel = draw(&args, &client, draft, size_px, printer).await?;
    finish(&args.out, easel, n_before, printer)
}

fn endpoint(args: &GenerateArgs) -> Result<ImageEndpoint> {
    let base = args.endpoint.parse()?;
    if let Some(workflow) = &args.comfy_workflow {
        return Ok(ImageEndpoint::comfy(base, workflow)?);
    }
    Ok(ImageEndpoint::OpenAi {
        base: Some(base),
        model: args.model.clone(),
        extra: named_values(&args.fields)?.into_iter().collect(),
    })
}

fn manifest(
    args: &GenerateArgs,
    protocol: &GenerationProtocol,
    prompts: &RunPrompts,
    size_px: u32,
) -> Result<RunManifest> {
    let mut settings: BTreeMap<String, Value> = named_values(&args.fields)?;
    settings.insert("model".to_owned(), args.model.as_str().into());
    settings.insert("size_px".to_owned(), size_px.into());
    settings.insert("takes_seed".to_owned(), (!args.no_seed).into());
    let kind = match &args.comfy_workflow {
        None => "openai-images",
        Some(workflow) => {
            let graph: Value = serde_json::from_slice(&fs_err::read(workflow)?)?;
            settings.insert("workflow".to_owned(), graph);
            "comfyui"
        }
    };
    let first = args.seed.unwrap_or(protocol.file.first_seed);
    let n_samples = u64::from(args.samples.unwrap_or(protocol.file.samples));
    let last = first.checked_add(n_samples - 1).ok_or_else(|| {
        hinted(
            format!("`--seed {first}`: the seeds after it are too large"),
            "choose a smaller seed",
        )
    })?;
    Ok(RunManifest {
        schema: RUN_SCHEMA,
        model: args.name.clone().unwrap_or_else(|| args.model.clone()),
        generator: Generator {
            kind: kind.to_owned(),
            settings,
        },
        protocol: protocol.reference.clone(),
        benchmark: prompts.benchmark(),
        seeds: (first..=last).collect(),
        images: Vec::new(),
    })
}

async fn draw(
    args: &GenerateArgs,
    client: &ImageClient,
    draft: RunDraft,
    size_px: u32,
    printer: Printer,
) -> Result<Easel> {
    let interrupt = Interrupt::listen();
    let progress = Progress::new(printer);
    let todo: Vec<(PromptId, String, u64)> = draft
        .missing()
        .into_iter()
        .map(|(prompt, seed)| (prompt.id.clone(), prompt.prompt.clone(), seed))
        .collect();
    progress.start("drawing", todo.len() as u64);
    let easel = Mutex::new(Easel {
        draft,
        n_drawn: 0,
        n_failures_in_a_row: 0,
        failures: Vec::new(),
        stop: None,
        revised: None,
    });
    let with =
        |act: &mut dyn FnMut(&mut Easel)| act(&mut easel.lock().unwrap_or_else(PoisonError::into_inner));
    futures::stream::iter(&todo)
        .for_each_concurrent(
            usize::from(args.concurrency),
            async |(prompt_id, prompt, seed)| {
                let mut is_over = interrupt.is_requested();
                with(&mut |easel| is_over |= easel.stop.is_some());
                if is_over {
                    return;
                }
                let request = ImageRequest {
                    prompt: prompt.clone(),
                    negative: None,
                    width_px: size_px,
                    height_px: size_px,
                    seed: (!args.no_seed).then_some(*seed),
                };
                let made = client.generate(&request).await;
                with(&mut |easel| easel.take(prompt_id, *seed, &made));
                progress.advance(1);
            },
        )
        .await;
    progress.finish();
    Ok(easel.into_inner().unwrap_or_else(PoisonError::into_inner))
}

impl Easel {
    fn take(
        &mut self,
        prompt_id: &PromptId,
        seed: u64,
        made: &Result<asap_remote::GeneratedImage, ImageFailure>,
    ) {
        let reason = match made {
            Ok(made) => {
                if made.revised_prompt.is_some() {
                    self.revised.get_or_insert_with(|| prompt_id.clone());
                }
                match self.draft.add(prompt_id, seed, &made.image) {
                    Ok(()) => {
                        self.n_drawn += 1;
                        self.n_failures_in_a_row = 0;
                        return;
                    }
                    // A full disk and the like.
                    Err(error @ asap_bench::Error::Io(_)) => {
                        self.stop = self.stop.take().or(Some(error.into()));
                        return;
                    }
                    Err(error) => error.to_string(),
                }
            }
            Err(failure) => failure.to_string(),
        };
        // A prompt that a filter stops says nothing about the server.
        if !matches!(made, Err(ImageFailure::Blocked { .. })) {
            self.n_failures_in_a_row += 1;
        }
        if let Err(failure) = made
            && let Some(stop) = self.stop_after(failure)
        {
            self.stop = self.stop.take().or(Some(stop));
        }
        self.failures.push(Failure {
            prompt_id: prompt_id.clone(),
            seed,
            reason,
        });
    }

    /// Whether a failure means that all others would fail too.
    fn stop_after(&self, failure: &ImageFailure) -> Option<anyhow::Error> {
        let again = "what is drawn is kept; run the same command again";
        match failure {
            ImageFailure::Call(call) if call.kind == ChatFailureKind::DailyQuota => Some(hinted(
                format!("the quota of the day is used up: {call}"),
                format!("{again} tomorrow"),
            )),
            ImageFailure::Call(call) if call.kind == ChatFailureKind::Denied => Some(hinted(
                format!("the server does not let us in: {call}"),
                "check the key in OPENAI_API_KEY",
            )),
            ImageFailure::Blocked { .. } => None,
            _ if self.n_failures_in_a_row >= MOST_FAILURES_IN_A_ROW => Some(hinted(
                format!(
                    "{} failures in a row, the last one: {failure}",
                    self.n_failures_in_a_row
                ),
                format!("{again} when the server is well"),
            )),
            _ => None,
        }
    }
}

fn finish(out: &Path, easel: Easel, n_before: usize, printer: Printer) -> Result<()> {
    for failure in &easel.failures {
        printer.note(&format!(
            "not drawn: `{}` seed {}: {}",
            failure.prompt_id, failure.seed, failure.reason
        ));
    }
    if let Some(prompt_id) = &easel.revised {
        printer.note(&format!(
            "note: the server changed prompts before it drew them, such as that of `{prompt_id}`; the protocol asks for \
             them verbatim"
        ));
    }
    let run = easel
        .draft
        .finish()
        .map_err(|error| with_problems(error, printer))?;
    let report = Report {
        run: out.display().to_string(),
        n_before,
        n_drawn: easel.n_drawn,
        failures: easel.failures,
        n_missing: run.gaps().len(),
    };
    let text = format!(
        "`{}`: {} images drawn, {} were there, {} missing",
        report.run, report.n_drawn, report.n_before, report.n_missing
    );
    printer.summary(&text, &report)?;
    if let Some(stop) = easel.stop {
        return Err(stop);
    }
    if report.n_missing > 0 {
        return Err(hinted(
            format!("{} images of `{}` are missing", report.n_missing, report.run),
            "run the same command again to draw them; `asap bench judge --allow-missing` goes on without them",
        ));
    }
    Ok(())
}
