//! The members of a group.

use std::collections::BTreeSet;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::IntoResponse;
use domain::account::UserId;
use domain::social::groups::Named;
use domain::social::{GroupId, Member as DomainMember, MemberName};
use domain::{Error, Result as DomainResult};
use handset_http::api::v1::Refused;
use handset_http::api::{ApiResult, V1};
use handset_http::body::ok;
use handset_http::caller::{Origin, Signed};
use handset_http::routes;
use handset_http::routes::Routes;
use handset_http::v1::{self, Fields, Paging, TwoVariables, Variable, Wanted};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::ToSchema;

use super::super::wire::{GroupRole, User};
use crate::AppState;

pub(super) fn router() -> Routes<AppState> {
    Routes::new().routes(routes!(get_members)).routes(routes!(put_member, patch_member, delete_member))
}

fn example() -> Value {
    json!({
        "user": { "id": "00000000-0003-8001-8000-0a1b2c3d4e5f", "name": "Anna" }, "role": "member",
        "display_name": "Anna from accounting", "joined_at": "2026-08-21T10:00:00.000Z",
        "updated_at": "2026-08-21T10:00:00.000Z",
    })
}

/// A member of a group.
#[derive(Serialize, ToSchema)]
#[schema(as = v1::Member, example = example)]
struct Member {
    user: User,
    role: GroupRole,
    /// The member's name in the group. Absent if it is not set.
    #[serde(skip_serializing_if = "String::is_empty")]
    display_name: String,
    joined_at: String,
    /// When the member's entry last changed.
    updated_at: String,
}

impl Member {
    fn new(state: &AppState, origin: &Origin, (user, member, profile): Named) -> Self {
        Self {
            user: User::new(state, origin, user, &profile).without_phone(),
            role: member.role.into(),
            display_name: member.name,
            joined_at: member.joined.rfc3339(),
            updated_at: member.changed.rfc3339(),
        }
    }
}

/// A page of members.
#[derive(Serialize, ToSchema)]
#[schema(as = v1::Members, example = json!({ "items": [example()] }))]
struct Members {
    /// The members.
    items: Vec<Member>,
    /// The cursor of the next page. Absent on the last page.
    #[serde(skip_serializing_if = "Option::is_none")]
    next_cursor: Option<String>,
}

/// The place of a member on the list.
fn place((user, member): &(UserId, DomainMember)) -> String {
    format!("{}{:013}{:016x}", member.role.rank(), member.joined.millis().max(0), user.get())
}

/// List the members of a group.
///
/// For the members. The owner is first, then the managers, then the other members in the order in which they joined.
#[utoipa::path(
    get, path = "/v1/groups/{id}/members", tag = "v1", operation_id = "v1_get_members",
    security(("v1_bearer" = [])),
    params(
        ("id" = String, Path, description = "The group's id.", example = "00000000-0012-8007-8000-3c4d5e6f7a8b"), Paging,
    ),
    responses(
        (status = 200, description = "A page of members", body = Members),
        (status = 403, description = "The current user is not a member", body = Refused, example = json!({
            "type": "about:blank", "title": "Forbidden", "status": 403, "code": "group_rule",
            "detail": "you are not a member of this group",
        })),
        (status = 404, description = "No such group", body = Refused, example = json!({
            "type": "about:blank", "title": "Not Found", "status": 404, "code": "not_found", "detail": "no such group",
        })),
    ),
)]
async fn get_members(
    State(state): State<AppState>,
    origin: Origin,
    Signed(caller, _): Signed<V1>,
    id: Variable,
    wanted: Wanted,
) -> ApiResult<V1> {
    let page = wanted.page(state.groups.roster(caller, id.group()?).await?, place)?;
    let members = state.groups.with_profiles(page.items).await?;
    let items = members.into_iter().map(|member| Member::new(&state, &origin, member)).collect();
    Ok(ok(Members { items, next_cursor: page.next_cursor }))
}

/// The group and the user of a path. `me` is the caller.
fn group_and_user(TwoVariables(group, user): &TwoVariables, caller: UserId) -> DomainResult<(GroupId, UserId)> {
    let group = group.group()?;
    Ok((group, if user.0 == "me" { caller } else { user.user()? }))
}

/// Join a group, or add a user to it.
///
/// Any signed-in user can join a group, with `me` or their own id. Members can add other users. Nothing changes if the
/// user is in the group already. A user who has blocked the current user is not added, and the response does not show it.
#[utoipa::path(
    put, path = "/v1/groups/{id}/members/{user}", tag = "v1", operation_id = "v1_put_member",
    security(("v1_bearer" = [])),
    params(
        ("id" = String, Path, description = "The group's id.", example = "00000000-0012-8007-8000-3c4d5e6f7a8b"),
        ("user" = String, Path, description = "The user's id, or `me`.", example = "me"),
    ),
    responses(
        (status = 204, description = "The user is in the group"),
        (status = 403, description = "The current user is not a member and adds another user, the group has 500 members, or the user is in too many groups",
            body = Refused, example = json!({
                "type": "about:blank", "title": "Forbidden", "status": 403, "code": "group_rule",
                "detail": "a group can have at most 500 members",
            })),
        (status = 404, description = "No such group or user", body = Refused, example = json!({
            "type": "about:blank", "title": "Not Found", "status": 404, "code": "not_found", "detail": "no such group",
        })),
    ),
)]
async fn put_member(State(state): State<AppState>, Signed(caller, _): Signed<V1>, path: TwoVariables) -> ApiResult<V1> {
    let (group, user) = group_and_user(&path, caller.user)?;
    if user == caller.user {
        state.groups.join(caller, group).await?;
    } else {
        state.groups.add(caller, group, &BTreeSet::from([user])).await?;
    }
    Ok(StatusCode::NO_CONTENT.into_response())
}

