//! Friendship.

use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use domain::phone::Phone;
use domain::social::friends::Action;
use domain::social::{Friend, Greeting, Remark, Status};
use domain::{Error, short_id};
use handset_http::api::ApiResult;
use handset_http::api::SealTalk;
use handset_http::api::sealtalk::{Done, Either, Refused, Success};
use handset_http::body::Params;
use handset_http::caller::{Origin, Signed};
use handset_http::routes;
use handset_http::routes::Routes;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::wire::FriendId;
use crate::AppState;

pub(super) fn router() -> Routes<AppState> {
    Routes::new()
        .routes(routes!(invite_friend))
        .routes(routes!(agree_to_friend))
        .routes(routes!(ignore_friend))
        .routes(routes!(delete_friend))
        .routes(routes!(set_friend_display_name))
        .routes(routes!(get_friends))
        .routes(routes!(get_friend_profile))
}

/// A friend request.
#[derive(Deserialize, ToSchema)]
#[schema(as = sealtalk::Invite, example = json!({ "friendId": "d9ewr89j238", "message": "It is Tom, from work" }))]
#[serde(rename_all = "camelCase")]
struct Invite {
    /// The user's id.
    friend_id: String,
    /// The message of the request: up to 64 characters.
    #[serde(default)]
    message: Option<String>,
}

/// The current user's own name for a friend.
#[derive(Deserialize, ToSchema)]
#[schema(as = sealtalk::SetFriendDisplayName, example = json!({ "friendId": "d9ewr89j238", "displayName": "Tom from work" }))]
#[serde(rename_all = "camelCase")]
struct SetDisplayName {
    /// The user's id.
    friend_id: String,
    /// Up to 32 characters; an empty text removes the name.
    display_name: String,
}

/// The result of a request.
#[derive(Serialize, ToSchema)]
#[schema(as = sealtalk::FriendshipOutcome)]
struct ActionTaken {
    /// `Added`: both are friends now. `Sent`: the request was sent. `None`: nothing changed.
    action: &'static str,
}

impl From<Action> for ActionTaken {
    fn from(action: Action) -> Self {
        let action = match action {
            Action::Added => "Added",
            Action::Sent => "Sent",
            Action::Nothing => "None",
        };
        Self { action }
    }
}

/// A user with their phone number, which only friends see.
#[derive(Serialize, ToSchema)]
#[schema(as = sealtalk::FriendUser)]
#[serde(rename_all = "camelCase")]
struct FriendUser {
    /// The user's id.
    id: String,
    nickname: String,
    /// Country calling code. Empty unless the two are friends, or if the friend has no number.
    region: String,
    /// Phone number without the calling code. Empty in the same cases.
    phone: String,
    portrait_uri: String,
}

impl FriendUser {
    fn new(state: &AppState, origin: &Origin, friend: &Friend) -> Self {
        let phone = friend.profile.phone.as_deref().and_then(|phone| phone.parse::<Phone>().ok());
        Self {
            id: short_id::encode(friend.relation.other),
            nickname: friend.profile.name.clone(),
            region: phone.as_ref().map(|phone| phone.zone().to_string()).unwrap_or_default(),
            phone: phone.as_ref().map(|phone| phone.national().to_owned()).unwrap_or_default(),
            portrait_uri: state.url.absolute(origin, &friend.profile.avatar),
        }
    }
}

/// An entry of the list of friends.
#[derive(Serialize, ToSchema)]
#[schema(as = sealtalk::Friendship)]
#[serde(rename_all = "camelCase")]
struct Friendship {
    /// The current user's own name for this user.
    display_name: String,
    /// The message of a friend request that is not answered yet.
    message: String,
    /// 10 = request sent, 11 = request received, 20 = friends, 21 = request ignored, 30 = friendship ended, 31 = friend
    /// blocked.
    status: u8,
    /// When the entry last changed, in ISO 8601.
    updated_at: String,
    /// The same time in milliseconds since 1970.
    updated_time: i64,
    user: FriendUser,
}

impl Friendship {
    fn new(state: &AppState, origin: &Origin, friend: Friend) -> Option<Self> {
        let user = FriendUser::new(state, origin, &friend);
        let relation = friend.relation;
        Some(Self {
            display_name: relation.remark,
            message: relation.message,
            status: relation.status.map(Status::number)?,
            updated_at: relation.updated.rfc3339(),
            updated_time: relation.updated.millis(),
            user,
        })
    }
}

