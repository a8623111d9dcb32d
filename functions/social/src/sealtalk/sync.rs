//! Incremental sync.

use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use domain::social::group::Role;
use domain::social::sync::{BlockedRow, FriendRow, GroupRow, MemberRow, SyncResponse as Delta};
use domain::{Error, short_id};
use handset_http::api::ApiResult;
use handset_http::api::SealTalk;
use handset_http::api::sealtalk::{Refused, Success};
use handset_http::caller::{Origin, Signed};
use handset_http::routes;
use handset_http::routes::Routes;
use serde::Serialize;
use utoipa::ToSchema;

use super::wire::User;
use crate::AppState;

pub(super) fn router() -> Routes<AppState> {
    Routes::new().routes(routes!(sync))
}

/// The changes since `version`. Every list has complete rows; each replaces the stored row with the same id.
#[derive(Serialize, ToSchema)]
#[schema(as = sealtalk::Sync)]
struct Synced {
    /// Send it with the next sync. It is the same as before if nothing changed.
    version: u64,
    /// Whether there are more changes. If true, sync again at once.
    more: bool,
    /// The current user.
    user: Oneself,
    /// Users who were blocked or unblocked, and blocked users whose profile changed.
    blacklist: Vec<Blocked>,
    /// Users whose friendship status or profile changed.
    friends: Vec<FriendEntry>,
    /// Groups that changed, and groups that the current user is no longer in.
    groups: Vec<Membership>,
    /// Members who joined or left, or whose profile changed.
    group_members: Vec<MemberEntry>,
}

#[derive(Serialize, ToSchema)]
#[schema(as = sealtalk::SyncUser)]
#[serde(rename_all = "camelCase")]
struct Oneself {
    #[serde(flatten)]
    user: User,
    /// The version in which the row was sent.
    timestamp: u64,
}

#[derive(Serialize, ToSchema)]
#[schema(as = sealtalk::SyncBlocked)]
#[serde(rename_all = "camelCase")]
struct Blocked {
    friend_id: String,
    /// Whether the user is blocked.
    status: bool,
    timestamp: u64,
    user: User,
}

#[derive(Serialize, ToSchema)]
#[schema(as = sealtalk::SyncFriend)]
#[serde(rename_all = "camelCase")]
struct FriendEntry {
    friend_id: String,
    display_name: String,
    message: String,
    /// 10 = request sent, 11 = request received, 20 = friends, 21 = request ignored, 30 = friendship ended, 31 = friend
    /// blocked.
    status: u8,
    timestamp: u64,
    user: User,
}

#[derive(Serialize, ToSchema)]
#[schema(as = sealtalk::SyncGroup)]
#[serde(rename_all = "camelCase")]
struct Membership {
    group_id: String,
    display_name: String,
    /// 0 = owner, 1 = member, 2 = manager.
    role: u8,
    /// Whether the current user is no longer in the group, or the group was dissolved.
    is_deleted: bool,
    timestamp: u64,
    group: GroupOf,
}

#[derive(Serialize, ToSchema)]
#[schema(as = sealtalk::SyncGroupDetail)]
#[serde(rename_all = "camelCase")]
struct GroupOf {
    id: String,
    /// Empty for a group that the current user is no longer in.
    name: String,
    portrait_uri: String,
    creator_id: String,
    member_count: usize,
    timestamp: u64,
}

#[derive(Serialize, ToSchema)]
#[schema(as = sealtalk::SyncMember)]
#[serde(rename_all = "camelCase")]
struct MemberEntry {
    group_id: String,
    member_id: String,
    display_name: String,
    /// 0 = owner, 1 = member, 2 = manager.
    role: u8,
    /// Whether the member left.
    is_deleted: bool,
    timestamp: u64,
    user: User,
}

/// Turns rows into response fields.
struct Wire<'a> {
    state: &'a AppState,
    origin: &'a Origin,
    version: u64,
}

