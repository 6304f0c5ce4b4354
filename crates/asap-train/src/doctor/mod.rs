//! What is wrong with pairs, found before a network learns it.
//!
//! Masks that mark the wrong side, backgrounds that changed, captions that are not read: none of these stops a loss
//! from falling. [`examine`] measures every pair against its masks in pixels and on the latent grid, and asks each
//! check of `checks`; [`gate`] is the quick half of it, without latents, before every training.

mod checks;
mod facts;
mod finding;
mod gate;
mod latents;
mod pages;
mod pixels;
mod sheet;
mod table;
#[cfg(test)]
mod tests;
pub mod thresholds;

use std::path::Path;

use anyhow::{Context as _, bail};
use asap_core::{Split, Stream};
use asap_diffusion::device::{Place, Precision};
use asap_diffusion::text::Tokenizer;
use asap_diffusion::vae::Vae;
use asap_store::{Dataset, Record};

use crate::config::{Backbone, Settings};
use crate::data;
use checks::Subject;
use facts::{Codec, Counter, Depth, Instruments};
pub use facts::{Cut, Encoded, Facts};
pub use finding::{Finding, Hit, Severity};
pub use gate::{OnError, gate};
pub use latents::{GridFacts, LatentFacts};
pub use pages::{JSON, SHEET, write};
pub use pixels::{Difference, MaskFacts, SizeError};
pub use table::table;

/// Records that are in memory at once.
const BATCH: usize = 32;

/// What the doctor saw.
#[derive(Clone, Debug)]
pub struct Examination {
    /// The version of the dataset.
    pub version: u64,
    /// Pairs that training would use, held-out ones too.
    pub n_chosen: usize,
    /// What was measured, in the order of the dataset.
    pub facts: Vec<Facts>,
    /// One for each check.
    pub findings: Vec<Finding>,
}

impl Examination {
    /// The findings of that severity with a pair in them.
    pub fn bad(&self, severity: Severity) -> impl Iterator<Item = &Finding> {
        self.findings
            .iter()
            .filter(move |finding| finding.severity == severity && !finding.hits.is_empty())
    }
}

/// Looks at the pairs that training would use, at `n_pairs` of them where a number is given, drawn by the seed.
/// Latents are those of the tiny codec, and of the base model's autoencoder where the settings name a base.
///
/// # Errors
/// A dataset or a base that does not open, or a dataset without a pair to look at.
pub async fn examine(
    settings: &Settings,
    n_pairs: Option<usize>,
    place: Place,
) -> anyhow::Result<Examination> {
    let instruments = Instruments {
        settings,
        codecs: codecs(settings, place)?,
        counters: counters(settings)?,
        depth: Depth::Full,
    };
    let dataset = open(settings).await?;
    let mut rows = rows(&dataset, settings).await?;
    if rows.is_empty() {
        bail!(
            "`{}` has no pair to look at: expected pairs that curation kept; `asap curate` decides, \
             `--set data.decision=any` takes all",
            dataset.path().display()
        );
    }
    let n_chosen = rows.len();
    if let Some(n) = n_pairs {
        Stream::new(settings.run.seed, "train/doctor/sample").shuffle(&mut rows);
        rows.truncate(n);
        rows.sort_unstable();
    }
    let facts = measure(&dataset, &rows, &instruments).await?;
    let subject = Subject {
        facts: &facts,
        mask: settings.data.mask,
    };
    Ok(Examination {
        version: dataset
            .versions()?
            .iter()
            .map(|version| version.version)
            .max()
            .unwrap_or_default(),
        n_chosen,
        findings: checks::run(&subject),
        facts,
    })
}

async fn open(settings: &Settings) -> anyhow::Result<Dataset> {
    let path = settings.data.path.as_deref();
    Ok(Dataset::open(path.context("`data.path` names no dataset")?).await?)
}

/// The rows of the pairs that training would use: those to train on, and as many held-out ones as it takes.
async fn rows(dataset: &Dataset, settings: &Settings) -> anyhow::Result<Vec<u64>> {
    let filter = |splits| data::filter(settings, splits);
    let mut rows = dataset.matching_rows(&filter(vec![Split::Train])).await?;
    let mut held_out = dataset
        .matching_rows(&filter(vec![Split::Validation, Split::Test]))
        .await?;
    held_out.truncate(settings.run.n_held_out as usize);
    rows.append(&mut held_out);
    rows.sort_unstable();
    Ok(rows)
}

async fn measure(
    dataset: &Dataset,
    rows: &[u64],
    instruments: &Instruments<'_>,
) -> anyhow::Result<Vec<Facts>> {
    let mut facts = Vec::with_capacity(rows.len());
    for batch in rows.chunks(BATCH) {
        for record in dataset.records_at(batch).await? {
            let of = || format!("pair `{}`", record.pair.id);
            facts.push(instruments.measure(&record).with_context(of)?);
        }
    }
    Ok(facts)
}

/// The records of some pairs, in the order asked for.
async fn records(settings: &Settings, pairs: &[asap_core::PairId]) -> anyhow::Result<Vec<Record>> {
    let dataset = open(settings).await?;
    let mut records = Vec::with_capacity(pairs.len());
    for pair in pairs {
        records.push(dataset.record(*pair).await?);
    }
    Ok(records)
}

fn codecs(settings: &Settings, place: Place) -> anyhow::Result<Vec<Codec>> {
    let mut codecs = vec![Codec::Tiny];
    if let Some(base) = base(settings) {
        codecs.push(Codec::Vae(Box::new(Vae::open(base, place, Precision::F32)?)));
    }
    Ok(codecs)
}

/// What counts tokens: T5 for FLUX, as CLIP is meant to see the beginning only, and both CLIPs, which have one
/// tokenizer, for SDXL.
fn counters(settings: &Settings) -> anyhow::Result<Vec<Counter>> {
    let limit = settings.model.text_tokens as usize;
    let (backbone, base) = (settings.model.backbone, base(settings));
    let counter = match (backbone, base) {
        (Backbone::Tiny, _) => Counter::Words { limit },
        (Backbone::Flux, Some(base)) => tokens(base, "tokenizer_2", Some(limit))?,
        (Backbone::Sdxl, Some(base)) => tokens(base, "tokenizer", None)?,
        (Backbone::Flux | Backbone::Sdxl, None) => return Ok(Vec::new()),
    };
    Ok(vec![counter])
}

fn tokens(base: &Path, name: &'static str, limit: Option<usize>) -> anyhow::Result<Counter> {
    let tokenizer = Tokenizer::open(&base.join(name))?;
    Ok(Counter::Tokens {
        name,
        limit: limit.unwrap_or(tokenizer.n_tokens()),
        tokenizer: Box::new(tokenizer),
    })
}

/// The folder of a base that is read, not made.
fn base(settings: &Settings) -> Option<&Path> {
    match settings.model.backbone {
        Backbone::Tiny => None,
        Backbone::Flux | Backbone::Sdxl => settings.model.base.as_deref(),
    }
}
