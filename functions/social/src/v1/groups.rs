//! Groups.

mod bulletin;
mod members;
mod ownership;

use std::collections::BTreeSet;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::IntoResponse;
use domain::profile::Avatar;
use domain::social::group::Draft;
use domain::social::{Group as DomainGroup, GroupName, Mine, Role, Shown};
use domain::uuid::Uuid;
use domain::{Error, Result as DomainResult};
use handset_http::api::v1::Refused;
use handset_http::api::{ApiResult, V1};
use handset_http::body::ok;
use handset_http::caller::{Origin, Signed};
use handset_http::routes;
use handset_http::routes::Routes;
use handset_http::v1::{self, Fields, Making, Paging, Variable, Wanted};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::ToSchema;

use super::wire::GroupRole;
use crate::AppState;

pub(super) fn router() -> Routes<AppState> {
    Routes::new()
        .routes(routes!(get_groups, post_group))
        .routes(routes!(get_group, patch_group))
        .merge(ownership::router())
        .merge(members::router())
        .merge(bulletin::router())
}

fn example() -> Value {
    json!({
        "id": "00000000-0012-8007-8000-3c4d5e6f7a8b", "name": "Team 1", "member_count": 5, "role": "member",
        "portrait": "https://api.example.com/images/0123456789abcdef0123456789abcdef.jpg",
        "owner": "00000000-000e-8001-8000-5d71a71403f0",
        "created_at": "2026-08-21T10:00:00.000Z", "updated_at": "2026-08-21T10:00:00.000Z",
    })
}

/// A group. Fields without a value are absent.
#[derive(Serialize, ToSchema)]
#[schema(as = v1::Group, example = example)]
struct Group {
    /// The group's id, a UUID.
    id: String,
    name: String,
    /// The picture, an absolute URL.
    #[serde(skip_serializing_if = "String::is_empty")]
    portrait: String,
    /// The id of the owner.
    owner: String,
    /// The number of members, at most 500.
    member_count: usize,
    /// The current user's role. Absent if the current user is not a member.
    #[serde(skip_serializing_if = "Option::is_none")]
    role: Option<GroupRole>,
    created_at: String,
    /// When the group or its members last changed.
    updated_at: String,
    /// When the group was dissolved.
    #[serde(skip_serializing_if = "Option::is_none")]
    dissolved_at: Option<String>,
}

impl Group {
    fn new(state: &AppState, origin: &Origin, group: &DomainGroup, role: Option<Role>) -> Self {
        Self {
            id: Uuid::of_group(group.id).to_string(),
            name: group.name.clone(),
            portrait: state.url.absolute(origin, &group.portrait),
            owner: Uuid::of_user(group.owner).to_string(),
            member_count: group.members,
            role: role.map(GroupRole::from),
            created_at: group.created.rfc3339(),
            updated_at: group.updated.rfc3339(),
            dissolved_at: None,
        }
    }
}

/// A page of groups.
#[derive(Serialize, ToSchema)]
#[schema(as = v1::Groups, example = json!({ "items": [example()] }))]
struct Groups {
    /// The groups.
    items: Vec<Group>,
    /// The cursor of the next page. Absent on the last page.
    #[serde(skip_serializing_if = "Option::is_none")]
    next_cursor: Option<String>,
}

/// List the groups that the current user is in.
///
/// The order is that of the groups' ids. A page may have fewer groups than `limit`, even if it is not the last one.
#[utoipa::path(
    get, path = "/v1/groups", tag = "v1", operation_id = "v1_get_groups", security(("v1_bearer" = [])),
    params(Paging),
    responses((status = 200, description = "A page of groups", body = Groups)),
)]
async fn get_groups(
    State(state): State<AppState>,
    origin: Origin,
    Signed(caller, _): Signed<V1>,
    wanted: Wanted,
) -> ApiResult<V1> {
    let page = wanted.page(state.groups.listed(caller).await?, |id| id.get())?;
    let mine = state.groups.mine_among(caller, &page.items.into_iter().collect()).await?;
    let items = mine.into_iter().map(|Mine { group, role }| Group::new(&state, &origin, &group, Some(role)));
    Ok(ok(Groups { items: items.collect(), next_cursor: page.next_cursor }))
}

/// A new group.
#[derive(Deserialize, ToSchema)]
#[schema(as = v1::NewGroup, example = json!({
    "name": "Team 1", "members": ["00000000-0003-8001-8000-0a1b2c3d4e5f"],
}))]
struct NewGroup {
    /// 2 to 32 characters.
    name: String,
    /// The picture: the URL of an uploaded picture, or any http(s) URL of 12 to 256 characters.
    portrait: Option<String>,
    /// The ids of up to 499 other users.
    #[serde(default)]
    members: Vec<String>,
}

impl NewGroup {
    fn draft(&self, state: &AppState, origin: &Origin) -> DomainResult<Draft> {
        let people: DomainResult<BTreeSet<_>> = self.members.iter().map(|id| v1::user(id)).collect();
        let portrait = self.portrait.as_deref().map(|url| portrait(state, origin, url)).transpose()?;
        Ok(Draft { name: GroupName::parse(&self.name)?, portrait: portrait.unwrap_or_default(), people: people? })
    }
}

/// A picture as it is stored.
fn portrait(state: &AppState, origin: &Origin, url: &str) -> DomainResult<String> {
    let portrait = v1::of_field("portrait", Avatar::parse(state.url.relative(origin, url)))?;
    Ok(portrait.as_str().to_owned())
}

