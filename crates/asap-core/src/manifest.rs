//! What a run of the benchmark says of itself: `run.json`, beside the images that one model drew.
//!
//! The words are here as two programs write them: what asks a server for images, and what draws them itself.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{PromptId, Sha256};

/// The layout of `run.json` that this version reads and writes.
pub const RUN_SCHEMA: u32 = 1;

/// `run.json`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RunManifest {
    /// [`RUN_SCHEMA`].
    pub schema: u32,
    /// The model's name in every table.
    pub model: String,
    /// What drew the images.
    pub generator: Generator,
    /// Under which rules.
    pub protocol: ProtocolRef,
    /// From which prompts.
    pub benchmark: Benchmark,
    /// The seeds that every prompt was drawn with, ascending.
    pub seeds: Vec<u64>,
    /// The images, by prompt in the order of the prompts, then by seed.
    pub images: Vec<ImageEntry>,
}

/// What drew the images of a run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Generator {
    /// `openai-images`, `comfyui`, `asap-train`, `folder`.
    pub kind: String,
    /// Every setting that changes the pixels, by name.
    pub settings: BTreeMap<String, serde_json::Value>,
}

/// A protocol by its id and the hash of its file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProtocolRef {
    /// Id with version: `generation.v1`.
    pub id: String,
    /// SHA-256 of the file.
    pub sha256: Sha256,
}

/// A set of prompts by its name, version and hash.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Benchmark {
    /// Name: `haf-bench`.
    pub name: String,
    /// Version.
    pub version: String,
    /// SHA-256 of the prompts file.
    pub prompts_sha256: Sha256,
}

/// An image of a run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ImageEntry {
    /// The prompt that it was drawn for.
    pub prompt_id: PromptId,
    /// The seed that it was drawn with.
    pub seed: u64,
    /// The file, relative to the run, with `/`.
    pub file: String,
    /// SHA-256 of the file.
    pub sha256: Sha256,
    /// Columns.
    pub width: u32,
    /// Rows.
    pub height: u32,
}
