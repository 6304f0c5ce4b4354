//! All routes.

use axum::Router;
use axum::middleware::{from_fn, from_fn_with_state};
use axum::routing::{get, post};
use tower_http::compression::CompressionLayer;
use tower_http::trace::TraceLayer;

use crate::handlers::{api, images, pages, site};
use crate::security;
use crate::state::State;

/// The whole server.
pub fn app(state: State) -> Router {
    let pages = Router::new()
        .route("/", get(pages::grid))
        .route("/pairs", get(pages::grid))
        .route("/pairs/{id}", get(pages::pair))
        .route("/dataset", get(pages::dataset))
        .route("/theme", post(pages::theme))
        .fallback(pages::missing)
        .method_not_allowed_fallback(pages::wrong_method);
    let api = Router::new()
        .route("/api/v1/pairs", get(api::pairs))
        .route("/api/v1/pairs/{id}", get(api::pair))
        .route("/api/v1/grid", get(api::grid))
        .route("/api/v1/dataset", get(api::dataset));
    let images = Router::new()
        .route("/images/positive/{file}", get(images::positive))
        .route("/images/pair/{id}/{file}", get(images::of_pair))
        .route("/thumbs/positive/{file}", get(images::positive_thumb))
        .route("/thumbs/pair/{file}", get(images::pair_thumb));
    let site = Router::new()
        .route("/assets/asap.css", get(site::css))
        .route("/assets/icon.svg", get(site::icon))
        .route("/assets/boot.js", get(site::boot))
        .route("/favicon.ico", get(site::icon))
        .route("/pkg/asap.js", get(site::glue))
        .route("/pkg/asap_bg.wasm", get(site::wasm))
        .route("/healthz", get(site::healthz));
    pages
        .merge(api)
        .merge(images)
        .merge(site)
        .layer(from_fn_with_state(state.clone(), pages::dress_failures))
        .layer(CompressionLayer::new())
        .layer(from_fn(security::headers))
        .layer(TraceLayer::new_for_http())
        .with_state(state)
}
