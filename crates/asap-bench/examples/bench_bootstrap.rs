//! Times the bootstraps of an index over 100 000 votes, 1 000 replicates, in turn with another process.
//!
//! For each line on standard input, `two_way` or `prompt`, it measures once and answers with the milliseconds and
//! both ends of the interval. `benches/numpy_ratio.py` drives it; `echo two_way | cargo run -p asap-bench --example
//! bench_bootstrap` does by hand. The number of threads is that of `RAYON_NUM_THREADS`, else of the machine.
#![expect(clippy::print_stdout, reason = "the answers go to standard output")]

use std::hint::black_box;
use std::io::BufRead;
use std::time::Instant;

use asap_bench::stats::votes::{Vote, Votes};
use asap_bench::stats::{Bootstrap, Level, Result};
use asap_core::Outcome;

const N_VOTES: u32 = 100_000;
const N_PROMPTS: u32 = 500;
const N_RATERS: u32 = 1000;

fn main() -> Result<()> {
    let votes: Vec<Vote> = (0..N_VOTES).map(vote).collect();
    let bootstrap = Bootstrap {
        seed: 1,
        replicates: 1000,
        level: Level::P95,
    };
    for line in std::io::stdin().lock().lines().map_while(|line| line.ok()) {
        let started = Instant::now();
        // Sorting the votes is part of what a user waits for.
        let votes = Votes::new(black_box(&votes));
        let drawn = match line.trim() {
            "prompt" => votes.prompt_bootstrap(&bootstrap)?,
            _ => votes.two_way_bootstrap(&bootstrap)?,
        };
        let time_ms = started.elapsed().as_secs_f64() * 1e3;
        let high = drawn.interval.high.unwrap_or(f64::INFINITY);
        println!("{time_ms:.3} {:.6} {high:.6}", drawn.interval.low);
    }
    Ok(())
}

/// Vote number `index`; the Python side repeats the formula.
fn vote(index: u32) -> Vote {
    let mixed = index.wrapping_mul(2_654_435_761);
    let mixed = (mixed ^ (mixed >> 15)).wrapping_mul(2_246_822_519);
    Vote {
        prompt: index % N_PROMPTS,
        rater: (mixed >> 8) % N_RATERS,
        outcome: match (mixed >> 20) % 10 {
            0..4 => Outcome::Win,
            4..7 => Outcome::Tie,
            _ => Outcome::Loss,
        },
    }
}
