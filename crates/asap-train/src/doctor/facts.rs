//! All that the checks know of a pair.

use asap_core::{PairId, Positive, PositiveId, Sha256, Skeleton};
use asap_diffusion::Array;
use asap_diffusion::text::Tokenizer;
use asap_diffusion::tiny::codec;
use asap_diffusion::vae::Vae;
use asap_store::{Record, decode_rgb, reconstruct, sha256};
use image::RgbImage;
use serde::Serialize;

use super::latents::{GridFacts, LatentFacts};
use super::pixels::MaskFacts;
use crate::config::{MaskSource, Settings};
use crate::data::{bucket, sized};
use crate::latent_mask::LatentMask;

/// Pixels of a side of a latent cell, for all networks that are known here.
const CELL_PX: u32 = 8;

/// What was measured on a pair. What could not be measured is `None`.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Facts {
    /// The pair.
    pub pair: PairId,
    /// Its preferred image.
    pub positive: PositiveId,
    /// Its caption.
    pub caption: String,
    /// Why its images and masks could not be compared.
    pub unreadable: Option<String>,
    /// Against `mask_edit`.
    pub mask_edit: Option<MaskFacts>,
    /// Against `mask_part`.
    pub mask_part: Option<MaskFacts>,
    /// The training mask on the latent grid.
    pub grid: Option<GridFacts>,
    /// Against the training mask, for each image encoder.
    pub latents: Vec<Encoded>,
    /// Texts that an encoder does not read to their end.
    pub cut: Vec<Cut>,
    /// SHA-256 of the pixels of both images, the preferred one first.
    pub pixels_sha256: Option<[Sha256; 2]>,
    /// Mean score of the seen keypoints in both images, the preferred one first.
    pub pose_scores: Option<[f64; 2]>,
}

/// The latents of one image encoder.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Encoded {
    /// The encoder.
    pub encoder: &'static str,
    /// What was measured.
    #[serde(flatten)]
    pub facts: LatentFacts,
}

/// A caption that is longer than what is read of it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Cut {
    /// Who cuts it.
    pub tokenizer: String,
    /// Tokens that are read.
    pub limit: usize,
    /// Tokens that are left out.
    pub n_left_out: usize,
}

/// An image encoder.
pub(super) enum Codec {
    /// Fixed arithmetic.
    Tiny,
    /// The autoencoder of the base model.
    Vae(Box<Vae>),
}

impl Codec {
    fn name(&self) -> &'static str {
        match self {
            Self::Tiny => "tiny",
            Self::Vae(_) => "vae",
        }
    }

    fn encode(&self, image: &RgbImage) -> anyhow::Result<Array> {
        let (width, height) = (image.width() as usize, image.height() as usize);
        Ok(match self {
            Self::Tiny => codec::encode(image.as_raw(), width, height)?,
            Self::Vae(vae) => vae.encode(image.as_raw(), width, height)?.mean,
        })
    }
}

/// What counts the tokens of a caption.
pub(super) enum Counter {
    /// The words of the tiny network.
    Words {
        /// Words that are read.
        limit: usize,
    },
    /// A tokenizer of the base model.
    Tokens {
        /// Its folder.
        name: &'static str,
        /// The tokenizer.
        tokenizer: Box<Tokenizer>,
        /// Tokens that are read.
        limit: usize,
    },
}

impl Counter {
    fn cut(&self, caption: &str) -> anyhow::Result<Option<Cut>> {
        let (tokenizer, limit, n_left_out) = match self {
            Self::Words { limit } => {
                let words = caption.split(|c: char| !c.is_alphanumeric());
                let n_words = words.filter(|word| !word.is_empty()).count();
                ("words", *limit, n_words.saturating_sub(*limit))
            }
            Self::Tokens {
                name,
                tokenizer,
                limit,
            } => (*name, *limit, tokenizer.encode_to(caption, *limit)?.n_truncated),
        };
        Ok((n_left_out > 0).then(|| Cut {
            tokenizer: tokenizer.to_owned(),
            limit,
            n_left_out,
        }))
    }
}

/// Who measures, and how much.
pub(super) struct Instruments<'a> {
    pub(super) settings: &'a Settings,
    /// None for a quick look.
    pub(super) codecs: Vec<Codec>,
    pub(super) counters: Vec<Counter>,
    pub(super) depth: Depth,
}

/// How much is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Depth {
    /// Masks against pixels.
    Quick,
    /// All.
    Full,
}

/// The images of a pair and its training mask on the grid.
pub(super) struct Pictures {
    pub(super) preferred: RgbImage,
    pub(super) rejected: RgbImage,
    pub(super) grid: Option<LatentMask>,
    /// Which mask it is.
    pub(super) mask: MaskSource,
}

