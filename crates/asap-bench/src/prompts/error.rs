//! What reading a set of prompts refuses.

use std::path::PathBuf;

use serde::Serialize;

/// A result of this module.
pub type Result<T> = std::result::Result<T, Error>;

/// Something wrong at one place of a file.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Fault {
    /// The file, as the user named it or below the folder that the user named.
    pub file: PathBuf,
    /// The line, from 1; none where the file as a whole is meant.
    pub line: Option<u32>,
    /// What is wrong, what was expected, what was found.
    pub message: String,
}

impl std::fmt::Display for Fault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.line {
            Some(line) => write!(f, "{}:{line}: {}", self.file.display(), self.message),
            None => write!(f, "{}: {}", self.file.display(), self.message),
        }
    }
}

/// Why a set of prompts, its taxonomy or its rules cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A file that cannot be read.
    #[error("cannot read `{}`", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
    /// A TOML file that does not say what it should.
    #[error("`{}` is not as expected: {reason}", path.display())]
    Toml {
        /// The file.
        path: PathBuf,
        /// What the parser said, with the line.
        reason: String,
    },
    /// A prompts folder or file with at least one fault.
    #[error("`{}` cannot be used: {}", path.display(), list(faults))]
    Faults {
        /// What was to be read.
        path: PathBuf,
        /// All of them, by file and line.
        faults: Vec<Fault>,
    },
    /// A rule whose value makes no sense.
    #[error("rule `{name}` of `{}`: expected {expected}, got {got}", path.display())]
    Rule {
        /// The rules file.
        path: PathBuf,
        /// The key.
        name: String,
        /// What is allowed.
        expected: &'static str,
        /// What was found.
        got: String,
    },
}

fn list(faults: &[Fault]) -> String {
    let texts: Vec<String> = faults.iter().map(Fault::to_string).collect();
    texts.join("; ")
}
