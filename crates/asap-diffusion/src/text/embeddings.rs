//! What the encoders of both backbones share: opening, and a prompt's way through an encoder.

use std::path::Path;

use tch::Tensor;

use crate::device::Place;
use crate::text::clip::ClipText;
use crate::text::config::ClipConfig;
use crate::text::tokenizer::{Tokenizer, Tokens};
use crate::{Error, Result};

/// A text encoder of CLIP with its tokenizer.
pub(super) struct ClipWithTokenizer {
    pub(super) tokenizer: Tokenizer,
    pub(super) network: ClipText,
}

impl ClipWithTokenizer {
    /// Puts the two together where they fit.
    pub(super) fn new(folder: &Path, network: ClipText, config: &ClipConfig) -> Result<Self> {
        let tokenizer = Tokenizer::open(folder)?;
        check_vocabulary(folder, &tokenizer, config.vocab_size)?;
        let (n_read, n_given) = (config.max_position_embeddings, tokenizer.n_tokens());
        if i64::try_from(n_given).is_ok_and(|n| n <= n_read) {
            return Ok(Self { tokenizer, network });
        }
        let expected = format!("texts of at most the {n_read} tokens that the encoder reads");
        Err(Error::file(folder, expected, n_given.to_string()))
    }
}

/// An encoder has a vector for each token: one without would fail at the first text that has it.
pub(super) fn check_vocabulary(folder: &Path, tokenizer: &Tokenizer, n_known: i64) -> Result<()> {
    let n_given = tokenizer.n_known();
    if i64::try_from(n_given).is_ok_and(|n| n <= n_known) {
        return Ok(());
    }
    let expected = format!("at most the {n_known} tokens that the encoder knows");
    Err(Error::file(folder, expected, n_given.to_string()))
}

/// Tokens as `[1, N]` where the encoder is.
pub(super) fn ids(tokens: &Tokens, place: Place) -> Tensor {
    let ids: Vec<i64> = tokens.ids.iter().copied().map(i64::from).collect();
    Tensor::from_slice(&ids).unsqueeze(0).to_device(place.device())
}