/// A merge patch (RFC 7396) of a member. It names at least one field.
#[derive(Deserialize, ToSchema)]
#[schema(as = v1::MemberPatch, example = json!({ "role": "manager" }))]
#[expect(clippy::option_option, reason = "a field is absent, null or a value")]
struct Patch {
    /// `manager` or `member`.
    role: Option<String>,
    /// The current user's own name in the group: up to 32 characters. Null removes it.
    #[serde(default, deserialize_with = "v1::nullable")]
    #[schema(value_type = Option<String>)]
    display_name: Option<Option<String>>,
}

impl Patch {
    /// Whether the member becomes a manager, if the role changes.
    fn manager(&self) -> DomainResult<Option<bool>> {
        match self.role.as_deref() {
            None => Ok(None),
            Some("manager") => Ok(Some(true)),
            Some("member") => Ok(Some(false)),
            Some(_) => Err(Error::Invalid { field: "role", rule: "must be manager or member" }),
        }
    }

    fn name(&self) -> DomainResult<Option<MemberName>> {
        let parse = |name: &Option<String>| {
            v1::of_field("display_name", MemberName::parse(name.as_deref().unwrap_or_default()))
        };
        self.display_name.as_ref().map(parse).transpose()
    }
}

/// Change a member's role, or the current user's own name in the group.
///
/// Only the owner changes roles, and only those of others; to pass on the ownership, use `POST
/// /v1/groups/{id}/transfer`. Each member sets their own `display_name`.
#[utoipa::path(
    patch, path = "/v1/groups/{id}/members/{user}", tag = "v1", operation_id = "v1_patch_member",
    security(("v1_bearer" = [])), request_body = Patch,
    params(
        ("id" = String, Path, description = "The group's id.", example = "00000000-0012-8007-8000-3c4d5e6f7a8b"),
        ("user" = String, Path, description = "The member's id, or `me`.", example = "00000000-0003-8001-8000-0a1b2c3d4e5f"),
    ),
    responses(
        (status = 204, description = "Changed"),
        (status = 403, description = "The current user is not a member or not the owner, or sets the name of another member",
            body = Refused, example = json!({
                "type": "about:blank", "title": "Forbidden", "status": 403, "code": "group_rule",
                "detail": "only the owner of the group may appoint and remove managers",
            })),
        (status = 404, description = "No such group, or the user is not in it", body = Refused, example = json!({
            "type": "about:blank", "title": "Not Found", "status": 404, "code": "group_rule",
            "detail": "a user in the request is not in the group",
        })),
    ),
)]
async fn patch_member(
    State(state): State<AppState>,
    Signed(caller, _): Signed<V1>,
    path: TwoVariables,
    Fields(given): Fields<Patch>,
) -> ApiResult<V1> {
    let (group, user) = group_and_user(&path, caller.user)?;
    match (given.manager()?, given.name()?) {
        (None, None) => Err(Error::Malformed("nothing to change: send role or display_name".into()).into()),
        (_, Some(_)) if user != caller.user => Err(Error::NotYours.into()),
        // Nobody changes their own role, so a request with both fields is refused before the name is set.
        (manager, name) => {
            if let Some(manager) = manager {
                state.groups.appoint(caller, group, &BTreeSet::from([user]), manager).await?;
            }
            if let Some(name) = name {
                state.groups.call_oneself(caller, group, &name).await?;
            }
            Ok(StatusCode::NO_CONTENT.into_response())
        }
    }
}

/// Leave a group, or remove a member from it.
///
/// Every member can leave, with `me` or their own id. If the owner leaves, a manager becomes the owner, or the member who
/// joined first; the group of the last member is dissolved. The owner and the managers can remove other members.
#[utoipa::path(
    delete, path = "/v1/groups/{id}/members/{user}", tag = "v1", operation_id = "v1_delete_member",
    security(("v1_bearer" = [])),
    params(
        ("id" = String, Path, description = "The group's id.", example = "00000000-0012-8007-8000-3c4d5e6f7a8b"),
        ("user" = String, Path, description = "The member's id, or `me`.", example = "me"),
    ),
    responses(
        (status = 204, description = "The user is not in the group"),
        (status = 403, description = "The current user is not a member, or not allowed to remove this member", body = Refused, example = json!({
            "type": "about:blank", "title": "Forbidden", "status": 403, "code": "group_rule",
            "detail": "only the owner and managers of the group may do this",
        })),
        (status = 404, description = "No such group, or the user was never in it", body = Refused, example = json!({
            "type": "about:blank", "title": "Not Found", "status": 404, "code": "group_rule",
            "detail": "a user in the request is not in the group",
        })),
    ),
)]
async fn delete_member(
    State(state): State<AppState>,
    Signed(caller, _): Signed<V1>,
    path: TwoVariables,
) -> ApiResult<V1> {
    let (group, user) = group_and_user(&path, caller.user)?;
    if user == caller.user {
        state.groups.quit(caller, group).await?;
    } else {
        state.groups.kick(caller, group, &BTreeSet::from([user])).await?;
    }
    Ok(StatusCode::NO_CONTENT.into_response())
}
