//! Blobs over HTTP: entity tags, ranges, how long they keep.

use asap_core::Sha256;
use axum::body::Body;
use axum::http::{HeaderMap, HeaderValue, Response, StatusCode, header};

use crate::cache::Blob;

/// How long a browser may keep an answer without asking again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Keep {
    /// The address holds the hash of the bytes.
    Forever,
    /// The address may mean other bytes some day.
    AnHour,
    /// Asked again every time, answered by 304 where nothing changed.
    Revalidate,
}

impl Keep {
    const fn header(self) -> HeaderValue {
        HeaderValue::from_static(match self {
            Self::Forever => "public, max-age=31536000, immutable",
            Self::AnHour => "public, max-age=3600",
            Self::Revalidate => "public, no-cache",
        })
    }
}

/// Answers a GET or HEAD for a blob, whole, in part, or not at all where the reader has it.
pub(crate) fn respond(blob: &Blob, keep: Keep, request: &HeaderMap) -> Response<Body> {
    let etag = format!("\"{}\"", blob.sha256);
    let mut response = if has_current(request, &etag) {
        status(StatusCode::NOT_MODIFIED, Body::empty())
    } else {
        match asked_range(request, &etag, blob.bytes.len()) {
            Range::Whole => status(StatusCode::OK, Body::from(blob.bytes.clone())),
            Range::Part { first, end } => {
                let part = blob.bytes.slice(first..end);
                let mut response = status(StatusCode::PARTIAL_CONTENT, Body::from(part));
                let place = format!("bytes {first}-{}/{}", end - 1, blob.bytes.len());
                insert(&mut response, header::CONTENT_RANGE, &place);
                response
            }
            Range::Outside => {
                let mut response = status(StatusCode::RANGE_NOT_SATISFIABLE, Body::empty());
                insert(
                    &mut response,
                    header::CONTENT_RANGE,
                    &format!("bytes */{}", blob.bytes.len()),
                );
                response
            }
        }
    };
    insert(&mut response, header::ETAG, &etag);
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(blob.mime));
    headers.insert(header::CACHE_CONTROL, keep.header());
    headers.insert(header::ACCEPT_RANGES, HeaderValue::from_static("bytes"));
    response
}

/// Whether the hash that an address asks for is that of the blob; `None` where the address asks for none.
pub(crate) fn matches_hash(blob: &Blob, asked: Option<Sha256>) -> Option<bool> {
    asked.map(|hash| hash == blob.sha256)
}

fn status(status: StatusCode, body: Body) -> Response<Body> {
    let mut response = Response::new(body);
    *response.status_mut() = status;
    response
}

fn insert(response: &mut Response<Body>, name: header::HeaderName, value: &str) {
    let value = HeaderValue::from_str(value).expect("made of digits and punctuation");
    response.headers_mut().insert(name, value);
}

fn has_current(request: &HeaderMap, etag: &str) -> bool {
    let tags = request
        .get_all(header::IF_NONE_MATCH)
        .iter()
        .filter_map(|value| value.to_str().ok());
    tags.flat_map(|value| value.split(','))
        .map(|tag| tag.trim())
        .any(|tag| tag == "*" || tag.strip_prefix("W/").unwrap_or(tag) == etag)
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Range {
    Whole,
    Part { first: usize, end: usize },
    Outside,
}

/// The single range that is asked for. Several ranges, and what cannot be read, give the whole, as RFC 9110
/// allows.
fn asked_range(request: &HeaderMap, etag: &str, length: usize) -> Range {
    let is_other = request
        .get(header::IF_RANGE)
        .is_some_and(|value| value.as_bytes() != etag.as_bytes());
    let text = request.get(header::RANGE).and_then(|value| value.to_str().ok());
    let Some(spec) = text
        .filter(|_| !is_other)
        .and_then(|text| text.strip_prefix("bytes="))
    else {
        return Range::Whole;
    };
    let Some((first, last)) = spec.split_once('-').filter(|_| !spec.contains(',')) else {
        return Range::Whole;
    };
    let (first, end) = match (first.trim().parse::<usize>(), last.trim().parse::<usize>()) {
        (Ok(first), Ok(last)) if first <= last => (first, last.saturating_add(1).min(length)),
        (Ok(first), Err(_)) if last.trim().is_empty() => (first, length),
        (Err(_), Ok(n_last)) if first.trim().is_empty() => (length - n_last.min(length), length),
        _ => return Range::Whole,
    };
    if first >= end {
        Range::Outside
    } else {
        Range::Part { first, end }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn range(text: &str) -> Range {
        let mut headers = HeaderMap::new();
        headers.insert(header::RANGE, HeaderValue::from_str(text).unwrap());
        asked_range(&headers, "\"x\"", 100)
    }

    #[test]
    fn ranges_are_read_as_rfc_9110_says() {
        assert_eq!(range("bytes=0-9"), Range::Part { first: 0, end: 10 });
        assert_eq!(range("bytes=90-"), Range::Part { first: 90, end: 100 });
        assert_eq!(range("bytes=-5"), Range::Part { first: 95, end: 100 });
        assert_eq!(range("bytes=-500"), Range::Part { first: 0, end: 100 });
        assert_eq!(range("bytes=50-1000"), Range::Part { first: 50, end: 100 });
        assert_eq!(range("bytes=100-"), Range::Outside);
        assert_eq!(range("bytes=-0"), Range::Outside);
        for text in [
            "bytes=9-3",
            "bytes=a-b",
            "bytes=",
            "lines=1-2",
            "bytes=0-1,5-6",
            "bytes=--",
        ] {
            assert_eq!(range(text), Range::Whole, "{text}");
        }
    }
}
