//! The files of a tokenizer.

use std::path::Path;

use serde::Deserialize;
use tokenizers::models::bpe::BPE;
use tokenizers::normalizers::replace::ReplacePattern;
use tokenizers::normalizers::{Lowercase, NFC, Replace, Sequence as Normalizers};
use tokenizers::pre_tokenizers::byte_level::ByteLevel;
use tokenizers::pre_tokenizers::sequence::Sequence as PreTokenizers;
use tokenizers::pre_tokenizers::split::{Split, SplitPattern};
use tokenizers::processors::roberta::RobertaProcessing;
use tokenizers::{AddedToken, SplitDelimiterBehavior, Tokenizer};

use crate::{Error, Result};

/// The first and the last token of every text of CLIP.
const START: &str = "<|startoftext|>";
const END: &str = "<|endoftext|>";
/// What is one word of CLIP before pairs are merged.
const WORD: &str = r"'s|'t|'re|'ve|'m|'ll|'d|[\p{L}]+|[\p{N}]|[^\s\p{L}\p{N}]+";
/// More tokens than any encoder reads: transformers writes 1e30 where it knows no limit.
const MOST_TOKENS: f64 = 1e6;

/// What `tokenizer_config.json` says beside the tokenizer.
pub(super) struct Settings {
    pub(super) n_tokens: usize,
    pub(super) pad_token: String,
}

/// A token, plain or with how it is matched.
#[derive(Deserialize)]
#[serde(untagged)]
enum Named {
    Plain(String),
    Wrapped { content: String },
}

#[derive(Deserialize)]
struct SettingsFile {
    model_max_length: Option<f64>,
    pad_token: Option<Named>,
}

impl Settings {
    pub(super) fn read(folder: &Path) -> Result<Self> {
        let path = folder.join("tokenizer_config.json");
        let file: SettingsFile = json(&path)?;
        let n_tokens = match file.model_max_length {
            Some(n) if (1.0..MOST_TOKENS).contains(&n) => n as usize,
            Some(n) => {
                return Err(Error::file(
                    &path,
                    "a `model_max_length` of tokens",
                    format!("{n:e}"),
                ));
            }
            None => return Err(Error::file(&path, "a `model_max_length` of tokens", "none")),
        };
        let elsewhere = folder.join("special_tokens_map.json");
        let pad_token = match file.pad_token {
            None if elsewhere.is_file() => json::<SettingsFile>(&elsewhere)?.pad_token,
            pad_token => pad_token,
        };
        let Some(Named::Plain(pad_token) | Named::Wrapped { content: pad_token }) = pad_token else {
            let expected = "a `pad_token`, here or in `special_tokens_map.json`";
            return Err(Error::file(&path, expected, "none"));
        };
        Ok(Self { n_tokens, pad_token })
    }
}

fn json<T: serde::de::DeserializeOwned>(path: &Path) -> Result<T> {
    let text = std::fs::read(path).map_err(|source| Error::io(path, "read", source))?;
    serde_json::from_slice(&text)
        .map_err(|error| Error::file(path, "the settings of a tokenizer", error.to_string()))
}

/// The tokenizer itself, and the number of what fills up a text. It fills up nothing and cuts nothing, so that what is
/// too long can be told.
pub(super) fn read(folder: &Path, pad_token: &str) -> Result<(Tokenizer, u32)> {
    let single = folder.join("tokenizer.json");
    let is_pair = || {
        ["vocab.json", "merges.txt"]
            .iter()
            .all(|name| folder.join(name).is_file())
    };
    let found = if single.is_file() {
        Tokenizer::from_file(&single)
    } else if is_pair() {
        from_merges(folder)
    } else {
        let expected = "`tokenizer.json`, or `vocab.json` and `merges.txt`";
        return Err(Error::file(folder, expected, "neither"));
    };
    let unfit = |error: tokenizers::Error| Error::file(folder, "a tokenizer", error.to_string());
    let mut inner = found.map_err(unfit)?;
    inner.with_padding(None);
    inner.with_truncation(None).map_err(unfit)?;
    // A token that is not there would get a number that no encoder was trained with.
    let Some(pad) = inner.token_to_id(pad_token) else {
        let expected = format!("a tokenizer that knows its `pad_token`, `{pad_token}`");
        return Err(Error::file(folder, expected, "one that does not"));
    };
    // OpenCLIP fills up with `!`: transformers then takes every `!` of a text as one token, whatever stands by it.
    inner
        .add_special_tokens([AddedToken::from(pad_token, true)])
        .map_err(unfit)?;
    Ok((inner, pad))
}

/// CLIP's tokenizer as transformers makes it of OpenAI's files.
fn from_merges(folder: &Path) -> tokenizers::Result<Tokenizer> {
    let name = |file: &str| folder.join(file).to_string_lossy().into_owned();
    let model = BPE::from_file(&name("vocab.json"), &name("merges.txt"))
        .unk_token(END.to_owned())
        .continuing_subword_prefix(String::new())
        .end_of_word_suffix("</w>".to_owned())
        .build()?;
    let mut tokenizer = Tokenizer::new(model);
    let blanks = Replace::new(ReplacePattern::Regex(r"\s+".to_owned()), " ")?;
    let normalizers = vec![NFC.into(), blanks.into(), Lowercase.into()];
    tokenizer.with_normalizer(Some(Normalizers::new(normalizers)))?;
    let words = SplitPattern::Regex(WORD.to_owned());
    let words = Split::new(words, SplitDelimiterBehavior::Removed, true)?;
    let bytes = ByteLevel::new(false, true, true);
    tokenizer.with_pre_tokenizer(Some(PreTokenizers::new(vec![words.into(), bytes.into()])));
    tokenizer.add_special_tokens([START, END].map(|token| AddedToken::from(token, true)))?;
    let numbered = |token: &str| {
        let id = tokenizer
            .token_to_id(token)
            .ok_or_else(|| format!("no token `{token}`"))?;
        Ok::<_, tokenizers::Error>((token.to_owned(), id))
    };
    let frame = RobertaProcessing::new(numbered(END)?, numbered(START)?);
    tokenizer.with_post_processor(Some(frame.trim_offsets(false).add_prefix_space(false)));
    Ok(tokenizer)
}
