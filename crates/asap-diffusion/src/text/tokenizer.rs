//! A text as the numbers that an encoder was trained with.

use std::path::{Path, PathBuf};

use crate::text::tokenizer_files::{Settings, read};
use crate::{Error, Result};

/// A text as an encoder reads it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Tokens {
    /// As many as the encoder reads: the text, its end, and what fills up.
    pub ids: Vec<u32>,
    /// Tokens of the text that were left out because the encoder does not read more.
    pub n_truncated: usize,
}

/// The tokenizer of CLIP or of T5, as transformers has it.
pub struct Tokenizer {
    path: PathBuf,
    inner: tokenizers::Tokenizer,
    n_tokens: usize,
    pad: u32,
    end: u32,
}

impl Tokenizer {
    /// Reads the tokenizer in `folder`: `tokenizer.json`, or CLIP's `vocab.json` and `merges.txt`, with
    /// `tokenizer_config.json` beside it.
    ///
    /// # Errors
    /// [`Error::Io`] and [`Error::File`] for what is not there or is not a tokenizer that ends its texts.
    pub fn open(folder: &Path) -> Result<Self> {
        let settings = Settings::read(folder)?;
        let (inner, pad) = read(folder, &settings.pad_token)?;
        let unfit = |expected: &str, got: String| Error::file(folder, expected, got);
        let empty = inner
            .encode_fast("", true)
            .map_err(|error| unfit("a tokenizer", error.to_string()))?;
        let end = *empty.get_ids().last().ok_or_else(|| {
            unfit(
                "a tokenizer that adds an end to a text",
                "one that adds nothing".to_owned(),
            )
        })?;
        if settings.n_tokens < empty.len() {
            let expected = format!("a `model_max_length` of at least {}", empty.len());
            return Err(unfit(&expected, settings.n_tokens.to_string()));
        }
        Ok(Self {
            path: folder.to_owned(),
            inner,
            n_tokens: settings.n_tokens,
            pad,
            end,
        })
    }

    /// The tokens that [`Self::encode`] gives for every text, `model_max_length`.
    pub fn n_tokens(&self) -> usize {
        self.n_tokens
    }

    /// The highest number that it gives, and one more: the vectors that an encoder needs.
    pub(crate) fn n_known(&self) -> usize {
        let highest = self.inner.get_vocab(true).into_values().max();
        highest.map_or(0, |highest| highest as usize + 1)
    }

    /// The tokens of a text.
    ///
    /// # Errors
    /// [`Error::File`] where the tokenizer does not take the text.
    pub fn encode(&self, text: &str) -> Result<Tokens> {
        self.encode_to(text, self.n_tokens)
    }

