//! Photographs, corrupted in their pixels.
//!
//! [`plan`] looks through a folder and says which photographs can be used and for what; [`build`] makes the
//! pairs of one photograph. A hand or face is taken apart into layers, operators ([`operators::OPERATORS`])
//! draw on a canvas, and the canvas is put back inside a budget box: outside it the result equals the
//! photograph byte for byte.

mod canvas;
mod caption;
mod compose;
mod face;
mod fingers;
mod hand;
mod header;
pub mod ingest;
mod job;
mod layers;
mod locate;
pub mod operators;
mod parts;
mod paste;
mod plan;
pub mod poses;
pub mod prompts;
pub mod sheet;
#[cfg(test)]
mod tests;

pub use job::{PhotoJob, build};
pub use plan::{Options, Plan, Refusal, plan};
