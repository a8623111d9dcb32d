//! The bulletin of a group.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::IntoResponse;
use handset_http::api::v1::Refused;
use handset_http::api::{ApiResult, V1};
use handset_http::body::ok;
use handset_http::caller::Signed;
use handset_http::routes;
use handset_http::routes::Routes;
use handset_http::v1::{Fields, Variable};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::AppState;

pub(super) fn router() -> Routes<AppState> {
    Routes::new().routes(routes!(get_bulletin, put_bulletin, delete_bulletin))
}

/// The bulletin of a group.
#[derive(Serialize, ToSchema)]
#[schema(as = v1::Bulletin, example = json!({
    "content": "We meet at four.", "posted_at": "2026-08-21T10:00:00.000Z",
}))]
struct Bulletin {
    content: String,
    posted_at: String,
}

/// Get a group's bulletin.
///
/// For the members.
#[utoipa::path(
    get, path = "/v1/groups/{id}/bulletin", tag = "v1", operation_id = "v1_get_bulletin",
    security(("v1_bearer" = [])),
    params(("id" = String, Path, description = "The group's id.", example = "00000000-0012-8007-8000-3c4d5e6f7a8b")),
    responses(
        (status = 200, description = "The bulletin", body = Bulletin),
        (status = 403, description = "The current user is not a member", body = Refused, example = json!({
            "type": "about:blank", "title": "Forbidden", "status": 403, "code": "group_rule",
            "detail": "you are not a member of this group",
        })),
        (status = 404, description = "The group has no bulletin, or there is no such group", body = Refused, example = json!({
            "type": "about:blank", "title": "Not Found", "status": 404, "code": "group_rule",
            "detail": "the group has no bulletin",
        })),
    ),
)]
async fn get_bulletin(State(state): State<AppState>, Signed(caller, _): Signed<V1>, id: Variable) -> ApiResult<V1> {
    let bulletin = state.groups.bulletin(caller, id.group()?).await?;
    Ok(ok(Bulletin { content: bulletin.content, posted_at: bulletin.posted.rfc3339() }))
}

/// A bulletin to post.
#[derive(Deserialize, ToSchema)]
#[schema(as = v1::NewBulletin, example = json!({ "content": "We meet at four." }))]
struct NewBulletin {
    /// Up to 1024 characters. An empty text removes the bulletin.
    content: String,
}

/// Post a group's bulletin.
///
/// For the owner and the managers. The new bulletin replaces the old one, and the members are notified.
#[utoipa::path(
    put, path = "/v1/groups/{id}/bulletin", tag = "v1", operation_id = "v1_put_bulletin",
    security(("v1_bearer" = [])), request_body = NewBulletin,
    params(("id" = String, Path, description = "The group's id.", example = "00000000-0012-8007-8000-3c4d5e6f7a8b")),
    responses(
        (status = 204, description = "Posted"),
        (status = 403, description = "The current user is neither owner nor manager", body = Refused, example = json!({
            "type": "about:blank", "title": "Forbidden", "status": 403, "code": "group_rule",
            "detail": "only the owner and managers of the group may do this",
        })),
        (status = 404, description = "No such group", body = Refused, example = json!({
            "type": "about:blank", "title": "Not Found", "status": 404, "code": "not_found", "detail": "no such group",
        })),
    ),
)]
async fn put_bulletin(
    State(state): State<AppState>,
    Signed(caller, _): Signed<V1>,
    id: Variable,
    Fields(given): Fields<NewBulletin>,
) -> ApiResult<V1> {
    state.groups.post(caller, id.group()?, &given.content).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

/// Remove a group's bulletin.
///
/// For the owner and the managers. It is not an error if there is none.
#[utoipa::path(
    delete, path = "/v1/groups/{id}/bulletin", tag = "v1", operation_id = "v1_delete_bulletin",
    security(("v1_bearer" = [])),
    params(("id" = String, Path, description = "The group's id.", example = "00000000-0012-8007-8000-3c4d5e6f7a8b")),
    responses(
        (status = 204, description = "Removed"),
        (status = 403, description = "The current user is neither owner nor manager", body = Refused, example = json!({
            "type": "about:blank", "title": "Forbidden", "status": 403, "code": "group_rule",
            "detail": "only the owner and managers of the group may do this",
        })),
        (status = 404, description = "No such group", body = Refused, example = json!({
            "type": "about:blank", "title": "Not Found", "status": 404, "code": "not_found", "detail": "no such group",
        })),
    ),
)]
async fn delete_bulletin(State(state): State<AppState>, Signed(caller, _): Signed<V1>, id: Variable) -> ApiResult<V1> {
    state.groups.post(caller, id.group()?, "").await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}
