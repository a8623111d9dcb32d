//! Errors that the gateway returns itself, with their messages.
//!
//! Sources: the API Gateway developer guide, "Quotas for configuring and running an HTTP API"; the Lambda developer
//! guide, "Lambda quotas". The messages are those of HTTP APIs. One case is not documented for HTTP APIs: a request
//! below 10 MB whose event is above Lambda's 6 MB. Lambda itself answers such an event with 413
//! (`RequestEntityTooLargeException`), REST APIs forward the 413, and so does this gateway.

use bytes::Bytes;
use http::{HeaderMap, HeaderValue};
use http::{Method, Response, StatusCode, Uri, header};
use http_body_util::Full;

/// The most bytes of a request body.
pub const MAX_BODY: usize = 10 * 1024 * 1024;

/// The most bytes of an event or a function's result: Lambda's 6 MB and some space for the envelope, as in its error
/// message.
pub const MAX_PAYLOAD: usize = 6_291_556;

/// The most bytes of the request line and header values together.
pub const MAX_HEAD: usize = 10_240;

/// The reason why the gateway answers a request itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LimitExceeded {
    /// The request is malformed.
    BadRequest,
    /// No route, and no `$default`.
    NotFound,
    /// The body, or the event with it, is too large.
    TooLarge,
    /// The request line and header values are too large.
    HeadTooLarge,
    /// The function failed, or its result is malformed.
    FunctionFailed,
    /// The function did not answer within the integration's time-out.
    TimedOut,
}

impl LimitExceeded {
    /// The status and message of this error.
    pub fn words(self) -> (StatusCode, &'static str) {
        match self {
            Self::BadRequest => (StatusCode::BAD_REQUEST, "Bad Request"),
            Self::NotFound => (StatusCode::NOT_FOUND, "Not Found"),
            Self::TooLarge => (StatusCode::PAYLOAD_TOO_LARGE, "Request Entity Too Large"),
            Self::HeadTooLarge => (StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE, "Request Header Fields Too Large"),
            Self::FunctionFailed => (StatusCode::INTERNAL_SERVER_ERROR, "Internal Server Error"),
            Self::TimedOut => (StatusCode::SERVICE_UNAVAILABLE, "Service Unavailable"),
        }
    }

    /// The error as a response.
    pub fn response(self) -> Response<Full<Bytes>> {
        let (status, message) = self.words();
        let mut response = Response::new(Full::from(format!(r#"{{"message":"{message}"}}"#)));
        *response.status_mut() = status;
        let json = HeaderValue::from_static("application/json");
        response.headers_mut().insert(header::CONTENT_TYPE, json);
        response
    }
}

/// The size that [`MAX_HEAD`] limits.
pub fn head_size(method: &Method, uri: &Uri, headers: &HeaderMap) -> usize {
    let target = uri.path_and_query().map_or(1, |target| target.as_str().len());
    let line = method.as_str().len() + target + " HTTP/1.1 ".len();
    line + headers.values().map(HeaderValue::len).sum::<usize>()
}
