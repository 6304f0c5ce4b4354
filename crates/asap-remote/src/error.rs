//! What the crate refuses before anything is sent.

use std::path::PathBuf;

/// A result of this crate.
pub type Result<T> = std::result::Result<T, Error>;

/// One enum for the crate. What happens to a call on the wire is an [`asap_core::chat::ChatFailure`] instead.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A text that names no judge.
    #[error("`{text}` is not the address of a judge: {reason}")]
    JudgeAddress {
        /// The text, without what might be a password.
        text: String,
        /// What is wrong, and what was expected.
        reason: String,
    },
    /// A text that is no base of HTTP addresses.
    #[error("`{text}` is not the base address of a server: {reason}")]
    BaseUrl {
        /// The text, without what might be a password.
        text: String,
        /// What is wrong, and what was expected.
        reason: String,
    },
    /// A server that needs a key, and none is set.
    #[error("`{base}` needs a key: set the environment variable {variables}")]
    NoKey {
        /// The base address.
        base: String,
        /// The variables that are looked at, in words.
        variables: &'static str,
    },
    /// A key that cannot stand in an HTTP header. Its text is not shown.
    #[error("the key in `{variable}` has {reason}: copy it again, without quotes and line breaks")]
    BadKey {
        /// Where it was found.
        variable: &'static str,
        /// What it has that a key has not.
        reason: &'static str,
    },
    /// The HTTP client cannot be set up.
    #[error("cannot set up the HTTP client: {reason}")]
    Setup {
        /// What the library says.
        reason: String,
    },
    /// A file that cannot be read.
    #[error("cannot read `{}`", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// The cause.
        #[source]
        source: std::io::Error,
    },
    /// A ComfyUI workflow that cannot be used.
    #[error("`{name}` is not a usable ComfyUI workflow: {reason}")]
    Workflow {
        /// The file, or what the caller calls it.
        name: String,
        /// What is wrong, and what was expected.
        reason: String,
    },
    /// A request that cannot be put into a batch.
    #[error("request `{key}` cannot be put into a batch: {reason}")]
    BatchRequest {
        /// The caller's key.
        key: String,
        /// What is wrong, and what was expected.
        reason: String,
    },
    /// The stub server cannot listen.
    #[error("cannot listen on `127.0.0.1`")]
    Listen(#[source] std::io::Error),
}
