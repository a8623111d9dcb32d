//! Friends.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::IntoResponse;
use domain::social::{Friend as DomainFriend, Greeting, Relation, Remark, Standing};
use handset_http::api::v1::Refused;
use handset_http::api::{ApiResult, V1};
use handset_http::body::{missing, ok};
use handset_http::caller::{Origin, Signed};
use handset_http::routes;
use handset_http::routes::Routes;
use handset_http::v1::{self, Fields, Paging, Variable, Wanted};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::ToSchema;

use super::wire::User;
use crate::AppState;

pub(super) fn router() -> Routes<AppState> {
    Routes::new().routes(routes!(get_friends)).routes(routes!(put_friend, patch_friend, delete_friend))
}

fn example() -> Value {
    json!({
        "user": {
            "id": "00000000-000e-8001-8000-5d71a71403f0", "name": "Tom", "phone": "+8613912345678",
            "avatar": "https://api.example.com/images/0123456789abcdef0123456789abcdef.jpg",
        },
        "remark": "Tom from work", "blocked": false, "updated_at": "2026-08-21T10:00:00.000Z",
    })
}

/// A friend.
#[derive(Serialize, ToSchema)]
#[schema(as = v1::Friend, example = example)]
struct Friend {
    user: User,
    /// The current user's own name for the friend. Absent if there is none.
    #[serde(skip_serializing_if = "String::is_empty")]
    remark: String,
    /// Whether the current user has blocked the friend.
    blocked: bool,
    /// When the friendship or the remark last changed.
    updated_at: String,
}

impl Friend {
    fn new(state: &AppState, origin: &Origin, friend: DomainFriend) -> Self {
        let DomainFriend { relation, profile } = friend;
        Self {
            user: User::new(state, origin, relation.other, &profile),
            blocked: relation.is_blocked(),
            updated_at: relation.updated.rfc3339(),
            remark: relation.remark,
        }
    }
}

/// A page of friends.
#[derive(Serialize, ToSchema)]
#[schema(as = v1::Friends, example = json!({ "items": [example()] }))]
struct Friends {
    /// The friends.
    items: Vec<Friend>,
    /// The cursor of the next page. Absent on the last page.
    #[serde(skip_serializing_if = "Option::is_none")]
    next_cursor: Option<String>,
}

/// List the current user's friends.
///
/// The order is that of the users' ids. A blocked friend is in this list and in the list of blocked users.
#[utoipa::path(
    get, path = "/v1/friends", tag = "v1", operation_id = "v1_get_friends", security(("v1_bearer" = [])),
    params(Paging),
    responses((status = 200, description = "A page of friends", body = Friends)),
)]
async fn get_friends(
    State(state): State<AppState>,
    origin: Origin,
    Signed(caller, _): Signed<V1>,
    wanted: Wanted,
) -> ApiResult<V1> {
    let relations = state.friends.relations(caller, Relation::is_friend).await?;
    let page = wanted.page(relations, |relation| relation.other.get())?;
    let friends = state.friends.with_profiles(page.items).await?;
    let items = friends.into_iter().map(|friend| Friend::new(&state, &origin, friend)).collect();
    Ok(ok(Friends { items, next_cursor: page.next_cursor }))
}

/// A friend request.
#[derive(Deserialize, ToSchema)]
#[schema(as = v1::NewFriend, example = json!({ "message": "It is Tom, from work" }))]
struct NewFriend {
    /// The message of the request: up to 64 characters.
    message: Option<String>,
}

/// The state after asking.
#[derive(Serialize, ToSchema)]
#[schema(as = v1::FriendState, example = json!({ "state": "requested" }))]
struct FriendState {
    state: StateName,
}

#[derive(Serialize, ToSchema)]
#[schema(as = v1::FriendStateName)]
#[serde(rename_all = "snake_case")]
enum StateName {
    /// The two are friends.
    Friends,
    /// The other user did not answer yet. Nobody learns whether the other user has blocked them.
    Requested,
}

