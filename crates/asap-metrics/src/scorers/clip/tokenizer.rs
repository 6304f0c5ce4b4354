//! CLIP's byte-pair encoding, from `tokenizer.json` or from `vocab.json` and `merges.txt`.

use std::path::Path;

use tokenizers::models::bpe::BPE;
use tokenizers::normalizers::{Lowercase, NFC, Replace, Sequence as Normalizers};
use tokenizers::pre_tokenizers::byte_level::ByteLevel;
use tokenizers::pre_tokenizers::sequence::Sequence as PreTokenizers;
use tokenizers::pre_tokenizers::split::{Split, SplitPattern};
use tokenizers::{AddedToken, SplitDelimiterBehavior, Tokenizer};

use super::clean;
use crate::Result;
use crate::scorers::tokenizer_file::{TokenizerFile, Tokens};

/// The first and the last token of every text.
const START: &str = "<|startoftext|>";
const END: &str = "<|endoftext|>";
/// What is one word before pairs are merged.
const WORD: &str = r"'s|'t|'re|'ve|'m|'ll|'d|[\p{L}]+|[\p{N}]|[^\s\p{L}\p{N}]+";

/// What is done to a text before the tokenizer's own normalisation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Cleaning {
    /// Nothing: the fast tokenizers of `transformers`.
    Processor,
    /// [`clean::open_clip`].
    OpenClip,
}

/// Cuts prompts into tokens.
pub(crate) struct ClipTokenizer {
    file: TokenizerFile,
    start: u32,
    end: u32,
    context: usize,
    cleaning: Cleaning,
}

impl ClipTokenizer {
    /// Reads the tokenizer in `folder`, for a tower that knows `n_tokens` tokens and reads `context` of them.
    ///
    /// # Errors
    /// [`Error::Weights`] when neither form of it is there, or it is one of another network.
    pub(crate) fn load(folder: &Path, n_tokens: usize, context: usize, cleaning: Cleaning) -> Result<Self> {
        let json = folder.join("tokenizer.json");
        let (path, inner) = if json.is_file() {
            let inner = Tokenizer::from_file(&json);
            (json, inner)
        } else {
            (folder.join("vocab.json"), from_merges(folder))
        };
        let file = TokenizerFile::new(path, inner, &[], n_tokens)?;
        let network = "a CLIP network";
        let (start, end) = (file.special(START, network)?, file.special(END, network)?);
        Ok(Self {
            file,
            start,
            end,
            context,
            cleaning,
        })
    }

    /// The tokens of a prompt, at most as many as the tower reads; the last one is kept.
    pub(crate) fn encode(&self, prompt: &str) -> Result<Tokens> {
        let cleaned = match self.cleaning {
            Cleaning::Processor => prompt.to_owned(),
            Cleaning::OpenClip => clean::open_clip(prompt),
        };
        let text = self.file.encode(&cleaned)?;
        Ok(Tokens::framed(self.start, &text, self.end, self.context))
    }
}

/// The tokenizer as `transformers` converts it from OpenAI's files.
fn from_merges(folder: &Path) -> tokenizers::Result<Tokenizer> {
    let (vocab, merges) = (folder.join("vocab.json"), folder.join("merges.txt"));
    for path in [&vocab, &merges] {
        if !path.is_file() {
            let message = format!(
                "expected `tokenizer.json`, or `vocab.json` and `merges.txt`, in `{}`",
                folder.display()
            );
            return Err(message.into());
        }
    }
    let name = |path: &Path| path.to_string_lossy().into_owned();
    let model = BPE::from_file(&name(&vocab), &name(&merges))
        .unk_token(END.to_owned())
        .continuing_subword_prefix(String::new())
        .end_of_word_suffix("</w>".to_owned())
        .build()?;
    let mut tokenizer = Tokenizer::new(model);
    let blanks = Replace::new(
        tokenizers::normalizers::replace::ReplacePattern::Regex(r"\s+".to_owned()),
        " ",
    )?;
    tokenizer.with_normalizer(Some(Normalizers::new(vec![
        NFC.into(),
        blanks.into(),
        Lowercase.into(),
    ])))?;
    let words = Split::new(
        SplitPattern::Regex(WORD.to_owned()),
        SplitDelimiterBehavior::Removed,
        true,
    )?;
    let bytes = ByteLevel::new(false, true, true);
    tokenizer.with_pre_tokenizer(Some(PreTokenizers::new(vec![words.into(), bytes.into()])));
    tokenizer.add_special_tokens([AddedToken::from(START, true), AddedToken::from(END, true)])?;
    Ok(tokenizer)
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use serde::Deserialize;

    use super::*;

    const CONTEXT: usize = 77;

    #[derive(Deserialize)]
    struct Golden {
        tokens: Vec<Case>,
    }

    #[derive(Deserialize)]
    struct Case {
        prompt: String,
        processor: Vec<u32>,
        open_clip: Vec<u32>,
    }

    fn folder(name: &str) -> PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("tests/golden/scorers")
            .join(name)
    }

    #[test]
    fn tokens_equal_transformers_and_open_clip() {
        let text = fs_err::read_to_string(folder("scorers.json")).unwrap();
        let golden: Golden = serde_json::from_str(&text).unwrap();
        let load = |name, cleaning| ClipTokenizer::load(&folder(name), 1000, CONTEXT, cleaning).unwrap();
        let merges = load("clip-tokenizer", Cleaning::Processor);
        let json = load("clip-tokenizer/fast", Cleaning::Processor);
        let open_clip = load("clip-tokenizer", Cleaning::OpenClip);
        let mut n_truncated = 0;
        for case in golden.tokens {
            let got = merges.encode(&case.prompt).unwrap();
            assert_eq!(got.ids, case.processor, "`{}`", case.prompt);
            assert_eq!(json.encode(&case.prompt).unwrap(), got, "`{}`", case.prompt);
            let got = open_clip.encode(&case.prompt).unwrap();
            assert_eq!(got.ids, case.open_clip, "`{}`", case.prompt);
            if got.is_truncated {
                n_truncated += 1;
                assert_eq!((got.ids.len(), got.ids.last()), (CONTEXT, Some(&open_clip.end)));
            }
        }
        assert_eq!(n_truncated, 1);
    }

    #[test]
    fn a_text_that_just_fits_is_not_truncated() {
        let tokenizer = ClipTokenizer::load(&folder("clip-tokenizer"), 1000, 6, Cleaning::Processor).unwrap();
        let encode = |text: &str| tokenizer.encode(text).unwrap();
        assert_eq!(
            (encode("1234").ids.len(), encode("1234").is_truncated),
            (6, false)
        );
        assert_eq!(
            (encode("12345").ids.len(), encode("12345").is_truncated),
            (6, true)
        );
    }

    #[test]
    fn more_tokens_than_the_network_has_are_refused() {
        let error = ClipTokenizer::load(&folder("clip-tokenizer"), 100, CONTEXT, Cleaning::Processor).err();
        let text = error.unwrap().to_string();
        assert!(
            text.ends_with(
                "expected at most the 100 tokens of the text tower, got 574: it is of another network"
            ),
            "{text}"
        );
    }
}
