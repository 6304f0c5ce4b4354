//! Files of the pages themselves.

use axum::body::Body;
use axum::extract::{RawQuery, State as Shared};
use axum::http::{HeaderMap, Response};

use crate::assets::{CSS, Client, ICON};
use crate::cache::Blob;
use crate::failure::Failure;
use crate::state::State;
use crate::wire::{Keep, respond};

/// With the right hash in the address a file keeps for ever.
fn answer(blob: &Blob, query: Option<&str>, request: &HeaderMap) -> Response<Body> {
    let is_hashed = query.is_some_and(|query| query == format!("h={}", blob.sha256));
    respond(
        blob,
        if is_hashed {
            Keep::Forever
        } else {
            Keep::Revalidate
        },
        request,
    )
}

pub(crate) async fn css(RawQuery(query): RawQuery, request: HeaderMap) -> Response<Body> {
    answer(&CSS, query.as_deref(), &request)
}

pub(crate) async fn icon(RawQuery(query): RawQuery, request: HeaderMap) -> Response<Body> {
    answer(&ICON, query.as_deref(), &request)
}

pub(crate) async fn boot(
    Shared(state): Shared<State>,
    RawQuery(query): RawQuery,
    request: HeaderMap,
) -> Result<Response<Body>, Failure> {
    of_client(&state, |client| &client.boot, query.as_deref(), &request)
}

pub(crate) async fn glue(
    Shared(state): Shared<State>,
    RawQuery(query): RawQuery,
    request: HeaderMap,
) -> Result<Response<Body>, Failure> {
    of_client(&state, |client| &client.glue, query.as_deref(), &request)
}

pub(crate) async fn wasm(
    Shared(state): Shared<State>,
    RawQuery(query): RawQuery,
    request: HeaderMap,
) -> Result<Response<Body>, Failure> {
    of_client(&state, |client| &client.wasm, query.as_deref(), &request)
}

fn of_client(
    state: &State,
    file: fn(&Client) -> &Blob,
    query: Option<&str>,
    request: &HeaderMap,
) -> Result<Response<Body>, Failure> {
    let client = state.client.as_ref();
    let client = client.ok_or_else(|| Failure::not_found("the server runs without the client's files"))?;
    Ok(answer(file(client), query, request))
}

/// Says that the server answers, and which version of the dataset it shows.
pub(crate) async fn healthz(Shared(state): Shared<State>) -> String {
    format!("ok version={}\n", state.snapshot().await.version)
}