    /// The tokens of a text for an encoder that reads `n_tokens`; a text that is longer is cut and keeps its end.
    ///
    /// # Errors
    /// [`Error::Argument`] where not even the end fits, [`Error::File`] where the tokenizer does not take the text.
    pub fn encode_to(&self, text: &str, n_tokens: usize) -> Result<Tokens> {
        if n_tokens == 0 {
            return Err(Error::argument("the tokens of a text", "at least 1", n_tokens));
        }
        let encoding = self.inner.encode_fast(text, true).map_err(|error| {
            Error::file(&self.path, "a tokenizer that takes every text", error.to_string())
        })?;
        let mut ids = encoding.get_ids().to_vec();
        let n_truncated = ids.len().saturating_sub(n_tokens);
        if n_truncated > 0 {
            ids.truncate(n_tokens - 1);
            ids.push(self.end);
        }
        ids.resize(n_tokens, self.pad);
        Ok(Tokens { ids, n_truncated })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Golden;
    use crate::text::parity::base;

    #[test]
    fn tokens_are_those_of_transformers() {
        let golden = Golden::read("text");
        let texts: Vec<String> = golden.fact("/texts");
        let base = base();
        for (name, folder) in [
            ("clip", "tokenizer"),
            ("open_clip", "open"),
            ("t5", "tokenizer_2"),
        ] {
            let padded: Vec<Vec<u32>> = golden.fact(&format!("/tokens/{name}/padded"));
            let lengths: Vec<usize> = golden.fact(&format!("/tokens/{name}/lengths"));
            let tokenizer = Tokenizer::open(&base.path().join(folder)).unwrap();
            let mut n_cut = 0;
            for (text, (ids, length)) in texts.iter().zip(padded.into_iter().zip(lengths)) {
                let n_truncated = length.saturating_sub(ids.len());
                n_cut += usize::from(n_truncated > 0);
                assert_eq!(
                    tokenizer.encode(text).unwrap(),
                    Tokens { ids, n_truncated },
                    "{name}: `{text}`"
                );
            }
            assert!(n_cut > 0 && n_cut < texts.len(), "{name} cuts {n_cut}");
        }
    }

    #[test]
    fn the_form_of_one_file_gives_the_same() {
        let base = base();
        let folder = base.path().join("tokenizer");
        let merges = Tokenizer::open(&folder).unwrap();
        merges.inner.save(folder.join("tokenizer.json"), false).unwrap();
        for name in ["vocab.json", "merges.txt"] {
            std::fs::remove_file(folder.join(name)).unwrap();
        }
        let json = Tokenizer::open(&folder).unwrap();
        for text in Golden::read("text").fact::<Vec<String>>("/texts") {
            assert_eq!(json.encode(&text).unwrap(), merges.encode(&text).unwrap());
        }
    }

    #[test]
    fn a_text_that_just_fits_is_whole() {
        let base = base();
        let tokenizer = Tokenizer::open(&base.path().join("tokenizer")).unwrap();
        let encode = |n| tokenizer.encode_to("1234", n).unwrap();
        assert_eq!(encode(6).n_truncated, 0);
        assert_eq!(encode(6).ids[5], tokenizer.end);
        assert_eq!((encode(5).n_truncated, encode(5).ids.len()), (1, 5));
        assert_eq!(encode(5).ids[4], tokenizer.end);
        assert_eq!(encode(8).ids[6..], [tokenizer.pad; 2]);
        let error = tokenizer.encode_to("1234", 0).unwrap_err().to_string();
        assert_eq!(error, "the tokens of a text: expected at least 1, got 0");
    }

    #[test]
    fn what_is_not_there_is_told() {
        let base = base();
        let folder = base.path().join("tokenizer");
        let settings = folder.join("tokenizer_config.json");
        let message = || {
            Tokenizer::open(&folder)
                .err()
                .map(|error| error.to_string())
                .unwrap()
        };
        std::fs::remove_file(folder.join("merges.txt")).unwrap();
        assert!(
            message().ends_with("expected `tokenizer.json`, or `vocab.json` and `merges.txt`, got neither")
        );
        std::fs::copy(base.path().join("open/merges.txt"), folder.join("merges.txt")).unwrap();
        std::fs::write(&settings, r#"{"pad_token": "<pad>", "model_max_length": 77}"#).unwrap();
        assert!(
            message()
                .ends_with("expected a tokenizer that knows its `pad_token`, `<pad>`, got one that does not")
        );
        std::fs::write(&settings, r#"{"pad_token": "!", "model_max_length": 1}"#).unwrap();
        assert!(message().ends_with("expected a `model_max_length` of at least 2, got 1"));
        std::fs::write(
            &settings,
            r#"{"pad_token": "<|endoftext|>", "model_max_length": 1e30}"#,
        )
        .unwrap();
        assert!(
            message().ends_with("expected a `model_max_length` of tokens, got 1e30"),
            "{}",
            message()
        );
        std::fs::write(&settings, r#"{"model_max_length": 77}"#).unwrap();
        assert!(
            message().ends_with("expected a `pad_token`, here or in `special_tokens_map.json`, got none")
        );
        std::fs::remove_file(&settings).unwrap();
        assert!(
            message().ends_with("tokenizer_config.json` does not read"),
            "{}",
            message()
        );
    }
}
