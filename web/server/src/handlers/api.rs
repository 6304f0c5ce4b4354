//! The same data as JSON, version 1.

use asap_app::model::GridModel;
use asap_app::query::{GridQuery, PAGE_LEN};
use asap_core::{PairId, PairSummary};
use axum::Json;
use axum::extract::{Path, RawQuery, State as Shared};
use serde::Serialize;
use serde_json::{Value, json};

use crate::failure::Failure;
use crate::handlers::images::parse_id;
use crate::models;
use crate::overview::overview;
use crate::state::State;
use asap_app::view_state::ViewState;

/// A row of a list with its place and its labels for people.
#[derive(Serialize)]
struct Row<'a> {
    #[serde(flatten)]
    summary: &'a PairSummary,
    position: usize,
    labels: Vec<String>,
}

/// A page of pairs.
pub(crate) async fn pairs(
    Shared(state): Shared<State>,
    RawQuery(query): RawQuery,
) -> Result<Json<Value>, Failure> {
    let query = GridQuery::parse(query.as_deref().unwrap_or_default())?;
    let snapshot = state.snapshot().await;
    let order = snapshot.index.ordered(&query);
    let first = models::page_start(&query, order.len());
    let rows: Vec<Row<'_>> = models::page_rows(&snapshot.index, &order, first)
        .map(|(position, summary)| Row {
            summary,
            position,
            labels: models::labels(summary),
        })
        .collect();
    Ok(Json(json!({
        "meta": {
            "version": snapshot.version,
            "n_matching": order.len(),
            "n_total": snapshot.index.rows().len(),
            "page": first / PAGE_LEN + 1,
            "page_len": PAGE_LEN,
            "query": query.to_query(),
        },
        "pairs": rows,
    })))
}

/// One pair.
pub(crate) async fn pair(
    Shared(state): Shared<State>,
    Path(id): Path<String>,
    RawQuery(query): RawQuery,
) -> Result<Json<Value>, Failure> {
    let id: PairId = parse_id(&id)?;
    let query = GridQuery::parse(query.as_deref().unwrap_or_default())?;
    let model = models::pair(&state, id, query, ViewState::default()).await?;
    Ok(Json(
        json!({ "meta": { "version": state.snapshot().await.version }, "pair": model }),
    ))
}

/// Everything that the grid shows; what live pages ask for.
pub(crate) async fn grid(
    Shared(state): Shared<State>,
    RawQuery(query): RawQuery,
) -> Result<Json<GridModel>, Failure> {
    let query = GridQuery::parse(query.as_deref().unwrap_or_default())?;
    Ok(Json(models::grid(&state.snapshot().await.index, query)))
}

/// The funnel, the distributions and the coverage.
pub(crate) async fn dataset(Shared(state): Shared<State>) -> Json<Value> {
    let snapshot = state.snapshot().await;
    let model = overview(&snapshot, &state.source.name());
    Json(json!({ "meta": { "version": snapshot.version }, "dataset": model }))
}
