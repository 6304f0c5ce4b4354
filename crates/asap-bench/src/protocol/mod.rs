//! Protocols: what a judge is told and how its answers are read, as versioned files.
//!
//! The files `aer.v1`, `rsi.v1` and `generation.v1` are part of the program. A file of one's own needs an id of its
//! own, because verdicts under one id are taken to be comparable.

mod generation;

use asap_core::Sha256;
use asap_core::chat::Sampling;
use serde::Deserialize;
use std::path::Path;

use crate::run::{ProtocolRef, sha256};
use crate::{Error, Result, jsonl};

pub use generation::GenerationProtocol;

/// The built-in judging protocols with their files.
const BUILT_IN: [(&str, &str); 2] = [
    (
        "aer.v1",
        include_str!("../../../../prompts/haf-bench/protocol/aer.v1.toml"),
    ),
    (
        "rsi.v1",
        include_str!("../../../../prompts/haf-bench/protocol/rsi.v1.toml"),
    ),
];

/// What is judged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// One image: pass or fail.
    Image,
    /// Two images: first, second or tie.
    Pair,
}

/// Whether the judge is shown the text that the image was made from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ShowPrompt {
    /// Not shown, so that following the text is not mistaken for anatomy.
    Never,
    /// Shown as information. The protocol's id then ends in `+prompt`.
    Always,
}

/// A judging protocol.
#[derive(Clone, Debug)]
pub struct Protocol {
    /// Id with version: `aer.v1`, `aer.v1+prompt`.
    pub id: String,
    /// SHA-256 of the file.
    pub sha256: Sha256,
    /// What is said and asked.
    pub file: ProtocolFile,
    /// Whether the text of the prompt is shown.
    pub show_prompt: ShowPrompt,
}

/// The file of a protocol.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProtocolFile {
    /// Id with version.
    pub id: String,
    /// What is judged.
    pub kind: Kind,
    /// For people.
    pub title: String,
    /// The system instruction.
    pub system: String,
    /// What stands before each image, for pairs.
    #[serde(default)]
    pub labels: Vec<String>,
    /// What stands after the images.
    pub question: String,
    /// Shows the text of the prompt, in the place of `{prompt}`.
    pub prompt_note: String,
    /// Added when an answer could not be read.
    pub reask: String,
    /// Settings of the model.
    pub sampling: Sampling,
    /// When an answer is asked for again.
    pub ladder: Ladder,
    /// What a dry run takes an answer to cost.
    pub estimate: Estimate,
    /// The form of the answer.
    pub answer: AnswerForm,
}

/// When an answer is asked for again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ladder {
    /// Questions after an answer that does not parse or has an unknown verdict.
    pub max_reasks: u32,
    /// A cut answer is asked for again with twice the limit of tokens, up to this.
    pub most_output_tokens: u32,
}

/// Assumptions of a dry run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Estimate {
    /// Tokens of an answer, thoughts included.
    pub output_tokens: u32,
}

/// The form of an answer.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AnswerForm {
    /// Name of the schema.
    pub name: String,
    /// JSON Schema.
    pub schema: String,
}

impl Protocol {
    /// The built-in protocol `id`.
    pub fn built_in(id: &str, show_prompt: ShowPrompt) -> Option<Result<Self>> {
        let (_, text) = BUILT_IN.iter().find(|(name, _)| *name == id)?;
        Some(Self::parse(Path::new(&format!("{id}.toml")), text, show_prompt))
    }

