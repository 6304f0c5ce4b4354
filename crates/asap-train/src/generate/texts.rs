//! Prompts as conditionings. All are embedded before anything is drawn, so that the text encoders and the network
//! are never in memory at the same time.

use std::collections::BTreeMap;

use anyhow::Context as _;
use asap_core::{Prompt, PromptId, Reporter};
use asap_diffusion::Array;
use asap_diffusion::device::{Place, Precision};
use asap_diffusion::text::{FluxTextEncoders, SdxlTextEncoders};
use asap_diffusion::tiny::words;
use asap_diffusion::training::Conditioning;

use super::base::Base;
use super::how::How;
use crate::config::Backbone;
use crate::data::TINY_TEXT_DIM;

/// The embedded prompts.
pub(super) struct Texts {
    by_id: BTreeMap<PromptId, Conditioning>,
    /// What is kept away from, where there is such guidance.
    pub(super) negative: Option<Conditioning>,
    /// Prompts that are longer than an encoder reads.
    pub(super) n_truncated: usize,
}

impl Texts {
    /// Embeds prompts; the encoders are gone when this returns.
    pub(super) fn embed(
        base: &Base,
        how: &How,
        prompts: &[&Prompt],
        (place, precision): (Place, Precision),
        reporter: &dyn Reporter,
    ) -> anyhow::Result<Self> {
        let encoders = Encoders::open(base, (place, precision))?;
        reporter.start("reading prompts", prompts.len() as u64);
        let mut by_id = BTreeMap::new();
        let mut n_truncated = 0;
        for prompt in prompts {
            let (conditioning, is_truncated) = encoders.one(&prompt.prompt, how)?;
            n_truncated += usize::from(is_truncated);
            by_id.insert(prompt.id.clone(), conditioning);
            reporter.advance(1);
        }
        reporter.finish();
        let negative = match (&how.negative, by_id.values().next()) {
            (Some(text), _) => Some(encoders.one(text, how)?.0),
            (None, Some(like)) if how.is_guided_away() => nothing(like)?,
            (None, _) => None,
        };
        Ok(Self {
            by_id,
            negative,
            n_truncated,
        })
    }

    /// The conditioning of a prompt.
    pub(super) fn of(&self, id: &PromptId) -> anyhow::Result<&Conditioning> {
        self.by_id
            .get(id)
            .with_context(|| format!("prompt `{id}` was not embedded"))
    }
}

/// The prompt that says nothing: zeros, as SDXL's pipeline has it where no negative prompt is given.
fn nothing(like: &Conditioning) -> anyhow::Result<Option<Conditioning>> {
    let zeros = |array: &Array| Array::new(array.shape(), vec![0.0; array.values().len()]);
    Ok(match like {
        Conditioning::Flux { .. } => None,
        Conditioning::Sdxl {
            tokens,
            pooled,
            time_ids,
        } => Some(Conditioning::Sdxl {
            tokens: zeros(tokens)?,
            pooled: zeros(pooled)?,
            time_ids: *time_ids,
        }),
    })
}

enum Encoders {
    Tiny,
    Flux(FluxTextEncoders),
    Sdxl(SdxlTextEncoders),
}

impl Encoders {
    fn open(base: &Base, (place, precision): (Place, Precision)) -> anyhow::Result<Self> {
        Ok(match base.backbone {
            Backbone::Tiny => Self::Tiny,
            Backbone::Flux => Self::Flux(FluxTextEncoders::open(&base.folder, place, precision)?),
            Backbone::Sdxl => Self::Sdxl(SdxlTextEncoders::open(&base.folder, place, precision)?),
        })
    }

    /// A prompt's conditioning, and whether part of it was left out.
    fn one(&self, prompt: &str, how: &How) -> anyhow::Result<(Conditioning, bool)> {
        let n_tokens = how.text_tokens as usize;
        Ok(match self {
            Self::Tiny => {
                let (t5, pooled) = words::embed(prompt, n_tokens, TINY_TEXT_DIM, TINY_TEXT_DIM)?;
                let conditioning = Conditioning::Flux {
                    t5,
                    pooled,
                    guidance: None,
                };
                (conditioning, false)
            }
            Self::Flux(encoders) => {
                let found = encoders.encode(&[prompt], n_tokens)?.pop();
                let found = found.context("the embedding of a prompt")?;
                let conditioning = Conditioning::Flux {
                    t5: found.t5,
                    pooled: found.pooled,
                    guidance: how.guidance,
                };
                // CLIP is there for the pooled vector: what counts is T5.
                (conditioning, found.n_truncated[1] > 0)
            }
            Self::Sdxl(encoders) => {
                let found = encoders.encode(&[prompt])?.pop();
                let found = found.context("the embedding of a prompt")?;
                let (height, width) = (how.height_px as f32, how.width_px as f32);
                let conditioning = Conditioning::Sdxl {
                    tokens: found.tokens,
                    pooled: found.pooled,
                    time_ids: [height, width, 0.0, 0.0, height, width],
                };
                (conditioning, found.n_truncated.iter().any(|&n| n > 0))
            }
        })
    }
}
