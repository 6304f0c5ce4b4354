//! What all tokenizers of the scorers share: files that are checked, and texts of which the end may be left out.

use std::path::{Path, PathBuf};

use tokenizers::{AddedToken, Tokenizer};

use crate::weights::Fault;
use crate::{Error, Result};

/// A text as a tower reads it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Tokens {
    /// First token, text, last token.
    pub(super) ids: Vec<u32>,
    /// Whether tokens of the text were left out.
    pub(super) is_truncated: bool,
}

impl Tokens {
    /// At most `n_read` tokens, the first and the last included.
    pub(super) fn framed(start: u32, text: &[u32], end: u32, n_read: usize) -> Self {
        let n_kept = text.len().min(n_read - 2);
        Self {
            ids: [&[start], &text[..n_kept], &[end]].concat(),
            is_truncated: n_kept < text.len(),
        }
    }
}

/// A tokenizer that adds nothing and cuts nothing, so that what is too long can be told.
pub(super) struct TokenizerFile {
    path: PathBuf,
    inner: Tokenizer,
}

impl TokenizerFile {
    /// Takes a tokenizer that was read from `path`, adds the special tokens `added` that it lacks, and checks that
    /// the network, which knows `n_tokens`, knows all of them.
    ///
    /// # Errors
    /// [`Error::Weights`] when it was not read or is one of another network.
    pub(super) fn new(
        path: PathBuf,
        read: tokenizers::Result<Tokenizer>,
        added: &[&str],
        n_tokens: usize,
    ) -> Result<Self> {
        let mut inner = read.map_err(|error| unfit(&path, error.to_string()))?;
        inner.with_padding(None);
        inner
            .with_truncation(None)
            .map_err(|error| unfit(&path, error.to_string()))?;
        let added: Vec<_> = added.iter().map(|token| AddedToken::from(*token, true)).collect();
        inner
            .add_special_tokens(added)
            .map_err(|error| unfit(&path, error.to_string()))?;
        let n_got = inner.get_vocab_size(true);
        if n_got > n_tokens {
            return Err(unfit(
                &path,
                format!(
                    "expected at most the {n_tokens} tokens of the text tower, got {n_got}: it is of another network"
                ),
            ));
        }
        Ok(Self { path, inner })
    }

    /// The number of a token that the tokenizer of `network` must have.
    pub(super) fn special(&self, token: &str, network: &str) -> Result<u32> {
        self.inner.token_to_id(token).ok_or_else(|| {
            unfit(
                &self.path,
                format!("no token `{token}`: expected the tokenizer of {network}"),
            )
        })
    }

    /// The tokens of a text alone.
    pub(super) fn encode(&self, text: &str) -> Result<Vec<u32>> {
        let encoding = self.inner.encode_fast(text, false);
        let encoding =
            encoding.map_err(|error| Error::prompt(text, format!("`{}`: {error}", self.path.display())))?;
        Ok(encoding.get_ids().to_vec())
    }
}

fn unfit(path: &Path, what: String) -> Error {
    Error::weights(path, Fault::Unfit { what })
}
