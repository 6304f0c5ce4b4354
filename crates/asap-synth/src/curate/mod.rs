//! The decision which pairs are kept.
