//! Learned scorers of whole images: what people would like, as networks learned it.
//!
//! Each scorer is a network that others published, with the preparation of images and texts that its authors
//! use. Scores of different scorers have different scales and are never averaged; a score is comparable only
//! with scores of the same [`ScorerInfo::profile`].

mod aesthetic;
mod checkpoint;
mod clip;
mod config_file;
mod device;
mod differences;
mod hpsv2;
mod hpsv3;
mod image_reward;
mod library;
mod network;
mod pickscore;
mod placement;
mod preprocess;
mod prompt_tokenizers;
mod tokenizer_file;

pub use library::Scorers;
pub use placement::Precision;
pub use preprocess::{Antialias, Preparation};
pub use prompt_tokenizers::PromptTokenizers;

use crate::{Error, Result, RgbView};

/// What is scored: an image and, for scorers that look at it, the prompt that it was made for.
#[derive(Clone, Copy, Debug)]
pub struct ScoreItem<'a> {
    /// The whole image.
    pub image: RgbView<'a>,
    /// The prompt; [`ScorerInfo::needs_prompt`] says whether it is needed.
    pub prompt: Option<&'a str>,
}

/// One score.
#[derive(Clone, Copy, Debug, PartialEq, serde::Serialize)]
pub struct Score {
    /// The score on the scale of [`ScorerInfo::scale`].
    pub value: f64,
    /// The scorer's own standard deviation, where it gives one (HPSv3).
    pub sigma: Option<f64>,
    /// Whether the prompt was longer than the text tower reads, so that its end was not looked at.
    pub is_truncated: bool,
}

/// What a score means and where it comes from; stored beside every score.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct ScorerInfo {
    /// The name on the command line: `pickscore`.
    pub name: &'static str,
    /// Network, preparation and version: `pickscore/v1+pillow11-center224/v1`.
    pub profile: &'static str,
    /// The scale in a few words: `exp(logit_scale) * cosine, about 19 to 24`.
    pub scale: &'static str,
    /// Whether it looks at the prompt.
    pub needs_prompt: bool,
    /// `f32` or `bf16`.
    pub dtype: &'static str,
    /// SHA-256 of each weights file, by file name.
    pub weights_sha256: Vec<(String, String)>,
}

impl ScorerInfo {
    /// Notes a weights file that was read.
    fn add_weights(&mut self, path: &std::path::Path, sha256: String) {
        let file = path
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        self.weights_sha256.push((file, sha256));
    }

    /// The prompts of all items.
    fn prompts<'a>(&self, items: &[ScoreItem<'a>]) -> Result<Vec<&'a str>> {
        let prompt = |(item_idx, item): (usize, &ScoreItem<'a>)| {
            item.prompt.ok_or(Error::NoPrompt {
                scorer: self.name,
                item_idx,
            })
        };
        items.iter().enumerate().map(prompt).collect()
    }
}

/// A loaded scorer.
pub trait Scorer: Send + Sync {
    /// What its scores mean.
    fn info(&self) -> &ScorerInfo;

    /// Scores a batch; as many scores as items, in their order.
    ///
    /// # Errors
    /// When a needed prompt is missing, an image has no pixels, or the network fails.
    fn score(&self, items: &[ScoreItem<'_>]) -> Result<Vec<Score>>;
}
