//! Adapters as files: read from the formats that other programs write, written in the formats that they read.
//!
//! In memory an [`AdapterFile`] has the paths of diffusers, one low-rank pair per layer. Formats differ in names,
//! in how alpha is told, and in whether layers with one input are stored as one.

mod adapter;
mod export;
#[cfg(test)]
mod faults;
mod fuse;
mod names;
#[cfg(test)]
mod parity;
mod peft;
mod read;
mod write;

pub use adapter::{AdapterFile, Backbone, LowRankArrays};
pub use export::{ExportReport, export};
pub use write::Format;
