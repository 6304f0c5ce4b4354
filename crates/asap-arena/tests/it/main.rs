//! What needs a process of its own.

#![expect(clippy::unwrap_used, reason = "a helper that fails is a test that fails")]

mod kill;
