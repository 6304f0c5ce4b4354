//! `run.json`: what a run is made of.

use std::path::Path;

use serde::{Deserialize, Serialize};

use super::{Error, Result};

/// The format of the folder that is written here.
pub const FORMAT: u64 = 1;

/// What a repetition of the run needs, and what the report names. Nothing in it tells of the machine.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RunRecord {
    /// Version of the toolkit.
    pub toolkit_version: String,
    /// Commit of the toolkit; `None` where it was built outside of a repository.
    pub commit: Option<String>,
    /// The kind of network, such as `flux` or `sdxl`.
    pub backbone: String,
    /// The base model's name.
    pub base: String,
    /// BLAKE3 of the base model's weights.
    pub base_hash: String,
    /// The dataset's name.
    pub data: String,
    /// Its version.
    pub data_version: u64,
    /// SHA-256 over the pairs of the run, as the network gets them.
    pub data_sha256: String,
    /// How many pairs these are.
    pub n_pairs: u64,
    /// The objective's name, such as `bounded-local`.
    pub objective: String,
    /// The margin of the gap; `None` for an objective without one.
    pub tau: Option<f64>,
    /// How many steps were asked for.
    pub n_steps: u64,
    /// The seed of everything that is drawn.
    pub seed: u64,
    /// When the run was begun, in RFC 3339.
    pub started: String,
}

#[derive(Serialize, Deserialize)]
struct Versioned<T> {
    format: u64,
    #[serde(flatten)]
    content: T,
}

/// Only the format, of a file whose other keys may be of a later version.
#[derive(Deserialize)]
struct Format {
    format: u64,
}

impl RunRecord {
    pub(super) fn to_json(&self) -> Vec<u8> {
        to_json(self)
    }

    pub(super) fn from_json(path: &Path, bytes: &[u8]) -> Result<Self> {
        from_json(path, bytes)
    }
}

/// A file with its format in front.
pub(super) fn to_json<T: Serialize>(content: &T) -> Vec<u8> {
    let versioned = Versioned {
        format: FORMAT,
        content,
    };
    let mut bytes = serde_json::to_vec_pretty(&versioned).expect("records are plain data");
    bytes.push(b'\n');
    bytes
}

/// Reads it. The format comes first: a later one is told as such and not as a key that is unknown.
pub(super) fn from_json<T: for<'de> Deserialize<'de>>(path: &Path, bytes: &[u8]) -> Result<T> {
    let json = |source| Error::Json {
        path: path.to_owned(),
        source,
    };
    let Format { format } = serde_json::from_slice(bytes).map_err(json)?;
    if format > FORMAT {
        return Err(Error::Newer {
            path: path.to_owned(),
            got: format,
            expected: FORMAT,
        });
    }
    let versioned: Versioned<T> = serde_json::from_slice(bytes).map_err(json)?;
    Ok(versioned.content)
}
