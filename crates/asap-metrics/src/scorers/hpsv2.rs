//! HPSv2.1: which of several pictures people preferred for a prompt.

use super::clip::{Cleaning, Factor, OPEN_CLIP, PromptScorerKind};
use super::network::Activation;
use super::preprocess::{Antialias, Preparation};

/// CLIP ViT-H/14 in the layout of open_clip, resizing as torchvision does on floats.
///
/// # Source
/// tgxs002/HPSv2 `hpsv2/img_score.py`: the cosine alone. Tables there are 100 times that.
///
/// # Deviation
/// The reference computes under `torch.cuda.amp.autocast`, in f16 on a GPU; this in f32 or bf16.
pub(super) const fn kind(antialias: Antialias) -> PromptScorerKind {
    PromptScorerKind {
        names: &OPEN_CLIP,
        activation: Activation::Gelu,
        preparation: Preparation::Letterbox(antialias),
        cleaning: Cleaning::OpenClip,
        factor: Factor::One,
    }
}
