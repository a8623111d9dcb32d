//! The HTTPS client for all services.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::header::{ACCEPT, CONTENT_TYPE};
use http::{HeaderMap, HeaderValue, Method, Request, StatusCode, Uri};
use http_body_util::{BodyExt, Full, LengthLimitError, Limited};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use serde::de::DeserializeOwned;
use tokio::sync::OnceCell;

use domain::random::{self, Random};

/// How often to connect in total if a connection fails. Nothing was sent by then, so another attempt is safe. A request
/// that was sent is not repeated: a user is waiting and can try again.
const CONNECTIONS: u32 = 2;
/// The maximum pause in between, in milliseconds. The pause is random, so that not all clients return at once.
const LONGEST_PAUSE: u64 = 300;

/// The limits of a call.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Time for establishing a connection.
    pub connect: Duration,
    /// Time until the whole response has arrived.
    pub whole: Duration,
    /// Maximum size of the response's body in bytes.
    pub body: usize,
}

impl Default for Limits {
    /// 2 s, 5 s and 64 KiB: a user waits for the response, and the longest documented response is below 1 KiB.
    fn default() -> Self {
        Self { connect: Duration::from_secs(2), whole: Duration::from_secs(5), body: 64 * 1024 }
    }
}

/// The base URL of a service's API: `https://`, host and optionally a path, without a slash at the end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BaseUrl(Arc<str>);

impl BaseUrl {
    /// Parses a URL. Without TLS only this machine is allowed, because the local run and tests imitate services here.
    /// So no user's token is ever sent unencrypted over a network.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let uri: Uri = text.parse().ok()?;
        let host = uri.host()?;
        let here = host == "localhost" || host.trim_matches(['[', ']']).parse().is_ok_and(|ip| is_loopback(&ip));
        let scheme = uri.scheme_str()?;
        if uri.query().is_some() || !(scheme == "https" || scheme == "http" && here) {
            return None;
        }
        Some(Self(text.trim_end_matches('/').into()))
    }

    fn is_secure(&self) -> bool {
        self.0.starts_with("https:")
    }
}

fn is_loopback(ip: &std::net::IpAddr) -> bool {
    ip.is_loopback()
}

/// A service's response.
#[derive(Debug)]
pub struct ServiceResponse {
    /// The HTTP status.
    pub status: StatusCode,
    body: Bytes,
}

impl ServiceResponse {
    /// The body as JSON, if it has this shape.
    #[must_use]
    pub fn json<T: DeserializeOwned>(&self) -> Option<T> {
        serde_json::from_slice(&self.body).ok()
    }

    /// The body as JSON or as JSONP, `callback( {…} );`, if it is one of them and has this shape.
    #[must_use]
    pub fn json_or_jsonp<T: DeserializeOwned>(&self) -> Option<T> {
        let call = || {
            let text = std::str::from_utf8(&self.body).ok()?.trim();
            let call = text.strip_prefix("callback")?.trim_start().strip_prefix('(')?;
            let inner = call.trim_end_matches(';').trim_end().strip_suffix(')')?;
            serde_json::from_str(inner).ok()
        };
        self.json().or_else(call)
    }
}

