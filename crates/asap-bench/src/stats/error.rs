//! What the statistics refuse.

/// A result of this module.
pub type Result<T> = std::result::Result<T, Error>;

/// One enum for the module: each variant says what, where, what was expected and what was found.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum Error {
    /// A confidence level outside of its range.
    #[error("confidence level: expected a number between 0 and 1, got `{got}`")]
    Level {
        /// What was given.
        got: f64,
    },
    /// Nothing to compute a figure from.
    #[error("{what}: expected at least {least}, got {got}")]
    TooFew {
        /// What there is too little of.
        what: &'static str,
        /// How many are needed.
        least: usize,
        /// How many there are.
        got: usize,
    },
    /// Judgements that do not belong together.
    #[error("{what}: expected one for all judgements, got `{first}` and `{second}`")]
    Mixed {
        /// What differs.
        what: &'static str,
        /// The one met first.
        first: String,
        /// Another one.
        second: String,
    },
    /// One thing judged twice under one name.
    #[error("{what}: expected one judgement, got two")]
    Duplicate {
        /// Which.
        what: String,
    },
    /// Counts that contradict each other.
    #[error("{what}: expected at most {most}, got {got}")]
    TooMany {
        /// What there is too much of.
        what: &'static str,
        /// The most that fits the other numbers.
        most: u64,
        /// What was given.
        got: u64,
    },
    /// Two lists that belong together and differ in length.
    #[error("{what}: expected {expected}, got {got}")]
    Length {
        /// Which list.
        what: &'static str,
        /// The length of the other.
        expected: usize,
        /// Its own.
        got: usize,
    },
    /// A number that is not a number, or infinite, where a measured value is needed.
    #[error("{what} {index}: expected a finite number, got `{got}`")]
    NotFinite {
        /// Which list.
        what: &'static str,
        /// The place in it.
        index: usize,
        /// What stands there.
        got: f64,
    },
    /// Models that no chain of comparisons connects.
    #[error(
        "comparison graph: expected every model connected with every other, got `{}` never compared with `{}`",
        one.join("`, `"), other.join("`, `")
    )]
    Disconnected {
        /// The models connected with the first one.
        one: Vec<String>,
        /// The rest.
        other: Vec<String>,
    },
    /// Comparisons that no finite strengths fit best.
    #[error("comparison graph: expected wins in both directions, got {reason}")]
    Separated {
        /// In which way.
        reason: String,
    },
    /// An iteration that did not settle.
    #[error("{what}: expected convergence in {iterations} iterations, got a change of {change:e}")]
    NotConverged {
        /// Which fit.
        what: &'static str,
        /// How many iterations were made.
        iterations: usize,
        /// The last change.
        change: f64,
    },
    /// A figure that these data do not define.
    #[error("{what}: {why}")]
    Undefined {
        /// Which figure.
        what: &'static str,
        /// What is missing.
        why: &'static str,
    },
}
