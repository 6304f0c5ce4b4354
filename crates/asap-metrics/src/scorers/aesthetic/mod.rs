//! LAION's aesthetic predictor v2: how much people like a picture, without its prompt.

mod head;

use std::path::Path;

use candle_core::DType;

pub(super) use self::head::AffineHead;
use super::checkpoint::Checkpoint;
use super::clip::{Config, HUGGING_FACE, VisionTower};
use super::network::Activation;
use super::placement::Placement;
use super::preprocess::Preparation;
use super::{Score, ScoreItem, Scorer, ScorerInfo};
use crate::Result;

/// OpenAI's CLIP ViT-L/14 image tower and an affine head over its embeddings.
///
/// # Source
/// christophschuhmann/improved-aesthetic-predictor `simple_inference.py` with `sac+logos+ava1-l14-linearMSE`;
/// images as `clip.load` prepares them.
///
/// # Deviation
/// The reference computes the tower in f16 on a GPU, this in f32 or bf16.
pub(super) struct Aesthetic {
    info: ScorerInfo,
    vision: VisionTower,
    head: AffineHead,
    placement: Placement,
}

impl Aesthetic {
    /// Reads tower and head, whose hashes are added to `info`; `config` may be absent.
    pub(super) fn load(
        mut info: ScorerInfo,
        tower: &Path,
        config: &Path,
        head_path: &Path,
        placement: &Placement,
    ) -> Result<Self> {
        let config = Config::read(config)?;
        let mut checkpoint = Checkpoint::open(tower, placement)?;
        let names = &HUGGING_FACE;
        let vision = VisionTower::load(&mut checkpoint, &names.vision, &config, Activation::QuickGelu)?;
        // The file has the text tower too.
        let sha256 = checkpoint.finish(|name| {
            name.starts_with("text_")
                || name == names.logit_scale
                || names.ignored.iter().any(|end| name.ends_with(end))
        })?;
        info.add_weights(tower, sha256);
        let mut checkpoint = Checkpoint::open(head_path, placement)?;
        let head = AffineHead::load(&mut checkpoint, "layers", vision.embedding_width())?;
        info.add_weights(head_path, checkpoint.finish(|_name| false)?);
        Ok(Self {
            info,
            vision,
            head,
            placement: placement.clone(),
        })
    }
}

impl Scorer for Aesthetic {
    fn info(&self) -> &ScorerInfo {
        &self.info
    }

    fn score(&self, items: &[ScoreItem<'_>]) -> Result<Vec<Score>> {
        if items.is_empty() {
            return Ok(Vec::new());
        }
        let images: Vec<_> = items.iter().map(|item| item.image).collect();
        let images = Preparation::Torchvision.batch(&images, self.vision.side_px(), &self.placement)?;
        let embeddings: Vec<Vec<f64>> = self.vision.embed(&images)?.to_dtype(DType::F64)?.to_vec2()?;
        let scores = embeddings.iter().map(|embedding| Score {
            value: self.head.score(embedding),
            sigma: None,
            is_truncated: false,
        });
        Ok(scores.collect())
    }
}
