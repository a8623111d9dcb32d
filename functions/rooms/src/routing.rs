//! Registers both forms of every path, with HEAD and OPTIONS.

use axum::http::header::ALLOW;
use axum::http::{HeaderValue, StatusCode};
use axum::response::Response;
use handset_http::api::rooms::Done;
use utoipa::openapi::header::Header;
use utoipa::openapi::path::{Operation, OperationBuilder, Parameter, ParameterIn, PathItem};
use utoipa::openapi::{ContentBuilder, Ref, RefOr, ResponseBuilder};
use utoipa::{PartialSchema as _, ToSchema as _};
use utoipa_axum::router::{OpenApiRouter, UtoipaMethodRouter};

use crate::AppState;
use crate::wire::{Nothing, success};

/// Adds a documented path, which ends in a slash, also without the slash. Both forms accept OPTIONS, and HEAD if they
/// accept GET.
pub(super) fn both(router: OpenApiRouter<AppState>, routes: UtoipaMethodRouter<AppState>) -> OpenApiRouter<AppState> {
    let (mut schemas, mut paths, methods) = routes;
    let Some((path, item)) = paths.paths.iter_mut().next() else { return router };
    item.head = item.get.as_ref().map(describe_head);
    item.options = Some(describe_options(path, item));
    schemas.push((Done::name().into_owned(), Done::schema()));
    let (short, allowed) = (path.trim_end_matches('/').to_owned(), allowed(item));
    let methods = methods.options(async move || options(&allowed));
    router.routes((schemas, paths, methods.clone())).route(&short, methods)
}

fn allowed(item: &PathItem) -> String {
    let methods = [
        ("GET", item.get.is_some()),
        ("HEAD", item.head.is_some()),
        ("POST", item.post.is_some()),
        ("PUT", item.put.is_some()),
        ("DELETE", item.delete.is_some()),
        ("OPTIONS", item.options.is_some()),
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

/// Describes HEAD, which the router accepts wherever it accepts GET.
fn describe_head(get: &Operation) -> Operation {
    let mut head = get.clone();
    head.operation_id = get.operation_id.as_ref().map(|id| id.replacen("_get_", "_head_", 1));
    head
}

/// Describes OPTIONS, with the path variables of the path's other methods.
fn describe_options(path: &str, item: &PathItem) -> Operation {
    let words: Vec<_> = path.split(['/', '{', '}']).filter(|word| !word.is_empty()).collect();
    let others = [&item.get, &item.post, &item.put, &item.delete].into_iter().flatten();
    let mut parameters = others.filter_map(|operation| operation.parameters.as_deref()).flatten();
    let variable = parameters.find_map(of_path);
    let content = ContentBuilder::new().schema(Some(Ref::from_schema_name(Done::name())));
    let response = ResponseBuilder::new().description("The methods are in `Allow`.");
    let response = response.content("application/json", content.build()).header("Allow", Header::default());
    OperationBuilder::new()
        .tag("rooms")
        .operation_id(Some(format!("rooms_options_{}", words.join("_"))))
        .summary(Some("List the methods of this path."))
        .parameters(variable.map(|variable| [variable.clone()]))
        .response("200", response)
        .build()
}

fn of_path(parameter: &RefOr<Parameter>) -> Option<&Parameter> {
    match parameter {
        RefOr::T(parameter) if parameter.parameter_in == ParameterIn::Path => Some(parameter),
        _ => None,
    }
}
