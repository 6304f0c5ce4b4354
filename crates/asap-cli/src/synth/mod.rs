//! `asap synth`: plans jobs, builds them in chunks and appends them to a dataset.

mod engine;
mod job;
mod report;

use std::sync::Arc;
use std::time::Instant;

use anyhow::{Context as _, Result};
use asap_store::Dataset;

use crate::failure::hinted;
use crate::interrupt::Interrupt;
use crate::printer::Printer;
use crate::progress::Progress;
use crate::settings::{BuildSettings, FigureSettings, PhotoSettings, SynthSettings};
use engine::Engine;
use job::Job;
use report::{Refused, Report};

/// Builds pairs and prints what became of them.
pub(crate) async fn run(settings: SynthSettings, printer: Printer) -> Result<()> {
    match settings {
        SynthSettings::Photos(photos) => run_photos(photos, printer).await,
        SynthSettings::Figures(figures) => run_figures(figures, printer).await,
    }
}

async fn run_photos(settings: PhotoSettings, printer: Printer) -> Result<()> {
    let dir = &settings.dir;
    let plan = asap_synth::photo::plan(dir, settings.poses.as_deref(), &settings.options)?;
    let refused: Vec<Refused> = plan.refused.into_iter().map(Refused::from).collect();
    if plan.jobs.is_empty() {
        for refused in &refused {
            printer.note(&refused.line());
        }
        return Err(hinted(
            format!("no photograph to use in `{}`", dir.display()),
            "put JPEG, PNG or WebP files there, and keypoints or boxes of them in `people.json` \
             (or name the file after `--poses`)",
        ));
    }
    build(plan.jobs, refused, settings.build, printer).await
}

async fn run_figures(settings: FigureSettings, printer: Printer) -> Result<()> {
    let jobs = asap_synth::figure::plan(&settings.options);
    build(jobs, Vec::new(), settings.build, printer).await
}

async fn build<J: Job>(
    jobs: Vec<J>,
    refused: Vec<Refused>,
    settings: BuildSettings,
    printer: Printer,
) -> Result<()> {
    let interrupt = Interrupt::listen();
    let out = settings.out.display().to_string();
    let mut dataset = Dataset::open_or_create(&settings.out).await?;
    // Now and not at the first append: a second writer is told before it works for an hour.
    dataset.lock().await?;
    let started = Instant::now();
    let engine = Engine {
        jobs: Arc::new(jobs),
        pool: Arc::new(pool(settings.n_threads)?),
        progress: Arc::new(Progress::new(printer)),
        interrupt: interrupt.clone(),
    };
    let mut report = Report::new(out, refused);
    let result = engine.run(&mut dataset, &mut report).await;
    report.close(started.elapsed().as_secs_f64());
    for refused in &report.refused {
        printer.note(&refused.line());
    }
    result?;
    if interrupt.is_requested() {
        return Err(hinted(
            format!(
                "interrupted; `{}` holds {} new pairs",
                report.dataset, report.n_made
            ),
            "run the same command again to continue",
        ));
    }
    printer.summary(&report.text(), &report)?;
    report.failure()
}

fn pool(n_threads: usize) -> Result<rayon::ThreadPool> {
    rayon::ThreadPoolBuilder::new()
        .num_threads(n_threads)
        .thread_name(|idx| format!("build-{idx}"))
        .build()
        .context("cannot start the build threads")
}
