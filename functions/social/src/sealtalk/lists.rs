//! The blacklist, and the list of the user's groups: the part that the published documentation describes.
//!
//! The documentation shows flat entries, and the clients read nested ones. Each entry is both.

use axum::extract::State;
use domain::short_id;
use domain::social::group::MOST_MEMBERS;
use domain::social::{Friend, Mine};
use handset_http::api::ApiResult;
use handset_http::api::SealTalk;
use handset_http::api::sealtalk::{Done, DoneOrRefused, Refused, Success};
use handset_http::body::Params;
use handset_http::caller::{Origin, Signed};
use handset_http::routes;
use handset_http::routes::Routes;
use serde::Serialize;
use utoipa::ToSchema;

use super::wire::FriendId;
use crate::AppState;

pub(super) fn router() -> Routes<AppState> {
    Routes::new()
        .routes(routes!(get_blacklist))
        .routes(routes!(add_to_blacklist))
        .routes(routes!(remove_from_blacklist))
        .routes(routes!(get_groups))
}

/// A blocked user.
#[derive(Clone, Serialize, ToSchema)]
#[schema(as = sealtalk::BlacklistUser)]
#[serde(rename_all = "camelCase")]
struct BlacklistUser {
    /// The user's id.
    id: String,
    nickname: String,
    portrait_uri: String,
    /// When the user's data last changed, in ISO 8601.
    updated_at: String,
}

/// A blocked user: flat, as in the original documentation, and again under `user`, where existing clients read it.
#[derive(Serialize, ToSchema)]
#[schema(as = sealtalk::BlacklistEntry)]
struct BlacklistEntry {
    #[serde(flatten)]
    flat: BlacklistUser,
    user: BlacklistUser,
}

impl BlacklistEntry {
    fn new(state: &AppState, origin: &Origin, friend: Friend) -> Self {
        let user = BlacklistUser {
            id: short_id::encode(friend.relation.other),
            nickname: friend.profile.name,
            portrait_uri: state.url.absolute(origin, &friend.profile.avatar),
            updated_at: friend.relation.updated.rfc3339(),
        };
        Self { flat: user.clone(), user }
    }
}

/// A group as the original documentation shows it.
#[derive(Clone, Serialize, ToSchema)]
#[schema(as = sealtalk::ListedGroup)]
#[serde(rename_all = "camelCase")]
struct ListedGroup {
    /// The group's id.
    id: String,
    name: String,
    portrait_uri: String,
    /// The id of the group's owner.
    creator_id: String,
    /// How many members the group has.
    member_count: usize,
}

/// A group as existing clients read it.
#[derive(Serialize, ToSchema)]
#[schema(as = sealtalk::NestedGroup)]
#[serde(rename_all = "camelCase")]
struct NestedGroup {
    #[serde(flatten)]
    flat: ListedGroup,
    /// The most members that the group can have.
    max_member_count: usize,
}

/// A group of the current user: flat, as in the original documentation, and again under `group`, where existing clients
/// read it.
#[derive(Serialize, ToSchema)]
#[schema(as = sealtalk::GroupEntry)]
struct GroupEntry {
    #[serde(flatten)]
    flat: ListedGroup,
    /// The current user's role: 0 = owner, 1 = member, 2 = manager.
    role: u8,
    group: NestedGroup,
}

impl GroupEntry {
    fn new(state: &AppState, origin: &Origin, mine: Mine) -> Self {
        let Mine { group, role } = mine;
        let flat = ListedGroup {
            id: short_id::encode(group.id),
            name: group.name,
            portrait_uri: state.url.absolute(origin, &group.portrait),
            creator_id: short_id::encode(group.owner),
            member_count: group.members,
        };
        let group = NestedGroup { flat: flat.clone(), max_member_count: MOST_MEMBERS };
        Self { flat, role: role.number(), group }
    }
}

