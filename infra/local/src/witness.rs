//! Records everything that passes the gateway, for tests that compare it with the API descriptions.

use bytes::Bytes;
use futures::FutureExt as _;
use http::request::Parts;
use http::{HeaderMap, Method, Response, StatusCode, Uri};
use http_body_util::{BodyExt as _, Full};

/// Sees every request together with its response, before the client gets the response.
pub trait Witness: Send + Sync {
    /// Sees one of them.
    fn see(&self, exchange: &Exchange<'_>);
}

/// A request and its response.
#[derive(Debug)]
pub struct Exchange<'a> {
    /// The request's method.
    pub method: &'a Method,
    /// The request's target, as it was sent.
    pub uri: &'a Uri,
    /// The request's headers.
    pub request_headers: &'a HeaderMap,
    /// The request's body; empty where the gateway refused to read it.
    pub request_body: &'a Bytes,
    /// Whether a function responded, and not the gateway itself.
    pub by_function: bool,
    /// The response's status.
    pub status: StatusCode,
    /// The response's headers.
    pub headers: &'a HeaderMap,
    /// The response's body.
    pub body: &'a Bytes,
}

/// Shows an exchange to a witness.
pub(crate) fn show(
    witness: &dyn Witness,
    request: &Parts,
    request_body: &Bytes,
    by_function: bool,
    response: &Response<Full<Bytes>>,
) {
    // A full body is there at once.
    let body = response.body().clone().collect().now_or_never();
    let body = body.and_then(Result::ok).map(http_body_util::Collected::to_bytes).unwrap_or_default();
    witness.see(&Exchange {
        method: &request.method,
        uri: &request.uri,
        request_headers: &request.headers,
        request_body,
        by_function,
        status: response.status(),
        headers: response.headers(),
        body: &body,
    });
}