/// The profile of a friend.
#[derive(Serialize, ToSchema)]
#[schema(as = sealtalk::FriendProfile)]
#[serde(rename_all = "camelCase")]
struct Profile {
    /// The current user's own name for this user.
    display_name: String,
    user: FriendUser,
}

/// Send a friend request.
///
/// If the current user has blocked the other user, the request unblocks them.
#[utoipa::path(
    post, path = "/friendship/invite", tag = "sealtalk", operation_id = "sealtalk_friendship_invite",
    security(("sealtalk_session" = [])), request_body = Invite,
    responses(
        (status = 200, description = "`Sent`; `Added` if the other user had sent a request before, so both are friends now; `None` if nothing changed. Code 5000: the current user sent 50 requests today", body = inline(Either<ActionTaken>),
            examples(
                ("success" = (value = json!({ "code": 200, "result": { "action": "Sent" } }))),
                ("too many requests" = (value = json!({ "code": 5_000, "message": "too many friend requests today; try again in 2 hours" }))),
            )),
        (status = 400, description = "The two are friends already, `friendId` is the current user's own id, or the message has more than 64 characters",
            body = Refused, example = json!({ "code": 400, "message": "you are already friends" })),
        (status = 404, description = "No such user", body = Refused, example = json!({ "code": 404, "message": "no such user" })),
    ),
)]
async fn invite_friend(
    State(state): State<AppState>,
    Signed(caller, _): Signed<SealTalk>,
    Params(given, _): Params<SealTalk, Invite>,
) -> ApiResult<SealTalk> {
    let greeting = Greeting::parse(given.message.as_deref().unwrap_or_default())?;
    let action = state.friends.invite(caller, short_id::decode(&given.friend_id)?, &greeting).await?;
    Ok(SealTalk::result(ActionTaken::from(action)))
}

/// Accept a friend request.
///
/// If the current user has blocked the other user, accepting unblocks them. Accepting again is not an error.
#[utoipa::path(
    post, path = "/friendship/agree", tag = "sealtalk", operation_id = "sealtalk_friendship_agree",
    security(("sealtalk_session" = [])), request_body = FriendId,
    responses(
        (status = 200, description = "The two are friends now", body = inline(Success<ActionTaken>), example = json!({ "code": 200, "result": { "action": "Added" } })),
        (status = 400, description = "`friendId` is the current user's own id",
            body = Refused, example = json!({ "code": 400, "message": "friendId is somebody else" })),
        (status = 404, description = "There is no request from this user, or no such user", body = Refused, example = json!({ "code": 404, "message": "no such friend request" })),
    ),
)]
async fn agree_to_friend(
    State(state): State<AppState>,
    Signed(caller, _): Signed<SealTalk>,
    Params(given, _): Params<SealTalk, FriendId>,
) -> ApiResult<SealTalk> {
    state.friends.agree(caller, short_id::decode(&given.friend_id)?).await?;
    Ok(SealTalk::result(ActionTaken::from(Action::Added)))
}

/// Ignore a friend request.
///
/// The other user is not notified, and can send another request.
#[utoipa::path(
    post, path = "/friendship/ignore", tag = "sealtalk", operation_id = "sealtalk_friendship_ignore",
    security(("sealtalk_session" = [])), request_body = FriendId,
    responses(
        (status = 200, description = "The request is ignored", body = Done, example = json!({ "code": 200 })),
        (status = 400, description = "`friendId` is the current user's own id",
            body = Refused, example = json!({ "code": 400, "message": "friendId is somebody else" })),
        (status = 404, description = "There is no request from this user, or no such user", body = Refused, example = json!({ "code": 404, "message": "no such friend request" })),
    ),
)]
async fn ignore_friend(
    State(state): State<AppState>,
    Signed(caller, _): Signed<SealTalk>,
    Params(given, _): Params<SealTalk, FriendId>,
) -> ApiResult<SealTalk> {
    state.friends.ignore(caller, short_id::decode(&given.friend_id)?).await?;
    Ok(SealTalk::done())
}

