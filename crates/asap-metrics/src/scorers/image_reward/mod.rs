//! ImageReward v1.0: how much people like a picture that was made for a prompt.

mod config;
mod text;
mod tokenizer;
mod vision;

use std::path::Path;

use candle_core::DType;

use self::config::Config;
use self::text::TextTower;
pub(super) use self::tokenizer::BertTokenizer;
use self::vision::VisionTower;
use super::aesthetic::AffineHead;
use super::checkpoint::Checkpoint;
use super::placement::Placement;
use super::preprocess::Preparation;
use super::{Score, ScoreItem, Scorer, ScorerInfo};
use crate::Result;

/// Mean and deviation of the rewards of the authors' own images, in their code.
const MEAN: f64 = 0.167_173_628_300_524_26;
const DEVIATION: f64 = 1.033_339_496_605_407_2;

/// Names below these prefixes are all read; others of the file are of BLIP's pre-training and are not used.
const USED: [&str; 3] = ["blip.visual_encoder.", "blip.text_encoder.", "mlp."];
/// Whole numbers counted up, which files of older versions have.
const POSITION_IDS: &str = "blip.text_encoder.embeddings.position_ids";

/// The files of the scorer.
#[derive(Clone, Copy, Debug)]
pub(super) struct Files<'a> {
    pub(super) weights: &'a Path,
    /// May be absent.
    pub(super) config: &'a Path,
    /// A folder.
    pub(super) tokenizer: &'a Path,
}

/// BLIP's image tower, its text tower that looks at the image in every layer, and a head over the first token.
///
/// # Source
/// `image-reward` 1.5 (THUDM/ImageReward) `ImageReward.py`, `models/BLIP/{vit,med}.py`.
///
/// # Deviation
/// The reference fills every text up to 35 tokens and hides the filling behind -10000, whose exponential is 0 in
/// f32; here texts are filled up to the longest one of the batch, behind -inf. The head has no activations and is
/// multiplied out to one affine map in f64.
pub(super) struct ImageReward {
    info: ScorerInfo,
    vision: VisionTower,
    text: TextTower,
    head: AffineHead,
    tokenizer: BertTokenizer,
    placement: Placement,
}

impl ImageReward {
    /// Reads the network; the hash of its file is added to `info`.
    pub(super) fn load(mut info: ScorerInfo, files: Files<'_>, placement: &Placement) -> Result<Self> {
        let config = Config::read(files.config)?;
        let mut checkpoint = Checkpoint::open(files.weights, placement)?;
        let vision = VisionTower::load(&mut checkpoint, &config)?;
        let text = TextTower::load(&mut checkpoint, &config, vision.width())?;
        let head = AffineHead::load(&mut checkpoint, "mlp.layers", text.width())?;
        let sha256 = checkpoint
            .finish(|name| name == POSITION_IDS || !USED.iter().any(|prefix| name.starts_with(prefix)))?;
        info.add_weights(files.weights, sha256);
        Ok(Self {
            info,
            tokenizer: BertTokenizer::load(files.tokenizer, text.n_tokens())?,
            vision,
            text,
            head,
            placement: placement.clone(),
        })
    }
}

impl Scorer for ImageReward {
    fn info(&self) -> &ScorerInfo {
        &self.info
    }

    fn score(&self, items: &[ScoreItem<'_>]) -> Result<Vec<Score>> {
        if items.is_empty() {
            return Ok(Vec::new());
        }
        let prompts = self.info.prompts(items)?;
        let texts = prompts.iter().map(|prompt| self.tokenizer.encode(prompt));
        let texts = texts.collect::<Result<Vec<_>>>()?;
        let images: Vec<_> = items.iter().map(|item| item.image).collect();
        let images = Preparation::Torchvision.batch(&images, self.vision.side_px(), &self.placement)?;
        let ids: Vec<&[u32]> = texts.iter().map(|text| text.ids.as_slice()).collect();
        let first = self.text.first_hidden(&ids, &self.vision.forward(&images)?)?;
        let first: Vec<Vec<f64>> = first.to_dtype(DType::F64)?.to_vec2()?;
        let scores = first.iter().zip(texts).map(|(hidden, text)| Score {
            value: (self.head.score(hidden) - MEAN) / DEVIATION,
            sigma: None,
            is_truncated: text.is_truncated,
        });
        Ok(scores.collect())
    }
}
