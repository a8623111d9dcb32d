//! Response types that several endpoints share.

use domain::account::UserId;
use domain::social::group::Role;
use domain::social::{PublicProfile, Relation};
use domain::uuid::Uuid;
use handset_http::caller::Origin;
use serde::Serialize;
use utoipa::ToSchema;

use crate::AppState;

/// A user as others see them. Fields without a value are absent.
#[derive(Serialize, ToSchema)]
#[schema(as = v1::User)]
pub(super) struct User {
    /// The user's id, a UUID.
    id: String,
    /// The nickname.
    #[serde(skip_serializing_if = "String::is_empty")]
    name: String,
    /// The picture, an absolute URL.
    #[serde(skip_serializing_if = "String::is_empty")]
    avatar: String,
    /// The phone number in E.164. Only of friends.
    #[serde(skip_serializing_if = "Option::is_none")]
    phone: Option<String>,
}

impl User {
    pub(super) fn new(state: &AppState, origin: &Origin, id: UserId, profile: &PublicProfile) -> Self {
        Self {
            id: Uuid::of_user(id).to_string(),
            name: profile.name.clone(),
            avatar: state.url.absolute(origin, &profile.avatar),
            phone: profile.phone.clone(),
        }
    }

    /// The same without the phone number, for people who need not be friends.
    pub(super) fn without_phone(self) -> Self {
        Self { phone: None, ..self }
    }
}

/// A member's role in a group.
#[derive(Clone, Copy, Serialize, ToSchema)]
#[schema(as = v1::Role)]
#[serde(rename_all = "snake_case")]
pub(super) enum GroupRole {
    /// Each group has one owner.
    Owner,
    /// A member who may also remove members, change the group and post its bulletin.
    Manager,
    Member,
}

impl From<Role> for GroupRole {
    fn from(role: Role) -> Self {
        match role {
            Role::Owner => Self::Owner,
            Role::Manager => Self::Manager,
            Role::Member => Self::Member,
        }
    }
}

/// The place of a relation on a list with the newest first: a text that grows while times fall.
pub(super) fn newest_first(relation: &Relation) -> String {
    let time = relation.asked.unwrap_or(relation.updated);
    format!("{:016x}{:016x}", i64::MAX - time.millis(), relation.other.get())
}
