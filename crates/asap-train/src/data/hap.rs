//! Reads the pairs of a HAP dataset.

use anyhow::{Context as _, bail};
use asap_core::{Decision, Mask, Positive, PositiveId, Split};
use asap_diffusion::Array;
use asap_store::{Dataset, Filter, Record, decode_rgb, reconstruct};
use image::RgbImage;
use image::imageops::{FilterType, resize};
use sha2::{Digest as _, Sha256};

use super::{Encoder, Example, Latent, Prompted, bucket};
use crate::config::{self, MaskSource, Settings};
use crate::latent_mask::LatentMask;

/// Records that are in memory at once.
const BATCH: usize = 32;

/// The pairs of a run.
pub struct Chosen {
    /// What is trained on.
    pub train: Vec<Example>,
    /// What is never trained on.
    pub held_out: Vec<Example>,
    /// The version of the dataset.
    pub version: u64,
    /// Of all that a training sees of the pairs.
    pub sha256: String,
}

impl Chosen {
    /// What there is to say about prompts that are longer than their text encoder takes.
    pub fn cut_prompts(&self) -> Option<String> {
        let cut = || {
            self.train
                .iter()
                .chain(&self.held_out)
                .filter(|pair| pair.n_cut_tokens > 0)
        };
        let first = cut().next()?;
        Some(format!(
            "the prompts of {} of {} pairs are longer than the text encoder takes, and their ends do not count: pair \
             `{}` loses {} tokens",
            cut().count(),
            self.train.len() + self.held_out.len(),
            first.id,
            first.n_cut_tokens
        ))
    }
}

/// SHA-256 over all that a training sees: ids, prompts, latents and masks, held-out pairs too.
fn sha256<'a>(examples: impl Iterator<Item = &'a Example>) -> String {
    let mut hasher = Sha256::new();
    for example in examples {
        hasher.update(example.id.to_string());
        hasher.update(&example.prompt);
        for array in [&example.preferred.mean, &example.rejected.mean, &example.mask] {
            for value in array.values() {
                hasher.update(value.to_le_bytes());
            }
        }
    }
    hasher
        .finalize()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

/// Reads and encodes all pairs that the settings choose. Held out are pairs of the splits `validation` and `test`, as
/// many as the settings say; all pairs of one picture are in one split.
///
/// # Errors
/// A dataset that does not open, without pairs to train on, or with a pair without mask.
pub async fn read(settings: &Settings, encoder: &Encoder) -> anyhow::Result<Chosen> {
    let path = settings
        .data
        .path
        .as_deref()
        .context("`data.path` names no dataset")?;
    let dataset = Dataset::open(path).await?;
    let filter = |splits| filter(settings, splits);
    let train = examples(
        &dataset,
        &filter(vec![Split::Train]),
        usize::MAX,
        settings,
        encoder,
    )
    .await?;
    if train.is_empty() {
        bail!(
            "`{}` has no pair to train on: expected pairs of the split `train` that curation kept; \
             `asap curate` decides, `asap data stats` counts",
            path.display()
        );
    }
    let n_held_out = settings.run.n_held_out as usize;
    let others = filter(vec![Split::Validation, Split::Test]);
    let held_out = examples(&dataset, &others, n_held_out, settings, encoder).await?;
    let version = dataset
        .versions()?
        .iter()
        .map(|version| version.version)
        .max()
        .unwrap_or_default();
    Ok(Chosen {
        sha256: sha256(train.iter().chain(&held_out)),
        train,
        held_out,
        version,
    })
}

/// The pairs of these splits that the settings choose.
pub(crate) fn filter(settings: &Settings, splits: Vec<Split>) -> Filter {
    Filter {
        splits,
        decisions: match settings.data.decision {
            config::Decision::Kept => vec![Decision::Kept],
            config::Decision::Any => Vec::new(),
        },
        ..Filter::default()
    }
}

async fn examples(
    dataset: &Dataset,
    filter: &Filter,
    at_most: usize,
    settings: &Settings,
    encoder: &Encoder,
) -> anyhow::Result<Vec<Example>> {
    let mut found = Vec::new();
    // Pairs of one picture follow each other: it and its prompt are encoded once.
    let mut picture: Option<Picture> = None;
    let mut records = dataset.stream(filter, BATCH).await?;
    while let Some(batch) = records.next_batch().await? {
        for record in batch {
            if found.len() == at_most {
                return Ok(found);
            }
            let id = record.pair.id;
            let picture = match picture.take() {
                Some(same) if same.id == record.positive.id => picture.insert(same),
                _ => {
                    let new = Picture::of(&record.positive, settings, encoder);
                    picture.insert(new.with_context(|| format!("pair `{id}`"))?)
                }
            };
            found.push(example(&record, picture, settings, encoder).with_context(|| format!("pair `{id}`"))?);
        }
    }
    Ok(found)
}

/// A preferred image as the network takes it.
struct Picture {
    id: PositiveId,
    /// Columns and rows that it was brought to.
    size: (u32, u32),
    latent: Latent,
    prompted: Prompted,
}

impl Picture {
    fn of(positive: &Positive, settings: &Settings, encoder: &Encoder) -> anyhow::Result<Self> {
        let size = bucket(
            positive.width,
            positive.height,
            settings.model.resolution_px,
            settings.data.bucket_step_px,
        );
        let image = decode_rgb(&positive.image_png, "the preferred image")?;
        Ok(Self {
            id: positive.id,
            size,
            latent: encoder.image(&sized(&image, size))?,
            prompted: encoder.prompt(&positive.prompt, (positive.width, positive.height), size)?,
        })
    }
}

pub(crate) fn sized(image: &RgbImage, size: (u32, u32)) -> RgbImage {
    resize(image, size.0, size.1, FilterType::CatmullRom)
}

fn example(
    record: &Record,
    picture: &Picture,
    settings: &Settings,
    encoder: &Encoder,
) -> anyhow::Result<Example> {
    let (positive, pair) = (&record.positive, &record.pair);
    let preferred = picture.latent.clone();
    let rejected = encoder.image(&sized(&reconstruct(positive, pair)?, picture.size))?;
    let mask = match settings.data.mask {
        MaskSource::Part => &pair.mask_part,
        MaskSource::Edit => &pair.mask_edit,
    };
    if mask.area_px() == 0 {
        bail!("its mask is empty: expected the region of the error");
    }
    let &[_, rows, columns] = preferred.mean.shape() else {
        bail!(
            "its latent has sizes {:?}, expected three",
            preferred.mean.shape()
        );
    };
    let (mask, mask_means) = on_grid(mask, (columns, rows), settings)?;
    if mask_means.m1 == 0.0 {
        bail!("its mask is lost on the latent grid: `objective.mask_grid` of `area` or `max` keeps it");
    }
    Ok(Example {
        id: pair.id,
        prompt: positive.prompt.clone(),
        part: pair.degradations.first().map(|degradation| degradation.part),
        mechanism: pair.mechanism,
        preferred,
        rejected,
        mask,
        mask_means,
        conditioning: picture.prompted.conditioning.clone(),
        n_cut_tokens: picture.prompted.n_cut,
    })
}

fn on_grid(
    mask: &Mask,
    (columns, rows): (usize, usize),
    settings: &Settings,
) -> anyhow::Result<(Array, crate::objective::MaskMeans)> {
    let found = LatentMask::of(mask, columns, rows, &settings.objective)?;
    Ok((
        Array::new(&[rows, columns], found.values().to_vec())?,
        found.means(),
    ))
}
