//! `generation.v1`: how the images of a run are drawn.

use std::path::Path;

use serde::Deserialize;

use super::{refused, toml_message};
use crate::run::{ProtocolRef, sha256};
use crate::{Result, jsonl};

const BUILT_IN: &str = include_str!("../../../../prompts/haf-bench/protocol/generation.v1.toml");

/// A generation protocol.
#[derive(Clone, Debug)]
pub struct GenerationProtocol {
    /// The protocol as a manifest names it.
    pub reference: ProtocolRef,
    /// What it says.
    pub file: GenerationFile,
}

/// The file of a generation protocol.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GenerationFile {
    /// Id with version.
    pub id: String,
    /// What the file is.
    pub kind: GenerationKind,
    /// For people.
    pub title: String,
    /// How the text of a prompt is given to the model.
    pub prompt: PromptRule,
    /// The seed of the first image of every prompt.
    pub first_seed: u64,
    /// Images of every prompt.
    pub samples: u32,
    /// Pixels on each side.
    pub size: u32,
    /// Where steps, guidance and scheduler come from.
    pub steps: StepsRule,
    /// What may be done with an image afterwards.
    pub retouching: Retouching,
}

/// The kind of a file that says how images are drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GenerationKind {
    /// Drawing.
    Generation,
}

/// How the text of a prompt is given to the model.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PromptRule {
    /// Letter by letter, with nothing added.
    Verbatim,
}

/// Where steps, guidance and scheduler come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StepsRule {
    /// From the model's authors.
    Recommended,
}

/// What may be done with an image afterwards.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Retouching {
    /// Nothing.
    None,
}

impl GenerationProtocol {
    /// `generation.v1`.
    ///
    /// # Errors
    /// None for the file that is part of the program; a test reads it.
    pub fn built_in() -> Result<Self> {
        Self::parse(Path::new("generation.v1.toml"), BUILT_IN)
    }

    /// Reads a protocol of one's own.
    ///
    /// # Errors
    /// [`crate::Error::File`] for an unknown key or word, and for the built-in id over another text.
    pub fn read(path: &Path) -> Result<Self> {
        let text = jsonl::read_text(path)?;
        let protocol = Self::parse(path, &text)?;
        if protocol.file.id == Self::built_in()?.file.id && text != BUILT_IN {
            let message = format!(
                "`{}` is a built-in protocol with another text; choose another id",
                protocol.file.id
            );
            return Err(refused(path, message));
        }
        Ok(protocol)
    }

    fn parse(path: &Path, text: &str) -> Result<Self> {
        let file: GenerationFile =
            toml::from_str(text).map_err(|error| refused(path, toml_message(text, &error)))?;
        let reference = ProtocolRef {
            id: file.id.clone(),
            sha256: sha256(text.as_bytes()),
        };
        Ok(Self { reference, file })
    }
}
