//! Tests of the store through its public face.
#![expect(clippy::unwrap_used, reason = "a test stops at the first surprise")]
#![expect(clippy::print_stdout, reason = "a test says aloud what it has to skip")]

mod basics;
mod disasters;
mod exchange;
mod fixture;
mod python;
mod scans;
