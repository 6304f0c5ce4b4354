//! The training mask by itself and against what changed.

use super::super::finding::Hit;
use super::super::thresholds::{FULL_SHARE, INVERTED_RATIO, MIN_CELLS};
use super::Subject;

/// Nothing is marked.
pub(super) fn empty(subject: &Subject<'_>) -> Vec<Hit> {
    let masks = subject.masks().filter(|(_, mask)| mask.inside.is_none());
    masks
        .map(|(facts, _)| Hit::new(facts.pair, 0.0, "0 px"))
        .collect()
}

/// A pixel outside differs by more than one inside. A mask that marks all or nothing has no polarity.
pub(super) fn inverted(subject: &Subject<'_>) -> Vec<Hit> {
    let mut hits = Vec::new();
    for (facts, mask) in subject.masks() {
        let (Some(inside), Some(outside)) = (mask.inside, mask.outside) else {
            continue;
        };
        if let Some(ratio) = mask.outside_over_inside()
            && ratio > INVERTED_RATIO
        {
            let evidence = format!(
                "mean difference {:.2} inside, {:.2} outside; {:.0} % is marked",
                inside.mean,
                outside.mean,
                mask.share * 100.0
            );
            hits.push(Hit::new(facts.pair, ratio, evidence));
        }
    }
    hits
}

/// Pixels are marked, but no cell is.
pub(super) fn lost(subject: &Subject<'_>) -> Vec<Hit> {
    let mut hits = Vec::new();
    for (facts, mask) in subject.masks() {
        if let Some(grid) = facts.grid
            && grid.cells == 0.0
        {
            let evidence = format!(
                "{:.3} % of the image, 0 of {} x {} cells",
                mask.share * 100.0,
                grid.columns,
                grid.rows
            );
            hits.push(Hit::new(facts.pair, -mask.share, evidence));
        }
    }
    hits
}

/// Cells are marked, but less than one in sum.
pub(super) fn speck(subject: &Subject<'_>) -> Vec<Hit> {
    let grids = subject
        .facts
        .iter()
        .filter_map(|facts| Some((facts.pair, facts.grid?)));
    grids
        .filter(|(_, grid)| grid.cells > 0.0 && grid.cells < MIN_CELLS)
        .map(|(pair, grid)| {
            let evidence = format!(
                "{:.2} cells of {} x {}, expected at least {MIN_CELLS:.0}",
                grid.cells, grid.columns, grid.rows
            );
            Hit::new(pair, -grid.cells, evidence)
        })
        .collect()
}

/// Next to nothing is left out.
pub(super) fn full(subject: &Subject<'_>) -> Vec<Hit> {
    let masks = subject.masks().filter(|(_, mask)| mask.share >= FULL_SHARE);
    masks
        .map(|(facts, mask)| {
            let evidence = format!(
                "{:.1} % of the image, expected less than {:.0} %",
                mask.share * 100.0,
                FULL_SHARE * 100.0
            );
            Hit::new(facts.pair, mask.share, evidence)
        })
        .collect()
}
