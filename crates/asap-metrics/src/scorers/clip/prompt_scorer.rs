//! Scorers that compare an image with its prompt by the cosine of their embeddings.

use std::path::Path;

use candle_core::{D, Result as CandleResult, Tensor};

use super::config::Config;
use super::names::Names;
use super::text::TextTower;
use super::tokenizer::{Cleaning, ClipTokenizer};
use super::vision::VisionTower;
use crate::Result;
use crate::scorers::checkpoint::Checkpoint;
use crate::scorers::network::Activation;
use crate::scorers::placement::Placement;
use crate::scorers::preprocess::Preparation;
use crate::scorers::tokenizer_file::Tokens;
use crate::scorers::{Score, ScoreItem, Scorer, ScorerInfo};

/// What the cosine is multiplied with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Factor {
    /// 1.
    One,
    /// `exp(logit_scale)` of the network.
    LogitScale,
}

/// What distinguishes one such scorer from another.
#[derive(Clone, Copy, Debug)]
pub(crate) struct PromptScorerKind {
    pub(crate) names: &'static Names,
    pub(crate) activation: Activation,
    pub(crate) preparation: Preparation,
    pub(crate) cleaning: Cleaning,
    pub(crate) factor: Factor,
}

/// The files of one.
#[derive(Clone, Copy, Debug)]
pub(crate) struct PromptScorerFiles<'a> {
    pub(crate) weights: &'a Path,
    /// May be absent.
    pub(crate) config: &'a Path,
    /// A folder.
    pub(crate) tokenizer: &'a Path,
}

/// An image tower, a text tower and the cosine between them.
pub(crate) struct PromptScorer {
    info: ScorerInfo,
    kind: PromptScorerKind,
    vision: VisionTower,
    text: TextTower,
    tokenizer: ClipTokenizer,
    factor: f64,
    placement: Placement,
}

impl PromptScorer {
    /// Reads the network; the hash of its file is added to `info`.
    pub(crate) fn load(
        mut info: ScorerInfo,
        kind: PromptScorerKind,
        files: PromptScorerFiles<'_>,
        placement: &Placement,
    ) -> Result<Self> {
        let config = Config::read(files.config)?;
        let mut checkpoint = Checkpoint::open(files.weights, placement)?;
        let names = kind.names;
        let vision = VisionTower::load(&mut checkpoint, &names.vision, &config, kind.activation)?;
        let text = TextTower::load(&mut checkpoint, &names.text, &config, kind.activation)?;
        if vision.embedding_width() != text.embedding_width() {
            return Err(checkpoint.refusal(format!(
                "expected image and text embeddings of one width, got {} and {}",
                vision.embedding_width(),
                text.embedding_width()
            )));
        }
        let logit_scale = checkpoint.scalar(names.logit_scale)?;
        let sha256 = checkpoint.finish(|name| names.ignored.iter().any(|end| name.ends_with(end)))?;
        info.add_weights(files.weights, sha256);
        let tokenizer = ClipTokenizer::load(files.tokenizer, text.n_tokens(), text.context(), kind.cleaning)?;
        Ok(Self {
            info,
            kind,
            vision,
            text,
            tokenizer,
            factor: match kind.factor {
                Factor::One => 1.0,
                Factor::LogitScale => logit_scale.exp(),
            },
            placement: placement.clone(),
        })
    }

    fn tokens(&self, items: &[ScoreItem<'_>]) -> Result<Vec<Tokens>> {
        let prompts = self.info.prompts(items)?;
        prompts
            .iter()
            .map(|prompt| self.tokenizer.encode(prompt))
            .collect()
    }

    fn cosines(&self, images: &Tensor, texts: &[Tokens]) -> CandleResult<Vec<f32>> {
        let ids: Vec<&[u32]> = texts.iter().map(|text| text.ids.as_slice()).collect();
        let (images, texts) = (self.vision.embed(images)?, self.text.embed(&ids)?);
        (images * texts)?.sum(D::Minus1)?.to_vec1()
    }
}

impl Scorer for PromptScorer {
    fn info(&self) -> &ScorerInfo {
        &self.info
    }

    fn score(&self, items: &[ScoreItem<'_>]) -> Result<Vec<Score>> {
        if items.is_empty() {
            return Ok(Vec::new());
        }
        let tokens = self.tokens(items)?;
        let images: Vec<_> = items.iter().map(|item| item.image).collect();
        let images = self
            .kind
            .preparation
            .batch(&images, self.vision.side_px(), &self.placement)?;
        let cosines = self.cosines(&images, &tokens)?;
        let scores = cosines.into_iter().zip(tokens).map(|(cosine, tokens)| Score {
            value: f64::from(cosine) * self.factor,
            sigma: None,
            is_truncated: tokens.is_truncated,
        });
        Ok(scores.collect())
    }
}
