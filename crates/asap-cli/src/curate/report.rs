//! The folder that `asap curate --report` writes.

use std::path::Path;

use anyhow::{Context as _, Result};
use asap_core::Reporter;
use asap_store::Dataset;
use asap_synth::curate::{CurationReport, Edge, Thresholds};
use asap_synth::raster::encode_png;

use super::sheet::{self, Cell, Section};

/// Writes `funnel.txt`, `funnel.json`, `funnel.svg`, `thresholds.toml` and `thumbnails.png`.
pub(crate) async fn write(
    dir: &Path,
    dataset: &Dataset,
    result: &CurationReport,
    thresholds: &Thresholds,
    reporter: &impl Reporter,
) -> Result<()> {
    fs_err::create_dir_all(dir)?;
    let json = serde_json::to_string_pretty(&result.funnel).context("cannot write the funnel as JSON")?;
    fs_err::write(dir.join("funnel.txt"), result.funnel.to_text())?;
    fs_err::write(dir.join("funnel.json"), json)?;
    fs_err::write(dir.join("funnel.svg"), result.funnel.to_svg())?;
    fs_err::write(dir.join("thresholds.toml"), thresholds.to_toml())?;
    let n_cells = result.worst_kept.len() + result.best_rejected.len();
    reporter.start("thumbnails", n_cells as u64);
    let sections = [
        Section {
            title: "kept, nearest to a threshold first".to_owned(),
            cells: cells(dataset, &result.worst_kept, reporter).await?,
        },
        Section {
            title: "rejected, least failed first".to_owned(),
            cells: cells(dataset, &result.best_rejected, reporter).await?,
        },
    ];
    reporter.finish();
    let sheet = sheet::draw(&sections);
    Ok(fs_err::write(dir.join("thumbnails.png"), encode_png(&sheet)?)?)
}

async fn cells(dataset: &Dataset, edges: &[Edge], reporter: &impl Reporter) -> Result<Vec<Cell>> {
    let mut cells = Vec::with_capacity(edges.len());
    for edge in edges {
        cells.extend(cell(dataset, edge).await?);
        reporter.advance(1);
    }
    Ok(cells)
}

/// `None` for a pair that changed nothing, which has no part to show.
async fn cell(dataset: &Dataset, edge: &Edge) -> Result<Option<Cell>> {
    let record = dataset.record(edge.pair_id).await?;
    let Some(part) = record.pair.mask_part.bounds() else {
        return Ok(None);
    };
    let preferred = asap_store::decode_rgb(&record.positive.image_png, "the preferred image")?;
    let rejected = asap_store::reconstruct(&record.positive, &record.pair)?;
    let caption = vec![
        record.pair.provenance.operators.join(" "),
        format!("{} {:+.0} %", edge.rule, edge.margin * 100.0),
        format!("{} {}", edge.pair_id.short(), record.positive.source.name),
    ];
    Ok(Some(Cell::new(&preferred, &rejected, part, caption)))
}
