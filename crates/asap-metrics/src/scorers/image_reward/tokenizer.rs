//! BERT's word pieces, from `tokenizer.json` or from `vocab.txt`.

use std::path::Path;

use tokenizers::models::wordpiece::WordPiece;
use tokenizers::normalizers::bert::BertNormalizer;
use tokenizers::pre_tokenizers::bert::BertPreTokenizer;
use tokenizers::{AddedToken, Tokenizer};

use crate::scorers::tokenizer_file::{TokenizerFile, Tokens};
use crate::weights::Fault;
use crate::{Error, Result};

/// How many tokens of a text the reference reads, the first and the last included.
pub(super) const N_TOKENS_READ: usize = 35;

/// The first and the last token of every text.
const START: &str = "[CLS]";
const END: &str = "[SEP]";
/// What BERT calls an unknown piece.
const UNKNOWN: &str = "[UNK]";
/// Tokens that a prompt may spell out.
const SPECIAL: [&str; 5] = ["[PAD]", UNKNOWN, START, END, "[MASK]"];
/// BLIP's own, after those of BERT. No text begins with `[ENC]`, though BLIP was trained with it there.
const ADDED: [&str; 2] = ["[DEC]", "[ENC]"];

/// Cuts prompts into tokens.
pub(in crate::scorers) struct BertTokenizer {
    file: TokenizerFile,
    start: u32,
    end: u32,
}

impl BertTokenizer {
    /// Reads the tokenizer in `folder`, for a tower that knows `n_tokens` tokens.
    ///
    /// # Errors
    /// [`Error::Weights`] when neither form of it is there, or it is one of another network.
    pub(in crate::scorers) fn load(folder: &Path, n_tokens: usize) -> Result<Self> {
        let json = folder.join("tokenizer.json");
        let (path, read) = if json.is_file() {
            let read = Tokenizer::from_file(&json);
            (json, read)
        } else {
            let vocabulary = folder.join("vocab.txt");
            let read = from_vocabulary(&vocabulary)?;
            (vocabulary, read)
        };
        let file = TokenizerFile::new(path, read, &ADDED, n_tokens)?;
        Ok(Self {
            start: file.special(START, "BERT")?,
            end: file.special(END, "BERT")?,
            file,
        })
    }

    /// How many tokens a prompt has, whatever the tower reads of them.
    pub(in crate::scorers) fn count(&self, prompt: &str) -> Result<usize> {
        Ok(self.file.encode(prompt)?.len() + 2)
    }

    /// The tokens of a prompt, at most [`N_TOKENS_READ`]; the last one is kept.
    pub(super) fn encode(&self, prompt: &str) -> Result<Tokens> {
        let text = self.file.encode(prompt)?;
        Ok(Tokens::framed(self.start, &text, self.end, N_TOKENS_READ))
    }
}

/// The tokenizer as `transformers` converts it from BERT's file.
fn from_vocabulary(path: &Path) -> Result<tokenizers::Result<Tokenizer>> {
    if !path.is_file() {
        let what = "expected `tokenizer.json` or `vocab.txt` there".to_owned();
        return Err(Error::weights(path, Fault::Unfit { what }));
    }
    let model = WordPiece::from_file(&path.to_string_lossy())
        .unk_token(UNKNOWN.to_owned())
        .build();
    Ok(model.and_then(|model| {
        let mut tokenizer = Tokenizer::new(model);
        tokenizer.with_normalizer(Some(BertNormalizer::new(true, true, None, true)))?;
        tokenizer.with_pre_tokenizer(Some(BertPreTokenizer));
        // One that the file lacks is not made up: the network has no vector for it.
        let known = SPECIAL
            .iter()
            .filter(|token| tokenizer.token_to_id(token).is_some());
        let known: Vec<_> = known.map(|token| AddedToken::from(*token, true)).collect();
        tokenizer.add_special_tokens(known)?;
        Ok(tokenizer)
    }))
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use serde::Deserialize;

    use super::*;

    #[derive(Deserialize)]
    struct Golden {
        tokens: Vec<Case>,
    }

    #[derive(Deserialize)]
    struct Case {
        prompt: String,
        ids: Vec<u32>,
        truncated: bool,
    }

    fn folder() -> PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/scorers_blip")
    }

    #[test]
    fn tokens_equal_those_of_the_reference() {
        let text = fs_err::read_to_string(folder().join("image_reward.json")).unwrap();
        let golden: Golden = serde_json::from_str(&text).unwrap();
        let tokenizer = BertTokenizer::load(&folder().join("bert-tokenizer"), 200).unwrap();
        for case in &golden.tokens {
            let got = tokenizer.encode(&case.prompt).unwrap();
            assert_eq!(got.ids, case.ids, "`{}`", case.prompt);
            assert_eq!(got.is_truncated, case.truncated, "`{}`", case.prompt);
            assert_eq!(got.ids.first(), Some(&tokenizer.start), "`{}`", case.prompt);
        }
        assert!(golden.tokens.iter().any(|case| case.truncated));
        assert!(
            golden
                .tokens
                .iter()
                .any(|case| !case.truncated && case.ids.len() == N_TOKENS_READ)
        );
    }

    #[test]
    fn both_forms_of_the_file_give_the_same_tokens() {
        let vocabulary = folder().join("bert-tokenizer");
        let by_vocabulary = BertTokenizer::load(&vocabulary, 200).unwrap();
        let copy = tempfile::tempdir().unwrap();
        let plain = from_vocabulary(&vocabulary.join("vocab.txt")).unwrap().unwrap();
        plain.save(copy.path().join("tokenizer.json"), false).unwrap();
        let by_json = BertTokenizer::load(copy.path(), 200).unwrap();
        for prompt in ["[ENC] a [SEP] man [DEC]", "", "H\u{e4}nde, \u{624b} and x\u{301}"] {
            assert_eq!(
                by_json.encode(prompt).unwrap(),
                by_vocabulary.encode(prompt).unwrap()
            );
        }
    }
}