impl Wire<'_> {
    fn blocked(&self, row: &BlockedRow) -> Blocked {
        Blocked {
            friend_id: short_id::encode(row.user),
            status: row.blocked,
            timestamp: self.version,
            user: User::new(self.state, self.origin, row.user, &row.profile),
        }
    }

    fn friend(&self, row: FriendRow) -> FriendEntry {
        let FriendRow { relation, profile } = row;
        FriendEntry {
            friend_id: short_id::encode(relation.other),
            status: relation.status.map_or(0, domain::social::Status::number),
            timestamp: self.version,
            user: User::new(self.state, self.origin, relation.other, &profile),
            display_name: relation.remark,
            message: relation.message,
        }
    }

    fn group(&self, row: GroupRow) -> Membership {
        let timestamp = self.version;
        match row {
            GroupRow::Here { group, role, name } => {
                let id = short_id::encode(group.id);
                let detail = GroupOf {
                    id: id.clone(),
                    portrait_uri: self.state.url.absolute(self.origin, &group.portrait),
                    creator_id: short_id::encode(group.owner),
                    member_count: group.members,
                    name: group.name,
                    timestamp,
                };
                Membership {
                    group_id: id,
                    display_name: name,
                    role: role.number(),
                    is_deleted: false,
                    timestamp,
                    group: detail,
                }
            }
            GroupRow::Gone(id) => {
                let id = short_id::encode(id);
                let detail = GroupOf {
                    id: id.clone(),
                    name: String::new(),
                    portrait_uri: String::new(),
                    creator_id: String::new(),
                    member_count: 0,
                    timestamp,
                };
                Membership {
                    group_id: id,
                    display_name: String::new(),
                    role: Role::Member.number(),
                    is_deleted: true,
                    timestamp,
                    group: detail,
                }
            }
        }
    }

    fn member(&self, row: MemberRow) -> MemberEntry {
        MemberEntry {
            group_id: short_id::encode(row.group),
            member_id: short_id::encode(row.user),
            role: row.member.role.number(),
            is_deleted: row.member.gone,
            timestamp: self.version,
            user: User::new(self.state, self.origin, row.user, &row.profile),
            display_name: row.member.name,
        }
    }

    fn answer(&self, delta: Delta, oneself: domain::account::UserId) -> Synced {
        let user = User::new(self.state, self.origin, oneself, &delta.oneself);
        Synced {
            version: delta.version,
            more: delta.more,
            user: Oneself { user, timestamp: self.version },
            blacklist: delta.blacklist.iter().map(|row| self.blocked(row)).collect(),
            friends: delta.friends.into_iter().map(|row| self.friend(row)).collect(),
            groups: delta.groups.into_iter().map(|row| self.group(row)).collect(),
            group_members: delta.members.into_iter().map(|row| self.member(row)).collect(),
        }
    }
}

/// Sync: get what changed since `version`.
///
/// Send the `version` from the last sync response that you saved, or 0 the first time. Lists hold complete rows; replace
/// your stored row with the same id. After two months without a sync, or with an unknown version, the response has
/// everything, including what to delete. If `more` is true, sync again at once.
#[utoipa::path(
    method(get, post), path = "/user/sync/{version}", tag = "sealtalk", operation_id = "sealtalk_sync",
    security(("sealtalk_session" = [])),
    params(("version" = u64, Path, description = "The `version` of the last response that you saved, or 0", example = 0)),
    responses(
        (status = 200, description = "What changed", body = inline(Success<Synced>), example = json!({ "code": 200, "result": {
            "version": 1_234_567_894, "more": false,
            "user": { "id": "sdf9sd0d", "nickname": "Tom", "portraitUri": "http://test.com/user/abc123.jpg", "timestamp": 1_234_567_894 },
            "blacklist": [], "friends": [], "groups": [], "group_members": [],
        } })),
        (status = 400, description = "`version` is not a number, or newer than the newest",
            body = Refused, example = json!({ "code": 400, "message": "version must be the version of an earlier response, or 0" })),
    ),
)]
async fn sync(
    State(state): State<AppState>,
    origin: Origin,
    Signed(caller, _): Signed<SealTalk>,
    path: Result<Path<String>, PathRejection>,
) -> ApiResult<SealTalk> {
    const RULE: Error = Error::Invalid { field: "version", rule: "must be the version of an earlier response, or 0" };
    let Path(version) = path.map_err(|_| RULE)?;
    let digits = !version.is_empty() && version.len() <= 16 && version.bytes().all(|byte| byte.is_ascii_digit());
    let version = version.parse().ok().filter(|_| digits).ok_or(RULE)?;
    let delta = state.sync.since(caller, version).await?;
    let wire = Wire { state: &state, origin: &origin, version: delta.version };
    Ok(SealTalk::result(wire.answer(delta, caller.user)))
}
