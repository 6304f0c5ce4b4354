//! Times LPIPS with made-up weights, in turn with another process.
//!
//! For each line on standard input, such as `alex 512 whole`, it measures once and answers with the milliseconds
//! and the value. `benches/lpips_ratio.py` drives it; `echo alex 512 whole | cargo run -p asap-metrics --example
//! bench_lpips` does by hand. `RAYON_NUM_THREADS` is the number of threads.
//!
//! `whole` is the distance of images that differ nearly everywhere, so everything is computed; `pair` the region
//! statistics of a pair that differs only inside a disc of 4 % of the image.
#![expect(clippy::print_stdout, reason = "the answers go to standard output")]
#![expect(
    clippy::unwrap_used,
    reason = "the files that it shares with the tests are helpers of tests"
)]

use std::hint::black_box;
use std::io::BufRead;
use std::time::Instant;

use asap_core::Mask;
use asap_metrics::weights::WeightsDir;
use asap_metrics::{Lpips, LpipsNet, LpipsRule, Result};

#[path = "../tests/it/images.rs"]
mod images;
#[path = "../tests/it/made.rs"]
mod made;

use images::{Picture, mask};

fn main() -> Result<()> {
    let mut loaded: Vec<Lpips> = Vec::new();
    for line in std::io::stdin().lock().lines().map_while(|line| line.ok()) {
        let words: Vec<&str> = line.split_whitespace().collect();
        let [name, side, what] = words[..] else { continue };
        let Some(net) = LpipsNet::ALL.into_iter().find(|net| net.name() == name) else {
            continue;
        };
        let Ok(side) = side.parse::<u32>() else { continue };
        if !loaded.iter().any(|lpips| lpips.net() == net) {
            loaded.push(load(net)?);
        }
        if let Some(lpips) = loaded.iter().find(|lpips| lpips.net() == net) {
            let (milliseconds, value) = measure(lpips, side, what)?;
            println!("{milliseconds:.4} {value:.12}");
        }
    }
    Ok(())
}

fn load(net: LpipsNet) -> Result<Lpips> {
    let dir = std::env::temp_dir().join(format!("asap-bench-lpips-{}", std::process::id()));
    std::fs::create_dir_all(&dir).expect("the folder for temporary files can be written to");
    made::write_lpips(&dir, net.name());
    let lpips = Lpips::load(&WeightsDir::open(&dir)?, net);
    _ = std::fs::remove_dir_all(&dir);
    lpips
}

/// Milliseconds and value.
fn measure(lpips: &Lpips, side: u32, what: &str) -> Result<(f64, f64)> {
    let first = Picture::named(side, side, "waves", 0);
    let squared_radius = (0.04 * f64::from(side * side) / std::f64::consts::PI) as u32;
    let disc = Mask::from_fn(side, side, |x, y| {
        x.abs_diff(side / 2).pow(2) + y.abs_diff(side / 2).pow(2) <= squared_radius
    });
    let second = match what {
        "pair" => first.changed(&disc, "painted", 0),
        _ => first.changed(&mask(side, side, "empty"), "noisy", 20),
    };
    let started = Instant::now();
    let value = black_box(match what {
        "pair" => {
            let region = lpips.region(first.view(), second.view(), &disc, LpipsRule::Composite)?;
            region.inside.unwrap_or(f64::NAN)
        }
        _ => lpips.distance(black_box(first.view()), second.view())?.total,
    });
    Ok((started.elapsed().as_secs_f64() * 1e3, value))
}
