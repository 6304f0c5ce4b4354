//! What judging costs: dated prices, the cost of a record, and what a call may cost at most.

mod budget;
mod estimate;

use std::path::Path;

use asap_core::chat::Usage;
use serde::{Deserialize, Serialize};

use crate::protocol::toml_message;
use crate::{Error, Result, jsonl};

pub(crate) use budget::{Budget, Reserved};
pub(crate) use estimate::most_usage;
pub use estimate::{DryRun, dry_run};

const BUILT_IN: &str = include_str!("../../../../prompts/haf-bench/protocol/prices.toml");
const PER_MILLION: f64 = 1e-6;

/// A list of prices, as in `prompts/haf-bench/protocol/prices.toml`.
#[derive(Clone, Debug)]
pub struct PriceList {
    name: String,
    models: Vec<Price>,
}

/// The file of a price list.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PriceFile {
    schema: u32,
    model: Vec<Price>,
}

/// The price of one model, in USD for a million tokens.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Price {
    /// `PROVIDER:MODEL`.
    pub name: String,
    /// The day on which the price was read.
    pub date: String,
    /// Where it was read.
    pub source: String,
    /// Tokens of the question.
    pub input: f64,
    /// Cached tokens of the question; `None` counts them like the others.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cached: Option<f64>,
    /// Tokens of the answer, thoughts included.
    pub output: f64,
    /// What a batch costs of this.
    pub batch_factor: f64,
    /// Another price for long questions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub long: Option<LongPrice>,
    /// Tokens of one image by how finely it is looked at, before it is sent.
    pub image_tokens: ImageTokens,
}

/// The price of questions over some length.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LongPrice {
    /// Tokens of the question that are still at the lower price.
    pub over_prompt_tokens: u64,
    /// Tokens of the question.
    pub input: f64,
    /// Tokens of the answer.
    pub output: f64,
}

/// Tokens of one image.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ImageTokens {
    /// At detail `low`.
    pub low: u64,
    /// At detail `medium`.
    pub medium: u64,
    /// At detail `high`, and where nothing is said.
    pub high: u64,
}

/// How a call is made, which decides its price.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tariff {
    /// One by one.
    Live,
    /// In a batch.
    Batch,
}

impl PriceList {
    /// The prices that are part of the program.
    ///
    /// # Errors
    /// None for the file that is part of the program; a test reads it.
    pub fn built_in() -> Result<Self> {
        Self::parse(Path::new("prices.toml"), BUILT_IN)
    }

    /// Reads a price file.
    ///
    /// # Errors
    /// [`Error::File`] for an unknown key, another schema, a price that is negative or not finite, and a model that is
    /// listed twice.
    pub fn read(path: &Path) -> Result<Self> {
        Self::parse(path, &jsonl::read_text(path)?)
    }

    fn parse(path: &Path, text: &str) -> Result<Self> {
        let refused = |message: String| Error::File {
            path: path.to_owned(),
            message,
        };
        let file: PriceFile = toml::from_str(text).map_err(|error| refused(toml_message(text, &error)))?;
        if file.schema != 1 {
            return Err(refused(format!("expected `schema = 1`, got {}", file.schema)));
        }
        for (idx, price) in file.model.iter().enumerate() {
            price
                .check()
                .map_err(|message| refused(format!("`{}`: {message}", price.name)))?;
            if file.model[..idx].iter().any(|other| other.name == price.name) {
                return Err(refused(format!("`{}` is listed twice", price.name)));
            }
        }
        Ok(Self {
            name: path.display().to_string(),
            models: file.model,
        })
    }

    /// The price of `PROVIDER:MODEL`.
    ///
    /// # Errors
    /// [`Error::NoPrice`] with the models that the list has.
    pub fn get(&self, model: &str) -> Result<&Price> {
        self.models
            .iter()
            .find(|price| price.name == model)
            .ok_or_else(|| Error::NoPrice {
                model: model.to_owned(),
                file: self.name.clone(),
                known: self
                    .models
                    .iter()
                    .map(|price| format!("`{}`", price.name))
                    .collect(),
            })
    }
}

