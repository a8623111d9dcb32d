//! The roles of a group's members.

use axum::extract::State;
use domain::{Error, short_id};
use handset_http::api::ApiResult;
use handset_http::api::SealTalk;
use handset_http::api::sealtalk::{Done, Refused};
use handset_http::body::Params;
use handset_http::caller::Signed;
use handset_http::routes;
use handset_http::routes::Routes;
use serde::Deserialize;
use utoipa::ToSchema;

use super::{PeopleOfGroup, no_such_group, no_such_member};
use crate::AppState;

pub(super) fn router() -> Routes<AppState> {
    Routes::new().routes(routes!(transfer_group)).routes(routes!(set_manager)).routes(routes!(remove_manager))
}

/// The new owner of a group.
#[derive(Deserialize, ToSchema)]
#[schema(as = sealtalk::TransferGroup, example = json!({ "groupId": "KC6kot3ID", "userId": "52dzNbLBZ" }))]
#[serde(rename_all = "camelCase")]
struct TransferGroup {
    /// The group's id.
    group_id: String,
    /// The id of another member.
    user_id: String,
}

/// Make another member the owner of a group.
///
/// For the owner, who becomes an ordinary member.
#[utoipa::path(
    post, path = "/group/transfer", tag = "sealtalk", operation_id = "sealtalk_transfer_group",
    security(("sealtalk_session" = [])), request_body = TransferGroup,
    responses(
        (status = 200, description = "The other member is the owner now", body = Done, example = json!({ "code": 200 })),
        (status = 400, description = "The current user is a member but not the owner, the other user is not in the group, or there is \
            no such group",
            body = Refused, example = json!({ "code": 400, "message": "only the owner of the group may do this" })),
        (status = 403, description = "The current user is not a member, or `userId` is their own id (code 403), or not signed in (code 10000)",
            body = Refused, example = json!({ "code": 10_000, "message": "not signed in: the cookie sealtalk_session is missing" })),
    ),
)]
async fn transfer_group(
    State(state): State<AppState>,
    Signed(caller, _): Signed<SealTalk>,
    Params(given, _): Params<SealTalk, TransferGroup>,
) -> ApiResult<SealTalk> {
    let handed = async {
        state.groups.transfer(caller, short_id::decode(&given.group_id)?, short_id::decode(&given.user_id)?).await
    };
    let unknown = |error: &Error| no_such_group(error) || no_such_member(error);
    SealTalk::bad_request(handed.await.map(|()| SealTalk::done()), unknown)
}

/// Make members managers.
///
/// For the owner. Members who are managers already stay managers.
#[utoipa::path(
    post, path = "/group/set_manager", tag = "sealtalk", operation_id = "sealtalk_set_manager",
    security(("sealtalk_session" = [])), request_body = PeopleOfGroup,
    responses(
        (status = 200, description = "Set", body = Done, example = json!({ "code": 200 })),
        (status = 400, description = "`memberIds` is empty, or there are too many users",
            body = Refused, example = json!({ "code": 400, "message": "memberIds must name at least one user" })),
        (status = 401, description = "The current user is a member, but not the owner",
            body = Refused, example = json!({ "code": 401, "message": "only the owner of the group may appoint and remove managers" })),
        (status = 402, description = "One of the users is not in the group",
            body = Refused, example = json!({ "code": 402, "message": "a user in the request is not in the group" })),
        (status = 403, description = "Not a member, or `memberIds` contains the owner's id (code 403), or not signed in (code 10000)",
            body = Refused, example = json!({ "code": 10_000, "message": "not signed in: the cookie sealtalk_session is missing" })),
        (status = 404, description = "No such group", body = Refused, example = json!({ "code": 404, "message": "no such group" })),
    ),
)]
async fn set_manager(
    state: State<AppState>,
    signed: Signed<SealTalk>,
    given: Params<SealTalk, PeopleOfGroup>,
) -> ApiResult<SealTalk> {
    appoint(state, signed, given, true).await
}

/// Make managers ordinary members again.
///
/// For the owner. Members who are not managers stay ordinary members.
#[utoipa::path(
    post, path = "/group/remove_manager", tag = "sealtalk", operation_id = "sealtalk_remove_manager",
    security(("sealtalk_session" = [])), request_body = PeopleOfGroup,
    responses(
        (status = 200, description = "Set", body = Done, example = json!({ "code": 200 })),
        (status = 400, description = "`memberIds` is empty, or there are too many users",
            body = Refused, example = json!({ "code": 400, "message": "memberIds must name at least one user" })),
        (status = 401, description = "The current user is a member, but not the owner",
            body = Refused, example = json!({ "code": 401, "message": "only the owner of the group may appoint and remove managers" })),
        (status = 402, description = "One of the users is not in the group",
            body = Refused, example = json!({ "code": 402, "message": "a user in the request is not in the group" })),
        (status = 403, description = "Not a member, or `memberIds` contains the owner's id (code 403), or not signed in (code 10000)",
            body = Refused, example = json!({ "code": 10_000, "message": "not signed in: the cookie sealtalk_session is missing" })),
        (status = 404, description = "No such group", body = Refused, example = json!({ "code": 404, "message": "no such group" })),
    ),
)]
async fn remove_manager(
    state: State<AppState>,
    signed: Signed<SealTalk>,
    given: Params<SealTalk, PeopleOfGroup>,
) -> ApiResult<SealTalk> {
    appoint(state, signed, given, false).await
}

async fn appoint(
    State(state): State<AppState>,
    Signed(caller, _): Signed<SealTalk>,
    Params(given, _): Params<SealTalk, PeopleOfGroup>,
    managers: bool,
) -> ApiResult<SealTalk> {
    let (group, people) = given.read()?;
    state.groups.appoint(caller, group, &people, managers).await?;
    Ok(SealTalk::done())
}
