//! `/docs`: the reference of the common API as a page, on which requests can be tried.
//!
//! The page is Swagger UI with the description that `profiles` serves. It is here and not in `profiles`, because apps wait
//! for the start of that function (docs/decisions/0023-swagger-ui-in-rooms.md). Its paths have no routes of their own:
//! they reach this function by `$default`.

use axum::http::header::{
    CACHE_CONTROL, CONTENT_ENCODING, CONTENT_SECURITY_POLICY, CONTENT_TYPE, REFERRER_POLICY, VARY,
    X_CONTENT_TYPE_OPTIONS,
};
use axum::http::{HeaderName, HeaderValue};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use handset_http::routes::Routes;

use crate::AppState;

/// The parts of Swagger UI, compressed by gzip. The build script takes them out of the crate that has them.
const BUNDLE: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/swagger-ui-bundle.js.gz"));
const STYLES: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/swagger-ui.css.gz"));

/// The page loads nothing from elsewhere, runs no script but its own two, and sends requests only to this deployment.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; \
    base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

pub(super) fn router() -> Routes<AppState> {
    const HTML: &str = "text/html; charset=utf-8";
    const SCRIPT: &str = "text/javascript; charset=utf-8";
    const CSS: &str = "text/css; charset=utf-8";
    Routes::new()
        .undescribed("/docs", get(async || text(HTML, include_str!("docs/page.html"))))
        .undescribed("/docs/page.js", get(async || text(SCRIPT, include_str!("docs/page.js"))))
        .undescribed("/docs/page.css", get(async || text(CSS, include_str!("docs/page.css"))))
        .undescribed("/docs/swagger-ui-bundle.js", get(async || compressed(SCRIPT, BUNDLE)))
        .undescribed("/docs/swagger-ui.css", get(async || compressed(CSS, STYLES)))
}

fn headers(kind: &'static str, caching: &'static str) -> [(HeaderName, HeaderValue); 5] {
    [
        (CONTENT_TYPE, HeaderValue::from_static(kind)),
        (CACHE_CONTROL, HeaderValue::from_static(caching)),
        (CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY)),
        (REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
        (X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
    ]
}

fn text(kind: &'static str, body: &'static str) -> Response {
    (headers(kind, "public, max-age=300"), body).into_response()
}

/// A part of Swagger UI. Every browser takes gzip, so there is no other form of it.
fn compressed(kind: &'static str, body: &'static [u8]) -> Response {
    let coding =
        [(CONTENT_ENCODING, HeaderValue::from_static("gzip")), (VARY, HeaderValue::from_static("Accept-Encoding"))];
    (headers(kind, "public, max-age=86400"), coding, body).into_response()
}
