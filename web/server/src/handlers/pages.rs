//! Pages as HTML.

use asap_app::model::{ErrorModel, Page};
use asap_app::query::GridQuery;
use asap_app::view_state::ViewState;
use asap_app::{Shell, Theme, document};
use asap_core::PairId;
use axum::Form;
use axum::extract::{Path, RawQuery, Request, State as Shared};
use axum::http::{HeaderMap, HeaderValue, StatusCode, Uri, header};
use axum::middleware::Next;
use axum::response::{Html, IntoResponse, Response};
use serde::Deserialize;
use serde_json::json;

use crate::assets::{CSS, hashed};
use crate::failure::{Failure, PublicFailure};
use crate::handlers::images::parse_id;
use crate::models;
use crate::overview::overview;
use crate::state::State;

pub(crate) async fn grid(
    Shared(state): Shared<State>,
    RawQuery(query): RawQuery,
    uri: Uri,
    request: HeaderMap,
) -> Result<Response, Failure> {
    let query = GridQuery::parse(query.as_deref().unwrap_or_default())?;
    let model = models::grid(&state.snapshot().await.index, query);
    Ok(render(&state, Page::Grid(Box::new(model)), &uri, &request))
}

pub(crate) async fn pair(
    Shared(state): Shared<State>,
    Path(id): Path<String>,
    RawQuery(query): RawQuery,
    uri: Uri,
    request: HeaderMap,
) -> Result<Response, Failure> {
    let id: PairId = parse_id(&id)?;
    let query = query.unwrap_or_default();
    let (grid, view) = (GridQuery::parse(&query)?, ViewState::parse(&query)?);
    let model = models::pair(&state, id, grid, view).await?;
    Ok(render(&state, Page::Pair(Box::new(model)), &uri, &request))
}

pub(crate) async fn dataset(Shared(state): Shared<State>, uri: Uri, request: HeaderMap) -> Response {
    let snapshot = state.snapshot().await;
    let model = overview(&snapshot, &state.source.name()).clone();
    render(&state, Page::Dataset(Box::new(model)), &uri, &request)
}

pub(crate) async fn missing() -> Failure {
    Failure::not_found("there is no such page")
}

pub(crate) async fn wrong_method() -> Response {
    let public = PublicFailure {
        status: StatusCode::METHOD_NOT_ALLOWED,
        message: "this address cannot be asked that way".to_owned(),
    };
    let mut response = public.status.into_response();
    response.extensions_mut().insert(public);
    response
}

/// The choice of colours.
#[derive(Debug, Deserialize)]
pub(crate) struct ThemeForm {
    theme: String,
    back: String,
}

/// Remembers the colours in a cookie and goes back.
pub(crate) async fn theme(Form(form): Form<ThemeForm>) -> Result<Response, Failure> {
    let theme = Theme::from_name(&form.theme)
        .ok_or_else(|| Failure::bad_request("`theme`: expected `auto`, `light` or `dark`"))?;
    let back = if is_local(&form.back) {
        &form.back
    } else {
        "/pairs"
    };
    let cookie = format!(
        "theme={}; Path=/; Max-Age=31536000; SameSite=Lax; HttpOnly",
        theme.name()
    );
    let location = HeaderValue::from_str(back)
        .map_err(|_invalid| Failure::bad_request("`back`: expected an address"))?;
    let cookie = HeaderValue::from_str(&cookie).map_err(Failure::internal)?;
    Ok((
        StatusCode::SEE_OTHER,
        [(header::LOCATION, location), (header::SET_COOKIE, cookie)],
    )
        .into_response())
}

/// An address of this server: one slash, and nothing that a browser could read as another host.
fn is_local(back: &str) -> bool {
    back.starts_with('/')
        && !back.starts_with("//")
        && back.len() <= 8192
        && back.bytes().all(|b| b.is_ascii_graphic() && b != b'\\')
}

fn render(state: &State, page: Page, uri: &Uri, request: &HeaderMap) -> Response {
    let client = state.client.as_ref();
    let shell = Shell {
        theme: chosen_theme(request),
        here: uri.path_and_query().map_or("/", |path| path.as_str()).to_owned(),
        css_href: hashed("/assets/asap.css", &CSS),
        boot_href: client.map(|client| hashed("/assets/boot.js", &client.boot)),
        dataset: state.source.name(),
    };
    let headers = [
        (header::CACHE_CONTROL, "private, no-cache"),
        (header::VARY, "cookie"),
    ];
    (headers, Html(document(&page, &shell))).into_response()
}

fn chosen_theme(request: &HeaderMap) -> Theme {
    let cookies = request
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok());
    cookies
        .flat_map(|value| value.split(';'))
        .filter_map(|cookie| cookie.trim().strip_prefix("theme="))
        .find_map(Theme::from_name)
        .unwrap_or_default()
}

/// Gives failures the form that the reader expects: JSON under `/api`, elsewhere a page.
pub(crate) async fn dress_failures(Shared(state): Shared<State>, request: Request, next: Next) -> Response {
    let (uri, headers) = (request.uri().clone(), request.headers().clone());
    let response = next.run(request).await;
    let Some(PublicFailure { status, message }) = failure_of(&response) else {
        return response;
    };
    if uri.path().starts_with("/api/") {
        return (
            status,
            axum::Json(json!({ "error": { "status": status.as_u16(), "message": message } })),
        )
            .into_response();
    }
    let accepts_html = headers
        .get(header::ACCEPT)
        .and_then(|value| value.to_str().ok())
        .is_none_or(|accept| accept.contains("text/html") || accept.contains("*/*"));
    let is_file = ["/images/", "/thumbs/", "/pkg/", "/assets/"]
        .iter()
        .any(|prefix| uri.path().starts_with(prefix));
    if !accepts_html || is_file {
        return (status, message).into_response();
    }
    let mut page = render(
        &state,
        Page::Error(ErrorModel {
            status: status.as_u16(),
            message,
        }),
        &uri,
        &headers,
    );
    *page.status_mut() = status;
    page
}

/// The failure that a response carries; what extractors refuse is turned into one.
fn failure_of(response: &Response) -> Option<PublicFailure> {
    let carried = response.extensions().get::<PublicFailure>().cloned();
    let refused = response.status() == StatusCode::UNPROCESSABLE_ENTITY
        || response.status() == StatusCode::BAD_REQUEST
        || response.status() == StatusCode::UNSUPPORTED_MEDIA_TYPE;
    carried.or_else(|| {
        refused.then(|| PublicFailure {
            status: response.status(),
            message: "the request could not be read".to_owned(),
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_addresses_of_this_server_are_gone_back_to() {
        assert!(is_local("/pairs?region=face&q=%20"));
        for back in [
            "//evil.example",
            "https://evil.example",
            "/\\evil.example",
            "",
            "/a b",
            "/a\r\nx: y",
        ] {
            assert!(!is_local(back), "{back}");
        }
    }
}
