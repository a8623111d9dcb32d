//! Requests to the fakes, and their responses.

use std::collections::BTreeMap;

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderMap, Method, StatusCode};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::body::Incoming;
use serde_json::Value;

/// The most bytes of a request's body.
const BODY: usize = 64 * 1024;

/// A response to send.
pub type Response = hyper::Response<Full<Bytes>>;

/// A complete request.
#[derive(Debug)]
pub struct Asked {
    /// The method.
    pub method: Method,
    /// The path.
    pub path: String,
    /// The headers.
    pub headers: HeaderMap,
    query: BTreeMap<String, String>,
    form: BTreeMap<String, String>,
    body: Bytes,
}

impl Asked {
    /// Reads a request; `None` if its body is too long or incomplete.
    pub async fn read(request: hyper::Request<Incoming>) -> Option<Self> {
        let (head, body) = request.into_parts();
        let body = Limited::new(body, BODY).collect().await.ok()?.to_bytes();
        Some(Self {
            method: head.method,
            path: head.uri.path().to_owned(),
            headers: head.headers,
            query: fields(head.uri.query().unwrap_or_default().as_bytes()),
            form: fields(&body),
            body,
        })
    }

    /// A parameter of the query string; empty when it is missing.
    pub fn query(&self, name: &str) -> &str {
        self.query.get(name).map_or("", String::as_str)
    }

    /// A field of the form; empty when it is missing.
    pub fn form(&self, name: &str) -> &str {
        self.form.get(name).map_or("", String::as_str)
    }

    /// The body as JSON; an empty body is an empty object.
    pub fn json(&self) -> Option<Value> {
        if self.body.is_empty() {
            Some(Value::Object(serde_json::Map::new()))
        } else {
            serde_json::from_slice(&self.body).ok()
        }
    }

    /// A header; empty when it is missing.
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }
}

fn fields(text: &[u8]) -> BTreeMap<String, String> {
    form_urlencoded::parse(text).map(|(name, value)| (name.into_owned(), value.into_owned())).collect()
}

/// A response.
#[derive(Debug)]
pub struct Told {
    status: u16,
    kind: &'static str,
    body: String,
}

impl Told {
    /// JSON.
    pub fn json(status: u16, body: &Value) -> Self {
        Self { status, kind: "application/json;charset=UTF-8", body: body.to_string() }
    }

    /// JSON in a JavaScript function call.
    pub fn jsonp(status: u16, body: &Value) -> Self {
        Self { status, kind: "text/html", body: format!("callback( {body} );\n") }
    }

    /// Plain text.
    pub fn text(status: u16, body: &str) -> Self {
        Self { status, kind: "text/plain", body: body.to_owned() }
    }

    /// The error page of a proxy in front of a service that is down.
    pub fn error_page() -> Self {
        Self { status: 502, kind: "text/html", body: "<html><body><h1>502 Bad Gateway</h1></body></html>".into() }
    }

    /// Converts it to a response.
    pub fn into_response(self) -> Response {
        let mut response = Response::new(Full::new(self.body.into()));
        *response.status_mut() = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        response.headers_mut().insert(CONTENT_TYPE, http::HeaderValue::from_static(self.kind));
        response
    }
}
