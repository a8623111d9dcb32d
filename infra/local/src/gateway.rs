//! The gateway: passes an HTTP request to a function and its result back.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::{Bytes, BytesMut};
use emulator::template::Stack;
use http::request::Parts;
use http::{HeaderValue, Request, Response, StatusCode, header};
use http_body_util::{BodyExt as _, Full};
use hyper::body::{Body, Incoming};

use crate::cors::Rules;
use crate::invoke::{BuiltFunction, Invoke};
use crate::limits::{LimitExceeded, MAX_BODY, MAX_HEAD, head_size};
use crate::route_matcher::Matcher;
use crate::witness::{self, Witness};
use crate::{clock, event, reply};

/// How long an HTTP API waits for a function (its integration time-out, which cannot be raised).
const INTEGRATION_TIMEOUT: Duration = Duration::from_secs(30);

/// How much of a too large body is read before the response. Otherwise a client that is still sending would see a
/// connection reset instead of the response.
const MAX_DRAIN: usize = 8 * MAX_BODY;

/// The id of the API. On AWS it is part of the host name; locally it is not used.
const API_ID: &str = "local";

/// An Amazon API Gateway HTTP API with one stage, `$default`.
pub struct Gateway {
    functions: Matcher<BuiltFunction>,
    cors: Rules,
    account: String,
    patience: Duration,
    witness: Option<Arc<dyn Witness>>,
}

impl Gateway {
    /// Creates the gateway of a stack. `functions` contains each function of the stack by its binary's name; the error
    /// names the first missing one.
    pub fn new(stack: &Stack, functions: &BTreeMap<String, Arc<dyn Invoke>>, account: &str) -> Result<Self, String> {
        let mut routes = Vec::new();
        for function in &stack.functions {
            let invoke = functions
                .get(&function.binary)
                .ok_or_else(|| format!("nothing runs the binary `{}`", function.binary))?;
            let target = BuiltFunction {
                name: function.binary.clone(),
                invoke: Arc::clone(invoke),
                timeout: Duration::from_secs(function.timeout.into()),
            };
            let own = function.routes.iter().cloned();
            routes.extend(own.map(|route| (route, target.clone())));
        }
        Ok(Self {
            functions: Matcher::new(routes),
            cors: Rules::new(stack.cors.clone()),
            account: account.to_owned(),
            patience: INTEGRATION_TIMEOUT,
            witness: None,
        })
    }

    /// Waits this long for a function instead of the 30 seconds of an HTTP API.
    #[must_use]
    pub fn with_integration_timeout(mut self, patience: Duration) -> Self {
        self.patience = patience;
        self
    }

    /// Shows every request and its response to a witness.
    #[must_use]
    pub fn with_witness(mut self, witness: Option<Arc<dyn Witness>>) -> Self {
        self.witness = witness;
        self
    }

    /// Handles one request from `peer` to `port`.
    pub async fn answer(&self, request: Request<Incoming>, peer: SocketAddr, port: u16) -> Response<Full<Bytes>> {
        let begun = Instant::now();
        let (parts, body) = request.into_parts();
        let id = clock::request_id();
        let mut log = Log::default();
        let mut response = if let Some(response) = self.cors.preflight(&parts) {
            response
        } else {
            let routed = self.route(&parts, body, (peer, port), &id, &mut log).await;
            log.by_function = routed.is_ok();
            let mut response = routed.unwrap_or_else(LimitExceeded::response);
            let origin = parts.headers.get(header::ORIGIN);
            self.cors.apply(origin, response.headers_mut());
            response
        };
        if let Ok(id) = HeaderValue::from_str(&id) {
            response.headers_mut().insert("apigw-requestid", id);
        }
        log.write(&parts, response.status(), begun.elapsed());
        if let Some(witness) = &self.witness {
            witness::show(witness.as_ref(), &parts, &log.body, log.by_function, &response);
        }
        response
    }

    async fn route(
        &self,
        parts: &Parts,
        body: Incoming,
        (peer, port): (SocketAddr, u16),
        id: &str,
        log: &mut Log,
    ) -> Result<Response<Full<Bytes>>, LimitExceeded> {
        if head_size(&parts.method, &parts.uri, &parts.headers) > MAX_HEAD {
            return Err(LimitExceeded::HeadTooLarge);
        }
        let host = event::host(parts).ok_or(LimitExceeded::BadRequest)?;
        let path = event::decoded_path(parts.uri.path()).ok_or(LimitExceeded::BadRequest)?;
        let body = collect(body, parts.headers.contains_key(header::EXPECT)).await?;
        log.body = body.clone();
        let found = self.functions.find(parts.method.as_str(), &path);
        let found = found.ok_or(LimitExceeded::NotFound)?;
        found.key.clone_into(&mut log.route);
        found.target.name.clone_into(&mut log.function);
        let event = event::Request {
            parts,
            path: &path,
            host: &host,
            peer,
            port,
            route_key: found.key,
            parameters: found.parameters,
            id,
            at: clock::now(),
            body: &body,
        };
        let payload = event.event(&self.account, API_ID);
        let payload = payload.map_err(|_| LimitExceeded::BadRequest)?;
        let call = found.target.call(payload, id.to_owned(), self.patience);
        reply::read(&call.await?, &parts.method).map_err(|error| {
            tracing::error!(function = log.function, error, "the result is malformed");
            LimitExceeded::FunctionFailed
        })
    }
}

/// The data for a request's log line, as far as known.
#[derive(Default)]
struct Log {
    route: String,
    function: String,
    body: Bytes,
    by_function: bool,
}

impl Log {
    /// Writes the line. It has the route instead of the path, because paths contain names of pictures and accounts.
    /// Functions log their own responses, so a request that reached a function is logged at debug level.
    fn write(&self, parts: &Parts, status: StatusCode, took: Duration) {
        let Self { route, function, .. } = self;
        let (method, status) = (&parts.method, status.as_u16());
        let ms = u64::try_from(took.as_millis()).unwrap_or(u64::MAX);
        if function.is_empty() {
            tracing::info!(%method, status, ms, "answered by the gateway");
        } else {
            tracing::debug!(%method, route, function, status, ms, "answered by a function");
        }
    }
}

/// Reads a body, without storing more of it than allowed. A client that `asks` before it sends (`Expect: 100-continue`)
/// gets the refusal immediately.
async fn collect(mut body: Incoming, asks: bool) -> Result<Bytes, LimitExceeded> {
    let mut too_large = body.size_hint().lower() > MAX_BODY as u64;
    if too_large && asks {
        return Err(LimitExceeded::TooLarge);
    }
    let mut collected = BytesMut::new();
    let mut read = 0;
    while let Some(frame) = body.frame().await {
        let Ok(data) = frame.map_err(|_| LimitExceeded::BadRequest)?.into_data() else {
            continue;
        };
        read += data.len();
        too_large |= read > MAX_BODY;
        if !too_large {
            collected.extend_from_slice(&data);
        } else if read > MAX_DRAIN {
            break;
        }
    }
    if too_large {
        return Err(LimitExceeded::TooLarge);
    }
    Ok(collected.freeze())
}
