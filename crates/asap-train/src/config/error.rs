//! What the configuration refuses.

use std::path::PathBuf;

use super::layer::Origin;

/// What the configuration refuses.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// No preset has the name.
    #[error("unknown preset `{name}`, expected one of {known}")]
    Preset {
        /// The name.
        name: String,
        /// The names that there are.
        known: String,
    },
    /// A file could not be read.
    #[error("cannot read the settings `{path}`")]
    Read {
        /// Which file.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// A text is not TOML, or is not made of sections.
    #[error("{origin} is not a settings file: {reason}")]
    Syntax {
        /// Which layer.
        origin: Origin,
        /// What the parser says.
        reason: String,
    },
    /// A key that no section knows.
    #[error("unknown key `{key}` from {origin}, did you mean `{nearest}`?")]
    UnknownKey {
        /// Section and key.
        key: String,
        /// Which layer.
        origin: Origin,
        /// The known key with the fewest differences.
        nearest: &'static str,
    },
    /// A key that no layer gives.
    #[error("`{key}` is missing: expected {expected}, no layer gives it")]
    Missing {
        /// Section and key.
        key: &'static str,
        /// What may stand there.
        expected: String,
    },
    /// A value of the wrong type or out of its range.
    #[error("`{key}` is {got}, expected {expected} (from {origin})")]
    Value {
        /// Section and key.
        key: &'static str,
        /// What stands there.
        got: String,
        /// What may stand there.
        expected: String,
        /// Which layer.
        origin: Origin,
    },
    /// Two values that cannot hold together.
    #[error("`{key}` is {got} (from {origin}), but {reason}")]
    Contradiction {
        /// Section and key.
        key: &'static str,
        /// What stands there.
        got: String,
        /// Which layer.
        origin: Origin,
        /// What it contradicts, and the way out.
        reason: String,
    },
}
