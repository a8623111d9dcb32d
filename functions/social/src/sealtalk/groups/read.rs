//! Reading groups and their members.

use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use domain::account::UserId;
use domain::clock::Timestamp;
use domain::social::group::MOST_MEMBERS;
use domain::social::{GroupId, Member, PublicProfile, Shown};
use domain::{Error, Result as DomainResult, short_id};
use handset_http::api::ApiResult;
use handset_http::api::SealTalk;
use handset_http::api::sealtalk::{Refused, Success};
use handset_http::caller::{Origin, Signed};
use handset_http::routes;
use handset_http::routes::Routes;
use serde::Serialize;
use utoipa::ToSchema;

use super::super::wire::User;
use crate::AppState;

pub(super) fn router() -> Routes<AppState> {
    Routes::new().routes(routes!(get_group)).routes(routes!(get_group_members))
}

/// A group.
#[derive(Serialize, ToSchema)]
#[schema(as = sealtalk::Group)]
#[serde(rename_all = "camelCase")]
struct Group {
    id: String,
    name: String,
    portrait_uri: String,
    member_count: usize,
    /// Always 500.
    max_member_count: usize,
    /// The id of the group's owner.
    creator_id: String,
    /// Always 1: an ordinary group.
    #[serde(rename = "type")]
    kind: u8,
    /// The group's bulletin. Empty if there is none, or if the current user is not a member.
    bulletin: String,
    /// When the bulletin was posted, in milliseconds since 1970; 0 if there is none.
    bulletin_time: i64,
    /// When the group was dissolved, in ISO 8601; null while it exists.
    deleted_at: Option<String>,
}

impl Group {
    fn new(state: &AppState, origin: &Origin, shown: Shown) -> Self {
        let Shown { group, bulletin, dissolved, role: _ } = shown;
        let (bulletin, bulletin_time) =
            bulletin.map(|bulletin| (bulletin.content, bulletin.posted.millis())).unwrap_or_default();
        Self {
            id: short_id::encode(group.id),
            portrait_uri: state.url.absolute(origin, &group.portrait),
            name: group.name,
            member_count: group.members,
            max_member_count: MOST_MEMBERS,
            creator_id: short_id::encode(group.owner),
            kind: 1,
            bulletin,
            bulletin_time,
            deleted_at: dissolved.map(Timestamp::rfc3339),
        }
    }
}

/// A member of a group.
#[derive(Serialize, ToSchema)]
#[schema(as = sealtalk::GroupMember)]
#[serde(rename_all = "camelCase")]
struct GroupMember {
    /// The member's name in the group; empty if it is not set.
    display_name: String,
    /// 0 = owner, 1 = member, 2 = manager.
    role: u8,
    /// When the member joined, in ISO 8601.
    created_at: String,
    /// The same time in milliseconds since 1970.
    created_time: i64,
    /// When the member last changed, in ISO 8601.
    updated_at: String,
    /// The same time in milliseconds since 1970.
    updated_time: i64,
    user: User,
}

impl GroupMember {
    fn new(state: &AppState, origin: &Origin, (user, member, profile): (UserId, Member, PublicProfile)) -> Self {
        Self {
            display_name: member.name,
            role: member.role.number(),
            created_at: member.joined.rfc3339(),
            created_time: member.joined.millis(),
            updated_at: member.changed.rfc3339(),
            updated_time: member.changed.millis(),
            user: User::new(state, origin, user, &profile),
        }
    }
}

/// Get a group.
///
/// For any signed-in user, so that they can join the group. Only members see the bulletin. Users who were in a
/// dissolved group still get it for 90 days, with `deletedAt` and without members; for others it does not exist.
#[utoipa::path(
    get, path = "/group/{id}", tag = "sealtalk", operation_id = "sealtalk_get_group",
    security(("sealtalk_session" = [])),
    params(("id" = String, Path, description = "The group's id", example = "KC6kot3ID")),
    responses(
        (status = 200, description = "The group", body = inline(Success<Group>), example = json!({ "code": 200, "result": {
            "id": "KC6kot3ID", "name": "RongCloud", "portraitUri": "", "memberCount": 13, "maxMemberCount": 500,
            "creatorId": "I8cpNlo7t", "type": 1, "bulletin": "明天 4 点下班", "bulletinTime": 1_560_931_403_360_i64,
            "deletedAt": null,
        } })),
        (status = 404, description = "No such group", body = Refused, example = json!({ "code": 404, "message": "no such group" })),
    ),
)]
async fn get_group(
    State(state): State<AppState>,
    origin: Origin,
    Signed(caller, _): Signed<SealTalk>,
    path: Result<Path<String>, PathRejection>,
) -> ApiResult<SealTalk> {
    let shown = state.groups.show(caller, group_of(path)?).await?;
    Ok(SealTalk::result(Group::new(&state, &origin, shown)))
}

/// List the members of a group.
///
/// For the members. The owner is first, then the managers, then the other members in the order in which they joined.
#[utoipa::path(
    get, path = "/group/{id}/members", tag = "sealtalk", operation_id = "sealtalk_get_group_members",
    security(("sealtalk_session" = [])),
    params(("id" = String, Path, description = "The group's id", example = "KC6kot3ID")),
    responses(
        (status = 200, description = "The members", body = inline(Success<Vec<GroupMember>>), example = json!({ "code": 200, "result": [{
            "displayName": "", "role": 1,
            "createdAt": "2016-11-22T03:06:13.000Z", "createdTime": 1_479_783_973_000_i64,
            "updatedAt": "2016-11-22T03:06:13.000Z", "updatedTime": 1_479_783_973_000_i64,
            "user": { "id": "xNlpDTUmw", "nickname": "zl01", "portraitUri": "" },
        }] })),
        (status = 403, description = "Not a member (code 403), or not signed in (code 10000)",
            body = Refused, example = json!({ "code": 10_000, "message": "not signed in: the cookie sealtalk_session is missing" })),
        (status = 404, description = "No such group", body = Refused, example = json!({ "code": 404, "message": "no such group" })),
    ),
)]
async fn get_group_members(
    State(state): State<AppState>,
    origin: Origin,
    Signed(caller, _): Signed<SealTalk>,
    path: Result<Path<String>, PathRejection>,
) -> ApiResult<SealTalk> {
    let members = state.groups.members(caller, group_of(path)?).await?;
    let members: Vec<_> = members.into_iter().map(|member| GroupMember::new(&state, &origin, member)).collect();
    Ok(SealTalk::result(members))
}

/// The group id of a path. If the id cannot be read, there is no such group.
fn group_of(path: Result<Path<String>, PathRejection>) -> DomainResult<GroupId> {
    let Path(id) = path.map_err(|_| Error::NotFound("group"))?;
    short_id::decode(&id)
}
