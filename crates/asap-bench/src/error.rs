//! What the benchmark refuses.

use std::path::PathBuf;

use crate::run::Problem;

/// A result of this crate.
pub type Result<T> = std::result::Result<T, Error>;

/// One enum for the crate: each variant says what, where, what was expected and what was found.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A file that cannot be read or written; the cause names it.
    #[error("{0}")]
    Io(
        #[from]
        #[source]
        std::io::Error,
    ),
    /// A text file that is not UTF-8.
    #[error("`{}` line {line}: expected UTF-8, byte {column} is not; save the file as UTF-8", path.display())]
    NotUtf8 {
        /// The file.
        path: PathBuf,
        /// Line, from 1.
        line: usize,
        /// Byte in the line, from 1.
        column: usize,
    },
    /// A line of a JSONL or CSV file that is not what it must be.
    #[error("`{}` line {line}: {message}", path.display())]
    Row {
        /// The file.
        path: PathBuf,
        /// Line, from 1.
        line: usize,
        /// What was expected and what was found.
        message: String,
    },
    /// A whole file that is not what it must be.
    #[error("`{}`: {message}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What was expected and what was found.
        message: String,
    },
    /// A benchmark's folder that cannot be used.
    #[error(transparent)]
    Prompts(#[from] crate::prompts::Error),
    /// A log that another process writes at this moment.
    #[error("`{}` is being written by another process: wait for it or stop it", path.display())]
    Locked {
        /// The log.
        path: PathBuf,
    },
    /// A run that is not whole.
    #[error("run `{}`: {}", path.display(), summary(problems))]
    Run {
        /// The folder.
        path: PathBuf,
        /// All that is wrong, in the order of the images.
        problems: Vec<Problem>,
    },
    /// A model without a price.
    #[error("no price of `{model}` in `{file}`, which has {}", known.join(", "))]
    NoPrice {
        /// The model's name with its provider.
        model: String,
        /// The price file.
        file: String,
        /// The models that it has.
        known: Vec<String>,
    },
    /// A question whose answer must come from the log, and is not there.
    #[error(
        "no answer for {subject} in `{}`: replay-only asks nobody, and {n_missing} of {n_questions} answers are missing",
        path.display()
    )]
    NotRecorded {
        /// The first question that is not answered.
        subject: String,
        /// The log.
        path: PathBuf,
        /// How many are missing.
        n_missing: usize,
        /// How many were looked for.
        n_questions: usize,
    },
    /// A figure that the logs do not allow.
    #[error(transparent)]
    Stats(#[from] crate::stats::Error),
    /// A report that cannot be made from what there is.
    #[error("{message}")]
    Report {
        /// What was expected and what there is.
        message: String,
    },
    /// Two runs that cannot be compared.
    #[error("`{model}` against `{baseline}`: {message}")]
    NotComparable {
        /// The run that is judged.
        model: String,
        /// The run that it is compared with.
        baseline: String,
        /// Why not.
        message: String,
    },
}

/// The first problem and how many there are: callers that show all of them take the list.
fn summary(problems: &[Problem]) -> String {
    match problems {
        [] => "nothing is wrong".to_owned(),
        [only] => only.to_string(),
        [first, rest @ ..] => format!("{first} (and {} more problems)", rest.len()),
    }
}
