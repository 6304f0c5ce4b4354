//! A request that fails: a text for the reader, a cause for the log.

use asap_app::query::QueryError;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};

use crate::source::SourceError;

type Cause = Box<dyn std::error::Error + Send + Sync>;

/// A failure of one request.
#[derive(Debug)]
pub(crate) struct Failure {
    status: StatusCode,
    message: String,
    cause: Option<Cause>,
}

/// What a failed response carries, so that an outer layer can dress it as a page or as JSON.
#[derive(Clone, Debug)]
pub(crate) struct PublicFailure {
    pub(crate) status: StatusCode,
    pub(crate) message: String,
}

impl Failure {
    pub(crate) fn not_found(message: impl Into<String>) -> Self {
        Self {
            status: StatusCode::NOT_FOUND,
            message: message.into(),
            cause: None,
        }
    }

    pub(crate) fn bad_request(message: impl Into<String>) -> Self {
        Self {
            status: StatusCode::BAD_REQUEST,
            message: message.into(),
            cause: None,
        }
    }

    /// Something that the reader cannot mend: the cause goes to the log alone.
    pub(crate) fn internal(cause: impl Into<Cause>) -> Self {
        Self {
            status: StatusCode::INTERNAL_SERVER_ERROR,
            message: "the server could not read or make what was asked for; its log says why".to_owned(),
            cause: Some(cause.into()),
        }
    }
}

impl From<SourceError> for Failure {
    fn from(error: SourceError) -> Self {
        Self::internal(error)
    }
}

impl From<QueryError> for Failure {
    fn from(error: QueryError) -> Self {
        Self::bad_request(error.to_string())
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        if let Some(cause) = &self.cause {
            let mut chain = cause.to_string();
            let mut next = cause.source();
            while let Some(error) = next {
                chain = format!("{chain}: {error}");
                next = error.source();
            }
            tracing::error!(status = self.status.as_u16(), cause = chain, "a request failed");
        }
        let public = PublicFailure {
            status: self.status,
            message: self.message,
        };
        let mut response = (public.status, public.message.clone()).into_response();
        response.extensions_mut().insert(public);
        response
    }
}
