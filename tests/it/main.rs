//! Runs `asap` as a user would and compares exit code, stdout and stderr.

mod harness;

mod bad_input;
mod curate;
mod data;
mod help;
mod pose_map;
mod resume;
mod serve;
mod synth;
