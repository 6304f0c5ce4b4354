//! How tokens are counted: exactly where the tokenizers are at hand, else from above.

use std::cell::RefCell;
use std::path::Path;

use anyhow::Result;
use asap_bench::prompts::{Counting, TokenCounter, Tokenizers};
use asap_metrics::scorers::PromptTokenizers;

/// Calls `use_them` with the tokenizers of `folder`, or with estimates where none is named.
pub(super) fn with_tokenizers<T>(
    folder: Option<&Path>,
    use_them: impl FnOnce(&Tokenizers<'_>) -> T,
) -> Result<T> {
    let Some(folder) = folder else {
        return Ok(use_them(&Tokenizers::estimates()));
    };
    let exact = PromptTokenizers::open(folder)?;
    // A counter has no error of its own; the first one is kept and told in place of the result.
    let failure = RefCell::new(None);
    let counted = |count: asap_metrics::Result<usize>| match count {
        Ok(n) => n,
        Err(error) => {
            failure.borrow_mut().get_or_insert(error);
            0
        }
    };
    let clip = |text: &str| counted(exact.count_clip(text));
    let bert = |text: &str| counted(exact.count_bert(text));
    let result = use_them(&Tokenizers {
        clip: counter(&clip),
        bert: counter(&bert),
    });
    match failure.take() {
        Some(error) => Err(error.into()),
        None => Ok(result),
    }
}

fn counter(count: &dyn Fn(&str) -> usize) -> TokenCounter<'_> {
    TokenCounter {
        counting: Counting::Exact,
        count,
    }
}
