//! The manifest of a submission: `manifest.jsonl`, one line about the model and one for each image.
//!
//! ```text
//! {"model":"Anna-1","link":"https://…","backbone":"flux.1-dev","lora":"r16","sampler":"euler","steps":28,"guidance":3.5,"license":"MIT"}
//! {"prompt_id":"haf-obj-0042","seed":0,"file":"haf-obj-0042-0.png","sha256":"…"}
//! ```
//!
//! A line for each, and not one document, so that every fault has a line. All faults are told at once.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use asap_bench::prompts::PromptSet;
use asap_core::{PromptId, Sha256};
use serde::{Deserialize, Serialize};

/// Its place in the archive.
pub const FILE: &str = "manifest.jsonl";
/// Images of one prompt: more seeds say little more about a model.
pub const MAX_SEEDS: usize = 8;
/// Faults that are told one by one; the rest is counted.
pub const MAX_FAULTS: usize = 200;
/// The longest name or link.
const MAX_TEXT_BYTES: usize = 300;

/// What made the images.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Model {
    /// Its name on the board.
    pub model: String,
    /// Where to read about it; `https` only.
    pub link: String,
    /// The base model.
    pub backbone: String,
    /// The adapter, in words; `null` without one.
    pub lora: Option<String>,
    /// The sampler.
    pub sampler: String,
    /// Its steps.
    pub steps: u32,
    /// Its guidance scale.
    pub guidance: f64,
    /// Under which licence the images may be shown.
    pub license: String,
}

/// One image.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Image {
    /// The prompt it was drawn for.
    pub prompt_id: PromptId,
    /// The seed it was drawn with.
    pub seed: u64,
    /// Its name in the archive.
    pub file: String,
    /// The hash of that file.
    pub sha256: Sha256,
}

/// A manifest without a fault.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Manifest {
    /// What made the images.
    pub model: Model,
    /// The images, as they were listed.
    pub images: Vec<Image>,
}

/// One thing that is wrong.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Fault {
    /// From 1; 0 where it is about the whole.
    pub line: usize,
    /// Which field, or what else.
    pub field: &'static str,
    /// What should be there.
    pub expected: String,
    /// What is, cut.
    pub got: String,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.line > 0 {
            write!(f, "line {}: ", self.line)?;
        }
        write!(
            f,
            "`{}`: expected {}, got {}",
            self.field, self.expected, self.got
        )
    }
}

impl Fault {
    pub(crate) fn new(
        line: usize,
        field: &'static str,
        expected: impl Into<String>,
        got: impl fmt::Display,
    ) -> Self {
        Self {
            line,
            field,
            expected: expected.into(),
            got: got.to_string().chars().take(200).collect(),
        }
    }
}

/// Reads a manifest and compares it with the prompts: each of them once under each seed, none else.
///
/// # Errors
/// Every [`Fault`], in the order of the lines, the missing images last.
pub fn check(text: &str, prompts: &PromptSet) -> Result<Manifest, Vec<Fault>> {
    let mut faults = Vec::new();
    let mut lines = text.lines().enumerate().map(|(idx, line)| (idx + 1, line));
    let model = lines.next().and_then(|(line, text)| {
        let model: Option<Model> = parse(line, text, &mut faults);
        if let Some(model) = &model {
            model_faults(line, model, &mut faults);
        }
        model
    });
    if text.is_empty() {
        faults.push(Fault::new(
            1,
            "model",
            "a line about the model",
            "an empty manifest",
        ));
    }
    let images: Vec<(usize, Image)> = lines
        .filter(|(_, text)| !text.trim().is_empty())
        .filter_map(|(line, text)| Some((line, parse(line, text, &mut faults)?)))
        .collect();
    image_faults(&images, prompts, &mut faults);
    match (model, faults.is_empty()) {
        (Some(model), true) => Ok(Manifest {
            model,
            images: images.into_iter().map(|(_, image)| image).collect(),
        }),
        _ => Err(cut(faults)),
    }
}

