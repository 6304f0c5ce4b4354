//! What measuring refuses.

/// A result of this crate.
pub type Result<T> = std::result::Result<T, Error>;

/// One enum for the crate: each variant says what, where, what was expected and what was found.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// A pixel buffer whose length does not fit its size.
    #[error(
        "pixel buffer of a {width}x{height} image: expected {expected_bytes} bytes (`width * height * 3`, packed RGB8), got {got_bytes}"
    )]
    BufferLength {
        /// Columns.
        width: u32,
        /// Rows.
        height: u32,
        /// `width * height * 3`.
        expected_bytes: u64,
        /// The length of the buffer.
        got_bytes: u64,
    },
    /// Two inputs of a measure that must be of one size and are not.
    #[error(
        "{what}: expected {}x{} like the first image, got {}x{}",
        expected.0, expected.1, got.0, got.1
    )]
    SizesDiffer {
        /// Which input.
        what: &'static str,
        /// Columns and rows of the first image.
        expected: (u32, u32),
        /// Columns and rows of the other input.
        got: (u32, u32),
    },
    /// An image that holds no whole window.
    #[error(
        "SSIM of a {width}x{height} image: expected at least {least_px}x{least_px}, the size of its window"
    )]
    TooSmall {
        /// Columns.
        width: u32,
        /// Rows.
        height: u32,
        /// The side of the window.
        least_px: u32,
    },
    /// An image without pixels where one is needed.
    #[error("image to score: expected at least one pixel, got {width}x{height}")]
    EmptyImage {
        /// Columns.
        width: u32,
        /// Rows.
        height: u32,
    },
    /// An image that is longer than a scorer can cut into squares.
    #[error("image to score: expected at most {most} times as long as wide, got {width}x{height}")]
    TooLong {
        /// Columns.
        width: u32,
        /// Rows.
        height: u32,
        /// The largest ratio.
        most: u32,
    },
    /// A name that no scorer has.
    #[error("no scorer `{name}`: expected one of `{known}`")]
    UnknownScorer {
        /// The name.
        name: String,
        /// Those that there are.
        known: String,
    },
    /// A scorer that looks at prompts and was given none.
    #[error("`{scorer}` looks at the prompt, and item {item_idx} has none")]
    NoPrompt {
        /// Which scorer.
        scorer: &'static str,
        /// Which item of the batch.
        item_idx: usize,
    },
    /// A prompt that the tokenizer refuses.
    #[error("prompt `{prompt}`: {reason}")]
    Prompt {
        /// Its beginning.
        prompt: String,
        /// What the tokenizer said.
        reason: String,
    },
    /// The library that computes networks failed: no memory, no device.
    #[error("computing a network: {reason}")]
    Network {
        /// What it said.
        reason: String,
    },
    /// A box that does not lie in the image.
    #[error(
        "box ({}, {})-({}, {}): expected a box inside the {width}x{height} image",
        bounds_px.x0, bounds_px.y0, bounds_px.x1, bounds_px.y1
    )]
    BoxOutside {
        /// The box.
        bounds_px: asap_core::BoxPx,
        /// Columns of the image.
        width: u32,
        /// Rows of the image.
        height: u32,
    },
    /// An image for which some layer of LPIPS has no output.
    #[error(
        "LPIPS ({net}) of a {width}x{height} image: expected at least {least_px}x{least_px}, what its layers need"
    )]
    LpipsTooSmall {
        /// The network.
        net: &'static str,
        /// Columns.
        width: u32,
        /// Rows.
        height: u32,
        /// The least side.
        least_px: u32,
    },
    /// A file of weights that is not used.
    #[error("weights `{}`: {fault}", path.display())]
    Weights {
        /// The file.
        path: std::path::PathBuf,
        /// What is wrong with it.
        fault: Box<crate::weights::Fault>,
    },
}

impl Error {
    /// An error about a file of weights.
    pub(crate) fn weights(path: &std::path::Path, fault: crate::weights::Fault) -> Self {
        Self::Weights {
            path: path.to_owned(),
            fault: Box::new(fault),
        }
    }

    /// An error about a prompt, of which the beginning is shown.
    pub(crate) fn prompt(prompt: &str, reason: String) -> Self {
        Self::Prompt {
            prompt: prompt.chars().take(80).collect(),
            reason,
        }
    }
}

impl From<candle_core::Error> for Error {
    fn from(error: candle_core::Error) -> Self {
        Self::Network {
            reason: error.to_string(),
        }
    }
}