/// The id of a group that was created.
#[derive(Serialize, ToSchema)]
#[schema(as = v1::CreatedGroup, example = json!({ "id": "00000000-0012-8007-8000-3c4d5e6f7a8b" }))]
struct CreatedGroup {
    /// The group's id, a UUID.
    id: String,
}

/// Create a group.
///
/// The current user is its owner. Users who have blocked the current user are left out, and the response does not show
/// who they are. An account can create 50 groups a day.
#[utoipa::path(
    post, path = "/v1/groups", tag = "v1", operation_id = "v1_post_group", security(("v1_bearer" = [])),
    request_body = NewGroup,
    params(("Idempotency-Key" = Option<String>, Header, description = "A new random text for each group.", example = "4a3c0c0e-8a5c-4d6e-9a59-6f0d4ae4a1c7")),
    responses(
        (status = 201, description = "Created", body = CreatedGroup),
        (status = 403, description = "More than 500 members, or a user is in too many groups", body = Refused, example = json!({
            "type": "about:blank", "title": "Forbidden", "status": 403, "code": "group_rule",
            "detail": "a user can be in at most 500 groups",
        })),
        (status = 404, description = "One of the users does not exist", body = Refused, example = json!({
            "type": "about:blank", "title": "Not Found", "status": 404, "code": "not_found", "detail": "no such user",
        })),
        (status = 422, description = "A value breaks a rule, or the key was used for another request", body = Refused, example = json!({
            "type": "about:blank", "title": "Unprocessable Entity", "status": 422, "code": "idempotency_key_reused",
            "detail": "this Idempotency-Key was used for another request; use a new key for each request",
        })),
    ),
)]
async fn post_group(
    State(state): State<AppState>,
    origin: Origin,
    Signed(caller, _): Signed<V1>,
    Making { given, once }: Making<NewGroup>,
) -> ApiResult<V1> {
    let id = state.groups.create(caller, given.draft(&state, &origin)?, once.as_ref()).await?;
    Ok((StatusCode::CREATED, axum::Json(CreatedGroup { id: Uuid::of_group(id).to_string() })).into_response())
}

/// Get a group.
///
/// For any signed-in user, so that they can join the group. Users who were in a dissolved group still get it for 90 days,
/// with `dissolved_at` and without members; for others it does not exist.
#[utoipa::path(
    get, path = "/v1/groups/{id}", tag = "v1", operation_id = "v1_get_group", security(("v1_bearer" = [])),
    params(("id" = String, Path, description = "The group's id.", example = "00000000-0012-8007-8000-3c4d5e6f7a8b")),
    responses(
        (status = 200, description = "The group", body = Group),
        (status = 404, description = "No such group", body = Refused, example = json!({
            "type": "about:blank", "title": "Not Found", "status": 404, "code": "not_found", "detail": "no such group",
        })),
    ),
)]
async fn get_group(
    State(state): State<AppState>,
    origin: Origin,
    Signed(caller, _): Signed<V1>,
    id: Variable,
) -> ApiResult<V1> {
    let Shown { group, dissolved, role, bulletin: _ } = state.groups.show(caller, id.group()?).await?;
    let dissolved_at = dissolved.map(domain::clock::Timestamp::rfc3339);
    Ok(ok(Group { dissolved_at, ..Group::new(&state, &origin, &group, role) }))
}

/// A merge patch (RFC 7396) of a group. It names at least one field.
#[derive(Deserialize, ToSchema)]
#[schema(as = v1::GroupPatch, example = json!({ "name": "Team 2" }))]
#[expect(clippy::option_option, reason = "a field is absent, null or a value")]
struct Patch {
    /// 2 to 32 characters.
    name: Option<String>,
    /// The picture: the URL of an uploaded picture, or any http(s) URL of 12 to 256 characters. Null removes it.
    #[serde(default, deserialize_with = "v1::nullable")]
    #[schema(value_type = Option<String>)]
    portrait: Option<Option<String>>,
}

/// Change a group's name or picture, or both.
///
/// For the owner and the managers. The members are notified of a new name.
#[utoipa::path(
    patch, path = "/v1/groups/{id}", tag = "v1", operation_id = "v1_patch_group", security(("v1_bearer" = [])),
    request_body = Patch,
    params(("id" = String, Path, description = "The group's id.", example = "00000000-0012-8007-8000-3c4d5e6f7a8b")),
    responses(
        (status = 204, description = "Changed"),
        (status = 403, description = "The current user is neither owner nor manager", body = Refused, example = json!({
            "type": "about:blank", "title": "Forbidden", "status": 403, "code": "group_rule",
            "detail": "only the owner and managers of the group may do this",
        })),
        (status = 404, description = "No such group", body = Refused, example = json!({
            "type": "about:blank", "title": "Not Found", "status": 404, "code": "not_found", "detail": "no such group",
        })),
    ),
)]
async fn patch_group(
    State(state): State<AppState>,
    origin: Origin,
    Signed(caller, _): Signed<V1>,
    id: Variable,
    Fields(given): Fields<Patch>,
) -> ApiResult<V1> {
    let name = given.name.as_deref().map(GroupName::parse).transpose()?;
    let portrait = match given.portrait {
        None => None,
        Some(None) => Some(String::new()),
        Some(Some(url)) => Some(portrait(&state, &origin, &url)?),
    };
    if name.is_none() && portrait.is_none() {
        return Err(Error::Malformed("nothing to change: send name or portrait".into()).into());
    }
    state.groups.edit(caller, id.group()?, name.as_ref(), portrait.as_deref()).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}
