//! Whether the service answers, and the description of this API.

use std::borrow::Cow;

use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::response::IntoResponse;
use handset_http::constant;
use handset_http::routes;
use handset_http::routes::Routes;
use serde::Serialize;
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{AdditionalProperties, Object, ObjectBuilder, Schema, Type};
use utoipa::{PartialSchema, ToSchema};

use crate::AppState;

/// The committed description. A test compares it with the handlers.
const DESCRIPTION: &str = include_str!("../../../../docs/openapi/v1.json");

pub(super) fn router() -> Routes<AppState> {
    Routes::new().routes(routes!(get_health)).routes(routes!(get_openapi))
}

/// Whether the service answers.
#[derive(Serialize, ToSchema)]
#[schema(as = v1::Health, example = json!({ "status": "ok" }))]
struct Health {
    /// Always `ok`.
    #[schema(schema_with = status)]
    status: &'static str,
}

fn status() -> Object {
    constant::text("ok", "Always `ok`.")
}

/// Check that the service answers.
///
/// The gateway and a function are running. It reads no data, so it says nothing about the table and the bucket.
#[utoipa::path(
    get, path = "/healthz", tag = "v1", operation_id = "v1_get_health",
    responses((status = 200, description = "The service answers", body = Health)),
)]
async fn get_health() -> impl IntoResponse {
    axum::Json(Health { status: "ok" })
}

/// An `OpenAPI` document, which may have any fields.
struct Document;

impl PartialSchema for Document {
    fn schema() -> RefOr<Schema> {
        let any = ObjectBuilder::new().schema_type(Type::Object).description(Some("An OpenAPI 3.1 document."));
        RefOr::T(any.additional_properties(Some(AdditionalProperties::FreeForm(true))).build().into())
    }
}

impl ToSchema for Document {
    fn name() -> Cow<'static, str> {
        "v1.Document".into()
    }
}

/// Get the description of this API.
///
/// For people, `GET /docs` shows it as a page on which requests can be tried.
#[utoipa::path(
    get, path = "/openapi.json", tag = "v1", operation_id = "v1_get_openapi",
    responses((status = 200, description = "An OpenAPI 3.1 document", body = inline(Document),
        headers(("Cache-Control" = String, description = "Five minutes.")),
        example = json!({ "openapi": "3.1.0", "info": { "title": "Handset: the common API", "version": "0.1.0" } }))),
)]
async fn get_openapi() -> impl IntoResponse {
    ([(CACHE_CONTROL, "public, max-age=300"), (CONTENT_TYPE, "application/json")], DESCRIPTION)
}