/// List blocked users.
#[utoipa::path(
    method(get, post), path = "/user/blacklist", tag = "sealtalk", operation_id = "sealtalk_blacklist",
    security(("sealtalk_session" = [])),
    responses(
        (status = 200, description = "All blocked users", body = inline(Success<Vec<BlacklistEntry>>),
            example = json!({ "code": 200, "result": [{
                "id": "sdf9sd0d", "nickname": "Tom", "portraitUri": "http://test.com/user/abc123.jpg",
                "updatedAt": "2026-01-31T10:00:00.000Z",
                "user": {
                    "id": "sdf9sd0d", "nickname": "Tom", "portraitUri": "http://test.com/user/abc123.jpg",
                    "updatedAt": "2026-01-31T10:00:00.000Z",
                },
            }] })),
    ),
)]
async fn get_blacklist(
    State(state): State<AppState>,
    origin: Origin,
    Signed(caller, _): Signed<SealTalk>,
) -> ApiResult<SealTalk> {
    let blocked = state.friends.blacklist(caller).await?;
    let entries = blocked.into_iter().map(|friend| BlacklistEntry::new(&state, &origin, friend));
    Ok(SealTalk::result(entries.collect::<Vec<_>>()))
}

/// Block a user.
///
/// The user does not have to be a friend, and is not notified. Nothing happens if the user is blocked already.
#[utoipa::path(
    post, path = "/user/add_to_blacklist", tag = "sealtalk", operation_id = "sealtalk_add_to_blacklist",
    security(("sealtalk_session" = [])), request_body = FriendId,
    responses(
        (status = 200, description = "The user is blocked. Code 5000: the blacklist is full", body = inline(DoneOrRefused),
            examples(
                ("success" = (value = json!({ "code": 200 }))),
                ("full" = (value = json!({ "code": 5_000, "message": "the blacklist is full; remove a person first" }))),
            )),
        (status = 400, description = "`friendId` is the current user's own id",
            body = Refused, example = json!({ "code": 400, "message": "friendId is your own id" })),
        (status = 404, description = "No such user", body = Refused, example = json!({ "code": 404, "message": "no such user" })),
    ),
)]
async fn add_to_blacklist(
    State(state): State<AppState>,
    Signed(caller, _): Signed<SealTalk>,
    Params(given, _): Params<SealTalk, FriendId>,
) -> ApiResult<SealTalk> {
    state.friends.block(caller, short_id::decode(&given.friend_id)?).await?;
    Ok(SealTalk::done())
}

/// Unblock a user.
///
/// If the two were friends, they are friends again. Nothing happens if the user was not blocked.
#[utoipa::path(
    post, path = "/user/remove_from_blacklist", tag = "sealtalk", operation_id = "sealtalk_remove_from_blacklist",
    security(("sealtalk_session" = [])), request_body = FriendId,
    responses(
        (status = 200, description = "The user is not blocked any more", body = Done, example = json!({ "code": 200 })),
        (status = 400, description = "`friendId` is the current user's own id",
            body = Refused, example = json!({ "code": 400, "message": "friendId is your own id" })),
        (status = 404, description = "No such user", body = Refused, example = json!({ "code": 404, "message": "no such user" })),
    ),
)]
async fn remove_from_blacklist(
    State(state): State<AppState>,
    Signed(caller, _): Signed<SealTalk>,
    Params(given, _): Params<SealTalk, FriendId>,
) -> ApiResult<SealTalk> {
    state.friends.pardon(caller, short_id::decode(&given.friend_id)?).await?;
    Ok(SealTalk::done())
}

/// List the current user's groups.
#[utoipa::path(
    method(get, post), path = "/user/groups", tag = "sealtalk", operation_id = "sealtalk_groups",
    security(("sealtalk_session" = [])),
    responses(
        (status = 200, description = "All groups of the current user", body = inline(Success<Vec<GroupEntry>>),
            example = json!({ "code": 200, "result": [{
                "id": "fgh809fg", "name": "Team 1", "portraitUri": "http://test.com/group/abc123.jpg",
                "creatorId": "sdf9sd0d", "memberCount": 5, "role": 1,
                "group": {
                    "id": "fgh809fg", "name": "Team 1", "portraitUri": "http://test.com/group/abc123.jpg",
                    "creatorId": "sdf9sd0d", "memberCount": 5, "maxMemberCount": 500,
                },
            }] })),
    ),
)]
async fn get_groups(
    State(state): State<AppState>,
    origin: Origin,
    Signed(caller, _): Signed<SealTalk>,
) -> ApiResult<SealTalk> {
    let groups = state.groups.mine(caller).await?;
    let entries = groups.into_iter().map(|mine| GroupEntry::new(&state, &origin, mine));
    Ok(SealTalk::result(entries.collect::<Vec<_>>()))
}
