//! HAF-Bench: prompts, judging protocols, judgement logs, statistics and reports.
//!
//! A run is a folder of images, one for each prompt and seed. A judge looks at each image (AER) or at the
//! images of two models side by side (RSI); what it said is kept as it came, and everything else is computed
//! from that: verdicts, rates with their intervals, tests, tables and plots.

pub mod stats;
