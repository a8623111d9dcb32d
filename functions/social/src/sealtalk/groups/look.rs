//! Names and pictures of groups, and the members' names in them.

use axum::extract::State;
use domain::short_id;
use domain::social::{GroupName, MemberName};
use handset_http::api::ApiResult;
use handset_http::api::SealTalk;
use handset_http::api::sealtalk::{Done, Refused};
use handset_http::body::Params;
use handset_http::caller::{Origin, Signed};
use handset_http::routes;
use handset_http::routes::Routes;
use serde::Deserialize;
use utoipa::ToSchema;

use super::not_allowed;
use crate::AppState;

pub(super) fn router() -> Routes<AppState> {
    Routes::new()
        .routes(routes!(rename_group))
        .routes(routes!(set_group_portrait_uri))
        .routes(routes!(set_group_display_name))
}

/// A group's new name.
#[derive(Deserialize, ToSchema)]
#[schema(as = sealtalk::RenameGroup, example = json!({ "groupId": "KC6kot3ID", "name": "RongCloud" }))]
#[serde(rename_all = "camelCase")]
struct RenameGroup {
    /// The group's id.
    group_id: String,
    /// 2 to 32 characters.
    name: String,
}

/// A group's new picture.
#[derive(Deserialize, ToSchema)]
#[schema(as = sealtalk::SetGroupPortraitUri,
    example = json!({ "groupId": "KC6kot3ID", "portraitUri": "http://test.com/group/abc123.jpg" }))]
#[serde(rename_all = "camelCase")]
struct SetPortraitUri {
    /// The group's id.
    group_id: String,
    /// An http(s) URL of 12 to 256 characters.
    portrait_uri: String,
}

/// The current user's name in a group.
#[derive(Deserialize, ToSchema)]
#[schema(as = sealtalk::SetGroupDisplayName, example = json!({ "groupId": "KC6kot3ID", "displayName": "Martin" }))]
#[serde(rename_all = "camelCase")]
struct SetDisplayName {
    /// The group's id.
    group_id: String,
    /// Up to 32 characters; with an empty text, the group shows the user's nickname.
    display_name: String,
}

/// Rename a group.
///
/// For the owner and the managers.
#[utoipa::path(
    post, path = "/group/rename", tag = "sealtalk", operation_id = "sealtalk_rename_group",
    security(("sealtalk_session" = [])), request_body = RenameGroup,
    responses(
        (status = 200, description = "Renamed", body = Done, example = json!({ "code": 200 })),
        (status = 400, description = "The name does not have 2 to 32 characters, or the current user is neither owner nor manager",
            body = Refused, example = json!({ "code": 400, "message": "name has 2 to 32 characters and no control characters" })),
        (status = 403, description = "Not signed in",
            body = Refused, example = json!({ "code": 10_000, "message": "not signed in: the cookie sealtalk_session is missing" })),
        (status = 404, description = "No such group", body = Refused, example = json!({ "code": 404, "message": "no such group" })),
    ),
)]
async fn rename_group(
    State(state): State<AppState>,
    Signed(caller, _): Signed<SealTalk>,
    Params(given, _): Params<SealTalk, RenameGroup>,
) -> ApiResult<SealTalk> {
    let name = GroupName::parse(&given.name)?;
    let renamed = state.groups.rename(caller, short_id::decode(&given.group_id)?, &name).await;
    SealTalk::bad_request(renamed.map(|()| SealTalk::done()), not_allowed)
}

/// Set a group's picture.
///
/// For the owner and the managers.
#[utoipa::path(
    post, path = "/group/set_portrait_uri", tag = "sealtalk", operation_id = "sealtalk_set_group_portrait_uri",
    security(("sealtalk_session" = [])), request_body = SetPortraitUri,
    responses(
        (status = 200, description = "Set", body = Done, example = json!({ "code": 200 })),
        (status = 400, description = "`portraitUri` is not an http(s) URL of 12 to 256 characters, or the current user is neither owner nor manager",
            body = Refused, example = json!({ "code": 400, "message": "portraitUri must be an http(s) URL of 12 to 256 characters" })),
        (status = 403, description = "Not signed in",
            body = Refused, example = json!({ "code": 10_000, "message": "not signed in: the cookie sealtalk_session is missing" })),
        (status = 404, description = "No such group", body = Refused, example = json!({ "code": 404, "message": "no such group" })),
    ),
)]
async fn set_group_portrait_uri(
    State(state): State<AppState>,
    origin: Origin,
    Signed(caller, _): Signed<SealTalk>,
    Params(given, _): Params<SealTalk, SetPortraitUri>,
) -> ApiResult<SealTalk> {
    let portrait = SealTalk::portrait(&given.portrait_uri, &state.url, &origin)?;
    let portrayed = state.groups.portray(caller, short_id::decode(&given.group_id)?, portrait.as_str()).await;
    SealTalk::bad_request(portrayed.map(|()| SealTalk::done()), not_allowed)
}

/// Set the current user's name in a group.
///
/// For the members. Each member sets their own name.
#[utoipa::path(
    post, path = "/group/set_display_name", tag = "sealtalk", operation_id = "sealtalk_set_group_display_name",
    security(("sealtalk_session" = [])), request_body = SetDisplayName,
    responses(
        (status = 200, description = "Set", body = Done, example = json!({ "code": 200 })),
        (status = 400, description = "The name has more than 32 characters",
            body = Refused, example = json!({ "code": 400, "message": "displayName must have at most 32 characters and no control characters" })),
        (status = 403, description = "Not a member (code 403), or not signed in (code 10000)",
            body = Refused, example = json!({ "code": 10_000, "message": "not signed in: the cookie sealtalk_session is missing" })),
        (status = 404, description = "No such group", body = Refused, example = json!({ "code": 404, "message": "no such group" })),
    ),
)]
async fn set_group_display_name(
    State(state): State<AppState>,
    Signed(caller, _): Signed<SealTalk>,
    Params(given, _): Params<SealTalk, SetDisplayName>,
) -> ApiResult<SealTalk> {
    let name = MemberName::parse(&given.display_name)?;
    state.groups.call_oneself(caller, short_id::decode(&given.group_id)?, &name).await?;
    Ok(SealTalk::done())
}