/// Ask a user to be a friend, or accept that user's request.
///
/// `friends` in the response means that the two are friends now, or were before. Otherwise the request waits for the
/// other user's answer. Sending the same request again changes nothing; another `message` replaces the message. If the
/// current user has blocked the other user, the request unblocks them. An account can send 50 requests a day; accepting
/// does not count.
#[utoipa::path(
    put, path = "/v1/friends/{id}", tag = "v1", operation_id = "v1_put_friend", security(("v1_bearer" = [])),
    request_body = Option<NewFriend>,
    params(("id" = String, Path, description = "The other user's id.", example = "00000000-000e-8001-8000-5d71a71403f0")),
    responses(
        (status = 200, description = "The state", body = FriendState),
        (status = 404, description = "No such user", body = Refused, example = json!({
            "type": "about:blank", "title": "Not Found", "status": 404, "code": "not_found", "detail": "no such user",
        })),
    ),
)]
async fn put_friend(
    State(state): State<AppState>,
    Signed(caller, _): Signed<V1>,
    id: Variable,
    Fields(given): Fields<NewFriend>,
) -> ApiResult<V1> {
    let greeting = given.message.as_deref().map(Greeting::parse).transpose()?;
    let state = match state.friends.ask(caller, id.user()?, greeting.as_ref()).await? {
        Standing::Friends => StateName::Friends,
        Standing::Requested => StateName::Requested,
    };
    Ok(ok(FriendState { state }))
}

/// A merge patch (RFC 7396) of a friend.
#[derive(Deserialize, ToSchema)]
#[schema(as = v1::FriendPatch, example = json!({ "remark": "Tom from work" }))]
#[expect(clippy::option_option, reason = "a field is absent, null or a value")]
struct Patch {
    /// The current user's own name for the friend: up to 32 characters. Null removes it.
    #[serde(default, deserialize_with = "v1::nullable")]
    #[schema(value_type = Option<String>)]
    remark: Option<Option<String>>,
}

/// Set the current user's own name for a friend.
///
/// Other users do not see this name.
#[utoipa::path(
    patch, path = "/v1/friends/{id}", tag = "v1", operation_id = "v1_patch_friend", security(("v1_bearer" = [])),
    request_body = Patch,
    params(("id" = String, Path, description = "The friend's id.", example = "00000000-000e-8001-8000-5d71a71403f0")),
    responses(
        (status = 204, description = "Set"),
        (status = 404, description = "The user is not a friend, or does not exist", body = Refused, example = json!({
            "type": "about:blank", "title": "Not Found", "status": 404, "code": "not_found", "detail": "no such friend",
        })),
    ),
)]
async fn patch_friend(
    State(state): State<AppState>,
    Signed(caller, _): Signed<V1>,
    id: Variable,
    Fields(given): Fields<Patch>,
) -> ApiResult<V1> {
    let remark = given.remark.ok_or_else(|| missing("remark"))?.unwrap_or_default();
    state.friends.remark(caller, id.user()?, &Remark::parse(&remark)?).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

/// End a friendship.
///
/// The friend is not notified, and still has the current user in their own list of friends.
#[utoipa::path(
    delete, path = "/v1/friends/{id}", tag = "v1", operation_id = "v1_delete_friend", security(("v1_bearer" = [])),
    params(("id" = String, Path, description = "The friend's id.", example = "00000000-000e-8001-8000-5d71a71403f0")),
    responses(
        (status = 204, description = "Ended"),
        (status = 404, description = "The user is not a friend, or does not exist", body = Refused, example = json!({
            "type": "about:blank", "title": "Not Found", "status": 404, "code": "not_found", "detail": "no such friend",
        })),
    ),
)]
async fn delete_friend(State(state): State<AppState>, Signed(caller, _): Signed<V1>, id: Variable) -> ApiResult<V1> {
    state.friends.delete(caller, id.user()?).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}
