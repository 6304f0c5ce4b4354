//! Configuration files that may lie beside the weights.

use std::path::Path;

use serde::de::DeserializeOwned;

use crate::weights::Fault;
use crate::{Error, Result};

/// Reads a configuration of `network`, if there is one.
///
/// # Errors
/// [`Error::Weights`] when it cannot be read.
pub(super) fn read<C: DeserializeOwned>(path: &Path, network: &str) -> Result<Option<C>> {
    let refuse = |what: String| Error::weights(path, Fault::Unfit { what });
    let text = match fs_err::read_to_string(path) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(refuse(error.to_string())),
    };
    serde_json::from_str(&text)
        .map(Some)
        .map_err(|error| refuse(format!("expected the configuration of {network}: {error}")))
}
