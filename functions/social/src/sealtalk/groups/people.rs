//! Creating and dissolving groups; adding and removing members, joining and leaving.

use axum::extract::State;
use domain::short_id;
use domain::social::GroupName;
use domain::social::group::Draft;
use handset_http::api::ApiResult;
use handset_http::api::SealTalk;
use handset_http::api::sealtalk::{Done, DoneOrRefused, Either, Refused};
use handset_http::body::Params;
use handset_http::caller::{Origin, Signed};
use handset_http::fields::List;
use handset_http::lenient;
use handset_http::routes;
use handset_http::routes::Routes;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{OfGroup, PeopleOfGroup, PersonStatus, no_such_group, no_such_member, people};
use crate::AppState;

pub(super) fn router() -> Routes<AppState> {
    Routes::new()
        .routes(routes!(create_group))
        .routes(routes!(add_to_group))
        .routes(routes!(join_group))
        .routes(routes!(kick_from_group))
        .routes(routes!(quit_group))
        .routes(routes!(dismiss_group))
}

/// A new group.
#[derive(Deserialize, ToSchema)]
#[schema(as = sealtalk::CreateGroup, example = json!({
    "name": "RongCloud", "memberIds": ["AUj8X32w1", "ODbpJIgrL"], "portraitUri": "http://test.com/group/abc123.jpg",
}))]
#[serde(rename_all = "camelCase")]
struct CreateGroup {
    /// 2 to 32 characters.
    name: String,
    /// Ids of up to 500 users. The current user's own id is optional. Send an empty list for a group with only the
    /// current user in it.
    #[serde(deserialize_with = "lenient::list")]
    #[schema(value_type = List)]
    member_ids: Vec<String>,
    /// An http(s) URL of 12 to 256 characters.
    portrait_uri: Option<String>,
}

/// The new group.
#[derive(Serialize, ToSchema)]
#[schema(as = sealtalk::CreatedGroup)]
#[serde(rename_all = "camelCase")]
struct CreatedGroup {
    /// The group's id.
    id: String,
    /// The users in `memberIds`.
    user_status: Vec<PersonStatus>,
}

/// Create a group.
///
/// Users who have blocked the current user are not added, and the response does not show who they are. A group can have
/// up to 500 members, and a user can be in up to 500 groups. All members see a new group at the same time.
#[utoipa::path(
    post, path = "/group/create", tag = "sealtalk", operation_id = "sealtalk_create_group",
    security(("sealtalk_session" = [])), request_body = CreateGroup,
    responses(
        (status = 200, description = "Created. Code 1000: the current user or a member is in too many groups. Code 5000: the current user created 50 groups today",
            body = inline(Either<CreatedGroup>), examples(
                ("success" = (value = json!({ "code": 200, "result": {
                    "id": "RfqHbcjes", "userStatus": [{ "id": "uOavJZUpX", "status": 1 }],
                } }))),
                ("too many groups" = (value = json!({ "code": 1_000, "message": "in too many groups" }))),
            )),
        (status = 400, description = "The name breaks its rule, or there are too many users",
            body = Refused, example = json!({ "code": 400, "message": "name has 2 to 32 characters and no control characters" })),
        (status = 404, description = "One of the users does not exist",
            body = Refused, example = json!({ "code": 404, "message": "no such user" })),
    ),
)]
async fn create_group(
    State(state): State<AppState>,
    origin: Origin,
    Signed(caller, _): Signed<SealTalk>,
    Params(given, _): Params<SealTalk, CreateGroup>,
) -> ApiResult<SealTalk> {
    let portrait = given.portrait_uri.filter(|uri| !uri.is_empty());
    let portrait = portrait.map(|uri| SealTalk::portrait(&uri, &state.url, &origin)).transpose()?;
    let mut named = people(&given.member_ids)?;
    let draft = Draft {
        name: GroupName::parse(&given.name)?,
        portrait: portrait.map(|portrait| portrait.as_str().to_owned()).unwrap_or_default(),
        people: named.clone(),
    };
    let id = state.groups.create(caller, draft, None).await?;
    named.remove(&caller.user);
    Ok(SealTalk::result(CreatedGroup { id: short_id::encode(id), user_status: PersonStatus::of(&named) }))
}

/// Add users to a group.
///
/// For the members. Existing members are not changed. Users who have blocked the current user are not added, and the
/// response does not show who they are.
#[utoipa::path(
    post, path = "/group/add", tag = "sealtalk", operation_id = "sealtalk_add_to_group",
    security(("sealtalk_session" = [])), request_body = PeopleOfGroup,
    responses(
        (status = 200, description = "Added. Code 1000: one of the users is in too many groups",
            body = inline(Either<Vec<PersonStatus>>), examples(
                ("success" = (value = json!({ "code": 200, "result": [{ "id": "uOavJZUpX", "status": 1 }] }))),
                ("too many groups" = (value = json!({ "code": 1_000, "message": "in too many groups" }))),
            )),
        (status = 400, description = "`memberIds` is empty, or there are too many users",
            body = Refused, example = json!({ "code": 400, "message": "a group can have at most 500 members" })),
        (status = 403, description = "Not a member (code 403), or not signed in (code 10000)",
            body = Refused, example = json!({ "code": 10_000, "message": "not signed in: the cookie sealtalk_session is missing" })),
        (status = 404, description = "There is no such group, or one of the users does not exist",
            body = Refused, example = json!({ "code": 404, "message": "no such user" })),
    ),
)]
async fn add_to_group(
    State(state): State<AppState>,
    Signed(caller, _): Signed<SealTalk>,
    Params(given, _): Params<SealTalk, PeopleOfGroup>,
) -> ApiResult<SealTalk> {
    let (group, people) = given.read()?;
    state.groups.add(caller, group, &people).await?;
    Ok(SealTalk::result(PersonStatus::of(&people)))
}

