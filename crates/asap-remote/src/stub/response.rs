//! What goes over the wire, whole or broken.

use std::io;
use std::time::Duration;

use bytes::Bytes;
use futures::{StreamExt as _, stream};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt as _, Full, StreamBody};
use hyper::body::Frame;
use hyper::header::{CONTENT_LENGTH, CONTENT_TYPE, HeaderValue};
use hyper::{Response, StatusCode};
use serde_json::{Value, json};

/// One answer of the stub.
#[derive(Debug)]
pub(super) enum Sent {
    /// A whole response.
    Whole {
        status: u16,
        headers: Vec<(&'static str, String)>,
        body: Bytes,
    },
    /// Half of a body, then the connection is closed.
    Cut(Bytes),
    /// Nothing, for as long as the client waits.
    Silence,
    /// A whole response, after a while.
    Late(Duration, Bytes),
}

impl Sent {
    pub(super) fn json(status: u16, json: &Value) -> Self {
        Self::Whole {
            status,
            headers: vec![("content-type", "application/json".to_owned())],
            body: json.to_string().into(),
        }
    }

    pub(super) fn bytes(media_type: &str, body: Bytes) -> Self {
        Self::Whole {
            status: 200,
            headers: vec![("content-type", media_type.to_owned())],
            body,
        }
    }

    /// A plain error, in the form that OpenAI and ComfyUI share.
    pub(super) fn error(status: u16, message: &str) -> Self {
        Self::json(status, &json!({"error": {"message": message, "type": "stub"}}))
    }

    pub(super) async fn into_response(self) -> Response<UnsyncBoxBody<Bytes, io::Error>> {
        match self {
            Self::Whole {
                status,
                headers,
                body,
            } => {
                let mut response = Response::new(whole(body));
                *response.status_mut() =
                    StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
                for (name, value) in headers {
                    if let Ok(value) = HeaderValue::from_str(&value) {
                        response.headers_mut().insert(name, value);
                    }
                }
                response
            }
            Self::Cut(body) => cut(body),
            Self::Silence => std::future::pending().await,
            Self::Late(delay, body) => {
                tokio::time::sleep(delay).await;
                let mut response = Response::new(whole(body));
                let json = HeaderValue::from_static("application/json");
                response.headers_mut().insert(CONTENT_TYPE, json);
                response
            }
        }
    }
}

fn whole(body: Bytes) -> UnsyncBoxBody<Bytes, io::Error> {
    Full::new(body).map_err(|never| match never {}).boxed_unsync()
}

/// The header promises the whole body; half of it comes.
fn cut(body: Bytes) -> Response<UnsyncBoxBody<Bytes, io::Error>> {
    let length = body.len();
    let half = Frame::data(body.slice(..length / 2));
    let end = stream::once(async {
        // The half is written before the connection ends.
        tokio::task::yield_now().await;
        Err(io::Error::from(io::ErrorKind::ConnectionReset))
    });
    let frames = stream::once(async { Ok(half) }).chain(end);
    let mut response = Response::new(StreamBody::new(frames).boxed_unsync());
    response.headers_mut().insert(CONTENT_LENGTH, length.into());
    response
}
