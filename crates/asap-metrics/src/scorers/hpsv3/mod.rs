//! HPSv3: how much people prefer a picture that was made for a prompt, with the doubt about it.

mod attention;
mod config;
mod decoder;
mod head;
mod instruction;
mod picture;
mod vision;

use std::path::Path;

use candle_core::{Result as CandleResult, Tensor};

use self::config::Config;
use self::decoder::Decoder;
use self::head::RewardHead;
use self::instruction::{Instruction, Read};
use self::picture::Picture;
use self::vision::VisionTower;
use super::checkpoint::Checkpoint;
use super::placement::Placement;
use super::{Score, ScoreItem, Scorer, ScorerInfo};
use crate::Result;

/// The head that guesses the next word, which scoring does not need.
const LANGUAGE_HEAD: &str = "lm_head.weight";

/// The files of the scorer.
#[derive(Clone, Copy, Debug)]
pub(super) struct Files<'a> {
    pub(super) weights: &'a Path,
    /// May be absent.
    pub(super) config: &'a Path,
    pub(super) tokenizer: &'a Path,
    pub(super) instruction: &'a Path,
}

/// Qwen2-VL that reads an instruction with image and prompt, and a head over its reward token.
///
/// The head gives two numbers: the mean `mu` of the preference, which is the score, and the logarithm of its
/// standard deviation: training takes `exp` of the second output as sigma (`loss_type: uncertainty`).
///
/// # Source
/// `hpsv3` 1.0.0 (MizzenAI/HPSv3) `inference.py`, `model/qwen2vl_trainer.py` `Qwen2VLRewardModelBT`, `dataset/utils.py`
/// `fetch_image`; `transformers` 4.45.2 `models/qwen2_vl`.
///
/// # Deviation
/// What comes after the reward token cannot change it, since attention is causal, and is not computed. An image is
/// one frame that the reference shows twice; here the two kernels of the first layer are added up instead. The
/// rotations are computed in f32 in every precision.
pub(super) struct Hpsv3 {
    info: ScorerInfo,
    vision: VisionTower,
    decoder: Decoder,
    head: RewardHead,
    instruction: Instruction,
    placement: Placement,
}

impl Hpsv3 {
    /// Reads the network and the instruction, whose hashes are added to `info`.
    pub(super) fn load(mut info: ScorerInfo, files: Files<'_>, placement: &Placement) -> Result<Self> {
        let config = Config::read(files.config)?;
        // The small file first: without it, reading 17 GB would be in vain.
        let text = instruction::read(files.instruction)?;
        let mut checkpoint = Checkpoint::open(files.weights, placement)?;
        let decoder = Decoder::load(&mut checkpoint, &config)?;
        let vision = VisionTower::load(&mut checkpoint, &config, decoder.width())?;
        let head = RewardHead::load(&mut checkpoint, decoder.width(), placement)?;
        let sha256 = checkpoint.finish(|name| name == LANGUAGE_HEAD)?;
        info.add_weights(files.weights, sha256);
        if config::is_published(decoder.width()) {
            text.check_published(files.instruction)?;
        }
        info.add_weights(files.instruction, text.sha256.clone());
        Ok(Self {
            info,
            instruction: Instruction::new(text.text, files.tokenizer, decoder.n_tokens())?,
            vision,
            decoder,
            head,
            placement: placement.clone(),
        })
    }

    /// What the decoder reads: the text with the image's own vectors in the place of its token.
    fn embed(&self, read: &Read, picture: &Picture) -> CandleResult<Tensor> {
        let image = self.vision.forward(picture, &self.placement)?;
        let before = self.decoder.embed(&read.before)?;
        let after = self.decoder.embed(&read.after)?;
        Tensor::cat(&[&before, &image, &after], 0)
    }
}

impl Scorer for Hpsv3 {
    fn info(&self) -> &ScorerInfo {
        &self.info
    }

    fn score(&self, items: &[ScoreItem<'_>]) -> Result<Vec<Score>> {
        if items.is_empty() {
            return Ok(Vec::new());
        }
        let mut sequences = Vec::with_capacity(items.len());
        for (item, prompt) in items.iter().zip(self.info.prompts(items)?) {
            let read = self.instruction.tokens(prompt)?;
            let picture = Picture::new(item.image, self.vision.patch_shape())?;
            sequences.push(self.embed(&read, &picture)?);
        }
        let rewards = self.head.forward(&self.decoder.last_hidden(&sequences)?)?;
        let scores = rewards.into_iter().map(|[mu, log_sigma]| Score {
            value: mu,
            sigma: Some(log_sigma.exp()),
            is_truncated: false,
        });
        Ok(scores.collect())
    }
}