pub(crate) fn cut(mut faults: Vec<Fault>) -> Vec<Fault> {
    let more = faults.len().saturating_sub(MAX_FAULTS);
    if more > 0 {
        faults.truncate(MAX_FAULTS);
        faults.push(Fault::new(0, "manifest", "no faults", format!("{more} more")));
    }
    faults
}

fn parse<T: for<'de> Deserialize<'de>>(line: usize, text: &str, faults: &mut Vec<Fault>) -> Option<T> {
    match serde_json::from_str(text) {
        Ok(row) => Some(row),
        Err(error) => {
            faults.push(Fault::new(
                line,
                "row",
                "an object with the fields of the format",
                error,
            ));
            None
        }
    }
}

fn model_faults(line: usize, model: &Model, faults: &mut Vec<Fault>) {
    let texts = [
        ("model", &model.model),
        ("link", &model.link),
        ("backbone", &model.backbone),
        ("sampler", &model.sampler),
        ("license", &model.license),
    ];
    let lora = model.lora.iter().map(|lora| ("lora", lora));
    for (field, text) in texts.into_iter().chain(lora) {
        let is_fit =
            !text.trim().is_empty() && text.len() <= MAX_TEXT_BYTES && !text.chars().any(char::is_control);
        if !is_fit {
            let expected = format!("1 to {MAX_TEXT_BYTES} bytes without control characters");
            faults.push(Fault::new(
                line,
                field,
                expected,
                format!("`{}`", text.escape_debug()),
            ));
        }
    }
    let host = model.link.strip_prefix("https://").unwrap_or_default();
    if host.is_empty() || host.starts_with('/') || model.link.chars().any(char::is_whitespace) {
        faults.push(Fault::new(
            line,
            "link",
            "an address that begins with `https://`",
            format!("`{}`", model.link),
        ));
    }
    if !(1..=10_000).contains(&model.steps) {
        faults.push(Fault::new(line, "steps", "1 to 10000", model.steps));
    }
    if !(0.0..=1_000.0).contains(&model.guidance) {
        faults.push(Fault::new(line, "guidance", "0 to 1000", model.guidance));
    }
}

fn image_faults(images: &[(usize, Image)], prompts: &PromptSet, faults: &mut Vec<Fault>) {
    let mut line_by_sample = BTreeMap::new();
    let mut line_by_file = BTreeMap::new();
    let mut seeds = BTreeSet::new();
    for (line, image) in images {
        let line = *line;
        if prompts.get(&image.prompt_id).is_none() {
            let expected = format!("a prompt of {} {}", prompts.name(), prompts.version());
            faults.push(Fault::new(
                line,
                "prompt_id",
                expected,
                format!("`{}`", image.prompt_id),
            ));
            continue;
        }
        seeds.insert(image.seed);
        if let Some(first) = line_by_sample.insert((&image.prompt_id, image.seed), line) {
            let got = format!(
                "`{}` with seed {} as in line {first}",
                image.prompt_id, image.seed
            );
            faults.push(Fault::new(line, "prompt_id", "each prompt and seed once", got));
        }
        if let Some(first) = line_by_file.insert(image.file.as_str(), line) {
            let got = format!("`{}` as in line {first}", image.file.escape_debug());
            faults.push(Fault::new(line, "file", "each file once", got));
        }
    }
    if seeds.is_empty() || seeds.len() > MAX_SEEDS {
        let expected = format!("1 to {MAX_SEEDS} seeds");
        faults.push(Fault::new(0, "seed", expected, seeds.len()));
        return;
    }
    for prompt in prompts.prompts() {
        for seed in &seeds {
            if !line_by_sample.contains_key(&(&prompt.id, *seed)) {
                let expected = format!("an image of `{}` with seed {seed}", prompt.id);
                faults.push(Fault::new(0, "images", expected, "none"));
            }
        }
    }
}

#[cfg(test)]
pub(crate) mod testing {
    use super::*;

    pub(crate) const MODEL: &str = r#"{"model":"Anna-1","link":"https://example.org/anna","backbone":"flux.1-dev","lora":null,"sampler":"euler","steps":28,"guidance":3.5,"license":"MIT"}"#;

