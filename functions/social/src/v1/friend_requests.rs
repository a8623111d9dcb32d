//! Friend requests.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::IntoResponse;
use domain::social::{Friend, Relation, Status};
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

use super::wire::{User, newest_first};
use crate::AppState;

pub(super) fn router() -> Routes<AppState> {
    Routes::new().routes(routes!(get_friend_requests)).routes(routes!(delete_friend_request))
}

fn example() -> Value {
    json!({
        "user": { "id": "00000000-000e-8001-8000-5d71a71403f0", "name": "Tom" },
        "direction": "received", "message": "It is Tom, from work", "created_at": "2026-08-21T10:00:00.000Z",
    })
}

/// A friend request that is not answered yet.
#[derive(Serialize, ToSchema)]
#[schema(as = v1::FriendRequest, example = example)]
struct FriendRequest {
    /// The other user. Their id is the id of the request.
    user: User,
    direction: Direction,
    /// The message of the request. Absent if there is none.
    #[serde(skip_serializing_if = "String::is_empty")]
    message: String,
    /// When the request was last sent.
    created_at: String,
}

/// Who sent a request.
#[derive(Serialize, ToSchema)]
#[schema(as = v1::Direction)]
#[serde(rename_all = "snake_case")]
enum Direction {
    /// The other user sent it.
    Received,
    /// The current user sent it.
    Sent,
}

impl FriendRequest {
    fn new(state: &AppState, origin: &Origin, friend: Friend) -> Self {
        let Friend { relation, profile } = friend;
        let direction = if relation.status == Some(Status::Asked) { Direction::Sent } else { Direction::Received };
        Self {
            user: User::new(state, origin, relation.other, &profile),
            direction,
            created_at: relation.asked.unwrap_or(relation.updated).rfc3339(),
            message: relation.message,
        }
    }
}

/// A page of friend requests.
#[derive(Serialize, ToSchema)]
#[schema(as = v1::FriendRequests, example = json!({ "items": [example()] }))]
struct FriendRequests {
    /// The requests.
    items: Vec<FriendRequest>,
    /// The cursor of the next page. Absent on the last page.
    #[serde(skip_serializing_if = "Option::is_none")]
    next_cursor: Option<String>,
}

fn is_open(relation: &Relation) -> bool {
    matches!(relation.status, Some(Status::Asked | Status::WasAsked))
}

/// List the friend requests that are not answered yet, received and sent.
///
/// The newest request comes first. Requests that the current user ignored are not listed. A request that the current user
/// sent stays in the list when the other user ignores it.
#[utoipa::path(
    get, path = "/v1/friend_requests", tag = "v1", operation_id = "v1_get_friend_requests",
    security(("v1_bearer" = [])), params(Paging),
    responses((status = 200, description = "A page of friend requests", body = FriendRequests)),
)]
async fn get_friend_requests(
    State(state): State<AppState>,
    origin: Origin,
    Signed(caller, _): Signed<V1>,
    wanted: Wanted,
) -> ApiResult<V1> {
    let mut relations = state.friends.relations(caller, is_open).await?;
    relations.sort_by_key(newest_first);
    let page = wanted.page(relations, newest_first)?;
    let requests = state.friends.with_profiles(page.items).await?;
    let items = requests.into_iter().map(|friend| FriendRequest::new(&state, &origin, friend)).collect();
    Ok(ok(FriendRequests { items, next_cursor: page.next_cursor }))
}

/// Ignore a friend request that the current user received.
///
/// The other user is not notified, and can send another request. To accept a request, use `PUT /v1/friends/{id}`. A
/// request that the current user sent cannot be taken back: 404.
#[utoipa::path(
    delete, path = "/v1/friend_requests/{id}", tag = "v1", operation_id = "v1_delete_friend_request",
    security(("v1_bearer" = [])),
    params(("id" = String, Path, description = "The id of the user who sent the request.", example = "00000000-000e-8001-8000-5d71a71403f0")),
    responses(
        (status = 204, description = "Ignored"),
        (status = 404, description = "There is no request from this user, or no such user", body = Refused, example = json!({
            "type": "about:blank", "title": "Not Found", "status": 404, "code": "not_found",
            "detail": "no such friend request",
        })),
    ),
)]
async fn delete_friend_request(
    State(state): State<AppState>,
    Signed(caller, _): Signed<V1>,
    id: Variable,
) -> ApiResult<V1> {
    state.friends.ignore(caller, id.user()?).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}
