//! What HPSv3 is told about its task: a text of its authors, read from the folder of weights.
//!
//! Every blank of it counts, so its hash is kept with each score. This toolkit has its hash and not its words.

use std::path::Path;

use tokenizers::Tokenizer;

use crate::scorers::tokenizer_file::TokenizerFile;
use crate::weights::{Fault, sha256_of};
use crate::{Error, Result};

/// SHA-256 of the instruction that the published network was trained with: `INSTRUCTION + prompt_with_special_token`
/// of `hpsv3/dataset/data_collator_qwen.py` in the package `hpsv3` 1.0.0, in UTF-8.
pub(super) const PUBLISHED_SHA256: &str = "f6ee57479d4e9eee76b49c00dc962e1e696a5a2b3cc32cebd9b1fa76fe27502c";

/// Where the prompt goes.
const PLACE: &str = "{text_prompt}";
/// The token whose vector is judged.
const REWARD: &str = "<|Reward|>";
/// The token that stands for the image.
const IMAGE: &str = "<|image_pad|>";

/// Qwen2-VL's chat template, version 1 here: what comes before the text of the one message. What comes after it
/// is behind the reward token and is never read.
const BEFORE: &str = "<|im_start|>system\nYou are a helpful assistant.<|im_end|>\n\
                      <|im_start|>user\n<|vision_start|><|image_pad|><|vision_end|>";

/// An instruction as it lies in its file.
pub(super) struct InstructionText {
    pub(super) text: String,
    pub(super) sha256: String,
}

/// Reads the instruction.
///
/// # Errors
/// [`Error::Weights`] when there is no such file, or it lacks the place of the prompt or the reward token.
pub(super) fn read(path: &Path) -> Result<InstructionText> {
    let refuse = |fault| Error::weights(path, fault);
    let text = fs_err::read_to_string(path).map_err(|error| {
        refuse(if error.kind() == std::io::ErrorKind::NotFound {
            Fault::Unfit {
                what: "no such file; it must hold the instruction of the HPSv3 project, which is not part of this \
                       toolkit: `INSTRUCTION + prompt_with_special_token` of `hpsv3/dataset/data_collator_qwen.py`"
                    .to_owned(),
            }
        } else {
            Fault::io("read", &error)
        })
    })?;
    for part in [PLACE, REWARD] {
        let n = text.matches(part).count();
        if n != 1 {
            let what = format!("expected `{part}` once in the instruction, got it {n} times");
            return Err(refuse(Fault::Unfit { what }));
        }
    }
    let sha256 = sha256_of(text.as_bytes());
    Ok(InstructionText { text, sha256 })
}

impl InstructionText {
    /// Refuses another instruction than that of the published network.
    pub(super) fn check_published(&self, path: &Path) -> Result<()> {
        if self.sha256 == PUBLISHED_SHA256 {
            return Ok(());
        }
        Err(Error::weights(
            path,
            Fault::Hash {
                expected: PUBLISHED_SHA256.to_owned(),
                got: self.sha256.clone(),
                by: "this toolkit: the instruction that the network was trained with, to the last blank"
                    .to_owned(),
            },
        ))
    }
}

/// The tokens around the image, the last of which is the reward token.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Read {
    pub(super) before: Vec<u32>,
    pub(super) after: Vec<u32>,
}

/// Makes tokens of prompts.
pub(super) struct Instruction {
    text: String,
    tokenizer: TokenizerFile,
    image: u32,
    reward: u32,
}

impl Instruction {
    /// Reads the tokenizer, for a decoder that knows `n_tokens` tokens.
    ///
    /// # Errors
    /// [`Error::Weights`] when it is missing or one of another network.
    pub(super) fn new(text: String, tokenizer: &Path, n_tokens: usize) -> Result<Self> {
        let read = Tokenizer::from_file(tokenizer);
        // The authors add their token to the tokenizer of Qwen2-VL.
        let tokenizer = TokenizerFile::new(tokenizer.to_owned(), read, &[REWARD], n_tokens)?;
        Ok(Self {
            text,
            image: tokenizer.special(IMAGE, "Qwen2-VL")?,
            reward: tokenizer.special(REWARD, "HPSv3")?,
            tokenizer,
        })
    }

    /// The tokens that are read for a prompt.
    ///
    /// # Errors
    /// [`Error::Prompt`] when the prompt spells the token of the image or of the reward.
    pub(super) fn tokens(&self, prompt: &str) -> Result<Read> {
        if let Some(token) = [IMAGE, REWARD].into_iter().find(|token| prompt.contains(token)) {
            let reason = format!("it has `{token}`, which HPSv3 reads as a mark of its own");
            return Err(Error::prompt(prompt, reason));
        }
        let whole = format!("{BEFORE}{}", self.text.replace(PLACE, prompt));
        let ids = self.tokenizer.encode(&whole)?;
        let place = |token: u32| ids.iter().position(|id| *id == token);
        let (Some(image), Some(reward)) = (place(self.image), place(self.reward)) else {
            let reason = "the tokenizer takes the marks of image and reward apart".to_owned();
            return Err(Error::prompt(prompt, reason));
        };
        Ok(Read {
            before: ids[..image].to_vec(),
            after: ids[image + 1..=reward].to_vec(),
        })
    }
}

#[cfg(test)]
mod tests {
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
    }

    fn instruction() -> Instruction {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/scorers_blip/hpsv3");
        let text = read(&folder.join("instruction.txt")).unwrap().text;
        Instruction::new(text, &folder.join("tokenizer.json"), 1000).unwrap()
    }

    #[test]
    fn tokens_equal_those_of_transformers_up_to_the_reward() {
        let text = include_str!("../../../tests/golden/scorers_blip/hpsv3_reward.json");
        let golden: Golden = serde_json::from_str(text).unwrap();
        let instruction = instruction();
        assert!(golden.tokens.len() > 4);
        for Case { prompt, ids } in golden.tokens {
            let Read { before, after } = instruction.tokens(&prompt).unwrap();
            let got = [&before[..], &[instruction.image], &after[..]].concat();
            assert_eq!(got[..], ids[..got.len()], "`{prompt}`");
            assert_eq!(ids[got.len() - 1], instruction.reward);
            assert!(ids.len() > got.len(), "the reward token is not the last one");
        }
    }

    #[test]
    fn prompts_may_not_spell_the_marks_of_image_and_reward() {
        for (prompt, mark) in [("a <|Reward|>", REWARD), ("<|image_pad|>", IMAGE)] {
            let text = instruction().tokens(prompt).unwrap_err().to_string();
            assert_eq!(
                text,
                format!("prompt `{prompt}`: it has `{mark}`, which HPSv3 reads as a mark of its own")
            );
        }
        // Braces are the user's own.
        assert!(instruction().tokens("{text_prompt} {0} }").is_ok());
    }

    #[test]
    fn an_instruction_of_the_published_network_is_known_by_its_hash() {
        let other = InstructionText {
            text: String::new(),
            sha256: sha256_of(b"other"),
        };
        let text = other
            .check_published(Path::new("instruction.txt"))
            .unwrap_err()
            .to_string();
        assert!(
            text.contains(PUBLISHED_SHA256) && text.contains("to the last blank"),
            "{text}"
        );
    }
}