impl Price {
    fn check(&self) -> std::result::Result<(), String> {
        let long = self.long.map_or([0.0, 0.0], |long| [long.input, long.output]);
        let prices = [
            self.input,
            self.output,
            self.cached.unwrap_or(0.0),
            self.batch_factor,
            long[0],
            long[1],
        ];
        if prices.iter().all(|price| price.is_finite() && *price >= 0.0) {
            return Ok(());
        }
        Err(format!("expected prices of 0 or more, got {prices:?}"))
    }

    /// What a call costs.
    ///
    /// # Units
    /// USD.
    pub fn usd(&self, usage: &Usage, tariff: Tariff) -> f64 {
        let long = self.long.filter(|long| usage.prompt > long.over_prompt_tokens);
        let (input, output) = long.map_or((self.input, self.output), |long| (long.input, long.output));
        // The price list has no price of cached tokens in long questions: they count like the others.
        let cached = if long.is_some() {
            input
        } else {
            self.cached.unwrap_or(input)
        };
        let n_cached = usage.cached.min(usage.prompt);
        let sum = (usage.prompt - n_cached) as f64 * input
            + n_cached as f64 * cached
            + usage.output.saturating_add(usage.thoughts) as f64 * output;
        let factor = match tariff {
            Tariff::Live => 1.0,
            Tariff::Batch => self.batch_factor,
        };
        sum * PER_MILLION * factor
    }

    /// Tokens that one image is taken to have.
    pub fn tokens_of_image(&self, detail: Option<&str>) -> u64 {
        match detail {
            Some("low") => self.image_tokens.low,
            Some("medium") => self.image_tokens.medium,
            _ => self.image_tokens.high,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_built_in_list_is_read_and_counts_thoughts_and_long_questions() {
        let list = PriceList::built_in().unwrap();
        let price = list.get("gemini:gemini-3.1-pro-preview").unwrap();
        let usage = |prompt, cached, output, thoughts| Usage {
            prompt,
            cached,
            output,
            thoughts,
        };
        let usd = |usage, tariff| (price.usd(&usage, tariff) * 1e6).round();
        assert_eq!(
            usd(usage(1000, 0, 100, 400), Tariff::Live),
            1000.0 * 2.0 + 500.0 * 12.0
        );
        assert_eq!(usd(usage(1000, 0, 100, 400), Tariff::Batch), 4000.0);
        assert_eq!(
            usd(usage(300_000, 0, 10, 0), Tariff::Live),
            300_000.0 * 4.0 + 10.0 * 18.0
        );
        let cached = list.get("openai:gpt-5.4").unwrap();
        let usd = cached.usd(&usage(1000, 400, 0, 0), Tariff::Live);
        assert!((usd - (600.0 * 2.5 + 400.0 * 0.25) * 1e-6).abs() < 1e-15);
    }

    #[test]
    fn a_model_without_a_price_names_those_that_have_one() {
        let error = PriceList::built_in()
            .unwrap()
            .get("openai:qwen3-vl")
            .unwrap_err()
            .to_string();
        assert!(
            error.starts_with(
                "no price of `openai:qwen3-vl` in `prices.toml`, which has `gemini:gemini-3.1-pro-preview`, `"
            ),
            "{error}"
        );
    }

    #[test]
    fn wrong_files_are_refused() {
        let parse = |text: &str| {
            PriceList::parse(Path::new("p.toml"), text)
                .unwrap_err()
                .to_string()
        };
        let model = "[[model]]\nname = \"a:b\"\ndate = \"2026-01-01\"\nsource = \"s\"\ninput = 1\noutput = 1\n\
            batch_factor = 0.5\nimage_tokens = { low = 1, medium = 1, high = 1 }\n";
        assert_eq!(
            parse("schema = 2\nmodel = []\n"),
            "`p.toml`: expected `schema = 1`, got 2"
        );
        assert_eq!(
            parse(&format!("schema = 1\n{model}{model}")),
            "`p.toml`: `a:b` is listed twice"
        );
        let negative = model.replace("input = 1", "input = -1");
        assert!(
            parse(&format!("schema = 1\n{negative}"))
                .starts_with("`p.toml`: `a:b`: expected prices of 0 or more")
        );
        assert!(parse("schema = 1\nmodels = []\n").starts_with("`p.toml`: line 2: unknown field `models`"));
    }
}
