//! CLIP: an image tower and a text tower with one space for both, in the two layouts of files that are about.

mod clean;
mod config;
mod names;
mod projection;
mod prompt_scorer;
mod text;
mod tokenizer;
mod vision;

pub(crate) use config::Config;
pub(crate) use names::{HUGGING_FACE, OPEN_CLIP};
pub(crate) use prompt_scorer::{Factor, PromptScorer, PromptScorerFiles, PromptScorerKind};
pub(crate) use tokenizer::{Cleaning, ClipTokenizer};
pub(crate) use vision::VisionTower;
