//! The two text encoders of FLUX.

use std::path::Path;

use crate::device::{Place, Precision};
use crate::guard::guard;
use crate::text::clip::{ClipText, Head};
use crate::text::config::{ClipConfig, T5Config};
use crate::text::embeddings::{ClipWithTokenizer, check_vocabulary, ids};
use crate::text::t5::T5Encoder;
use crate::text::tokenizer::Tokenizer;
use crate::weights::Checkpoint;
use crate::{Array, Result};

/// A prompt as FLUX reads it.
#[derive(Clone, Debug, PartialEq)]
pub struct FluxEmbedding {
    /// `[max_tokens, 4096]`: the tokens of T5, those that fill up included.
    pub t5: Array,
    /// `[768]`: the text as CLIP sees it.
    pub pooled: Array,
    /// Tokens of the prompt that CLIP and T5 left out.
    pub n_truncated: [usize; 2],
}

/// CLIP and T5 with their tokenizers.
pub struct FluxTextEncoders {
    clip: ClipWithTokenizer,
    t5: T5Encoder,
    t5_tokenizer: Tokenizer,
    place: Place,
}

impl FluxTextEncoders {
    /// Loads `text_encoder`, `text_encoder_2`, `tokenizer` and `tokenizer_2` of a model of diffusers.
    ///
    /// # Errors
    /// [`Error::Io`](crate::Error::Io), [`Error::File`](crate::Error::File) and
    /// [`Error::Weights`](crate::Error::Weights) for what is not there or does not fit;
    /// [`Error::Argument`](crate::Error::Argument) where there is no such device.
    pub fn open(base: &Path, place: Place, precision: Precision) -> Result<Self> {
        place.checked()?;
        guard("the weights of the text encoders", || {
            let folder = base.join("text_encoder");
            let config = ClipConfig::read(&folder.join("config.json"))?;
            let weights = Checkpoint::open(&folder)?;
            let clip = ClipText::load(&weights, &config, Head::Plain, place, precision)?;
            let clip = ClipWithTokenizer::new(&base.join("tokenizer"), clip, &config)?;

            let folder = base.join("text_encoder_2");
            let config = T5Config::read(&folder.join("config.json"))?;
            let t5 = T5Encoder::load(&Checkpoint::open(&folder)?, &config, place, precision)?;
            let folder = base.join("tokenizer_2");
            let t5_tokenizer = Tokenizer::open(&folder)?;
            check_vocabulary(&folder, &t5_tokenizer, config.vocab_size)?;
            Ok(Self {
                clip,
                t5,
                t5_tokenizer,
                place,
            })
        })?
    }

    /// The embeddings of prompts, in their order.
    ///
    /// # Shapes
    /// See [`FluxEmbedding`]. T5 reads `max_tokens` of each prompt, 512 for FLUX.1-dev; CLIP what it can.
    /// # Errors
    /// [`Error::Argument`](crate::Error::Argument) where `max_tokens` is 0,
    /// [`Error::OutOfMemory`](crate::Error::OutOfMemory), [`Error::Torch`](crate::Error::Torch).
    /// # Source
    /// `FluxPipeline.encode_prompt` of diffusers: T5 sees what fills up, as there is no mask.
    pub fn encode(&self, prompts: &[&str], max_tokens: usize) -> Result<Vec<FluxEmbedding>> {
        prompts
            .iter()
            .map(|prompt| self.one(prompt, max_tokens))
            .collect()
    }

    fn one(&self, prompt: &str, max_tokens: usize) -> Result<FluxEmbedding> {
        let short = self.clip.tokenizer.encode(prompt)?;
        let long = self.t5_tokenizer.encode_to(prompt, max_tokens)?;
        guard("the embedding of a prompt", || FluxEmbedding {
            t5: Array::of(&self.t5.forward(&ids(&long, self.place), None).squeeze_dim(0)),
            pooled: Array::of(
                &self
                    .clip
                    .network
                    .forward(&ids(&short, self.place))
                    .pooled
                    .squeeze_dim(0),
            ),
            n_truncated: [short.n_truncated, long.n_truncated],
        })
    }
}
