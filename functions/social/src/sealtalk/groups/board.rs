//! The bulletin of a group.

use axum::extract::State;
use domain::short_id;
use handset_http::api::ApiResult;
use handset_http::api::SealTalk;
use handset_http::api::sealtalk::{Done, Refused, Success};
use handset_http::body::{Params, missing};
use handset_http::caller::Signed;
use handset_http::routes;
use handset_http::routes::Routes;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::not_allowed;
use crate::AppState;

pub(super) fn router() -> Routes<AppState> {
    Routes::new().routes(routes!(set_bulletin)).routes(routes!(get_bulletin))
}

/// A bulletin to post.
#[derive(Deserialize, ToSchema)]
#[schema(as = sealtalk::SetBulletin, example = json!({ "groupId": "KC6kot3ID", "bulletin": "明天 4 点下班" }))]
#[serde(rename_all = "camelCase")]
struct SetBulletin {
    /// The group's id.
    group_id: String,
    /// Up to 1024 characters; an empty text removes the bulletin.
    bulletin: Option<String>,
    /// Another name for `bulletin`. It is ignored if `bulletin` is sent.
    content: Option<String>,
}

/// The group of a bulletin.
#[derive(Deserialize, IntoParams)]
#[serde(rename_all = "camelCase")]
#[into_params(parameter_in = Query)]
struct BoardOf {
    /// The group's id.
    #[param(example = "KC6kot3ID")]
    group_id: Option<String>,
    /// Another name for `groupId`. It is ignored if `groupId` is sent.
    #[param(example = "KC6kot3ID")]
    id: Option<String>,
}

/// The bulletin of a group.
#[derive(Serialize, ToSchema)]
#[schema(as = sealtalk::Bulletin)]
#[serde(rename_all = "camelCase")]
struct Posted {
    /// The group's id again: a group has one bulletin.
    id: String,
    group_id: String,
    content: String,
    /// When the bulletin was posted, in milliseconds since 1970.
    timestamp: i64,
}

/// Post a group's bulletin.
///
/// For the owner and the managers. The new bulletin replaces the old one; an empty text removes it.
#[utoipa::path(
    post, path = "/group/set_bulletin", tag = "sealtalk", operation_id = "sealtalk_set_bulletin",
    security(("sealtalk_session" = [])), request_body = SetBulletin,
    responses(
        (status = 200, description = "Posted", body = Done, example = json!({ "code": 200 })),
        (status = 400, description = "The text has more than 1024 characters, or the current user is neither owner nor manager",
            body = Refused, example = json!({ "code": 400, "message": "bulletin must have at most 1024 characters" })),
        (status = 403, description = "Not signed in",
            body = Refused, example = json!({ "code": 10_000, "message": "not signed in: the cookie sealtalk_session is missing" })),
        (status = 404, description = "No such group", body = Refused, example = json!({ "code": 404, "message": "no such group" })),
    ),
)]
async fn set_bulletin(
    State(state): State<AppState>,
    Signed(caller, _): Signed<SealTalk>,
    Params(given, _): Params<SealTalk, SetBulletin>,
) -> ApiResult<SealTalk> {
    let content = given.bulletin.or(given.content).ok_or_else(|| missing("bulletin"))?;
    let posted = state.groups.post(caller, short_id::decode(&given.group_id)?, &content).await;
    SealTalk::bad_request(posted.map(|()| SealTalk::done()), not_allowed)
}

/// Get a group's bulletin.
///
/// For the members.
#[utoipa::path(
    get, path = "/group/get_bulletin", tag = "sealtalk", operation_id = "sealtalk_get_bulletin",
    security(("sealtalk_session" = [])), params(BoardOf),
    responses(
        (status = 200, description = "The bulletin", body = inline(Success<Posted>), example = json!({ "code": 200, "result": {
            "id": "KC6kot3ID", "groupId": "KC6kot3ID", "content": "明天 4 点下班", "timestamp": 1_561_019_789_780_i64,
        } })),
        (status = 402, description = "The group has no bulletin",
            body = Refused, example = json!({ "code": 402, "message": "the group has no bulletin" })),
        (status = 403, description = "Not a member (code 403), or not signed in (code 10000)",
            body = Refused, example = json!({ "code": 10_000, "message": "not signed in: the cookie sealtalk_session is missing" })),
        (status = 404, description = "No such group", body = Refused, example = json!({ "code": 404, "message": "no such group" })),
    ),
)]
async fn get_bulletin(
    State(state): State<AppState>,
    Signed(caller, _): Signed<SealTalk>,
    Params(given, _): Params<SealTalk, BoardOf>,
) -> ApiResult<SealTalk> {
    let id = given.group_id.or(given.id).ok_or_else(|| missing("groupId"))?;
    let bulletin = state.groups.bulletin(caller, short_id::decode(&id)?).await?;
    let (content, timestamp) = (bulletin.content, bulletin.posted.millis());
    Ok(SealTalk::result(Posted { group_id: id.clone(), id, content, timestamp }))
}