    /// Two prompts of their own.
    pub(crate) fn prompts() -> PromptSet {
        let row = |id: &str| {
            format!(
                r#"{{"id":"{id}","category":"basic_anatomy","subcategory":"hands","factors":[],"prompt":"A hand {id}.","regions":["hands"],"persons":1,"hands_expected":{{"min":1,"max":2}},"framing":"close_up","difficulty":1,"lang":"en","source":"human","license":"CC0-1.0","added":"1.0.0"}}"#
            )
        };
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("two.jsonl");
        std::fs::write(&file, format!("{}\n{}\n", row("one"), row("two"))).unwrap();
        PromptSet::load(&file).unwrap()
    }

    /// A row of the manifest.
    pub(crate) fn row(prompt: &str, seed: u64, file: &str, sha256: Sha256) -> String {
        format!(r#"{{"prompt_id":"{prompt}","seed":{seed},"file":"{file}","sha256":"{sha256}"}}"#)
    }
}

#[cfg(test)]
mod tests {
    use super::testing::{MODEL, prompts, row};
    use super::*;

    fn told(text: &str) -> Vec<String> {
        check(text, &prompts())
            .unwrap_err()
            .iter()
            .map(ToString::to_string)
            .collect()
    }

    #[test]
    fn a_whole_manifest_is_read() {
        let hash = Sha256::from_bytes([1; 32]);
        let text = [
            MODEL.to_owned(),
            row("one", 7, "a.png", hash),
            row("two", 7, "b/c.png", hash),
        ]
        .join("\n");
        let manifest = check(&text, &prompts()).unwrap();
        assert_eq!((manifest.model.steps, manifest.images.len()), (28, 2));
    }

    #[test]
    fn every_fault_is_told_with_its_line() {
        let hash = Sha256::from_bytes([1; 32]);
        let model = MODEL
            .replace("https://example.org/anna", "javascript:alert(1)")
            .replace("28", "0");
        let text = [
            model,
            row("one", 7, "a.png", hash),
            row("one", 7, "a.png", hash),
            row("three", 7, "b.png", hash),
            r#"{"prompt_id":"two","seed":-1,"file":"x","sha256":""}"#.to_owned(),
            "{".to_owned(),
        ]
        .join("\n");
        let told = told(&text);
        let expected = [
            "line 1: `link`: expected an address that begins with `https://`, got `javascript:alert(1)`",
            "line 1: `steps`: expected 1 to 10000, got 0",
            "line 5: `row`: expected an object with the fields of the format, got invalid value: integer `-1`, expected u64",
            "line 6: `row`",
            "line 3: `prompt_id`: expected each prompt and seed once, got `one` with seed 7 as in line 2",
            "line 3: `file`: expected each file once, got `a.png` as in line 2",
            "line 4: `prompt_id`: expected a prompt of two 1.0.0, got `three`",
            "`images`: expected an image of `two` with seed 7, got none",
        ];
        assert_eq!(told.len(), expected.len(), "{told:#?}");
        for (told, expected) in told.iter().zip(expected) {
            assert!(told.starts_with(expected), "{told}\n{expected}");
        }
    }

    #[test]
    fn unknown_fields_seeds_without_end_and_nothing_at_all_are_refused() {
        let hash = Sha256::from_bytes([1; 32]);
        let more = MODEL.replace("{\"model\"", "{\"score\":0,\"model\"");
        assert!(told(&more)[0].contains("unknown field `score`"));
        assert!(told("")[0].contains("an empty manifest"));
        let rows = (0..9).map(|seed| row("one", seed, &format!("{seed}.png"), hash));
        let text = std::iter::once(MODEL.to_owned())
            .chain(rows)
            .collect::<Vec<_>>()
            .join("\n");
        assert_eq!(told(&text), ["`seed`: expected 1 to 8 seeds, got 9"]);
        let many = (0..300).map(|_| "x\n").collect::<String>();
        assert_eq!(told(&many).len(), MAX_FAULTS + 1);
    }
}
