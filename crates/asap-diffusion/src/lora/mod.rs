//! Low-rank adapters: which layers get one, how it begins, how it computes, and how it is stored.
//!
//! # Source
//! "LoRA: Low-Rank Adaptation of Large Language Models", arXiv:2106.09685, §4.1; arithmetic and names as in PEFT.

mod attach;
mod file;
mod low_rank;
mod spec;

pub use attach::Attachment;
pub use file::{AdapterFile, Backbone, ExportReport, Format, LowRankArrays, export};
pub(crate) use low_rank::LowRank;
pub use spec::{Init, LoraSpec};