impl Instruments<'_> {
    /// Measures a pair. A pair that cannot be compared is a fact too.
    pub(super) fn measure(&self, record: &Record) -> anyhow::Result<Facts> {
        let (positive, pair) = (&record.positive, &record.pair);
        let mut facts = Facts {
            pair: pair.id,
            positive: positive.id,
            caption: positive.prompt.clone(),
            unreadable: None,
            mask_edit: None,
            mask_part: None,
            grid: None,
            latents: Vec::new(),
            cut: Vec::new(),
            pixels_sha256: None,
            pose_scores: pose_scores(positive, &pair.rejected_skeletons),
        };
        for counter in &self.counters {
            facts.cut.extend(counter.cut(&positive.prompt)?);
        }
        let found = self.pictures(record).and_then(|pictures| {
            let [preferred, rejected] = [&pictures.preferred, &pictures.rejected];
            facts.mask_edit = Some(MaskFacts::of(
                preferred,
                rejected,
                (&pair.mask_edit, "`mask_edit`"),
            )?);
            facts.mask_part = Some(MaskFacts::of(
                preferred,
                rejected,
                (&pair.mask_part, "`mask_part`"),
            )?);
            Ok(pictures)
        });
        let pictures = match found {
            Ok(pictures) => pictures,
            Err(error) => {
                facts.unreadable = Some(format!("{error:#}"));
                return Ok(facts);
            }
        };
        facts.grid = pictures.grid.as_ref().map(GridFacts::of);
        if self.depth == Depth::Full {
            let pixels = [&pictures.preferred, &pictures.rejected];
            facts.pixels_sha256 = Some(pixels.map(|image| sha256(image.as_raw())));
            facts.latents = self.latents(&pictures)?;
        }
        Ok(facts)
    }

    /// Decodes the images of a pair and brings its training mask to the grid.
    pub(super) fn pictures(&self, record: &Record) -> anyhow::Result<Pictures> {
        let pair = &record.pair;
        let mask = match self.settings.data.mask {
            MaskSource::Part => &pair.mask_part,
            MaskSource::Edit => &pair.mask_edit,
        };
        let (width, height) = self.size(&record.positive);
        let [columns, rows] = [width, height].map(|side| (side / CELL_PX) as usize);
        Ok(Pictures {
            preferred: decode_rgb(&record.positive.image_png, "the preferred image")?,
            rejected: reconstruct(&record.positive, pair)?,
            mask: self.settings.data.mask,
            // An empty mask has a finding of its own.
            grid: match mask.is_empty() {
                true => None,
                false => Some(LatentMask::of(mask, columns, rows, &self.settings.objective)?),
            },
        })
    }

    fn latents(&self, pictures: &Pictures) -> anyhow::Result<Vec<Encoded>> {
        let Some(mask) = &pictures.grid else {
            return Ok(Vec::new());
        };
        let size = [mask.width(), mask.height()].map(|cells| cells as u32 * CELL_PX);
        let preferred = sized(&pictures.preferred, (size[0], size[1]));
        let rejected = sized(&pictures.rejected, (size[0], size[1]));
        let encode = |codec: &Codec| {
            let [a, b] = [codec.encode(&preferred)?, codec.encode(&rejected)?];
            Ok(Encoded {
                encoder: codec.name(),
                facts: LatentFacts::of(&a, &b, mask.values()),
            })
        };
        self.codecs.iter().map(encode).collect()
    }

    /// The size that training brings an image to.
    fn size(&self, positive: &Positive) -> (u32, u32) {
        let Settings { model, data, .. } = self.settings;
        bucket(
            positive.width,
            positive.height,
            model.resolution_px,
            data.bucket_step_px,
        )
    }
}

fn pose_scores(positive: &Positive, rejected: &[Skeleton]) -> Option<[f64; 2]> {
    Some([mean_score(&positive.skeletons)?, mean_score(rejected)?])
}

/// The mean over all seen keypoints.
fn mean_score(skeletons: &[Skeleton]) -> Option<f64> {
    let seen = skeletons.iter().flat_map(Skeleton::keypoints);
    let scores: Vec<f64> = seen
        .filter(|keypoint| keypoint.is_seen())
        .map(|keypoint| f64::from(keypoint.score))
        .collect();
    (!scores.is_empty()).then(|| scores.iter().sum::<f64>() / scores.len() as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_beyond_the_limit_are_counted() {
        let counter = Counter::Words { limit: 3 };
        assert_eq!(counter.cut("A woman waves.").unwrap(), None);
        let cut = counter.cut("A woman waves, smiling – twice").unwrap().unwrap();
        assert_eq!((cut.limit, cut.n_left_out), (3, 2));
    }
}
