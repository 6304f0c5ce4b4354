//! Tests of the whole server on a dataset in memory.

mod pages;
mod routes;
mod selection;

use std::sync::{Arc, LazyLock};

use axum::Router;
use axum::body::Body;
use axum::http::{HeaderMap, Request, StatusCode};
use http_body_util::BodyExt;
use tower::ServiceExt;

use crate::source::{Memory, sample, sample_rows};
use crate::{State, app};

/// Pairs of the dataset in memory.
const N_PAIRS: usize = 120;

/// An answer, taken apart.
struct Answer {
    status: StatusCode,
    headers: HeaderMap,
    bytes: Vec<u8>,
}

impl Answer {
    fn text(&self) -> &str {
        std::str::from_utf8(&self.bytes).unwrap()
    }

    fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.bytes).unwrap()
    }

    fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }
}

async fn server() -> Router {
    /// Made once: drawing takes longer than all the questions.
    static SAMPLE: LazyLock<Arc<Memory>> = LazyLock::new(|| Arc::new(sample(N_PAIRS)));
    let source = Arc::clone(&*SAMPLE);
    app(State::new(source, None).await.unwrap())
}

async fn ask(router: &Router, request: Request<Body>) -> Answer {
    let response = router.clone().oneshot(request).await.unwrap();
    let (parts, body) = response.into_parts();
    let bytes = body.collect().await.unwrap().to_bytes().to_vec();
    Answer {
        status: parts.status,
        headers: parts.headers,
        bytes,
    }
}

async fn get(router: &Router, uri: &str) -> Answer {
    get_with(router, uri, &[]).await
}

async fn get_with(router: &Router, uri: &str, headers: &[(&str, &str)]) -> Answer {
    let mut request = Request::get(uri);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    ask(router, request.body(Body::empty()).unwrap()).await
}
