//! Draws contact sheets of the image-space operators: source, result and masks side by side.
//!
//! ```text
//! cargo run -p asap-synth --example photo_sheet -- PHOTOS POSES.json OUT_DIR [SEVERITY] [FILTER]
//! ```
//! `SEVERITY` is `slight`, `clear` (default) or `gross`; `FILTER` keeps the tiles whose title contains it.
//! One sheet an operator is written, and `index.txt` with the titles, row by row.

use std::collections::BTreeMap;
use std::path::PathBuf;

use asap_core::Severity;
use asap_synth::photo::sheet::{Tile, tiles};
use asap_synth::photo::{Options, plan};
use image::{RgbImage, imageops};

/// The side of a tile.
const SIDE: u32 = 260;
/// Tiles in a row of the sheet; each is three pictures wide.
const N_COLUMNS: u32 = 2;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [photos, poses, out, rest @ ..] = arguments.as_slice() else {
        return Err("expected PHOTOS POSES.json OUT_DIR [SEVERITY] [FILTER]".into());
    };
    let severity = rest
        .first()
        .map_or(Some(Severity::Clear), |name| Severity::from_name(name));
    let severity = severity.ok_or("SEVERITY is slight, clear or gross")?;
    let filter = rest.get(1).map_or("", String::as_str);
    let options = Options {
        seed: 1,
        pairs_per_part: 1,
        long_side_px: Some(1024),
    };
    let plan = plan(&PathBuf::from(photos), Some(&PathBuf::from(poses)), &options)?;
    let mut sheets: BTreeMap<String, Vec<Tile>> = BTreeMap::new();
    let mut index = String::new();
    for job in &plan.jobs {
        for tile in tiles(job, severity)? {
            if !tile.title.contains(filter) {
                continue;
            }
            index.push_str(&format!("{}\n", tile.title));
            if tile.result.is_some() {
                let operator = tile.title.split(' ').next().unwrap_or_default().to_owned();
                sheets.entry(operator).or_default().push(tile);
            }
        }
    }
    std::fs::create_dir_all(out)?;
    std::fs::write(PathBuf::from(out).join("index.txt"), index)?;
    for (operator, tiles) in sheets {
        sheet(&tiles).save(PathBuf::from(out).join(format!("{operator}.png")))?;
    }
    Ok(())
}

fn sheet(tiles: &[Tile]) -> RgbImage {
    let rows = (tiles.len() as u32).div_ceil(N_COLUMNS);
    let mut sheet = RgbImage::new(N_COLUMNS * 3 * SIDE, rows * SIDE);
    for (idx, tile) in tiles.iter().enumerate() {
        let (column, row) = (idx as u32 % N_COLUMNS, idx as u32 / N_COLUMNS);
        let result = tile.result.as_ref().unwrap_or(&tile.source);
        for (k, picture) in [&tile.source, result, &tile.masks].into_iter().enumerate() {
            let longest = picture.width().max(picture.height());
            let scaled = |side: u32| (side * (SIDE - 4) / longest).max(1);
            let fitted = imageops::resize(
                picture,
                scaled(picture.width()),
                scaled(picture.height()),
                imageops::FilterType::CatmullRom,
            );
            let x = (column * 3 + k as u32) * SIDE;
            imageops::replace(&mut sheet, &fitted, i64::from(x), i64::from(row * SIDE));
        }
    }
    sheet
}
