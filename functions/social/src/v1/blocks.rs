//! Blocked users.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::IntoResponse;
use domain::social::{Friend, Relation};
use handset_http::api::v1::Refused;
use handset_http::api::{ApiResult, V1};
use handset_http::body::ok;
use handset_http::caller::{Origin, Signed};
use handset_http::routes;
use handset_http::routes::Routes;
use handset_http::v1::{Paging, Variable, Wanted};
use serde::Serialize;
use serde_json::{Value, json};
use utoipa::ToSchema;

use super::wire::User;
use crate::AppState;

pub(super) fn router() -> Routes<AppState> {
    Routes::new().routes(routes!(get_blocks)).routes(routes!(put_block, delete_block))
}

fn example() -> Value {
    json!({
        "user": { "id": "00000000-000e-8001-8000-5d71a71403f0", "name": "Tom" },
        "updated_at": "2026-08-21T10:00:00.000Z",
    })
}

/// A blocked user.
#[derive(Serialize, ToSchema)]
#[schema(as = v1::Block, example = example)]
struct Block {
    user: User,
    /// When the relation to the user last changed.
    updated_at: String,
}

impl Block {
    fn new(state: &AppState, origin: &Origin, friend: &Friend) -> Self {
        Self {
            user: User::new(state, origin, friend.relation.other, &friend.profile),
            updated_at: friend.relation.updated.rfc3339(),
        }
    }
}

/// A page of blocked users.
#[derive(Serialize, ToSchema)]
#[schema(as = v1::Blocks, example = json!({ "items": [example()] }))]
struct Blocks {
    /// The blocked users.
    items: Vec<Block>,
    /// The cursor of the next page. Absent on the last page.
    #[serde(skip_serializing_if = "Option::is_none")]
    next_cursor: Option<String>,
}

/// List the users whom the current user has blocked.
///
/// The order is that of the users' ids.
#[utoipa::path(
    get, path = "/v1/blocks", tag = "v1", operation_id = "v1_get_blocks", security(("v1_bearer" = [])),
    params(Paging),
    responses((status = 200, description = "A page of blocked users", body = Blocks)),
)]
async fn get_blocks(
    State(state): State<AppState>,
    origin: Origin,
    Signed(caller, _): Signed<V1>,
    wanted: Wanted,
) -> ApiResult<V1> {
    let relations = state.friends.relations(caller, Relation::is_blocked).await?;
    let page = wanted.page(relations, |relation| relation.other.get())?;
    let blocked = state.friends.with_profiles(page.items).await?;
    let items = blocked.iter().map(|friend| Block::new(&state, &origin, friend)).collect();
    Ok(ok(Blocks { items, next_cursor: page.next_cursor }))
}

/// Block a user.
///
/// A blocked user cannot send a friend request to the current user or add them to a group, and is not notified of the
/// block. The user does not have to be a friend; a friend stays a friend. Blocking again changes nothing.
#[utoipa::path(
    put, path = "/v1/blocks/{id}", tag = "v1", operation_id = "v1_put_block", security(("v1_bearer" = [])),
    params(("id" = String, Path, description = "The other user's id.", example = "00000000-000e-8001-8000-5d71a71403f0")),
    responses(
        (status = 204, description = "The user is blocked"),
        (status = 403, description = "The current user has blocked 5,000 users", body = Refused, example = json!({
            "type": "about:blank", "title": "Forbidden", "status": 403, "code": "full",
            "detail": "the blacklist is full; remove a person first",
        })),
        (status = 404, description = "No such user", body = Refused, example = json!({
            "type": "about:blank", "title": "Not Found", "status": 404, "code": "not_found", "detail": "no such user",
        })),
    ),
)]
async fn put_block(State(state): State<AppState>, Signed(caller, _): Signed<V1>, id: Variable) -> ApiResult<V1> {
    state.friends.block(caller, id.user()?).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

/// Unblock a user.
///
/// Nothing changes if the user was not blocked.
#[utoipa::path(
    delete, path = "/v1/blocks/{id}", tag = "v1", operation_id = "v1_delete_block", security(("v1_bearer" = [])),
    params(("id" = String, Path, description = "The other user's id.", example = "00000000-000e-8001-8000-5d71a71403f0")),
    responses(
        (status = 204, description = "The user is not blocked"),
        (status = 404, description = "No such user", body = Refused, example = json!({
            "type": "about:blank", "title": "Not Found", "status": 404, "code": "not_found", "detail": "no such user",
        })),
    ),
)]
async fn delete_block(State(state): State<AppState>, Signed(caller, _): Signed<V1>, id: Variable) -> ApiResult<V1> {
    state.friends.pardon(caller, id.user()?).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}
