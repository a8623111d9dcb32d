//! CORS as in an HTTP API.
//!
//! Source: the API Gateway developer guide, "Configure CORS for HTTP APIs": if CORS is configured, the gateway answers
//! preflight requests itself, adds the configured headers to responses, and ignores those from functions. Only a
//! request with an `Origin` gets these headers. An `OPTIONS` request is a preflight only if it also has
//! `Access-Control-Request-Method`; otherwise it takes its route.

use bytes::Bytes;
use emulator::template::Cors;
use http::header::{
    ACCESS_CONTROL_ALLOW_CREDENTIALS, ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS,
    ACCESS_CONTROL_ALLOW_ORIGIN, ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE, ACCESS_CONTROL_REQUEST_METHOD,
    HeaderName, ORIGIN,
};
use http::request::Parts;
use http::{HeaderMap, HeaderValue, Method, Response, StatusCode};
use http_body_util::Full;

/// The CORS rules of a gateway; without rules, the functions' own headers are used.
#[derive(Debug)]
pub struct Rules(Option<Cors>);

impl Rules {
    /// Creates the rules from an API's configuration.
    pub fn new(cors: Option<Cors>) -> Self {
        Self(cors)
    }

    /// The response to a preflight request; `None` for other requests.
    pub fn preflight(&self, parts: &Parts) -> Option<Response<Full<Bytes>>> {
        let cors = self.0.as_ref()?;
        let origin = parts.headers.get(ORIGIN)?;
        let asks = parts.headers.contains_key(ACCESS_CONTROL_REQUEST_METHOD);
        if parts.method != Method::OPTIONS || !asks {
            return None;
        }
        let mut response = Response::new(Full::default());
        *response.status_mut() = StatusCode::NO_CONTENT;
        let headers = response.headers_mut();
        if allow(cors, origin, headers) {
            list(headers, ACCESS_CONTROL_ALLOW_METHODS, &cors.allow_methods);
            list(headers, ACCESS_CONTROL_ALLOW_HEADERS, &cors.allow_headers);
            if let Some(seconds) = cors.max_age {
                headers.insert(ACCESS_CONTROL_MAX_AGE, HeaderValue::from(seconds));
            }
        }
        Some(response)
    }

    /// Adds the configured headers to the response to a request with this `Origin`.
    pub fn apply(&self, origin: Option<&HeaderValue>, headers: &mut HeaderMap) {
        let Some(cors) = &self.0 else { return };
        let foreign: Vec<HeaderName> =
            headers.keys().filter(|name| name.as_str().starts_with("access-control-")).cloned().collect();
        for name in foreign {
            headers.remove(name);
        }
        if let Some(origin) = origin
            && allow(cors, origin, headers)
        {
            list(headers, ACCESS_CONTROL_EXPOSE_HEADERS, &cors.expose_headers);
        }
    }
}

/// Adds the headers that preflight and other responses share, if the origin is allowed.
fn allow(cors: &Cors, origin: &HeaderValue, headers: &mut HeaderMap) -> bool {
    let text = origin.to_str().unwrap_or_default();
    let any = cors.allow_origins.iter().any(|one| one == "*");
    let fits = |allowed: &String| match allowed.strip_suffix('*') {
        Some(scheme) => text.starts_with(scheme),
        None => allowed == text,
    };
    if !any && !cors.allow_origins.iter().any(fits) {
        return false;
    }
    let value = if any { HeaderValue::from_static("*") } else { origin.clone() };
    headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, value);
    if cors.allow_credentials {
        let yes = HeaderValue::from_static("true");
        headers.insert(ACCESS_CONTROL_ALLOW_CREDENTIALS, yes);
    }
    true
}

fn list(headers: &mut HeaderMap, name: HeaderName, values: &[String]) {
    if let Ok(value) = HeaderValue::from_str(&values.join(","))
        && !values.is_empty()
    {
        headers.insert(name, value);
    }
}
