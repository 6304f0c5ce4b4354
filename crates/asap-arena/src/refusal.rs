//! Why something that was asked of the arena was not done.

use crate::error::Error;

/// Why something was not done. Only [`Refusal::Arena`] and [`Refusal::Stopped`] are the arena's own fault.
#[derive(Debug, thiserror::Error)]
pub enum Refusal {
    /// A value that cannot be taken.
    #[error("{what}: expected {expected}, got `{got}`")]
    Invalid {
        /// Which value.
        what: &'static str,
        /// What would do.
        expected: &'static str,
        /// What was given.
        got: String,
    },
    /// Nothing has this name.
    #[error("no {what} is named `{id}`")]
    Unknown {
        /// What was looked for.
        what: &'static str,
        /// Its name.
        id: String,
    },
    /// The secret that ballots are signed with can be guessed.
    #[error("the secret for ballots is too short: expected at least {least} bytes, got {got}")]
    WeakSecret {
        /// The least length.
        least: usize,
        /// What was given.
        got: usize,
    },
    /// The invitation is not there, used up or too old.
    #[error("the invitation code is not valid (any more): ask for a new one")]
    Invitation,
    /// The ballot was not issued here, or was changed.
    #[error("the ballot was not issued by this server, or was changed: reload the page for a new one")]
    Forged,
    /// The ballot belongs to another rater.
    #[error("the ballot was issued to another rater: reload the page for one of your own")]
    Foreign,
    /// The ballot is too old.
    #[error("the ballot has expired: reload the page for a new one")]
    Expired,
    /// The ballot is of an earlier round.
    #[error("the ballot is of round {got}, expected one of round {expected}: reload the page for a new one")]
    OldRound {
        /// The round of the campaign.
        expected: u32,
        /// The round of the ballot.
        got: u32,
    },
    /// The campaign takes no votes.
    #[error("the campaign is closed")]
    Closed,
    /// The rater takes part no more.
    #[error("this rater takes no part in the campaign any more")]
    Excluded,
    /// There is no vote to change.
    #[error("there is no vote on this ballot that could be changed")]
    NotCast,
    /// The time for undoing is over.
    #[error(
        "a vote can be undone for {limit_secs} seconds, this one is {age_secs} seconds old: correct it instead"
    )]
    TooLate {
        /// How long it can be.
        limit_secs: u64,
        /// How old it is.
        age_secs: u64,
    },
    /// The writer has ended.
    #[error("votes are not taken at the moment: the writer has stopped")]
    Stopped,
    /// The arena failed.
    #[error(transparent)]
    Arena(#[from] Error),
}

impl Refusal {
    /// Nothing has this id. It may be what a client made up, so it is told shortened.
    pub(crate) fn unknown(what: &'static str, id: &str) -> Self {
        Self::Unknown {
            what,
            id: id.chars().take(64).collect(),
        }
    }
}
