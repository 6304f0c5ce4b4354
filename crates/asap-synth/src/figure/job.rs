//! Jobs: one positive each, with the pairs that are made from it.

use std::collections::BTreeSet;

use asap_core::{PositiveId, Source, SourceKind, Stream};
use serde_json::{Map, Value, json};

use super::build::Props;
use super::caption::{CAPTIONS, Captions};
use super::draw::Stage;
use super::look::Look;
use super::pose::{self, Category, Posed};
use super::reject;
use crate::{Draft, Error, Result};

/// Counts up whenever the same seed would give another picture.
const RENDERER_VERSION: u32 = 1;
/// Pairs made from one positive.
const PAIRS_PER_POSITIVE: usize = 2;

/// What is built.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Options {
    /// The number of pairs; every positive has two.
    pub n: usize,
    /// Names all random streams.
    pub seed: u64,
    /// Columns and rows of the pictures, 256 to 2048.
    pub size: u32,
}

impl Options {
    /// Refuses a size that figures cannot be drawn in.
    ///
    /// # Errors
    /// [`Error::Setting`] outside 256 to 2048.
    pub fn check(&self) -> Result<()> {
        check_size(self.size)
    }
}

fn check_size(size: u32) -> Result<()> {
    if (256..=2048).contains(&size) {
        Ok(())
    } else {
        Err(Error::Setting {
            name: "size",
            got: size.to_string(),
            expected: "256 to 2048 pixels",
        })
    }
}

/// One positive and its pairs, not drawn yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FigureJob {
    seed: u64,
    idx: usize,
    size: u32,
    slots: Vec<u64>,
}

/// The jobs of a build, in order. Nothing is drawn.
pub fn plan(options: &Options) -> Vec<FigureJob> {
    (0..options.n.div_ceil(PAIRS_PER_POSITIVE))
        .map(|idx| {
            let n_slots = PAIRS_PER_POSITIVE.min(options.n - idx * PAIRS_PER_POSITIVE);
            let slot = |k: usize| Stream::new(options.seed, &format!("figure/{idx}/slot/{k}")).bits();
            FigureJob {
                seed: options.seed,
                idx,
                size: options.size,
                slots: (0..n_slots).map(slot).collect(),
            }
        })
        .collect()
}

impl FigureJob {
    /// The id of the positive that the job makes.
    pub fn positive_id(&self) -> PositiveId {
        PositiveId::new(&self.source_name(), &self.recipe())
    }

    /// The seeds of the pairs, as they stand in [`asap_core::Provenance::seed`].
    pub fn slots(&self) -> &[u64] {
        &self.slots
    }

    /// The category of the figure.
    pub fn category(&self) -> Category {
        Category::ALL[self.idx % Category::ALL.len()]
    }

    /// The person of the positive.
    pub fn posed(&self) -> Posed {
        pose::sample(self.category(), self.size, &mut self.stream("pose"))
    }

    fn source_name(&self) -> String {
        format!("figure/{}/{}", self.seed, self.idx)
    }

    fn stream(&self, role: &str) -> Stream {
        Stream::new(self.seed, &format!("figure/{}/{role}", self.idx))
    }

    fn recipe(&self) -> String {
        canonical(&json!({
            "captions": CAPTIONS,
            "category": self.category().name(),
            "renderer": RENDERER_VERSION,
            "size": self.size,
        }))
    }

    pub(crate) fn stage(&self, posed: &Posed) -> Stage {
        let props = Props {
            thing: posed.thing,
            is_seated: posed.is_seated,
            allows_skirt: posed.is_upright,
            unit: posed.scale,
        };
        let mut look = Look::sample(&mut self.stream("look"));
        look.suit(posed);
        Stage::new(&posed.graph, look, props, posed.framing, self.size)
    }
}

/// Draws the positive of a job and those of its pairs whose slot is not in `skip`.
///
/// A slot for which no operator changes anything that can be seen gives no pair.
///
/// # Errors
/// [`Error::Setting`] for a size out of range, [`Error::Parse`] for a caption file without a sentence.
pub fn build(job: &FigureJob, skip: &BTreeSet<u64>) -> Result<Draft> {
    check_size(job.size)?;
    let posed = job.posed();
    let stage = job.stage(&posed);
    let prompt = Captions::built_in()?.sentence(&posed, &stage.look, &mut job.stream("caption"))?;
    let drawn = stage.draw(&posed.graph);
    let pairs = job
        .slots
        .iter()
        .filter(|slot| !skip.contains(slot))
        .filter_map(|&slot| reject::pair(&stage, &posed.graph, &drawn, slot))
        .collect();
    Ok(Draft {
        source: Source {
            kind: SourceKind::Figure,
            name: job.source_name(),
            sha256: String::new(),
            licence: String::new(),
        },
        recipe: job.recipe(),
        image: drawn.image,
        prompt,
        skeletons: vec![posed.graph.to_skeleton()],
        pairs,
    })
}

/// JSON with sorted keys, whatever order the library keeps.
pub(crate) fn canonical(value: &Value) -> String {
    sorted(value).to_string()
}

fn sorted(value: &Value) -> Value {
    match value {
        Value::Object(fields) => {
            let mut names: Vec<&String> = fields.keys().collect();
            names.sort();
            Value::Object(
                names
                    .into_iter()
                    .map(|name| (name.clone(), sorted(&fields[name])))
                    .collect::<Map<_, _>>(),
            )
        }
        Value::Array(items) => Value::Array(items.iter().map(sorted).collect()),
        other => other.clone(),
    }
}
