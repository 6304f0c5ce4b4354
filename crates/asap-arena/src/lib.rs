//! The arena: ballots, raters, gold items, submissions and leaderboards over SQLite or PostgreSQL.
//!
//! Every query is written once, in what both databases understand ([`db`]). Whatever a board is computed from is told
//! in one append-only, hash-chained log first ([`log`]), so boards can be rebuilt from it alone.
//!
//! A vote goes from a [`campaign`] with its [`item`]s to a [`rater`], as a [`ballot`] that can be used once, through the
//! one writer of [`vote`] into the log; [`export`] reads the log back, [`gold`] and `exclusion` say whose votes count.
//!
//! A submission goes from an [`account`] with its [`token`]s through [`intake`] and its [`manifest`] into the [`blob`] store,
//! and from the queue of [`submission`]s to a [`worker`] that has it judged.
//!
//! Functions that depend on the time take it as an argument, so that a test can be at any moment.

pub mod account;
pub mod ballot;
pub mod blob;
pub mod campaign;
pub mod db;
mod error;
mod exclusion;
pub mod export;
pub mod gold;
pub mod id;
pub mod intake;
pub mod item;
pub mod log;
pub mod manifest;
mod random;
pub mod rater;
mod record;
mod refusal;
pub mod submission;
mod time;
pub mod token;
pub mod vote;
pub mod worker;

pub use db::Database;
pub use error::{Error, Result};
pub use random::random_hex;
pub use refusal::Refusal;
pub use time::UnixMs;
