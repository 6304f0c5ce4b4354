//! `asap bench score`: lets learned scorers look at the images of a run.

use std::collections::BTreeSet;

use anyhow::{Context as _, Result};
use asap_bench::run::{ImageEntry, Run, ScoreLog, ScoreRow, read_scores, sha256};
use asap_core::{Reporter as _, Sha256};
use asap_metrics::RgbView;
use asap_metrics::scorers::{Precision, Score, ScoreItem, Scorer, ScorerInfo, Scorers};
use rayon::prelude::*;
use serde::Serialize;

use crate::args::{PrecisionArg, ScoreArgs};
use crate::failure::hinted;
use crate::interrupt::Interrupt;
use crate::printer::Printer;
use crate::progress::Progress;
use crate::table::{self, Align};

/// What one scorer says of a run.
#[derive(Debug, Serialize)]
struct Line {
    scorer: String,
    /// Over the images that were scored; absent where none was.
    mean: Option<f64>,
    n_images: usize,
    /// Prompts whose end the scorer does not read; absent for scorers that read none.
    n_prompts_truncated: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    profile: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    scale: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    dtype: Option<&'static str>,
    /// Files that the folder of weights lacks.
    missing: Vec<String>,
}

pub(crate) fn run(args: &ScoreArgs, printer: Printer) -> Result<()> {
    let run = super::load_run(&args.run, printer)?;
    for gap in run.gaps() {
        printer.note(&format!("not scored: {gap}"));
    }
    let precision = match args.dtype {
        PrecisionArg::F32 => Precision::F32,
        PrecisionArg::Bf16 => Precision::Bf16,
    };
    let scorers = Scorers::open(&args.weights, precision)?;
    let missing = names(args, &scorers)?;
    let interrupt = Interrupt::listen();
    let mut lines = Vec::new();
    for (name, missing) in missing {
        lines.push(if missing.is_empty() {
            // A network computes for seconds at a time; Ctrl-C is heard meanwhile.
            tokio::task::block_in_place(|| {
                let scorer = scorers.load(name)?;
                score_run(&run, scorer.as_ref(), args, &interrupt, printer)?;
                Line::of(&run, scorer.info())
            })?
        } else {
            Line::not_computed(name, missing)
        });
        if interrupt.is_requested() {
            return Err(hinted(
                "interrupted; the scores so far are kept",
                "the same command goes on with the others",
            ));
        }
    }
    printer.data(&text(&lines), &lines)
}

/// The scorers that were asked for, in that order and once each, and what they lack; one of them at least is whole.
fn names<'a>(args: &'a ScoreArgs, scorers: &Scorers) -> Result<Vec<(&'a str, Vec<String>)>> {
    let mut names: Vec<(&str, Vec<String>)> = Vec::new();
    for name in &args.scorers {
        if names.iter().any(|(known, _)| known == name) {
            continue;
        }
        let missing = scorers.missing(name)?;
        names.push((
            name,
            missing.iter().map(|path| path.display().to_string()).collect(),
        ));
    }
    if names.iter().all(|(_, missing)| !missing.is_empty()) {
        let lacking: Vec<String> = names
            .iter()
            .flat_map(|(_, missing)| missing)
            .map(|path| format!("`{path}`"))
            .collect();
        return Err(hinted(
            format!("no scorer has its weights: there is no {}", lacking.join(", ")),
            "`asap weights list` tells where they are to be had and what they are called",
        ));
    }
    Ok(names)
}

/// Scores what is not scored yet. Each batch is on the disk before the next one begins.
fn score_run(
    run: &Run,
    scorer: &dyn Scorer,
    args: &ScoreArgs,
    interrupt: &Interrupt,
    printer: Printer,
) -> Result<()> {
    let info = scorer.info();
    let weights = combined_sha256(info)?;
    let mut log = ScoreLog::open(run, info.name)?;
    if let Some(torn) = log.torn() {
        printer.note(&format!("repaired: {torn}"));
    }
    let todo: Vec<(&ImageEntry, ScoreRow)> = run
        .samples()
        .filter_map(|(prompt_id, seed)| run.image(prompt_id, seed))
        .map(|image| (image, unscored(image, info, weights)))
        .filter(|(_, row)| !log.has(row))
        .collect();
    let progress = Progress::new(printer);
    progress.start(info.name, todo.len() as u64);
    for batch in todo.chunks(usize::from(args.batch)) {
        if interrupt.is_requested() {
            break;
        }
        for ((_, row), score) in batch.iter().zip(score_batch(run, scorer, batch)?) {
            log.append(&ScoreRow {
                value: score.value,
                sigma: score.sigma,
                is_truncated: score.is_truncated,
                ..row.clone()
            })?;
        }
        progress.advance(batch.len() as u64);
    }
    progress.finish();
    Ok(())
}

