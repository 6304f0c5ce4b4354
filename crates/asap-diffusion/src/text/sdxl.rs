//! The two text encoders of SDXL.

use std::path::Path;

use tch::Tensor;

use crate::device::{Place, Precision};
use crate::guard::guard;
use crate::text::clip::{ClipText, Head};
use crate::text::config::ClipConfig;
use crate::text::embeddings::{ClipWithTokenizer, ids};
use crate::text::names::{first_of_sdxl, second_of_sdxl};
use crate::weights::Checkpoint;
use crate::{Array, Error, Result};

/// A prompt as SDXL reads it.
#[derive(Clone, Debug, PartialEq)]
pub struct SdxlEmbedding {
    /// `[77, 2048]`: the tokens of both encoders, beside each other.
    pub tokens: Array,
    /// `[1280]`: the text as the second encoder projects it.
    pub pooled: Array,
    /// Tokens of the prompt that each encoder left out.
    pub n_truncated: [usize; 2],
}

/// The original single file of SDXL, and what is not in it.
#[derive(Clone, Debug)]
pub struct SdxlFile<'a> {
    /// The file.
    pub weights: &'a Path,
    /// A folder with `tokenizer` and `tokenizer_2`.
    pub tokenizers: &'a Path,
    /// Sizes of the two encoders: [`ClipConfig::clip_l`] and [`ClipConfig::big_g`].
    pub configs: [ClipConfig; 2],
}

/// OpenAI's and OpenCLIP's text encoder with their tokenizers.
pub struct SdxlTextEncoders {
    clips: [ClipWithTokenizer; 2],
    place: Place,
}

impl SdxlTextEncoders {
    /// Loads `text_encoder`, `text_encoder_2`, `tokenizer` and `tokenizer_2` of a model of diffusers.
    ///
    /// # Errors
    /// [`Error::Io`], [`Error::File`] and [`Error::Weights`] for what is not there or does not fit;
    /// [`Error::Argument`] where there is no such device.
    pub fn open(base: &Path, place: Place, precision: Precision) -> Result<Self> {
        let folders = ["text_encoder", "text_encoder_2"].map(|name| base.join(name));
        let config = |folder: &Path| ClipConfig::read(&folder.join("config.json"));
        let configs = [config(&folders[0])?, config(&folders[1])?];
        let weights = [Checkpoint::open(&folders[0])?, Checkpoint::open(&folders[1])?];
        Self::load(&weights, &configs, base, (place, precision))
    }

    /// Loads the two encoders of the original single file.
    ///
    /// # Errors
    /// Those of [`Self::open`].
    pub fn open_file(file: &SdxlFile<'_>, place: Place, precision: Precision) -> Result<Self> {
        let width = file.configs[1].hidden_size;
        let weights = [
            Checkpoint::open(file.weights)?.renamed(first_of_sdxl),
            Checkpoint::open(file.weights)?.renamed(|name| second_of_sdxl(name, width)),
        ];
        Self::load(&weights, &file.configs, file.tokenizers, (place, precision))
    }

    fn load(
        weights: &[Checkpoint; 2],
        configs: &[ClipConfig; 2],
        tokenizers: &Path,
        (place, precision): (Place, Precision),
    ) -> Result<Self> {
        place.checked()?;
        let clip = |at: usize, head, folder| {
            let network = ClipText::load(&weights[at], &configs[at], head, place, precision)?;
            ClipWithTokenizer::new(&tokenizers.join(folder), network, &configs[at])
        };
        let clips = guard("the weights of the text encoders", || {
            Ok::<_, Error>([
                clip(0, Head::Plain, "tokenizer")?,
                clip(1, Head::Projected, "tokenizer_2")?,
            ])
        })??;
        let [first, second] = [&clips[0], &clips[1]].map(|clip| clip.tokenizer.n_tokens());
        if first != second {
            return Err(Error::argument(
                "the tokens of the second tokenizer",
                first,
                second,
            ));
        }
        Ok(Self { clips, place })
    }

    /// The embeddings of prompts, in their order; an empty prompt is encoded as any other.
    ///
    /// # Shapes
    /// See [`SdxlEmbedding`].
    /// # Errors
    /// [`Error::OutOfMemory`], [`Error::Torch`].
    /// # Source
    /// `StableDiffusionXLPipeline.encode_prompt` of diffusers: the tokens before the last layer of both encoders, and
    /// the projected text of the second.
    /// # Deviation
    /// What diffusers gives for a missing negative prompt is zeros, not an empty prompt; that is the sampler's choice.
    pub fn encode(&self, prompts: &[&str]) -> Result<Vec<SdxlEmbedding>> {
        prompts.iter().map(|prompt| self.one(prompt)).collect()
    }

    fn one(&self, prompt: &str) -> Result<SdxlEmbedding> {
        let [first, second] = &self.clips;
        let tokens = [first.tokenizer.encode(prompt)?, second.tokenizer.encode(prompt)?];
        guard("the embedding of a prompt", || {
            let first = first.network.forward(&ids(&tokens[0], self.place));
            let second = second.network.forward(&ids(&tokens[1], self.place));
            let both = Tensor::cat(&[first.penultimate, second.penultimate], -1);
            SdxlEmbedding {
                tokens: Array::of(&both.squeeze_dim(0)),
                pooled: Array::of(&second.pooled.squeeze_dim(0)),
                n_truncated: [tokens[0].n_truncated, tokens[1].n_truncated],
            }
        })
    }
}
