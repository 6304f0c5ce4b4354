//! The pairs of one photograph.

use std::collections::BTreeSet;
use std::path::PathBuf;

use asap_core::{Mask, Mechanism, PositiveId, Provenance, Source, SourceKind, Stream};
use image::RgbImage;

use super::caption;
use super::compose::{self, Composed, SlotKey};
use super::face::FaceScene;
use super::hand::HandScene;
use super::ingest;
use super::parts::{PartSpec, Spec};
use super::paste;
use super::plan::Options;
use super::poses::PosedImage;
use crate::draft::{Draft, DraftPair};
use crate::{Error, Result};

/// Counts up whenever the same file would give another positive.
const RECIPE_VERSION: u32 = 1;

/// A photograph that can be used, with the seeds of its pairs.
#[derive(Clone, Debug)]
pub struct PhotoJob {
    name: String,
    path: PathBuf,
    sha256: String,
    /// What is known of the people, in pixels of the positive.
    posed: PosedImage,
    parts: Vec<PartSpec>,
    options: Options,
    slots: Vec<u64>,
}

impl PhotoJob {
    pub(crate) fn new(
        name: &str,
        path: PathBuf,
        sha256: &str,
        posed: PosedImage,
        parts: Vec<PartSpec>,
        options: &Options,
    ) -> Self {
        let n_slots = parts.len() * options.pairs_per_part as usize;
        let slots = (0..n_slots)
            .map(|slot| Stream::new(options.seed, &format!("{name}/slot/{slot}")).bits())
            .collect();
        Self {
            name: name.to_owned(),
            path,
            sha256: sha256.to_owned(),
            posed,
            parts,
            options: options.clone(),
            slots,
        }
    }

    /// The file name of the photograph.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The id of the positive: file name, content and preparation.
    pub fn positive_id(&self) -> PositiveId {
        PositiveId::new(&self.name, &self.recipe())
    }

    /// The seeds of the pairs: `pairs_per_part` for each usable part, in the order of the parts.
    pub fn slots(&self) -> &[u64] {
        &self.slots
    }

    /// The photograph, ready for use, and its usable parts.
    pub(crate) fn open(&self) -> Result<(RgbImage, Vec<PartSpec>)> {
        let inspected = ingest::inspect(&self.path)?;
        if inspected.sha256 != self.sha256 {
            return Err(Error::Image {
                path: self.path.clone(),
                reason: "it changed since the plan was made; run again".to_owned(),
            });
        }
        let decoded = ingest::decode(&self.path, &inspected)?;
        let (image, _) = ingest::downscale(decoded, self.options.long_side_px);
        Ok((image, self.parts.clone()))
    }

    /// How the positive is prepared, as canonical JSON.
    fn recipe(&self) -> String {
        let side = self
            .options
            .long_side_px
            .map_or("null".to_owned(), |side| side.to_string());
        format!(
            "{{\"kind\":\"photo\",\"long_side_px\":{side},\"sha256\":\"{}\",\"version\":{RECIPE_VERSION}}}",
            self.sha256
        )
    }
}

/// Makes the pairs of a photograph, but for the slots whose seeds are in `skip`.
///
/// A slot for which every operator declines gives no pair; the reason is logged. The result depends on the
/// arguments alone.
///
/// # Errors
/// [`Error::Read`] and [`Error::Image`] for a photograph that cannot be read or decoded; it is then refused
/// like those of the plan, and others can go on. [`Error::OutsideBudget`] would be a bug of an operator.
pub fn build(job: &PhotoJob, skip: &BTreeSet<u64>) -> Result<Draft> {
    let (image, specs) = job.open()?;
    let posed = &job.posed;
    let mut pairs = Vec::new();
    let n = job.options.pairs_per_part as usize;
    for (part, seeds) in specs.iter().zip(job.slots.chunks(n)) {
        let wanted: Vec<(usize, u64)> = seeds
            .iter()
            .copied()
            .enumerate()
            .filter(|(_, seed)| !skip.contains(seed))
            .collect();
        if !wanted.is_empty() {
            pairs.extend(part_pairs(job, &image, part, &wanted)?);
        }
    }
    Ok(Draft {
        source: Source {
            kind: if posed.kind == "generated" {
                SourceKind::Generated
            } else {
                SourceKind::Photograph
            },
            name: job.name.clone(),
            sha256: job.sha256.clone(),
            licence: posed.licence.clone(),
        },
        recipe: job.recipe(),
        prompt: caption::caption(posed),
        skeletons: posed
            .people
            .iter()
            .filter_map(|person| person.skeleton.clone())
            .collect(),
        image,
        pairs,
    })
}

/// The pairs of one part; the part is taken apart once for all of them.
fn part_pairs(
    job: &PhotoJob,
    image: &RgbImage,
    part: &PartSpec,
    wanted: &[(usize, u64)],
) -> Result<Vec<DraftPair>> {
    let scene = match &part.spec {
        Spec::Hand(spec) => HandScene::new(image, spec).map(compose::Scene::Hand),
        Spec::Face(spec) => FaceScene::new(image, spec).map(compose::Scene::Face),
    };
    let scene = match scene {
        Ok(scene) => scene,
        Err(reason) => {
            tracing::info!(file = job.name, part = part.key(), reason, "part declined");
            return Ok(Vec::new());
        }
    };
    let mut pairs = Vec::new();
    for &(slot, seed) in wanted {
        let key = SlotKey {
            order_role: format!("{}/{}/order", job.name, part.key()),
            order_seed: job.options.seed,
            slot,
            seed,
        };
        match compose::compose(&scene, &key) {
            Ok(composed) => pairs.push(pair(image, part, &scene, composed, seed)?),
            Err(reason) => {
                tracing::info!(file = job.name, part = part.key(), slot, reason, "slot declined");
            }
        }
    }
    Ok(pairs)
}

fn pair(
    image: &RgbImage,
    part: &PartSpec,
    scene: &compose::Scene,
    composed: Composed,
    seed: u64,
) -> Result<DraftPair> {
    let (crop, budget) = scene.boxes();
    let rejected = paste::paste(image, crop, budget, &composed.canvas.rgb);
    let operators: Vec<String> = composed
        .operators
        .iter()
        .map(|operator| operator.versioned())
        .collect();
    let n_px = paste::changed_outside_px(image, &rejected, budget);
    if n_px > 0 {
        return Err(Error::OutsideBudget {
            operator: operators.join("+"),
            n_px,
        });
    }
    let (width, height) = image.dimensions();
    let to_mask = |alpha: &super::canvas::Plane<f32>| {
        let mut mask = Mask::new(width, height);
        for y in 0..alpha.height {
            for x in 0..alpha.width {
                if alpha.at(x, y) > 0.5 {
                    mask.set(crop.x0 + x as u32, crop.y0 + y as u32, true);
                }
            }
        }
        mask
    };
    Ok(DraftPair {
        budget,
        part_preferred: to_mask(scene.part()),
        part_rejected: to_mask(&composed.canvas.part),
        image: rejected,
        regions: vec![part.region],
        degradations: composed
            .operators
            .iter()
            .map(|operator| operator.degradation(composed.severity))
            .collect(),
        mechanism: Mechanism::ImageSpace,
        rejected_skeletons: Vec::new(),
        provenance: Provenance {
            operators,
            parameters: composed.parameters,
            seed,
            code_version: env!("CARGO_PKG_VERSION").to_owned(),
        },
    })
}
