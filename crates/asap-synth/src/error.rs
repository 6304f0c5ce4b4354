//! What building pairs refuses.

use std::path::PathBuf;

/// A result of this crate.
pub type Result<T> = std::result::Result<T, Error>;

/// One enum for the crate: each variant says what, where, what was expected and what was found.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A file or folder that cannot be read.
    #[error("cannot read `{}`", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// The cause.
        #[source]
        source: std::io::Error,
    },
    /// A file that is not an image that we take.
    #[error("cannot use `{}`: {reason}", path.display())]
    Image {
        /// The file.
        path: PathBuf,
        /// What is wrong with it, and what is expected.
        reason: String,
    },
    /// A settings, pose or prompt file that does not parse.
    #[error("cannot parse `{}`: {reason}", path.display())]
    Parse {
        /// The file.
        path: PathBuf,
        /// Where and what.
        reason: String,
    },
    /// Pixels that do not become a PNG, or the other way round.
    #[error("cannot {action} a {width}x{height} PNG")]
    Png {
        /// `encode` or `decode`.
        action: &'static str,
        /// Columns.
        width: u32,
        /// Rows.
        height: u32,
        /// The cause.
        #[source]
        source: image::ImageError,
    },
    /// Images of a pair that do not fit each other.
    #[error("`{what}` is {got_width}x{got_height}, expected {width}x{height}")]
    Size {
        /// Which image or mask.
        what: &'static str,
        /// Its columns.
        got_width: u32,
        /// Its rows.
        got_height: u32,
        /// The columns of the preferred image.
        width: u32,
        /// The rows of the preferred image.
        height: u32,
    },
    /// A change outside the budget: a bug of an operator, never stored.
    #[error("`{operator}` changed {n_px} pixels outside its budget")]
    OutsideBudget {
        /// The operator.
        operator: String,
        /// How many.
        n_px: u64,
    },
    /// A pair that cannot be measured.
    #[error("cannot measure the pair")]
    Measure(#[from] asap_metrics::Error),
    /// A setting out of its range.
    #[error("`{name}` is {got}, expected {expected}")]
    Setting {
        /// Which setting.
        name: &'static str,
        /// Its value.
        got: String,
        /// The range.
        expected: &'static str,
    },
}
