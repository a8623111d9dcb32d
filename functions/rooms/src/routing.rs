//! Registers both forms of every path, with HEAD and OPTIONS.

use axum::http::header::ALLOW;
use axum::http::{HeaderValue, StatusCode};
use axum::response::Response;
use handset_http::api::rooms::Done;
use handset_http::routes::{Route, Routes};
use utoipa::openapi::header::Header;
use utoipa::openapi::path::{HttpMethod, Operation, OperationBuilder, Parameter, ParameterIn, PathItem};
use utoipa::openapi::{ContentBuilder, Ref, RefOr, ResponseBuilder};
use utoipa::{PartialSchema as _, ToSchema as _};

use crate::AppState;
use crate::wire::{Nothing, success};

/// Adds a documented path, which ends in a slash, also without the slash. Both forms accept OPTIONS, and HEAD if they
/// accept GET.
pub(super) fn both(routes: Routes<AppState>, route: Route<AppState>) -> Routes<AppState> {
    let allowed = allowed(&route.methods);
    let handlers = route.handlers.options(async move || options(&allowed));
    let short = route.path.trim_end_matches('/').to_owned();
    let describe = Box::new(move || {
        let mut described = (route.describe)();
        for (path, item) in &mut described.paths.paths {
            item.head = item.get.as_ref().map(describe_head);
            item.options = Some(describe_options(path, item));
        }
        described.schemas.push((Done::name().into_owned(), Done::schema()));
        described
    });
    routes.routes(Route { handlers: handlers.clone(), describe, ..route }).undescribed(&short, handlers)
}

/// The methods that a path accepts, for `Allow`.
fn allowed(methods: &[HttpMethod]) -> String {
    let order = [
        (HttpMethod::Get, "GET, HEAD"),
        (HttpMethod::Post, "POST"),
        (HttpMethod::Put, "PUT"),
        (HttpMethod::Delete, "DELETE"),
    ];
    let there = order.iter().filter(|(method, _)| methods.contains(method)).map(|(_, name)| *name);
    there.chain(["OPTIONS"]).collect::<Vec<_>>().join(", ")
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
