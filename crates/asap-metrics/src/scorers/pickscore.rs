//! PickScore v1: which of two pictures people picked for a prompt.

use super::clip::{Cleaning, Factor, HUGGING_FACE, PromptScorerKind};
use super::network::Activation;
use super::preprocess::Preparation;

/// CLIP ViT-H/14 in the layout of `transformers`.
///
/// # Source
/// yuvalkirstain/PickScore README: `exp(logit_scale) * cosine`, images and prompts by the processor of
/// laion/CLIP-ViT-H-14-laion2B-s32B-b79K.
pub(super) const KIND: PromptScorerKind = PromptScorerKind {
    names: &HUGGING_FACE,
    activation: Activation::Gelu,
    preparation: Preparation::Processor,
    cleaning: Cleaning::Processor,
    factor: Factor::LogitScale,
};
