//! What judging will cost, before it is done.

use asap_core::chat::Usage;
use serde::Serialize;

use super::{Price, Tariff};
use crate::protocol::{Kind, Protocol, ShowPrompt};

/// Characters of English in a token. Vendors say about 4; less gives more tokens, never too few.
const CHARS_PER_TOKEN: u64 = 3;

/// What a run of questions is taken to cost.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct DryRun {
    /// Questions, answered ones included.
    pub n_questions: usize,
    /// Of them, answered in the log already.
    pub n_answered: usize,
    /// Of them, without an image.
    pub n_without_image: usize,
    /// Calls that will be made, if every first answer can be read.
    pub n_calls: usize,
    /// Tokens of all questions.
    pub input_tokens: u64,
    /// Tokens of all answers, thoughts included.
    pub output_tokens: u64,
    /// What that costs; `None` without a price.
    pub usd: Option<f64>,
    /// What it costs if every answer is as long as it may be; `None` without a price.
    pub most_usd: Option<f64>,
    /// What the log has cost already.
    pub spent_usd: f64,
    /// What was assumed, one sentence each.
    pub assumptions: Vec<String>,
}

/// Estimates `n_calls` calls under a protocol.
pub fn dry_run(protocol: &Protocol, n_calls: usize, price: Option<&Price>, tariff: Tariff) -> DryRun {
    let n = n_calls as u64;
    let output_each = u64::from(protocol.file.estimate.output_tokens);
    let input_each = input_tokens(protocol, price);
    let each = Usage {
        prompt: input_each,
        output: output_each,
        ..Usage::default()
    };
    let most = Usage {
        output: u64::from(protocol.file.sampling.max_output_tokens),
        ..each
    };
    let total = |usage: &Usage| price.map(|price| price.usd(usage, tariff) * n as f64);
    DryRun {
        n_questions: n_calls,
        n_answered: 0,
        n_without_image: 0,
        n_calls,
        input_tokens: input_each * n,
        output_tokens: output_each * n,
        usd: total(&each),
        most_usd: total(&most),
        spent_usd: 0.0,
        assumptions: assumptions(protocol, price, tariff, input_each),
    }
}

fn assumptions(protocol: &Protocol, price: Option<&Price>, tariff: Tariff, input_each: u64) -> Vec<String> {
    let file = &protocol.file;
    let mut list = vec![
        format!(
            "a question has {input_each} tokens: its text at {CHARS_PER_TOKEN} characters a token, and {} for each image",
            tokens_of_image(protocol, price)
        ),
        format!(
            "an answer has {} tokens with thoughts, and at most {}",
            file.estimate.output_tokens, file.sampling.max_output_tokens
        ),
        "no answer is cut or has to be asked for again".to_owned(),
    ];
    if let Some(price) = price {
        list.push(format!(
            "prices of {} ({}): {} USD in and {} USD out for a million tokens",
            price.date, price.source, price.input, price.output
        ));
        if tariff == Tariff::Batch {
            list.push(format!("a batch costs {} of that", price.batch_factor));
        }
    }
    list
}

/// The most that one call can use.
pub(crate) fn most_usage(protocol: &Protocol, price: &Price, max_output_tokens: u32) -> Usage {
    Usage {
        prompt: input_tokens(protocol, Some(price)),
        output: u64::from(max_output_tokens),
        ..Usage::default()
    }
}

fn tokens_of_image(protocol: &Protocol, price: Option<&Price>) -> u64 {
    let detail = protocol.file.sampling.image_detail.as_deref();
    // Without a price, what the dearest of the listed vendors takes for an image in high detail.
    price.map_or(2600, |price| price.tokens_of_image(detail))
}

fn input_tokens(protocol: &Protocol, price: Option<&Price>) -> u64 {
    let file = &protocol.file;
    let n_images = match file.kind {
        Kind::Image => 1,
        Kind::Pair => 2,
    };
    let shown = match protocol.show_prompt {
        ShowPrompt::Never => 0,
        // The longest prompts have some 400 characters.
        ShowPrompt::Always => file.prompt_note.len() + 400,
    };
    let labels: usize = file.labels.iter().map(String::len).sum();
    let chars = file.system.len()
        + file.question.len()
        + file.reask.len()
        + file.answer.schema.len()
        + labels
        + shown;
    (chars as u64).div_ceil(CHARS_PER_TOKEN) + n_images * tokens_of_image(protocol, price)
}
