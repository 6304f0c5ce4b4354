//! Clients against a stub server that answers, and misbehaves, as the real ones were seen to.
#![expect(clippy::unwrap_used, reason = "a test stops at the first surprise")]

mod adjustments;
mod batches;
mod bodies;
mod fixture;
mod images;
mod misbehaviour;
mod python;
