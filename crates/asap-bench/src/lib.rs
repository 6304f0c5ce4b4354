//! HAF-Bench: prompts, judging protocols, judgement logs, statistics and reports.
//!
//! A run is a folder of images, one for each prompt and seed ([`run`]). A judge looks at each image (AER) or at the
//! images of two models side by side (RSI) under a versioned [`protocol`]; what it said is kept as it came ([`judge`]),
//! and everything else is computed from that: verdicts, rates with their intervals, tests, tables and plots.

pub mod cost;
mod error;
mod jsonl;
pub mod judge;
pub mod protocol;
pub mod run;

pub use error::{Error, Result};
pub use jsonl::TornLine;
