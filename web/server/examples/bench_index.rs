//! How long filters, orders, counts and histograms take on made-up rows:
//! `cargo run -p asap-server --example bench_index -- 25000`.
#![expect(clippy::print_stdout, reason = "a benchmark prints its figures")]

use std::time::Instant;

use asap_app::query::GridQuery;
use asap_server::index::Index;
use asap_server::source::sample_rows;

const N_ROUNDS: usize = 100;
const QUERIES: [&str; 8] = [
    "",
    "decision=kept",
    "region=left_hand&region=right_hand&sort=ssim_in",
    "kind=extra&kind=missing&part=finger&split=train&sort=ssim_in&order=desc",
    "ssim_in_min=0.3&ssim_in_max=0.7&sort=mask_share",
    "q=dancer+stage&decision=kept",
    "q=number+99&sort=ssim_out&order=desc",
    "mechanism=image_space&source=photograph&ssim_out_min=0.98&q=table&operator=hand.fused%401",
];

fn main() {
    let n_rows = std::env::args()
        .nth(1)
        .and_then(|text| text.parse().ok())
        .unwrap_or(25_000);
    let rows = sample_rows(n_rows);
    let start = Instant::now();
    let index = Index::new(rows);
    println!(
        "{n_rows} rows indexed in {:.1} ms",
        start.elapsed().as_secs_f64() * 1e3
    );
    let mut all_ms = Vec::new();
    for text in QUERIES {
        let query = GridQuery::parse(text).expect("the queries of this file are well formed");
        let mut times_ms: Vec<f64> = (0..N_ROUNDS)
            .map(|_| {
                let start = Instant::now();
                let selection = index.select(&query);
                assert!(selection.order.len() <= n_rows);
                start.elapsed().as_secs_f64() * 1e3
            })
            .collect();
        all_ms.extend_from_slice(&times_ms);
        println!(
            "p50 {:7.3} ms  p95 {:7.3} ms  {text}",
            share(&mut times_ms, 0.5),
            share(&mut times_ms, 0.95)
        );
    }
    println!(
        "p50 {:7.3} ms  p95 {:7.3} ms  all",
        share(&mut all_ms, 0.5),
        share(&mut all_ms, 0.95)
    );
}

/// The value that the given share of all lies at or below.
fn share(times_ms: &mut [f64], share: f64) -> f64 {
    times_ms.sort_by(f64::total_cmp);
    times_ms[((times_ms.len() as f64 * share).ceil() as usize).clamp(1, times_ms.len()) - 1]
}
