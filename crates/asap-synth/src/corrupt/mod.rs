//! Skeleton-space operators: corruptions as edits of a [`SkeletonGraph`].

use asap_core::{Degradation, Region, Severity, SkeletonGraph, Stream};

/// What an operator did.
#[derive(Clone, Debug, PartialEq)]
pub struct Edit {
    /// The error that it made.
    pub degradation: Degradation,
    /// The regions that it changed.
    pub regions: Vec<Region>,
    /// The parameters that it drew.
    pub parameters: serde_json::Value,
}

/// A named corruption of a body.
#[derive(Clone, Copy, Debug)]
pub struct Operator {
    /// Its id, such as `hand.extra_finger`.
    pub id: &'static str,
    /// Counts up whenever the same seed would give another graph.
    pub version: u32,
    /// Corrupts the graph; `None` (and an untouched graph) where the body lacks the part.
    pub apply: fn(&mut SkeletonGraph, Severity, &mut Stream) -> Option<Edit>,
}

/// Every skeleton-space operator, in the order of the taxonomy.
pub const OPERATORS: &[Operator] = &[];
