//! Statistics of HAF-Bench: rates, indices, tests and agreement, each with its interval.
//!
//! | module | answers |
//! | --- | --- |
//! | [`aer`] | how often does a model draw a wrong body |
//! | [`paired_aer`] | is one model better than another on the same prompts and seeds |
//! | [`rsi`], [`votes`], [`rsi_report`] | how much is a model preferred over a baseline |
//! | [`position`] | does a judge prefer what it is shown first |
//! | [`davidson`], [`ranking`] | the order of many models that were compared in pairs |
//! | [`agreement`], [`krippendorff`], [`human`] | does the judge say what people say |
//! | [`rogan_gladen`], [`dawid_skene`], [`gold`] | what are the errors of judges and raters, and what is behind them |
//! | [`sequential`] | does a rater look at all, in as few answers as possible |
//! | [`flip`] | how many votes would have to change for an order to change |
//! | [`scorers`], [`wilcoxon`] | does a learned score differ between two models |
//!
//! Judgements of one prompt are not independent, so where a prompt has several of them each interval goes over
//! prompts; where a few raters gave many votes, over raters too. What cannot be estimated is absent or has a
//! type that says why: it is never 0.
//!
//! Bootstraps are drawn from [`asap_core::Stream`], one stream for each replicate, so their numbers depend on
//! the seed and not on the number of threads.
//!
//! ```
//! use asap_bench::stats::{Level, rsi};
//! use asap_core::RsiCounts;
//!
//! # fn main() -> asap_bench::stats::Result<()> {
//! let counts = RsiCounts { wins: 190, ties: 200, losses: 110 };
//! let index = rsi::from_counts(counts, Level::P95)?;
//! assert_eq!(index.value.finite(), Some(390.0 / 310.0));
//! assert!(index.interval.low > 1.0); // the model is preferred
//! # Ok(())
//! # }
//! ```

pub mod aer;
pub mod agreement;
mod bootstrap;
mod cells;
pub mod davidson;
pub mod dawid_skene;
mod distribution;
mod draws;
mod error;
pub mod exact;
mod existence;
pub mod flip;
pub mod gold;
pub mod human;
pub mod krippendorff;
mod level;
mod linear;
pub mod paired_aer;
pub mod position;
mod proportion;
pub mod ranking;
pub mod rogan_gladen;
pub mod rsi;
pub mod rsi_report;
pub mod scorers;
pub mod sequential;
pub mod votes;
pub mod wilcoxon;

pub use bootstrap::{Bootstrap, Replicates};
pub use cells::Table;
pub use error::{Error, Result};
pub use level::{Interval, Level};
pub use proportion::{ClusterCount, Rate, RateMethod, wilson};