    /// The ids of the built-in protocols.
    pub fn built_in_ids() -> impl Iterator<Item = &'static str> {
        BUILT_IN.iter().map(|(id, _)| *id)
    }

    /// Reads a protocol of one's own.
    ///
    /// # Errors
    /// [`Error::File`] for an unknown key, a schema that is no JSON or has not the verdicts, labels that do not fit, and
    /// an id of a built-in protocol over another text.
    pub fn read(path: &Path, show_prompt: ShowPrompt) -> Result<Self> {
        let text = jsonl::read_text(path)?;
        let protocol = Self::parse(path, &text, show_prompt)?;
        let is_other = |(id, built_in): &(&str, &str)| *id == protocol.file.id && *built_in != text;
        if BUILT_IN.iter().any(is_other) {
            return Err(refused(
                path,
                format!(
                    "`{}` is the id of a built-in protocol with another text; choose another id",
                    protocol.file.id
                ),
            ));
        }
        Ok(protocol)
    }

    fn parse(path: &Path, text: &str, show_prompt: ShowPrompt) -> Result<Self> {
        let file: ProtocolFile =
            toml::from_str(text).map_err(|error| refused(path, toml_message(text, &error)))?;
        check(&file).map_err(|message| refused(path, message))?;
        let id = match show_prompt {
            ShowPrompt::Never => file.id.clone(),
            ShowPrompt::Always => format!("{}+prompt", file.id),
        };
        Ok(Self {
            id,
            sha256: sha256(text.as_bytes()),
            file,
            show_prompt,
        })
    }

    /// The protocol as records name it.
    pub fn reference(&self) -> ProtocolRef {
        ProtocolRef {
            id: self.id.clone(),
            sha256: self.sha256,
        }
    }
}

/// The verdicts that an answer of this kind may have; the schema must offer just these.
pub const fn words(kind: Kind) -> &'static [&'static str] {
    match kind {
        Kind::Image => &["pass", "fail", "unscorable"],
        Kind::Pair => &["first", "second", "tie", "unscorable"],
    }
}

fn check(file: &ProtocolFile) -> std::result::Result<(), String> {
    let is_fine = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    if file.id.is_empty() || !file.id.bytes().all(is_fine) {
        return Err(format!(
            "`id = \"{}\"`: expected letters, digits, `-`, `_` and `.`",
            file.id
        ));
    }
    let n_labels = match file.kind {
        Kind::Image => 0,
        Kind::Pair => 2,
    };
    if file.labels.len() != n_labels {
        return Err(format!("expected {n_labels} labels, got {}", file.labels.len()));
    }
    if file.prompt_note.matches("{prompt}").count() != 1 {
        return Err("expected `{prompt}` once in `prompt_note`".to_owned());
    }
    let (start, most) = (file.sampling.max_output_tokens, file.ladder.most_output_tokens);
    if start == 0 || most < start {
        return Err(format!(
            "expected `most_output_tokens` of at least `max_output_tokens`, and that over 0, got {most} and {start}"
        ));
    }
    check_schema(file)
}

/// The part of a schema that is looked at here.
#[derive(Deserialize)]
struct Schema {
    required: Vec<String>,
    properties: SchemaProperties,
}

#[derive(Deserialize)]
struct SchemaProperties {
    verdict: SchemaVerdict,
}

#[derive(Deserialize)]
struct SchemaVerdict {
    #[serde(rename = "enum")]
    words: Vec<String>,
}

fn check_schema(file: &ProtocolFile) -> std::result::Result<(), String> {
    let schema: Schema = serde_json::from_str(&file.answer.schema).map_err(|error| {
        format!("`answer.schema`: expected a JSON Schema with `required` and `verdict`: {error}")
    })?;
    let words = words(file.kind);
    if schema.properties.verdict.words != words {
        return Err(format!(
            "`answer.schema`: expected the verdicts {words:?}, got {:?}",
            schema.properties.verdict.words
        ));
    }
    if schema.required.iter().all(|name| name != "verdict") {
        return Err("`answer.schema`: expected `verdict` among `required`".to_owned());
    }
    Ok(())
}

/// What the parser says, with the line, in one line.
pub(crate) fn toml_message(text: &str, error: &toml::de::Error) -> String {
    let before = error.span().and_then(|span| text.get(..span.start)).unwrap_or("");
    format!("line {}: {}", before.matches('\n').count() + 1, error.message())
}

fn refused(path: &Path, message: String) -> Error {
    Error::File {
        path: path.to_owned(),
        message,
    }
}
