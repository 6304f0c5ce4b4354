//! The statistics: equality with other programs, laws, and how often intervals hold the truth.

mod coverage;
mod golden;
mod laws;
mod logs;

use asap_bench::stats::{Bootstrap, Level};

/// A bootstrap of 95 %.
fn bootstrap(replicates: u32) -> Bootstrap {
    Bootstrap {
        seed: 11,
        replicates,
        level: Level::P95,
    }
}
