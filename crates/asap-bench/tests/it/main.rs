//! Tests of the public interface.

#![expect(clippy::unwrap_used, reason = "a helper that fails is a test that fails")]

mod judge;
