//! Tests of the public interface.

mod prompts;
