//! Groups.

mod board;
mod look;
mod people;
mod read;
mod roles;

use std::collections::BTreeSet;

use domain::account::UserId;
use domain::social::GroupId;
use domain::{Error, GroupRule, Result, short_id};
use handset_http::fields::List;
use handset_http::lenient;
use handset_http::routes::Routes;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::AppState;

pub(super) fn router() -> Routes<AppState> {
    Routes::new()
        .merge(people::router())
        .merge(roles::router())
        .merge(look::router())
        .merge(board::router())
        .merge(read::router())
}

/// The id of a group.
#[derive(Deserialize, ToSchema)]
#[schema(as = sealtalk::GroupId, example = json!({ "groupId": "KC6kot3ID" }))]
#[serde(rename_all = "camelCase")]
struct OfGroup {
    /// The group's id.
    group_id: String,
}

/// A group and some of its members or users to add.
#[derive(Deserialize, ToSchema)]
#[schema(as = sealtalk::GroupPeople, example = json!({ "groupId": "KC6kot3ID", "memberIds": ["52dzNbLBZ"] }))]
#[serde(rename_all = "camelCase")]
struct PeopleOfGroup {
    /// The group's id.
    group_id: String,
    /// The ids of 1 to 500 users.
    #[serde(deserialize_with = "lenient::list")]
    #[schema(value_type = List)]
    member_ids: Vec<String>,
}

impl PeopleOfGroup {
    /// The group and the users. There must be at least one user.
    fn read(&self) -> Result<(GroupId, BTreeSet<UserId>)> {
        let group = short_id::decode(&self.group_id)?;
        if self.member_ids.is_empty() {
            return Err(Error::Invalid { field: "memberIds", rule: "must name at least one user" });
        }
        Ok((group, people(&self.member_ids)?))
    }
}

/// Whether the caller lacks the permission in the group. Some endpoints return this as a bad request.
fn not_allowed(error: &Error) -> bool {
    matches!(error, Error::Group(GroupRule::MembersOnly | GroupRule::ManagersOnly))
}

/// Whether a named user is not in the group, or does not exist.
fn no_such_member(error: &Error) -> bool {
    matches!(error, Error::Group(GroupRule::NotInGroup) | Error::NotFound("user"))
}

/// Whether there is no such group.
fn no_such_group(error: &Error) -> bool {
    matches!(error, Error::NotFound("group"))
}

fn people(ids: &[String]) -> Result<BTreeSet<UserId>> {
    ids.iter().map(|id| short_id::decode(id)).collect()
}

/// The result for one user.
#[derive(Serialize, ToSchema)]
#[schema(as = sealtalk::GroupPersonStatus)]
struct PersonStatus {
    /// The user's id.
    id: String,
    /// Always 1: users are added without having to agree.
    status: u8,
}

impl PersonStatus {
    /// The same result for every named user. Users who block the caller are not added to the group, and the result does
    /// not show who they are.
    fn of(people: &BTreeSet<UserId>) -> Vec<Self> {
        people.iter().map(|user| Self { id: short_id::encode(*user), status: 1 }).collect()
    }
}
