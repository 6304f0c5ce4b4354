//! `config.json` of a report: everything that is needed to compute it again.

use asap_core::{Judge, Sha256};
use serde::{Deserialize, Serialize};

use crate::run::{Benchmark, Generator};
use crate::stats::aer::HeadlinePolicy;
use crate::stats::position::PositionPolicy;
use crate::stats::{Bootstrap, Level};

/// The layout of a report's folder that this version writes and verifies.
pub const REPORT_SCHEMA: u32 = 1;

/// Whose verdicts are at the head of the tables.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Who {
    /// A model, by the judge's name.
    Model(String),
    /// The construction of the images.
    Known,
    /// All people together.
    People,
}

impl Who {
    /// Whether a verdict is theirs.
    pub fn is(&self, judge: &Judge) -> bool {
        match (self, judge) {
            (Self::Model(name), Judge::Model(judge)) => name == judge,
            (Self::Known, Judge::Known) | (Self::People, Judge::Human(_)) => true,
            _ => false,
        }
    }

    /// The name for people.
    pub fn title(&self) -> &str {
        match self {
            Self::Model(name) => name,
            Self::Known => "known answers",
            Self::People => "people",
        }
    }
}

/// How figures are computed. Nothing here has a default: a report without these numbers says nothing.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Options {
    /// The model that the others are compared with; `None` where there is only one.
    pub baseline: Option<String>,
    /// Who judged, of the headline; people are shown beside.
    pub judge: Who,
    /// Protocol of the verdicts on single images; `None` where there are none.
    pub aer_protocol: Option<String>,
    /// Protocol of the choices between two images; `None` where there are none.
    pub rsi_protocol: Option<String>,
    /// What is done with rates of which too few images were scored.
    pub headline: HeadlinePolicy,
    /// What the judge's answers in two orders count as.
    pub position: PositionPolicy,
    /// Seed, replicates and level of all intervals.
    pub bootstrap: Bootstrap,
    /// A date to print, as the caller gave it; a report never looks at the clock.
    pub date: Option<String>,
}

impl Options {
    /// The level of all intervals.
    pub const fn level(&self) -> Level {
        self.bootstrap.level
    }
}

/// A run that the report is about.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RunRecord {
    /// The model.
    pub model: String,
    /// SHA-256 of `run.json`, which lists each image with its hash.
    pub manifest_sha256: Sha256,
    /// What drew the images.
    pub generator: Generator,
    /// From which prompts.
    pub benchmark: Benchmark,
    /// The seeds.
    pub seeds: Vec<u64>,
    /// Prompts of the run.
    pub n_prompts: u64,
    /// Images that are there and decode.
    pub n_images: u64,
    /// Images that should be there.
    pub n_samples: u64,
}

/// A protocol or a judge's model that was met in the logs.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Identity {
    /// Protocol id.
    pub protocol: String,
    /// SHA-256 of the protocol's file; `None` for people and known answers.
    pub protocol_sha256: Option<Sha256>,
    /// The model that answered, as its server names it; `None` where the server does not say.
    pub model_version: Option<String>,
    /// Verdicts of this kind.
    pub n: u64,
}

/// A file by name and hash.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FileHash {
    /// The name, relative to the report.
    pub file: String,
    /// SHA-256 of its bytes.
    pub sha256: Sha256,
}

/// `config.json`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// [`REPORT_SCHEMA`].
    pub schema: u32,
    /// Version of the toolkit, whose formulas these are.
    pub toolkit: String,
    /// How figures are computed.
    pub options: Options,
    /// The runs, in the order of the tables.
    pub runs: Vec<RunRecord>,
    /// Protocols and models behind the judge's verdicts.
    pub identities: Vec<Identity>,
    /// Name and hash of the file of human votes, where one was given.
    pub human: Option<FileHash>,
    /// The logs that all figures come from.
    pub logs: Vec<FileHash>,
    /// SHA-256 of the paper's table, as this version of the toolkit has it.
    pub paper_table_sha256: Sha256,
}
