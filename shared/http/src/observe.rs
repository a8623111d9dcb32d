//! A log line for every request, with its cost but never with its content; and a time-out for every request.

use axum::Router;
use axum::extract::{MatchedPath, Request};
use axum::middleware::{self, Next};
use axum::response::Response;
use http::StatusCode;
use http::header::ALLOW;
use lambda_http::Context;

use super::api::{self, RefusalKind, refuse_by_path, supabase};
use super::body;
use super::caching;
use super::caller::gateway;
use super::cross_site::CrossSiteGuard;
use super::endpoints;
use domain::policy::REQUEST_TIMEOUT;
use domain::{Error, Fault};
use telemetry::invocation::{Ids, Observer, TARGET};
use telemetry::metrics::Metric;
use telemetry::round_trips::RoundTrips;

/// Adds the last layer to a function's router. Unknown paths and methods are refused in the format of the path's API,
/// and so are requests that a page of another site sends without a preflight. Every request has a time-out, every
/// response has a caching rule, and every request is logged.
pub fn finish(router: Router, observer: &Observer, guard: &CrossSiteGuard) -> Router {
    let refuse = |request: Request| async move { refuse_by_path(request.uri().path(), &Error::NoRoute) };
    let (observer, guard) = (observer.clone(), guard.clone());
    let router = router.fallback(refuse).method_not_allowed_fallback(refuse).layer(middleware::from_fn(
        move |request: Request, next: Next| {
            let (observer, guard) = (observer.clone(), guard.clone());
            async move { observed(&observer, &guard, request, next).await }
        },
    ));
    // Around everything, because the router itself adds `Allow` where it has the path with another method.
    let whole = middleware::from_fn(|request: Request, next: Next| async move {
        let words = supabase::asks_for_words(request.headers());
        let mut response = next.run(without_last_slash(request)).await;
        supabase::settle(words, &mut response);
        if response.status() == StatusCode::NOT_FOUND {
            response.headers_mut().remove(ALLOW);
        }
        response
    });
    Router::new().fallback_service(router).layer(whole)
}

/// Some clients of the Supabase API end a path in a slash.
fn without_last_slash(mut request: Request) -> Request {
    let path = request.uri().path();
    if api::is_of_supabase(path)
        && let Some(short) = path.strip_suffix('/')
    {
        let query = request.uri().query().map(|query| format!("?{query}")).unwrap_or_default();
        if let Ok(uri) = format!("{short}{query}").parse() {
            *request.uri_mut() = uri;
        }
    }
    request
}

async fn observed(observer: &Observer, guard: &CrossSiteGuard, request: Request, next: Next) -> Response {
    let route = request.extensions().get::<MatchedPath>().map_or("none", MatchedPath::as_str).to_owned();
    let context = request.extensions().get::<Context>();
    let ids = Ids {
        request_id: context.map(|context| context.request_id.clone()),
        xray_trace: context.and_then(|context| context.xray_trace_id.clone()),
        gateway_request_id: gateway(request.extensions()).and_then(|context| context.request_id.clone()),
        method: Some(request.method().as_str().to_owned()),
        route: Some(route),
    };
    let invocation = observer.begin(&ids);
    let path = request.uri().path().to_owned();
    let (mut response, trips) = invocation.run(RoundTrips::of(answer(guard, request, next))).await;
    caching::settle(&path, &mut response);
    let millis = invocation.millis();
    invocation.add(Metric::RequestMillis, millis);
    invocation.end(|metrics| {
        tracing::info!(
            target: TARGET,
            event = "request",
            function = observer.function(),
            method = ids.method,
            route = ids.route,
            status = response.status().as_u16(),
            outcome = outcome(&response),
            millis,
            dynamo_calls = trips.calls,
            dynamo_rounds = trips.rounds,
            gateway_request_id = ids.gateway_request_id,
            metrics,
        );
    });
    response
}

/// The response, or the error that there was none in time. In that case the remaining work is dropped as if the
/// function had been stopped, which may happen at any point.
async fn answer(guard: &CrossSiteGuard, request: Request, next: Next) -> Response {
    let (parts, body) = request.into_parts();
    let path = parts.uri.path().to_owned();
    if !guard.allows(&parts) {
        return refuse_by_path(&path, &Error::CrossSite);
    }
    let refused = endpoints::check(&parts.method, &path).and_then(|()| body::check_encoding(&parts.headers, &body));
    if let Err(error) = refused {
        return refuse_by_path(&path, &error);
    }
    let request = Request::from_parts(parts, body);
    tokio::time::timeout(REQUEST_TIMEOUT, next.run(request)).await.unwrap_or_else(|_| {
        let reason = format!("no answer within {} s", REQUEST_TIMEOUT.as_secs());
        refuse_by_path(&path, &Fault::new("answering a request", reason).into())
    })
}

/// The result of a request: the kind of its error, or a word for its status.
fn outcome(response: &Response) -> &'static str {
    match response.extensions().get::<RefusalKind>() {
        Some(RefusalKind(kind)) => kind,
        None if response.status().is_server_error() => "fault",
        None if response.status().is_client_error() => "refused",
        None => "ok",
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::Duration;

    use axum::body::{Body, to_bytes};
    use axum::routing::post;
    use lambda_http::Service;
    use serde_json::{Value, json};

    use super::*;

    /// A router whose handler never responds.
    fn hanging() -> Router {
        let router = Router::new().route("/user/login", post(async || std::future::pending::<()>().await));
        finish(router, &Observer::new("auth", None, Arc::new(|| 0)), &CrossSiteGuard::default())
    }

    #[tokio::test(start_paused = true)]
    async fn a_request_that_hangs_is_answered_in_its_apis_words_before_the_function_is_stopped() {
        let request = Request::post("/user/login").body(Body::empty()).unwrap();
        let answer = tokio::spawn(hanging().call(request));
        tokio::time::sleep(REQUEST_TIMEOUT.saturating_sub(Duration::from_millis(1))).await;
        assert!(!answer.is_finished());
        tokio::time::sleep(Duration::from_millis(2)).await;
        let response = answer.await.unwrap().unwrap();
        assert_eq!(response.status(), StatusCode::INTERNAL_SERVER_ERROR);
        assert_eq!(response.extensions().get::<RefusalKind>(), Some(&RefusalKind("fault")));
        let body = to_bytes(response.into_body(), 1_000).await.unwrap();
        let body: Value = serde_json::from_slice(&body).unwrap();
        assert_eq!(body["code"], json!(500), "{body}");
    }
}
