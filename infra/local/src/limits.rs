//! What the gateway refuses by itself, and in which words.
//!
//! Sources: the API Gateway developer guide, "Quotas for configuring and running an HTTP API"; the
//! Lambda developer guide, "Lambda quotas". The words are those HTTP APIs answer with. One is not
//! documented for HTTP APIs: a request below 10 MB whose event is above Lambda's 6 MB. Lambda's
//! own answer to such an event is 413 (`RequestEntityTooLargeException`), REST APIs pass 413 on,
//! and so does this gateway.

use bytes::Bytes;
use http::{HeaderMap, HeaderValue};
use http::{Method, Response, StatusCode, Uri, header};
use http_body_util::Full;

/// The most bytes a request body may have.
pub const MAX_BODY: usize = 10 * 1024 * 1024;

/// The most bytes an event or a function's result may have: Lambda's 6 MB and some room for the
/// envelope, as its error message states the number.
pub const MAX_PAYLOAD: usize = 6_291_556;

/// The most bytes of request line and header values together.
pub const MAX_HEAD: usize = 10_240;

/// Why the gateway answers a request by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// The request cannot be understood.
    BadRequest,
    /// No route, and no `$default`.
    NotFound,
    /// The body, or the event made of it, is too large.
    TooLarge,
    /// The request line and header values are too large.
    HeadTooLarge,
    /// The function failed, or its result cannot be understood.
    FunctionFailed,
    /// The function did not answer within the integration's time-out.
    TimedOut,
}

impl Refusal {
    /// The status and the message of this refusal.
    fn words(self) -> (StatusCode, &'static str) {
        match self {
            Self::BadRequest => (StatusCode::BAD_REQUEST, "Bad Request"),
            Self::NotFound => (StatusCode::NOT_FOUND, "Not Found"),
            Self::TooLarge => (StatusCode::PAYLOAD_TOO_LARGE, "Request Entity Too Large"),
            Self::HeadTooLarge => (StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE, "Request Header Fields Too Large"),
            Self::FunctionFailed => (StatusCode::INTERNAL_SERVER_ERROR, "Internal Server Error"),
            Self::TimedOut => (StatusCode::SERVICE_UNAVAILABLE, "Service Unavailable"),
        }
    }

    /// The refusal as a response.
    pub fn response(self) -> Response<Full<Bytes>> {
        let (status, message) = self.words();
        let mut response = Response::new(Full::from(format!(r#"{{"message":"{message}"}}"#)));
        *response.status_mut() = status;
        let json = HeaderValue::from_static("application/json");
        response.headers_mut().insert(header::CONTENT_TYPE, json);
        response
    }
}

/// The size that [`MAX_HEAD`] bounds.
pub fn head_size(method: &Method, uri: &Uri, headers: &HeaderMap) -> usize {
    let target = uri.path_and_query().map_or(1, |target| target.as_str().len());
    let line = method.as_str().len() + target + " HTTP/1.1 ".len();
    line + headers.values().map(HeaderValue::len).sum::<usize>()
}
