//! One log line for every request, with what it cost and never with what it said.

use std::sync::Arc;

use axum::Router;
use axum::extract::{MatchedPath, Request};
use axum::middleware::{self, Next};
use axum::response::Response;

use super::api::refuse_by_path;
use super::caller::gateway;
use crate::domain::Error;
use crate::domain::clock::Clock;
use crate::trips::Trips;

/// Gives a function's router its last layer: what no route answers is refused in the envelope of its path's API, and
/// every request is logged.
pub fn finish(router: Router, function: &'static str, clock: Arc<dyn Clock>) -> Router {
    let refuse = |request: Request| async move { refuse_by_path(request.uri().path(), &Error::NoRoute) };
    router.fallback(refuse).method_not_allowed_fallback(refuse).layer(middleware::from_fn(
        move |request: Request, next: Next| {
            let clock = clock.clone();
            async move { log(function, &*clock, request, next).await }
        },
    ))
}

async fn log(function: &'static str, clock: &dyn Clock, request: Request, next: Next) -> Response {
    let began = clock.now();
    let method = request.method().clone();
    let route = request.extensions().get::<MatchedPath>().map(|path| path.as_str().to_owned());
    let gateway_request_id = gateway(request.extensions()).and_then(|context| context.request_id.clone());
    let (response, trips) = Trips::of(next.run(request)).await;
    tracing::info!(
        event = "request",
        function,
        %method,
        route = route.as_deref().unwrap_or("none"),
        status = response.status().as_u16(),
        millis = clock.now().millis().saturating_sub(began.millis()),
        dynamo_calls = trips.calls,
        dynamo_rounds = trips.rounds,
        gateway_request_id,
    );
    response
}
