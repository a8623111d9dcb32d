//! Incremental sync.

use axum::extract::State;
use axum::http::request::Parts;
use domain::social::sync::{BlockedRow, FriendRow, GroupRow, MemberRow, SyncResponse as Delta};
use domain::social::{Relation, Status};
use domain::uuid::Uuid;
use domain::{Error, Result as DomainResult};
use handset_http::api::{ApiResult, V1};
use handset_http::body::ok;
use handset_http::caller::{Origin, Signed};
use handset_http::routes;
use handset_http::routes::Routes;
use handset_http::v1::{self, Wanted};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::{IntoParams, ToSchema};

use super::wire::{GroupRole, User};
use crate::AppState;

pub(super) fn router() -> Routes<AppState> {
    Routes::new().routes(routes!(get_sync))
}

fn example() -> Value {
    json!({
        "next_cursor": "MTc4NzMwNjQwMDAwMA", "more": false,
        "me": { "id": "00000000-000e-8001-8000-5d71a71403f0", "name": "Tom" },
        "blocks": [],
        "friends": [{
            "user": { "id": "00000000-0003-8001-8000-0a1b2c3d4e5f", "name": "Anna", "phone": "+8613912345678" },
            "state": "friends", "remark": "Anna from work",
        }],
        "groups": [
            {
                "id": "00000000-0012-8007-8000-3c4d5e6f7a8b", "name": "Team 1", "member_count": 2, "role": "owner",
                "owner": "00000000-000e-8001-8000-5d71a71403f0",
                "created_at": "2026-08-21T10:00:00.000Z", "updated_at": "2026-08-21T10:00:00.000Z",
            },
            { "id": "00000000-0009-8007-8000-1a2b3c4d5e6f", "gone": true },
        ],
        "members": [{
            "group": "00000000-0012-8007-8000-3c4d5e6f7a8b", "role": "member", "joined_at": "2026-08-21T10:00:00.000Z",
            "user": { "id": "00000000-0003-8001-8000-0a1b2c3d4e5f", "name": "Anna" },
        }],
    })
}

/// What changed since the cursor. Every entry is complete: it replaces the entry with the same id on the device.
#[derive(Serialize, ToSchema)]
#[schema(as = v1::Sync, example = example)]
struct Synced {
    /// Send it as `cursor` with the next sync. It is the same as before if nothing changed.
    next_cursor: String,
    /// Whether there are more changes. If true, sync again at once.
    more: bool,
    /// The current user. Absent if name and picture did not change.
    #[serde(skip_serializing_if = "Option::is_none")]
    me: Option<User>,
    /// Users who were blocked or unblocked, and blocked users whose profile changed.
    blocks: Vec<SyncedBlock>,
    /// Users whose friendship or profile changed.
    friends: Vec<SyncedFriend>,
    /// Groups that changed, and groups that the current user is no longer in.
    groups: Vec<SyncedGroup>,
    /// Members who joined or left, or whose profile changed.
    members: Vec<SyncedMember>,
}

/// A user who is or was blocked.
#[derive(Serialize, ToSchema)]
#[schema(as = v1::SyncedBlock)]
struct SyncedBlock {
    user: User,
    /// True if the user is not blocked any more: remove the entry. Absent otherwise.
    #[serde(skip_serializing_if = "is_false")]
    gone: bool,
}

/// A user who is or was a friend, or who sent or received a friend request.
#[derive(Serialize, ToSchema)]
#[schema(as = v1::SyncedFriend)]
struct SyncedFriend {
    user: User,
    state: Friendship,
    /// The current user's own name for the friend. Absent if there is none.
    #[serde(skip_serializing_if = "String::is_empty")]
    remark: String,
    /// The message of a friend request that is not answered yet. Absent if there is none.
    #[serde(skip_serializing_if = "String::is_empty")]
    message: String,
}

/// The state of a friendship.
#[derive(Serialize, ToSchema)]
#[schema(as = v1::Friendship)]
#[serde(rename_all = "snake_case")]
enum Friendship {
    Friends,
    /// The current user sent a friend request.
    Requested,
    /// The other user sent a friend request.
    RequestReceived,
    /// The other user sent a friend request, which the current user ignored.
    RequestIgnored,
    /// The current user ended the friendship: remove the entry.
    Gone,
}

/// A group. If `gone` is true, the entry has only `id` and `gone`; otherwise all fields except `portrait` and
/// `display_name` are present.
#[derive(Default, Serialize, ToSchema)]
#[schema(as = v1::SyncedGroup)]
struct SyncedGroup {
    /// The group's id, a UUID.
    id: String,
    /// True if the current user is no longer in the group, or it was dissolved: remove the group and its members. Absent
    /// otherwise.
    #[serde(skip_serializing_if = "is_false")]
    gone: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    /// The picture, an absolute URL. Absent if there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    portrait: Option<String>,
    /// The id of the owner.
    #[serde(skip_serializing_if = "Option::is_none")]
    owner: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    member_count: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    role: Option<GroupRole>,
    /// The current user's name in the group. Absent if it is not set.
    #[serde(skip_serializing_if = "Option::is_none")]
    display_name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    created_at: Option<String>,
    /// When the group or its members last changed.
    #[serde(skip_serializing_if = "Option::is_none")]
    updated_at: Option<String>,
}

