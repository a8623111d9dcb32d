//! Who is what in a group.

use axum::extract::State;
use domain::{Error, short_id};
use handset_http::api::ApiResult;
use handset_http::api::SealTalk;
use handset_http::api::sealtalk::{Done, Refused};
use handset_http::body::Params;
use handset_http::caller::Signed;
use serde::Deserialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::{PeopleOfGroup, no_such_group, no_such_member};
use crate::AppState;

pub(super) fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(routes!(transfer_group)).routes(routes!(set_manager)).routes(routes!(remove_manager))
}

/// Whom to hand a group to.
#[derive(Deserialize, ToSchema)]
#[schema(as = sealtalk::TransferGroup, example = json!({ "groupId": "KC6kot3ID", "userId": "52dzNbLBZ" }))]
#[serde(rename_all = "camelCase")]
struct TransferGroup {
    /// The group's id.
    group_id: String,
    /// The id of another member.
    user_id: String,
}

/// Hand a group to another member.
///
/// For its owner, who becomes a plain member.
#[utoipa::path(
    post, path = "/group/transfer", tag = "sealtalk", operation_id = "sealtalk_transfer_group",
    security(("sealtalk_session" = [])), request_body = TransferGroup,
    responses(
        (status = 200, description = "Handed over", body = Done, example = json!({ "code": 200 })),
        (status = 400, description = "You are a member but not the owner, the other user is not in the group, or there is \
            no such group",
            body = Refused, example = json!({ "code": 400, "message": "only the owner of the group may do this" })),
        (status = 403, description = "You are not a member, or `userId` is your own id (code 403), or not signed in (code 10000)",
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
/// For the owner of the group. Who is one already stays one.
#[utoipa::path(
    post, path = "/group/set_manager", tag = "sealtalk", operation_id = "sealtalk_set_manager",
    security(("sealtalk_session" = [])), request_body = PeopleOfGroup,
    responses(
        (status = 200, description = "Set", body = Done, example = json!({ "code": 200 })),
        (status = 400, description = "Nobody, or too many people",
            body = Refused, example = json!({ "code": 400, "message": "memberIds must name at least one user" })),
        (status = 401, description = "A member, but not the owner",
            body = Refused, example = json!({ "code": 401, "message": "only the owner of the group may appoint and remove managers" })),
        (status = 402, description = "One of the people is not in the group",
            body = Refused, example = json!({ "code": 402, "message": "a user in the request is not in the group" })),
        (status = 403, description = "Not a member, or the owner was named (code 403), or not signed in (code 10000)",
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

/// Make managers plain members again.
///
/// For the owner of the group. Who is no manager stays a member.
#[utoipa::path(
    post, path = "/group/remove_manager", tag = "sealtalk", operation_id = "sealtalk_remove_manager",
    security(("sealtalk_session" = [])), request_body = PeopleOfGroup,
    responses(
        (status = 200, description = "Set", body = Done, example = json!({ "code": 200 })),
        (status = 400, description = "Nobody, or too many people",
            body = Refused, example = json!({ "code": 400, "message": "memberIds must name at least one user" })),
        (status = 401, description = "A member, but not the owner",
            body = Refused, example = json!({ "code": 401, "message": "only the owner of the group may appoint and remove managers" })),
        (status = 402, description = "One of the people is not in the group",
            body = Refused, example = json!({ "code": 402, "message": "a user in the request is not in the group" })),
        (status = 403, description = "Not a member, or the owner was named (code 403), or not signed in (code 10000)",
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