/// Why there was no response to a call. The error contains neither URL nor body.
#[derive(Debug, thiserror::Error)]
pub enum CallError {
    /// The machine has no root certificates with which to verify a service.
    #[error("no root certificates")]
    NoRoots(#[source] std::io::Error),
    /// No request can be built from these parameters.
    #[error("no valid request")]
    Request(#[from] http::Error),
    /// The connection could not be made, or it broke.
    #[error("no answer")]
    Send(#[from] hyper_util::client::legacy::Error),
    /// The response ended too early.
    #[error("the answer broke off")]
    Body(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The response is longer than the limit.
    #[error("the answer is too long")]
    TooLong,
    /// The time-out was reached.
    #[error("no answer in time")]
    TimedOut,
}

type Secure = Client<HttpsConnector<HttpConnector>, Full<Bytes>>;
type Plain = Client<HttpConnector, Full<Bytes>>;

/// Sends requests.
pub struct HttpsClient {
    limits: Limits,
    /// Built at the first call, because reading the root certificates takes time, and most invocations do not need
    /// them.
    secure: OnceCell<Secure>,
    plain: Plain,
    random: Arc<dyn Random>,
}

impl HttpsClient {
    /// A client with the default limits.
    #[must_use]
    pub fn new(random: Arc<dyn Random>) -> Self {
        let limits = Limits::default();
        Self { limits, secure: OnceCell::new(), plain: builder().build(connector(limits)), random }
    }

    /// The same client with other limits.
    #[must_use]
    pub fn within(self, limits: Limits) -> Self {
        Self { limits, secure: OnceCell::new(), plain: builder().build(connector(limits)), ..self }
    }

    /// `GET {base}{path}?{query}`, without the question mark if the query is empty.
    pub async fn get(&self, base: &BaseUrl, path: &str, query: &[(&str, &str)]) -> Result<ServiceResponse, CallError> {
        let mark = if query.is_empty() { "" } else { "?" };
        let uri = format!("{}{path}{mark}{}", base.0, form(query));
        self.call(base, Method::GET, &uri, HeaderMap::new(), Bytes::new()).await
    }

    /// `POST {base}{path}` with a form.
    pub async fn post_form(
        &self,
        base: &BaseUrl,
        path: &str,
        mut headers: HeaderMap,
        fields: &[(&str, &str)],
    ) -> Result<ServiceResponse, CallError> {
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/x-www-form-urlencoded"));
        self.call(base, Method::POST, &format!("{}{path}", base.0), headers, form(fields).into()).await
    }

    async fn call(
        &self,
        base: &BaseUrl,
        method: Method,
        uri: &str,
        headers: HeaderMap,
        body: Bytes,
    ) -> Result<ServiceResponse, CallError> {
        let mut request = Request::builder().method(method).uri(uri).body(Full::new(body))?;
        *request.headers_mut() = headers;
        request.headers_mut().insert(ACCEPT, HeaderValue::from_static("application/json, text/plain, */*"));
        let answer = tokio::time::timeout(self.limits.whole, self.connect_and_send(base, request));
        answer.await.map_err(|_| CallError::TimedOut)?
    }

    async fn connect_and_send(
        &self,
        base: &BaseUrl,
        request: Request<Full<Bytes>>,
    ) -> Result<ServiceResponse, CallError> {
        for _ in 1..CONNECTIONS {
            match self.send(base, request.clone()).await {
                Err(CallError::Send(error)) if error.is_connect() => {}
                answer => return answer,
            }
            tokio::time::sleep(Duration::from_millis(random::below(&*self.random, LONGEST_PAUSE))).await;
        }
        self.send(base, request).await
    }

    async fn send(&self, base: &BaseUrl, request: Request<Full<Bytes>>) -> Result<ServiceResponse, CallError> {
        let response = if base.is_secure() {
            self.secure.get_or_try_init(async || secure(self.limits)).await?.request(request).await?
        } else {
            self.plain.request(request).await?
        };
        let (head, body) = response.into_parts();
        let body = Limited::new(body, self.limits.body).collect().await.map_err(|error| {
            if error.is::<LengthLimitError>() { CallError::TooLong } else { CallError::Body(error) }
        })?;
        Ok(ServiceResponse { status: head.status, body: body.to_bytes() })
    }
}

fn secure(limits: Limits) -> Result<Secure, CallError> {
    let connector = HttpsConnectorBuilder::new()
        .with_provider_and_native_roots(rustls::crypto::aws_lc_rs::default_provider())
        .map_err(CallError::NoRoots)?
        .https_only()
        .enable_http1()
        .wrap_connector(connector(limits));
    Ok(builder().build(connector))
}

/// Connections are not kept. Calls are rare, and a connection that Lambda froze for a while is usually dead.
fn builder() -> hyper_util::client::legacy::Builder {
    let mut builder = Client::builder(TokioExecutor::new());
    builder.pool_max_idle_per_host(0);
    builder
}

fn connector(limits: Limits) -> HttpConnector {
    let mut connector = HttpConnector::new();
    connector.enforce_http(false);
    connector.set_connect_timeout(Some(limits.connect));
    connector.set_nodelay(true);
    connector
}

fn form(fields: &[(&str, &str)]) -> String {
    form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish()
}
