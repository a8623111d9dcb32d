//! Converts a request to a function's event: payload format 2.0.
//!
//! Source: the API Gateway developer guide, "Create AWS Lambda proxy integrations for HTTP APIs", and published events
//! from AWS. Three facts are known only from those events:
//! - `rawPath`, `http.path` and the variables are percent-decoded (once) before routing, so an encoded slash separates
//!   segments, and everything after an encoded question mark is lost.
//! - `headers` does not repeat the cookies.
//! - A body is text only under `text/*`, `application/json`, `application/xml` and `application/javascript`; everything
//!   else is base64, including forms and bodies without a type.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::request::Parts;
use http::uri::Authority;
use http::{HeaderMap, Version, header};
use percent_encoding::percent_decode_str;
use serde::Serialize;
use time::OffsetDateTime;

use crate::clock;

/// Headers about one connection, which a gateway does not forward (RFC 9110, section 7.6.1), and headers that it has
/// already used.
const NOT_PASSED_ON: [&str; 9] = [
    "connection",
    "expect",
    "keep-alive",
    "proxy-authorization",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];

/// The parts of a request's event.
#[derive(Debug)]
pub struct Request<'a> {
    /// Method, target and headers.
    pub parts: &'a Parts,
    /// The decoded path from [`decoded_path`].
    pub path: &'a str,
    /// The host in the request.
    pub host: &'a str,
    /// The client's IP address.
    pub peer: SocketAddr,
    /// The gateway's own port.
    pub port: u16,
    /// The matched route key.
    pub route_key: &'a str,
    /// The path's variables.
    pub parameters: BTreeMap<String, String>,
    /// The request's id.
    pub id: &'a str,
    /// The time when the request arrived.
    pub at: OffsetDateTime,
    /// The body.
    pub body: &'a [u8],
}

/// The path of a request as routes see it. `None` if its bytes are not text.
pub fn decoded_path(path: &str) -> Option<String> {
    let decoded = percent_decode_str(path).decode_utf8().ok()?;
    let kept = decoded.split_once('?').map_or(&*decoded, |(before, _)| before);
    Some(kept.to_owned())
}

/// The host in the request's target or `Host` header. `None` if it is missing or not a host.
pub fn host(parts: &Parts) -> Option<String> {
    let host = match parts.uri.authority() {
        Some(authority) => authority.as_str(),
        None => parts.headers.get(header::HOST)?.to_str().ok()?,
    };
    let authority: Authority = host.parse().ok()?;
    (!authority.as_str().contains('@')).then(|| authority.to_string())
}

impl Request<'_> {
    /// The event, as JSON.
    pub fn event(self, account: &str, api_id: &str) -> serde_json::Result<Vec<u8>> {
        let (body, is_base64_encoded) = self.body();
        let query = self.parts.uri.query().unwrap_or_default();
        let event = Event {
            version: "2.0",
            route_key: self.route_key,
            raw_path: self.path,
            raw_query_string: query,
            cookies: cookies(&self.parts.headers),
            headers: self.headers(),
            query_string_parameters: parameters(query),
            request_context: Context {
                account_id: account,
                api_id,
                domain_name: self.host,
                domain_prefix: self.host.split(['.', ':']).next().unwrap_or_default(),
                http: self.http(),
                request_id: self.id,
                route_key: self.route_key,
                stage: "$default",
                time: clock::log_time(self.at),
                time_epoch: clock::epoch_millis(self.at),
            },
            path_parameters: Some(self.parameters.clone()).filter(|known| !known.is_empty()),
            body,
            is_base64_encoded,
        };
        serde_json::to_vec(&event)
    }

    fn http(&self) -> Http<'_> {
        Http {
            method: self.parts.method.as_str(),
            path: self.path,
            protocol: match self.parts.version {
                Version::HTTP_10 => "HTTP/1.0",
                _ => "HTTP/1.1",
            },
            source_ip: self.peer.ip().to_canonical().to_string(),
            user_agent: text(&self.parts.headers, header::USER_AGENT.as_str()).unwrap_or_default(),
        }
    }

    /// The headers in lower case, with values of the same name joined, and the gateway's own headers added.
    fn headers(&self) -> BTreeMap<String, String> {
        let own = &self.parts.headers;
        let connection = text(own, "connection").unwrap_or_default().to_lowercase();
        let listed: Vec<&str> = connection.split(',').map(str::trim).collect();
        let mut headers = BTreeMap::new();
        for name in own.keys().map(header::HeaderName::as_str) {
            let dropped = NOT_PASSED_ON.contains(&name) || listed.contains(&name);
            if !dropped && name != "cookie" {
                headers.insert(name.to_owned(), text(own, name).unwrap_or_default());
            }
        }
        let client = self.peer.ip().to_canonical().to_string();
        let chain = match headers.get("x-forwarded-for") {
            Some(before) => format!("{before}, {client}"),
            None => client,
        };
        headers.insert("x-forwarded-for".into(), chain);
        headers.insert("x-forwarded-port".into(), self.port.to_string());
        headers.insert("x-forwarded-proto".into(), "http".into());
        headers.insert("host".into(), self.host.to_owned());
        if !self.body.is_empty() || headers.contains_key("content-length") {
            headers.insert("content-length".into(), self.body.len().to_string());
        }
        headers
    }

    /// The body as in the event, and whether it is base64.
    fn body(&self) -> (Option<String>, bool) {
        if self.body.is_empty() {
            return (None, false);
        }
        let kind = text(&self.parts.headers, "content-type").unwrap_or_default();
        let as_text = is_text(&kind).then(|| std::str::from_utf8(self.body).ok());
        match as_text.flatten() {
            Some(text) => (Some(text.to_owned()), false),
            None => (Some(STANDARD.encode(self.body)), true),
        }
    }
}

