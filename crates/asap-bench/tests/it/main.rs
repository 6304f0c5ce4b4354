//! Tests of the public interface.

mod judge;
