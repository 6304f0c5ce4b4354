//! How many tokens a prompt has for the text towers: exact counts, from the tokenizers beside the weights.

use std::path::Path;

use super::clip::{Cleaning, ClipTokenizer};
use super::image_reward::BertTokenizer;
use super::library::{BERT_TOKENIZER, CLIP_TOKENIZER};
use crate::Result;

/// Tokens that the published networks know: CLIP's text tower, and BERT with the two tokens of ImageReward.
const N_CLIP: usize = 49_408;
const N_BERT: usize = 30_524;

/// The tokenizers of CLIP and of BERT.
pub struct PromptTokenizers {
    clip: ClipTokenizer,
    bert: BertTokenizer,
}

impl PromptTokenizers {
    /// Reads both from a folder of weights: `clip-tokenizer` and `bert-tokenizer`, as the scorers do.
    ///
    /// # Errors
    /// [`Error::Weights`](crate::Error::Weights) where one of them is not there or is of another network.
    pub fn open(folder: &Path) -> Result<Self> {
        let clip = folder.join(CLIP_TOKENIZER);
        Ok(Self {
            clip: ClipTokenizer::load(&clip, N_CLIP, usize::MAX, Cleaning::Processor)?,
            bert: BertTokenizer::load(&folder.join(BERT_TOKENIZER), N_BERT)?,
        })
    }

    /// CLIP's tokens of a prompt, start and end token included.
    ///
    /// # Errors
    /// [`Error::Prompt`](crate::Error::Prompt) where the tokenizer does not take the text.
    pub fn count_clip(&self, prompt: &str) -> Result<usize> {
        Ok(self.clip.encode(prompt)?.ids.len())
    }

    /// BERT's tokens of a prompt, start and end token included.
    ///
    /// # Errors
    /// [`Error::Prompt`](crate::Error::Prompt) where the tokenizer does not take the text.
    pub fn count_bert(&self, prompt: &str) -> Result<usize> {
        self.bert.count(prompt)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The tiny tokenizers of the golden numbers: of every text, as many tokens as their reference gives, and not cut
    /// where the towers would cut.
    #[test]
    fn counts_are_those_of_the_tokenizers_uncut() {
        let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden");
        let tokenizers = PromptTokenizers {
            clip: ClipTokenizer::load(
                &golden.join("scorers/clip-tokenizer"),
                N_CLIP,
                usize::MAX,
                Cleaning::Processor,
            )
            .unwrap(),
            bert: BertTokenizer::load(&golden.join("scorers_blip/bert-tokenizer"), N_BERT).unwrap(),
        };
        assert_eq!(tokenizers.count_clip("").unwrap(), 2);
        assert_eq!(tokenizers.count_bert("").unwrap(), 2);
        let long = "hand ".repeat(200);
        assert!(tokenizers.count_clip(&long).unwrap() > 200);
        assert!(tokenizers.count_bert(&long).unwrap() > 200);
        assert!(PromptTokenizers::open(&golden).is_err());
    }
}