/// Whether a body with this content type is forwarded as text.
fn is_text(content_type: &str) -> bool {
    let kind = content_type.split(';').next().unwrap_or_default();
    let kind = kind.trim().to_ascii_lowercase();
    let known = ["application/json", "application/xml", "application/javascript"];
    kind.starts_with("text/") || known.contains(&kind.as_str())
}

/// All values of a header, joined by commas.
fn text(headers: &HeaderMap, name: &str) -> Option<String> {
    let values: Vec<_> = headers.get_all(name).iter().map(|value| String::from_utf8_lossy(value.as_bytes())).collect();
    (!values.is_empty()).then(|| values.join(","))
}

/// Each cookie as a separate `name=value`.
fn cookies(headers: &HeaderMap) -> Option<Vec<String>> {
    let cookies: Vec<String> = headers
        .get_all(header::COOKIE)
        .iter()
        .flat_map(|value| {
            let line = String::from_utf8_lossy(value.as_bytes()).into_owned();
            let parts: Vec<String> = line.split(';').map(|part| part.trim().to_owned()).collect();
            parts
        })
        .filter(|cookie| !cookie.is_empty())
        .collect();
    (!cookies.is_empty()).then_some(cookies)
}

/// The decoded query parameters, with values of the same name joined.
fn parameters(query: &str) -> Option<BTreeMap<String, String>> {
    let mut parameters: BTreeMap<String, String> = BTreeMap::new();
    for (name, value) in form_urlencoded::parse(query.as_bytes()) {
        parameters
            .entry(name.into_owned())
            .and_modify(|before| {
                before.push(',');
                before.push_str(&value);
            })
            .or_insert_with(|| value.into_owned());
    }
    (!parameters.is_empty()).then_some(parameters)
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Event<'a> {
    version: &'static str,
    route_key: &'a str,
    raw_path: &'a str,
    raw_query_string: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    cookies: Option<Vec<String>>,
    headers: BTreeMap<String, String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    query_string_parameters: Option<BTreeMap<String, String>>,
    request_context: Context<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    path_parameters: Option<BTreeMap<String, String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    body: Option<String>,
    is_base64_encoded: bool,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Context<'a> {
    account_id: &'a str,
    api_id: &'a str,
    domain_name: &'a str,
    domain_prefix: &'a str,
    http: Http<'a>,
    request_id: &'a str,
    route_key: &'a str,
    stage: &'static str,
    time: String,
    time_epoch: u64,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Http<'a> {
    method: &'a str,
    path: &'a str,
    protocol: &'static str,
    source_ip: String,
    user_agent: String,
}
