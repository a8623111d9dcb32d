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
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;

use crate::AppState;

pub(super) fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .merge(people::router())
        .merge(roles::router())
        .merge(look::router())
        .merge(board::router())
        .merge(read::router())
}

/// Which group is meant.
#[derive(Deserialize, ToSchema)]
#[schema(as = sealtalk::GroupId, example = json!({ "groupId": "KC6kot3ID" }))]
#[serde(rename_all = "camelCase")]
struct OfGroup {
    /// The group's id.
    group_id: String,
}

/// Which people of which group are meant.
#[derive(Deserialize, ToSchema)]
#[schema(as = sealtalk::GroupPeople, example = json!({ "groupId": "KC6kot3ID", "memberIds": ["52dzNbLBZ"] }))]
#[serde(rename_all = "camelCase")]
struct PeopleOfGroup {
    /// The group's id.
    group_id: String,
    /// The ids of 1 to 500 people.
    #[serde(deserialize_with = "lenient::list")]
    #[schema(value_type = List)]
    member_ids: Vec<String>,
}

impl PeopleOfGroup {
    /// The group and the people, of whom there have to be some.
    fn read(&self) -> Result<(GroupId, BTreeSet<UserId>)> {
        let group = short_id::decode(&self.group_id)?;
        if self.member_ids.is_empty() {
            return Err(Error::Invalid { field: "memberIds", rule: "must name at least one user" });
        }
        Ok((group, people(&self.member_ids)?))
    }
}

/// Whether somebody may not do something to a group, which some endpoints answer as a bad request.
fn not_allowed(error: &Error) -> bool {
    matches!(error, Error::Group(GroupRule::MembersOnly | GroupRule::ManagersOnly))
}

/// Whether a person who was named is not in the group, or there is no such person.
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

/// What became of somebody who was named.
#[derive(Serialize, ToSchema)]
#[schema(as = sealtalk::GroupPersonStatus)]
struct PersonStatus {
    /// Their id.
    id: String,
    /// Always 1: nobody has to agree first, so there is nothing to wait for.
    status: u8,
}

impl PersonStatus {
    /// The same for everybody who was named. People who block the one who names them are left out of the group, and
    /// this does not tell who they are.
    fn of(people: &BTreeSet<UserId>) -> Vec<Self> {
        people.iter().map(|user| Self { id: short_id::encode(*user), status: 1 }).collect()
    }
}
