//! Runs `asap` as a user would, and the viewer in a real browser.

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a helper that fails is a test that fails, and what is skipped is said aloud"
)]

mod harness;

mod bad_input;
mod bench_hap;
mod bench_judge;
mod bench_prompts;
mod bench_report;
mod bench_score;
mod browser;
mod curate;
mod data;
mod help;
mod lpips;
#[path = "../../crates/asap-metrics/tests/it/made.rs"]
mod made;
mod pose_map;
mod resume;
mod serve;
mod synth;
mod train;
mod train_cache;
mod train_doctor;
mod train_generate;
mod train_plan;
mod votes;
mod weights;