/// Join a group.
#[utoipa::path(
    post, path = "/group/join", tag = "sealtalk", operation_id = "sealtalk_join_group",
    security(("sealtalk_session" = [])), request_body = OfGroup,
    responses(
        (status = 200, description = "Joined. Code 1000: the current user is in 500 groups already", body = inline(DoneOrRefused),
            examples(
                ("success" = (value = json!({ "code": 200 }))),
                ("too many groups" = (value = json!({ "code": 1_000, "message": "in too many groups" }))),
            )),
        (status = 400, description = "The group is full",
            body = Refused, example = json!({ "code": 400, "message": "a group can have at most 500 members" })),
        (status = 404, description = "No such group", body = Refused, example = json!({ "code": 404, "message": "no such group" })),
    ),
)]
async fn join_group(
    State(state): State<AppState>,
    Signed(caller, _): Signed<SealTalk>,
    Params(given, _): Params<SealTalk, OfGroup>,
) -> ApiResult<SealTalk> {
    state.groups.join(caller, short_id::decode(&given.group_id)?).await?;
    Ok(SealTalk::done())
}

/// Remove members from a group.
///
/// For the owner and the managers. The owner cannot be removed, and a user cannot remove themselves. Users who left the
/// group before are skipped.
#[utoipa::path(
    post, path = "/group/kick", tag = "sealtalk", operation_id = "sealtalk_kick_from_group",
    security(("sealtalk_session" = [])), request_body = PeopleOfGroup,
    responses(
        (status = 200, description = "Removed", body = Done, example = json!({ "code": 200 })),
        (status = 400, description = "`memberIds` is empty, names too many users, contains the current user's own id, or names a user who never was in the group",
            body = Refused, example = json!({ "code": 400, "message": "memberIds contains your own id" })),
        (status = 403, description = "The current user is neither owner nor manager, or `memberIds` contains the owner's id (code 403), or not signed in (code 10000)",
            body = Refused, example = json!({ "code": 10_000, "message": "not signed in: the cookie sealtalk_session is missing" })),
        (status = 404, description = "No such group", body = Refused, example = json!({ "code": 404, "message": "no such group" })),
    ),
)]
async fn kick_from_group(
    State(state): State<AppState>,
    Signed(caller, _): Signed<SealTalk>,
    Params(given, _): Params<SealTalk, PeopleOfGroup>,
) -> ApiResult<SealTalk> {
    let kicked = async {
        let (group, people) = given.read()?;
        state.groups.kick(caller, group, &people).await
    };
    SealTalk::bad_request(kicked.await.map(|()| SealTalk::done()), no_such_member)
}

/// Leave a group.
///
/// If the owner leaves, the manager who has been in the group for the longest time becomes the owner, or the member if
/// there is no manager. If the last member leaves, the group is dissolved.
#[utoipa::path(
    post, path = "/group/quit", tag = "sealtalk", operation_id = "sealtalk_quit_group",
    security(("sealtalk_session" = [])), request_body = OfGroup,
    responses(
        (status = 200, description = "Left", body = Done, example = json!({ "code": 200 })),
        (status = 403, description = "Not a member (code 403), or not signed in (code 10000)",
            body = Refused, example = json!({ "code": 10_000, "message": "not signed in: the cookie sealtalk_session is missing" })),
        (status = 404, description = "No such group", body = Refused, example = json!({ "code": 404, "message": "no such group" })),
    ),
)]
async fn quit_group(
    State(state): State<AppState>,
    Signed(caller, _): Signed<SealTalk>,
    Params(given, _): Params<SealTalk, OfGroup>,
) -> ApiResult<SealTalk> {
    state.groups.quit(caller, short_id::decode(&given.group_id)?).await?;
    Ok(SealTalk::done())
}

/// Dissolve a group.
///
/// For the owner. The group disappears for all members at once.
#[utoipa::path(
    post, path = "/group/dismiss", tag = "sealtalk", operation_id = "sealtalk_dismiss_group",
    security(("sealtalk_session" = [])), request_body = OfGroup,
    responses(
        (status = 200, description = "Dissolved", body = Done, example = json!({ "code": 200 })),
        (status = 400, description = "The current user is a member but not the owner, or there is no such group",
            body = Refused, example = json!({ "code": 400, "message": "only the owner of the group may do this" })),
        (status = 403, description = "Not a member (code 403), or not signed in (code 10000)",
            body = Refused, example = json!({ "code": 10_000, "message": "not signed in: the cookie sealtalk_session is missing" })),
    ),
)]
async fn dismiss_group(
    State(state): State<AppState>,
    Signed(caller, _): Signed<SealTalk>,
    Params(given, _): Params<SealTalk, OfGroup>,
) -> ApiResult<SealTalk> {
    let dismissed = async { state.groups.dismiss(caller, short_id::decode(&given.group_id)?).await };
    SealTalk::bad_request(dismissed.await.map(|()| SealTalk::done()), no_such_group)
}
