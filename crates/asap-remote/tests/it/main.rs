//! Clients against a stub server that answers, and misbehaves, as the real ones were seen to.

mod adjustments;
mod batches;
mod bodies;
mod fixture;
mod images;
mod misbehaviour;
mod python;
