//! Tests of the public interface.

mod judge;
mod prompts;
mod report;
mod stats;
