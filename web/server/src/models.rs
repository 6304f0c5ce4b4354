//! From rows and stored pairs to the data of the pages.

use asap_app::model::{Card, GridModel, ImageLink, Neighbours, PairImages, PairModel};
use asap_app::query::{GridQuery, PAGE_LEN};
use asap_app::view_state::ViewState;
use asap_app::words;
use asap_core::{Pair, PairId, PairSummary, Positive, Rejected};

use crate::cache::Blob;
use crate::derived::{ImageKey, PairImage};
use crate::failure::Failure;
use crate::index::Index;
use crate::state::State;

/// The errors of a row as phrases.
pub(crate) fn labels(row: &PairSummary) -> Vec<String> {
    row.degradations.iter().map(words::phrase).collect()
}

/// The place of the first row of the page that is asked for, or of the last page.
pub(crate) fn page_start(query: &GridQuery, n_matching: usize) -> usize {
    let last_page = n_matching.div_ceil(PAGE_LEN).max(1) - 1;
    (query.page as usize - 1).min(last_page) * PAGE_LEN
}

/// The rows of the page that starts at `first`, with their places.
pub(crate) fn page_rows<'a>(
    index: &'a Index,
    order: &'a [u32],
    first: usize,
) -> impl Iterator<Item = (usize, &'a PairSummary)> {
    let page = order.iter().enumerate().skip(first).take(PAGE_LEN);
    page.map(|(position, &row_idx)| (position, &index.rows()[row_idx as usize]))
}

/// The grid in a state.
pub(crate) fn grid(index: &Index, query: GridQuery) -> GridModel {
    let selection = index.select(&query);
    let first = page_start(&query, selection.order.len());
    let cards = page_rows(index, &selection.order, first)
        .map(|(position, row)| card(position, row))
        .collect();
    GridModel {
        query: query.at_page((first / PAGE_LEN) as u32 + 1),
        n_matching: selection.order.len(),
        n_total: index.rows().len(),
        cards,
        facets: selection.facets,
        histograms: selection.histograms,
    }
}

fn card(position: usize, row: &PairSummary) -> Card {
    Card {
        id: row.id.to_string(),
        positive_id: row.positive_id.to_string(),
        position,
        prompt: row.prompt.clone(),
        source_name: row.source_name.clone(),
        labels: labels(row),
        decision: row.decision,
        rejections: row.rejections.clone(),
        ssim_inside: row.ssim_inside,
        ssim_outside: row.ssim_outside,
    }
}

/// One pair with all that is known of it.
pub(crate) async fn pair(
    state: &State,
    id: PairId,
    grid: GridQuery,
    view: ViewState,
) -> Result<PairModel, Failure> {
    let pair = state.pair(id).await?;
    let positive = state.positive(pair.positive_id).await?;
    let assessment = state.source.assessment(id).await?;
    let images = images(state, &pair).await?;
    let snapshot = state.snapshot().await;
    let neighbours = neighbours(&snapshot.index, id, &grid);
    let Positive {
        width,
        height,
        prompt,
        source,
        ..
    } = positive;
    let bounds = pair.mask_edit.bounds();
    Ok(PairModel {
        grid,
        view,
        id: id.to_string(),
        positive_id: pair.positive_id.to_string(),
        width,
        height,
        prompt,
        source,
        degradations: pair.degradations,
        regions: pair
            .regions
            .iter()
            .map(|region| region.name().to_owned())
            .collect(),
        mechanism: pair.mechanism,
        operators: pair.provenance.operators,
        parameters: pair.provenance.parameters,
        seed: pair.provenance.seed.to_string(),
        code_version: pair.provenance.code_version,
        images,
        edit_bounds: bounds.map(|bounds| [bounds.x0, bounds.y0, bounds.x1, bounds.y1].map(f64::from)),
        assessment,
        neighbours,
    })
}

async fn images(state: &State, pair: &Pair) -> Result<PairImages, Failure> {
    let id = pair.id;
    let of_pair = async |image: PairImage, file: &str, title: &str| -> Result<ImageLink, Failure> {
        let blob = state.image(ImageKey::OfPair(id, image)).await?;
        Ok(link(&blob, &format!("/images/pair/{id}/{file}"), title))
    };
    let preferred = state.image(ImageKey::Preferred(pair.positive_id)).await?;
    let (rejected_title, patch) = match &pair.rejected {
        Rejected::Patch { .. } => (
            "rejected image, put together from the patch",
            Some(of_pair(PairImage::Stored, "stored.png", "rejected patch, as stored").await?),
        ),
        Rejected::Whole { .. } => ("rejected image", None),
    };
    Ok(PairImages {
        preferred: link(
            &preferred,
            &format!("/images/positive/{}.png", pair.positive_id),
            "preferred image",
        ),
        rejected: of_pair(PairImage::Rejected, "rejected.png", rejected_title).await?,
        mask_edit: of_pair(PairImage::MaskEdit, "mask_edit.png", "edit mask").await?,
        mask_part: of_pair(PairImage::MaskPart, "mask_part.png", "part mask").await?,
        patch,
    })
}

fn link(blob: &Blob, path: &str, title: &str) -> ImageLink {
    ImageLink {
        title: title.to_owned(),
        href: format!("{path}?h={}", blob.sha256),
        sha256: blob.sha256.to_string(),
        size_bytes: blob.bytes.len(),
    }
}

fn neighbours(index: &Index, id: PairId, grid: &GridQuery) -> Neighbours {
    let order = index.ordered(grid);
    let id_at = |place: usize| {
        order
            .get(place)
            .map(|&row| index.rows()[row as usize].id.to_string())
    };
    let position = order.iter().position(|&row| index.rows()[row as usize].id == id);
    Neighbours {
        position,
        n_matching: order.len(),
        previous: position.and_then(|place| place.checked_sub(1)).and_then(id_at),
        next: position.and_then(|place| id_at(place + 1)),
    }
}
