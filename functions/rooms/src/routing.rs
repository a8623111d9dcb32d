//! The two forms of every path, and OPTIONS on both.

use axum::http::header::ALLOW;
use axum::http::{HeaderValue, StatusCode};
use axum::response::Response;
use utoipa::openapi::path::PathItem;
use utoipa_axum::router::{OpenApiRouter, UtoipaMethodRouter};

use crate::State;
use crate::wire::{Nothing, success};

/// Adds a path of the document, which ends in a slash, without the slash as well, and lets both answer OPTIONS.
pub(super) fn both(router: OpenApiRouter<State>, routes: UtoipaMethodRouter<State>) -> OpenApiRouter<State> {
    let (schemas, paths, methods) = routes;
    let Some((path, item)) = paths.paths.first_key_value() else { return router };
    let (short, allowed) = (path.trim_end_matches('/').to_owned(), allowed(item));
    let methods = methods.options(async move || options(&allowed));
    router.routes((schemas, paths, methods.clone())).route(&short, methods)
}

fn allowed(item: &PathItem) -> String {
    let methods = [
        ("GET, HEAD", item.get.is_some()),
        ("POST", item.post.is_some()),
        ("PUT", item.put.is_some()),
        ("DELETE", item.delete.is_some()),
        ("OPTIONS", true),
    ];
    let there: Vec<_> = methods.iter().filter(|(_, there)| *there).map(|(method, _)| *method).collect();
    there.join(", ")
}

fn options(allowed: &str) -> Response {
    let mut response = success(StatusCode::OK, "查询成功", Nothing {});
    if let Ok(allowed) = HeaderValue::from_str(allowed) {
        response.headers_mut().insert(ALLOW, allowed);
    }
    response
}