/// End a friendship.
///
/// The friend is not notified, and still sees the current user in their own list of friends.
#[utoipa::path(
    post, path = "/friendship/delete", tag = "sealtalk", operation_id = "sealtalk_friendship_delete",
    security(("sealtalk_session" = [])), request_body = FriendId,
    responses(
        (status = 200, description = "The friendship is ended", body = Done, example = json!({ "code": 200 })),
        (status = 400, description = "`friendId` is the current user's own id",
            body = Refused, example = json!({ "code": 400, "message": "friendId is your own id" })),
        (status = 404, description = "The user is not a friend, or does not exist", body = Refused, example = json!({ "code": 404, "message": "no such friend" })),
    ),
)]
async fn delete_friend(
    State(state): State<AppState>,
    Signed(caller, _): Signed<SealTalk>,
    Params(given, _): Params<SealTalk, FriendId>,
) -> ApiResult<SealTalk> {
    state.friends.delete(caller, short_id::decode(&given.friend_id)?).await?;
    Ok(SealTalk::done())
}

/// Set the current user's own name for a friend.
///
/// Other users do not see this name.
#[utoipa::path(
    post, path = "/friendship/set_display_name", tag = "sealtalk", operation_id = "sealtalk_friendship_set_display_name",
    security(("sealtalk_session" = [])), request_body = SetDisplayName,
    responses(
        (status = 200, description = "Set", body = Done, example = json!({ "code": 200 })),
        (status = 400, description = "`friendId` is the current user's own id, or the name has more than 32 characters",
            body = Refused, example = json!({ "code": 400, "message": "displayName must have at most 32 characters and no control characters" })),
        (status = 404, description = "The user is not a friend, or does not exist", body = Refused, example = json!({ "code": 404, "message": "no such friend" })),
    ),
)]
async fn set_friend_display_name(
    State(state): State<AppState>,
    Signed(caller, _): Signed<SealTalk>,
    Params(given, _): Params<SealTalk, SetDisplayName>,
) -> ApiResult<SealTalk> {
    let remark = Remark::parse(&given.display_name)?;
    state.friends.remark(caller, short_id::decode(&given.friend_id)?, &remark).await?;
    Ok(SealTalk::done())
}

/// List friends, past friends and friend requests.
#[utoipa::path(
    get, path = "/friendship/all", tag = "sealtalk", operation_id = "sealtalk_friendship_all",
    security(("sealtalk_session" = [])),
    responses(
        (status = 200, description = "All entries. Only friends have a phone number", body = inline(Success<Vec<Friendship>>),
            example = json!({ "code": 200, "result": [{
                "displayName": "Tom from work", "message": "", "status": 20,
                "updatedAt": "2026-01-31T10:00:00.000Z", "updatedTime": 1_769_853_600_000_i64,
                "user": {
                    "id": "sdf9sd0d", "nickname": "Tom", "region": "86", "phone": "13912345678",
                    "portraitUri": "http://test.com/user/abc123.jpg",
                },
            }] })),
    ),
)]
async fn get_friends(
    State(state): State<AppState>,
    origin: Origin,
    Signed(caller, _): Signed<SealTalk>,
) -> ApiResult<SealTalk> {
    let friends = state.friends.all(caller).await?;
    let friends = friends.into_iter().filter_map(|friend| Friendship::new(&state, &origin, friend));
    Ok(SealTalk::result(friends.collect::<Vec<_>>()))
}

/// Get a friend's profile.
#[utoipa::path(
    get, path = "/friendship/{friendId}/profile", tag = "sealtalk", operation_id = "sealtalk_friendship_profile",
    security(("sealtalk_session" = [])),
    params(("friendId" = String, Path, description = "The user's id", example = "sdf9sd0d")),
    responses(
        (status = 200, description = "The profile", body = inline(Success<Profile>), example = json!({ "code": 200, "result": {
            "displayName": "Tom from work",
            "user": {
                "id": "sdf9sd0d", "nickname": "Tom", "region": "86", "phone": "13912345678",
                "portraitUri": "http://test.com/user/abc123.jpg",
            },
        } })),
        (status = 403, description = "Code 10000: not signed in. Code 403: the user is not a friend, or does not exist",
            body = Refused, example = json!({ "code": 10_000, "message": "not signed in: the cookie sealtalk_session is missing" })),
    ),
)]
async fn get_friend_profile(
    State(state): State<AppState>,
    origin: Origin,
    Signed(caller, _): Signed<SealTalk>,
    path: Result<Path<String>, PathRejection>,
) -> ApiResult<SealTalk> {
    let Path(id) = path.map_err(|_| Error::NotFriends)?;
    let friend = state.friends.friend(caller, short_id::decode(&id).map_err(|_| Error::NotFriends)?).await?;
    let user = FriendUser::new(&state, &origin, &friend);
    Ok(SealTalk::result(Profile { display_name: friend.relation.remark, user }))
}
