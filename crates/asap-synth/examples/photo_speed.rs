//! Measures how many pairs a second one thread makes from photographs, without encoding.
//!
//! ```text
//! cargo run -p asap-synth --example photo_speed -- PHOTOS POSES.json [PAIRS_PER_PART] [LONG_SIDE_PX]
//! ```

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;
use std::path::PathBuf;
use std::time::Instant;

use asap_synth::photo::{Options, build, plan};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut out = std::io::stdout().lock();
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [photos, poses, rest @ ..] = arguments.as_slice() else {
        return Err("expected PHOTOS POSES.json [PAIRS_PER_PART] [LONG_SIDE_PX]".into());
    };
    let options = Options {
        seed: 1,
        pairs_per_part: rest.first().map_or(Ok(3), |text| text.parse())?,
        long_side_px: Some(rest.get(1).map_or(Ok(1024), |text| text.parse())?),
    };
    let plan = plan(&PathBuf::from(photos), Some(&PathBuf::from(poses)), &options)?;
    for refusal in &plan.refused {
        writeln!(out, "refused {}: {}", refusal.file, refusal.reason)?;
    }
    let (mut n_pairs, mut n_slots) = (0, 0);
    let mut by_operator: BTreeMap<String, u32> = BTreeMap::new();
    let all = Instant::now();
    for job in &plan.jobs {
        let start = Instant::now();
        let draft = build(job, &BTreeSet::new())?;
        n_slots += job.slots().len();
        n_pairs += draft.pairs.len();
        for operator in draft.pairs.iter().flat_map(|pair| &pair.provenance.operators) {
            *by_operator.entry(operator.clone()).or_default() += 1;
        }
        let secs = start.elapsed().as_secs_f64();
        writeln!(
            out,
            "{:28} {:2} of {:2} pairs in {secs:.2} s",
            job.name(),
            draft.pairs.len(),
            job.slots().len()
        )?;
    }
    let secs = all.elapsed().as_secs_f64();
    writeln!(out, "{by_operator:?}")?;
    writeln!(
        out,
        "{n_pairs} of {n_slots} pairs in {secs:.2} s: {:.2} pairs/s on one thread",
        n_pairs as f64 / secs
    )?;
    Ok(())
}