fn score_batch(run: &Run, scorer: &dyn Scorer, batch: &[(&ImageEntry, ScoreRow)]) -> Result<Vec<Score>> {
    let images: Vec<image::RgbImage> = batch
        .par_iter()
        .map(|(image, _)| decode(run, image))
        .collect::<Result<_>>()?;
    let items: Vec<ScoreItem<'_>> = batch
        .iter()
        .zip(&images)
        .map(|((entry, _), image)| {
            Ok(ScoreItem {
                image: RgbView::new(image.width(), image.height(), image.as_raw())?,
                prompt: run.prompt(&entry.prompt_id).map(|prompt| prompt.prompt.as_str()),
            })
        })
        .collect::<Result<_>>()?;
    scorer.score(&items).with_context(|| match batch {
        [(only, _)] => format!("`{}`", only.file),
        [(first, _), .., (last, _)] => format!("`{}` to `{}`", first.file, last.file),
        [] => "no image".to_owned(),
    })
}

/// The pixels of an image; alpha is left out, as the references do it.
fn decode(run: &Run, image: &ImageEntry) -> Result<image::RgbImage> {
    let bytes = run.image_bytes(image)?.bytes;
    let decoded = image::load_from_memory(&bytes).with_context(|| format!("`{}`", image.file))?;
    Ok(decoded.to_rgb8())
}

/// The row of an image but for its score.
fn unscored(image: &ImageEntry, info: &ScorerInfo, weights_sha256: Sha256) -> ScoreRow {
    ScoreRow {
        prompt_id: image.prompt_id.clone(),
        seed: image.seed,
        image_sha256: image.sha256,
        scorer: info.name.to_owned(),
        profile: info.profile.to_owned(),
        scale: info.scale.to_owned(),
        dtype: info.dtype.to_owned(),
        weights_sha256,
        value: 0.0,
        sigma: None,
        is_truncated: false,
    }
}

/// The hash of a scorer's weights: that of its file, or of the lines that `sha256sum` prints of several.
fn combined_sha256(info: &ScorerInfo) -> Result<Sha256> {
    if let [(_, only)] = info.weights_sha256.as_slice() {
        return Ok(only.parse()?);
    }
    let lines: String = info
        .weights_sha256
        .iter()
        .map(|(file, sha256)| format!("{sha256}  {file}\n"))
        .collect();
    Ok(sha256(lines.as_bytes()))
}

impl Line {
    /// What the log has of this scorer with these weights.
    fn of(run: &Run, info: &ScorerInfo) -> Result<Self> {
        let weights = combined_sha256(info)?;
        let rows: Vec<ScoreRow> = read_scores(run)?
            .into_iter()
            .filter(|row| {
                row.scorer == info.name
                    && row.profile == info.profile
                    && row.dtype == info.dtype
                    && row.weights_sha256 == weights
            })
            .collect();
        let truncated: BTreeSet<_> = rows
            .iter()
            .filter(|row| row.is_truncated)
            .map(|row| &row.prompt_id)
            .collect();
        let sum: f64 = rows.iter().map(|row| row.value).sum();
        Ok(Self {
            scorer: info.name.to_owned(),
            mean: (!rows.is_empty()).then(|| sum / rows.len() as f64),
            n_images: rows.len(),
            n_prompts_truncated: info.needs_prompt.then_some(truncated.len()),
            profile: Some(info.profile),
            scale: Some(info.scale),
            dtype: Some(info.dtype),
            missing: Vec::new(),
        })
    }

    fn not_computed(name: &str, missing: Vec<String>) -> Self {
        Self {
            scorer: name.to_owned(),
            mean: None,
            n_images: 0,
            n_prompts_truncated: None,
            profile: None,
            scale: None,
            dtype: None,
            missing,
        }
    }

    fn cells(&self) -> [String; 5] {
        [
            self.scorer.clone(),
            self.mean
                .map_or_else(|| "not computed".to_owned(), |mean| format!("{mean:.4}")),
            self.n_images.to_string(),
            self.n_prompts_truncated
                .map_or_else(|| "-".to_owned(), |n| n.to_string()),
            match self.scale {
                Some(scale) => scale.to_owned(),
                None => format!("no `{}`", self.missing.join("`, `")),
            },
        ]
    }
}

fn text(lines: &[Line]) -> String {
    let header = ["scorer", "mean", "images", "prompts cut", "scale"].map(str::to_owned);
    let align = [Align::Left, Align::Right, Align::Right, Align::Right, Align::Left];
    table::render(
        align,
        std::iter::once(header).chain(lines.iter().map(Line::cells)),
    )
}
