//! Low-rank adapters: which layers get one, how it begins, and how it computes.
//!
//! # Source
//! "LoRA: Low-Rank Adaptation of Large Language Models", arXiv:2106.09685, §4.1; arithmetic and names as in PEFT.

mod attach;
mod low_rank;
mod spec;

pub use attach::Attachment;
pub(crate) use low_rank::LowRank;
pub use spec::{Init, LoraSpec};