/// A current or former member of a group.
#[derive(Serialize, ToSchema)]
#[schema(as = v1::SyncedMember)]
struct SyncedMember {
    /// The group's id.
    group: String,
    user: User,
    role: GroupRole,
    /// The member's name in the group. Absent if it is not set.
    #[serde(skip_serializing_if = "String::is_empty")]
    display_name: String,
    joined_at: String,
    /// True if the member left: remove the entry. Absent otherwise.
    #[serde(skip_serializing_if = "is_false")]
    gone: bool,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes the field by reference")]
const fn is_false(flag: &bool) -> bool {
    !*flag
}

impl Friendship {
    const fn of(relation: &Relation) -> Self {
        match relation.status {
            Some(Status::Friends | Status::Blocked) => Self::Friends,
            Some(Status::Asked) => Self::Requested,
            Some(Status::WasAsked) => Self::RequestReceived,
            Some(Status::Ignored) => Self::RequestIgnored,
            Some(Status::Deleted) | None => Self::Gone,
        }
    }
}

/// Turns rows into response fields.
struct Wire<'a> {
    state: &'a AppState,
    origin: &'a Origin,
}

impl Wire<'_> {
    fn block(&self, row: &BlockedRow) -> SyncedBlock {
        SyncedBlock { user: User::new(self.state, self.origin, row.user, &row.profile), gone: !row.blocked }
    }

    fn friend(&self, row: FriendRow) -> SyncedFriend {
        let FriendRow { relation, profile } = row;
        SyncedFriend {
            user: User::new(self.state, self.origin, relation.other, &profile),
            state: Friendship::of(&relation),
            remark: relation.remark,
            message: relation.message,
        }
    }

    fn group(&self, row: GroupRow) -> SyncedGroup {
        let some = |text: String| Some(text).filter(|text| !text.is_empty());
        match row {
            GroupRow::Here { group, role, name } => SyncedGroup {
                id: Uuid::of_group(group.id).to_string(),
                gone: false,
                portrait: some(self.state.url.absolute(self.origin, &group.portrait)),
                owner: Some(Uuid::of_user(group.owner).to_string()),
                member_count: Some(group.members),
                role: Some(role.into()),
                display_name: some(name),
                created_at: Some(group.created.rfc3339()),
                updated_at: Some(group.updated.rfc3339()),
                name: Some(group.name),
            },
            GroupRow::Gone(id) => {
                SyncedGroup { id: Uuid::of_group(id).to_string(), gone: true, ..SyncedGroup::default() }
            }
        }
    }

    fn member(&self, row: MemberRow) -> SyncedMember {
        SyncedMember {
            group: Uuid::of_group(row.group).to_string(),
            user: User::new(self.state, self.origin, row.user, &row.profile),
            role: row.member.role.into(),
            joined_at: row.member.joined.rfc3339(),
            gone: row.member.gone,
            display_name: row.member.name,
        }
    }

    fn answer(&self, delta: Delta, oneself: domain::account::UserId) -> Synced {
        let me = delta.oneself_changed.then(|| User::new(self.state, self.origin, oneself, &delta.oneself));
        Synced {
            next_cursor: v1::cursor(&delta.version.to_string()),
            more: delta.more,
            me,
            blocks: delta.blacklist.iter().map(|row| self.block(row)).collect(),
            friends: delta.friends.into_iter().map(|row| self.friend(row)).collect(),
            groups: delta.groups.into_iter().map(|row| self.group(row)).collect(),
            members: delta.members.into_iter().map(|row| self.member(row)).collect(),
        }
    }
}

/// Where the device is.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct Since {
    /// The `next_cursor` of the last response that the device saved. Without it, the response has everything.
    #[param(example = "MTc4NzMwNjQwMDAwMA")]
    cursor: Option<String>,
}

fn version(parts: &Parts) -> DomainResult<u64> {
    let Since { cursor } = v1::query(parts)?;
    Wanted::after(cursor)?.map_or(Ok(0), |place| place.parse().map_err(|_| v1::NO_CURSOR))
}

/// Sync: get what changed since `cursor`.
///
/// Save the response together with its `next_cursor`, and send that with the next sync. If `more` is true, sync again at
/// once. After two months without a sync, or with an unknown cursor, the response has everything, including what to
/// remove.
#[utoipa::path(
    get, path = "/v1/sync", tag = "v1", operation_id = "v1_get_sync", security(("v1_bearer" = [])), params(Since),
    responses((status = 200, description = "What changed", body = Synced)),
)]
async fn get_sync(
    State(state): State<AppState>,
    origin: Origin,
    Signed(caller, _): Signed<V1>,
    parts: Parts,
) -> ApiResult<V1> {
    let known = version(&parts)?;
    let delta = state.sync.since(caller, known).await.map_err(|error| match error {
        Error::Invalid { field: "version", .. } => v1::NO_CURSOR,
        other => other,
    })?;
    let wire = Wire { state: &state, origin: &origin };
    Ok(ok(wire.answer(delta, caller.user)))
}
