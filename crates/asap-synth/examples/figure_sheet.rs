//! Draws a contact sheet of figures, each followed by the rejected pictures made from it.
//!
//! `cargo run -p asap-synth --example figure_sheet -- OUT.png [SEED] [N] [SIZE]`: the sheet, the seed of the
//! build (default 7), the number of positives (12) and the size of each picture (512).

use std::collections::BTreeSet;
use std::error::Error;
use std::path::PathBuf;

use asap_synth::figure::{Options, build, plan};
use image::RgbImage;
use image::imageops::replace;

fn main() -> Result<(), Box<dyn Error>> {
    let mut args = std::env::args().skip(1);
    let out = PathBuf::from(args.next().ok_or("give the file to write")?);
    let mut number = |default: u64| args.next().map_or(Ok(default), |text| text.parse::<u64>());
    let (seed, n_positives, size) = (number(7)?, number(12)?, number(512)? as u32);
    let options = Options {
        n: 2 * n_positives as usize,
        seed,
        size,
    };
    let start = std::time::Instant::now();
    let mut rows = Vec::new();
    for job in plan(&options) {
        let draft = build(&job, &BTreeSet::new())?;
        let labels: Vec<String> = draft
            .pairs
            .iter()
            .map(|pair| pair.provenance.operators.join("+"))
            .collect();
        report(&format!("{} {}", draft.prompt, labels.join(" | ")));
        let mut images = vec![draft.image];
        images.extend(draft.pairs.into_iter().map(|pair| pair.image));
        rows.push(images);
    }
    report(&format!(
        "{:.3} s a positive",
        start.elapsed().as_secs_f64() / rows.len() as f64
    ));
    sheet(&rows, size).save(out)?;
    Ok(())
}

#[expect(clippy::print_stdout, reason = "an example talks to the person who runs it")]
fn report(line: &str) {
    println!("{line}");
}

/// Two positives a row, each with two rejected pictures.
fn sheet(rows: &[Vec<RgbImage>], size: u32) -> RgbImage {
    let n_rows = (rows.len() as u32).div_ceil(2);
    let mut sheet = RgbImage::from_pixel(size * 6, size * n_rows, image::Rgb([255; 3]));
    for (idx, images) in rows.iter().enumerate() {
        for (column, image) in images.iter().enumerate() {
            let x = (idx as u32 % 2 * 3 + column as u32) * size;
            replace(&mut sheet, image, i64::from(x), i64::from(idx as u32 / 2 * size));
        }
    }
    sheet
}
