//! Tests of the public interface.

mod stats;
