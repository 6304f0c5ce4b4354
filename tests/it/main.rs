//! Runs `asap` as a user would, and the viewer in a real browser.

mod harness;

mod bad_input;
mod browser;
mod curate;
mod data;
mod help;
mod pose_map;
mod resume;
mod serve;
mod synth;
