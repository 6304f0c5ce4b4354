//! Tests of the public interface.

mod judge;
mod report;
mod stats;
