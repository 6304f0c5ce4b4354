//! The pin file of a folder of weights: which content each file must have.

use std::collections::BTreeMap;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::Fault;
use crate::{Error, Result};

/// The name of the file that pins the others in its folder.
pub const PINS_FILE: &str = "weights.pins.toml";

/// The first lines of a pin file.
const HEADER: &str = "# SHA-256 of the weights in this folder, written by `asap weights check --pin`.\n\
     # A file with another content is refused.\n\n";

/// The SHA-256 of each pinned file, by file name.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Pins {
    /// Hexadecimal digits by file name.
    pub sha256: BTreeMap<String, String>,
}

impl Pins {
    /// The pins of a folder; none where it has no pin file.
    ///
    /// # Errors
    /// [`Error::Weights`] for a pin file that cannot be read or understood.
    pub fn read(dir: &Path) -> Result<Self> {
        let path = dir.join(PINS_FILE);
        let text = match fs_err::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Self::default()),
            Err(error) => return Err(Error::weights(&path, Fault::io("read", &error))),
        };
        toml::from_str(&text).map_err(|error| {
            let got = error.to_string().trim_end().replace('\n', " ");
            let expected = "a pin file";
            Error::weights(&path, Fault::Format { expected, got })
        })
    }

    /// Writes the pin file of a folder.
    ///
    /// # Errors
    /// [`Error::Weights`] where it cannot be written.
    pub fn write(&self, dir: &Path) -> Result<()> {
        let path = dir.join(PINS_FILE);
        let text = toml::to_string(self).expect("texts by text are always TOML");
        fs_err::write(&path, format!("{HEADER}{text}"))
            .map_err(|error| Error::weights(&path, Fault::io("write", &error)))
    }

    /// Refuses a pinned file of another content.
    pub(crate) fn check(&self, path: &Path, sha256: &str) -> Result<()> {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        match self.sha256.get(name.as_ref()) {
            Some(pinned) if !pinned.eq_ignore_ascii_case(sha256) => Err(Error::weights(
                path,
                Fault::Hash {
                    expected: pinned.clone(),
                    got: sha256.to_owned(),
                    by: format!("`{PINS_FILE}`"),
                },
            )),
            _ => Ok(()),
        }
    }
}
