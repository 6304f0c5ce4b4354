//! The arena: ballots, raters, gold items, submissions and leaderboards over SQLite or PostgreSQL.
//!
//! Every query is written once, in what both databases understand ([`db`]). Whatever a board is computed from is told
//! in one append-only, hash-chained log first ([`log`]), so boards can be rebuilt from it alone.
//!
//! Functions that depend on the time take it as an argument, so that a test can be at any moment.

pub mod account;
pub mod blob;
pub mod db;
mod error;
pub mod intake;
pub mod log;
pub mod manifest;
mod random;
pub mod submission;
mod time;
pub mod token;
pub mod worker;

pub use db::Database;
pub use error::{Error, Result};
pub use random::random_hex;
pub use time::UnixMs;
