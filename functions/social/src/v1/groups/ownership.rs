//! What only the owner of a group does.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::IntoResponse;
use handset_http::api::v1::Refused;
use handset_http::api::{ApiResult, V1};
use handset_http::caller::Signed;
use handset_http::routes;
use handset_http::routes::Routes;
use handset_http::v1::{self, Fields, Variable};
use serde::Deserialize;
use utoipa::ToSchema;

use crate::AppState;

pub(super) fn router() -> Routes<AppState> {
    Routes::new().routes(routes!(post_transfer)).routes(routes!(delete_group))
}

/// The new owner of a group.
#[derive(Deserialize, ToSchema)]
#[schema(as = v1::Transfer, example = json!({ "to": "00000000-0003-8001-8000-0a1b2c3d4e5f" }))]
struct Transfer {
    /// The id of another member.
    to: String,
}

/// Make another member the owner of a group.
///
/// For the owner, who becomes an ordinary member.
#[utoipa::path(
    post, path = "/v1/groups/{id}/transfer", tag = "v1", operation_id = "v1_post_transfer",
    security(("v1_bearer" = [])), request_body = Transfer,
    params(("id" = String, Path, description = "The group's id.", example = "00000000-0012-8007-8000-3c4d5e6f7a8b")),
    responses(
        (status = 204, description = "The other member is the owner now"),
        (status = 403, description = "The current user is not the owner, or `to` is their own id", body = Refused, example = json!({
            "type": "about:blank", "title": "Forbidden", "status": 403, "code": "group_rule",
            "detail": "only the owner of the group may do this",
        })),
        (status = 404, description = "No such group, or the other user is not in it", body = Refused, example = json!({
            "type": "about:blank", "title": "Not Found", "status": 404, "code": "group_rule",
            "detail": "a user in the request is not in the group",
        })),
    ),
)]
async fn post_transfer(
    State(state): State<AppState>,
    Signed(caller, _): Signed<V1>,
    id: Variable,
    Fields(given): Fields<Transfer>,
) -> ApiResult<V1> {
    state.groups.transfer(caller, id.group()?, v1::user(&given.to)?).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

/// Dissolve a group.
///
/// For the owner. The group is gone for all members at once.
#[utoipa::path(
    delete, path = "/v1/groups/{id}", tag = "v1", operation_id = "v1_delete_group", security(("v1_bearer" = [])),
    params(("id" = String, Path, description = "The group's id.", example = "00000000-0012-8007-8000-3c4d5e6f7a8b")),
    responses(
        (status = 204, description = "Dissolved"),
        (status = 403, description = "The current user is not the owner", body = Refused, example = json!({
            "type": "about:blank", "title": "Forbidden", "status": 403, "code": "group_rule",
            "detail": "only the owner of the group may do this",
        })),
        (status = 404, description = "No such group", body = Refused, example = json!({
            "type": "about:blank", "title": "Not Found", "status": 404, "code": "not_found", "detail": "no such group",
        })),
    ),
)]
async fn delete_group(State(state): State<AppState>, Signed(caller, _): Signed<V1>, id: Variable) -> ApiResult<V1> {
    state.groups.dismiss(caller, id.group()?).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}
