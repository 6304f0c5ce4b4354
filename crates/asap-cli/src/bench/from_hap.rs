//! `asap bench from-hap`: two runs out of the images of preference pairs, with the answers that are known.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use anyhow::{Context as _, Result};
use asap_bench::run::hap::{self, PREFERRED, REJECTED};
use asap_bench::run::{Generator, RUN_SCHEMA, RunDraft, RunManifest, RunPrompts};
use asap_core::chat::ImageBytes;
use asap_core::{Prompt, Reporter as _, Sha256};
use asap_store::{Dataset, Filter, Record, rejected_png, sha256};
use serde::Serialize;

use crate::args::FromHapArgs;
use crate::failure::hinted;
use crate::printer::Printer;
use crate::progress::Progress;

/// Pairs in memory at one time, with their images.
const BATCH: usize = 16;
/// A pair has one image a side.
const SEED: u64 = 0;

#[derive(Serialize)]
struct Made {
    preferred: String,
    rejected: String,
    known: String,
    n_prompts: usize,
    n_unlabelled: usize,
}

pub(crate) async fn run(args: &FromHapArgs, printer: Printer) -> Result<()> {
    let dataset = Dataset::open(&args.dataset).await?;
    let filter = if args.all {
        Filter::default()
    } else {
        Filter::kept()
    };
    let rows = spread(dataset.matching_rows(&filter).await?, args.limit);
    let (prompts, n_unlabelled) = prompts(&dataset, &rows).await?;
    if prompts.is_empty() {
        return Err(hinted(
            format!("`{}` has no labelled pair that is kept", args.dataset.display()),
            "decide on its pairs with `asap curate`, or take all of them with `--all`",
        ));
    }
    fs_err::create_dir_all(&args.out)?;
    let prompts = write_prompts(&args.out, &prompts)?;
    let n_prompts = prompts.prompts().len();
    let mut drafts = Drafts::open(args, &dataset, &prompts)?;
    drafts.fill(&dataset, &rows, printer).await?;
    let made = Made {
        preferred: args.out.join(PREFERRED).display().to_string(),
        rejected: args.out.join(REJECTED).display().to_string(),
        known: drafts.finish(&args.out)?,
        n_prompts,
        n_unlabelled,
    };
    let text = format!(
        "{n_prompts} pairs in `{}` and `{}`, known answers in `{}`; {n_unlabelled} pairs without a label were left out",
        made.preferred, made.rejected, made.known
    );
    printer.summary(&text, &made)
}

/// At most `limit` rows, at equal distances.
fn spread(rows: Vec<u64>, limit: Option<u32>) -> Vec<u64> {
    let limit = limit.map_or(rows.len(), |limit| rows.len().min(limit as usize));
    (0..limit).map(|idx| rows[idx * rows.len() / limit]).collect()
}

async fn prompts(dataset: &Dataset, rows: &[u64]) -> Result<(Vec<Prompt>, usize)> {
    let mut prompts = Vec::new();
    for batch in rows.chunks(BATCH) {
        let records = dataset.records_at(batch).await?;
        prompts.extend(records.iter().filter_map(prompt_of));
    }
    let n_unlabelled = rows.len() - prompts.len();
    prompts.sort_by(|a, b| a.id.cmp(&b.id));
    Ok((prompts, n_unlabelled))
}

fn prompt_of(record: &Record) -> Option<Prompt> {
    hap::prompt(&record.positive, &record.pair)
}

fn write_prompts(out: &Path, prompts: &[Prompt]) -> Result<RunPrompts> {
    // The stem is what the manifests name the prompts by.
    let path = out.join("hap-pairs.jsonl");
    let mut text = String::new();
    for prompt in prompts {
        text.push_str(&serde_json::to_string(prompt).context("a prompt is not JSON")?);
        text.push('\n');
    }
    fs_err::write(&path, text)?;
    Ok(RunPrompts::read(&path)?)
}

/// Both runs, and what is known of their images.
struct Drafts {
    preferred: RunDraft,
    rejected: RunDraft,
    known: BTreeMap<Sha256, &'static str>,
}

impl Drafts {
    fn open(args: &FromHapArgs, dataset: &Dataset, prompts: &RunPrompts) -> Result<Self> {
        let draft = |model: &str| {
            let settings = [
                (
                    "dataset",
                    args.dataset
                        .file_name()
                        .unwrap_or_default()
                        .to_string_lossy()
                        .into(),
                ),
                ("version", dataset.version().into()),
            ];
            let manifest = RunManifest {
                schema: RUN_SCHEMA,
                model: model.to_owned(),
                generator: Generator {
                    kind: "hap".to_owned(),
                    settings: settings.map(|(name, value)| (name.to_owned(), value)).into(),
                },
                protocol: hap::protocol(),
                benchmark: prompts.benchmark(),
                seeds: vec![SEED],
                images: Vec::new(),
            };
            RunDraft::open(&args.out.join(model), manifest, prompts.clone())
        };
        Ok(Self {
            preferred: draft(PREFERRED)?,
            rejected: draft(REJECTED)?,
            known: BTreeMap::new(),
        })
    }

    async fn fill(&mut self, dataset: &Dataset, rows: &[u64], printer: Printer) -> Result<()> {
        let progress = Progress::new(printer);
        progress.start("pairs", rows.len() as u64);
        for batch in rows.chunks(BATCH) {
            for record in dataset.records_at(batch).await? {
                self.add(&record)?;
                progress.advance(1);
            }
        }
        progress.finish();
        Ok(())
    }

    fn add(&mut self, record: &Record) -> Result<()> {
        let Some(prompt) = prompt_of(record) else {
            return Ok(());
        };
        let preferred = png(record.positive.image_png.clone());
        let rejected = png(rejected_png(&record.positive, &record.pair)?);
        self.known.insert(preferred.sha256, "pass");
        self.known.insert(rejected.sha256, "fail");
        for (draft, image) in [(&mut self.preferred, preferred), (&mut self.rejected, rejected)] {
            if !draft.has(&prompt.id, SEED) {
                draft.add(&prompt.id, SEED, &image)?;
            }
        }
        Ok(())
    }

    /// Writes both manifests and the known answers; gives the file of the answers.
    fn finish(self, out: &Path) -> Result<String> {
        self.preferred.finish()?;
        self.rejected.finish()?;
        let path = out.join("known.jsonl");
        let line = |(sha256, verdict): (&Sha256, &&str)| {
            format!("{{\"image_sha256\":\"{sha256}\",\"verdict\":\"{verdict}\"}}\n")
        };
        fs_err::write(&path, self.known.iter().map(line).collect::<String>())?;
        Ok(path.display().to_string())
    }
}

fn png(bytes: Vec<u8>) -> ImageBytes {
    ImageBytes {
        media_type: "image/png",
        sha256: sha256(&bytes),
        bytes: Arc::from(bytes),
    }
}
