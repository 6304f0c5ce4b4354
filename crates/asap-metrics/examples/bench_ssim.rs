//! Times SSIM on 1024x1024 RGB, one thread, in turn with another process.
//!
//! For each line on standard input, the name of a measure, it measures once and answers with the milliseconds
//! and the value. `benches/skimage_ratio.py` drives it; `echo ssim | cargo run -p asap-metrics --example
//! bench_ssim` does by hand.
//!
//! `ssim` and `map` compare images that differ nearly everywhere, so no window is left out; `pair` and
//! `pair_map` are the statistics of a pair that differs only inside a disc of 4 % of the image.
#![expect(clippy::print_stdout, reason = "the answers go to standard output")]

use std::hint::black_box;
use std::io::BufRead;
use std::time::Instant;

use asap_core::{Mask, StatRegion};
use asap_metrics::{RegionRule, Result, region_stats, ssim, ssim_map};

#[path = "../tests/it/images.rs"]
mod images;

use images::{Picture, mask};

const SIDE: u32 = 1024;

fn main() -> Result<()> {
    let first = Picture::named(SIDE, SIDE, "waves", 0);
    let noisy = first.changed(&mask(SIDE, SIDE, "empty"), "noisy", 20);
    let squared_radius = (0.04 * f64::from(SIDE * SIDE) / std::f64::consts::PI) as u32;
    let disc = Mask::from_fn(SIDE, SIDE, |x, y| {
        x.abs_diff(SIDE / 2).pow(2) + y.abs_diff(SIDE / 2).pow(2) <= squared_radius
    });
    let painted = first.changed(&disc, "painted", 0);
    let inside = |rule| {
        let stats = region_stats(first.view(), painted.view(), &disc, StatRegion::Edit, rule)?;
        Ok::<f64, asap_metrics::Error>(stats.ssim_inside.unwrap_or(f64::NAN))
    };
    for line in std::io::stdin().lock().lines().map_while(|line| line.ok()) {
        let started = Instant::now();
        let value = black_box(match line.trim() {
            "ssim" => ssim(black_box(first.view()), noisy.view())?,
            "map" => ssim_map(black_box(first.view()), noisy.view())?.values()[0].into(),
            "pair" => inside(RegionRule::Composite)?,
            "pair_map" => inside(RegionRule::Map)?,
            _ => f64::NAN,
        });
        println!("{:.4} {value:.12}", started.elapsed().as_secs_f64() * 1e3);
    }
    Ok(())
}
