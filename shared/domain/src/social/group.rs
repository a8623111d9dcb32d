//! Groups and their members.
//!
//! A group is two items that change together: the [`Group`] itself, which is small because every sync of every member
//! reads it, and its [`Roster`], which lists all current and former members. `seq` counts the changes of both, and a
//! member's `version` is the count of that member's last change. A delta needs nothing else.

mod event;
mod rules;

use std::collections::{BTreeMap, BTreeSet};

pub use self::event::{GroupEvent, Operation};
pub use self::rules::Changed;
use crate::Result;
use crate::account::UserId;
use crate::clock::Timestamp;
use crate::id::{Id, Kind};
use crate::text::Bounds;

/// The type of group ids.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct GroupKind;

impl Kind for GroupKind {
    const NAME: &'static str = "group";
}

/// A group's id.
pub type GroupId = Id<GroupKind>;

/// Maximum number of members of a group.
pub const MOST_MEMBERS: usize = 500;
/// Maximum number of groups that one user created or joined. Groups to which others added the user are not counted.
pub const MOST_GROUPS: usize = 500;
/// Maximum number of users added or removed at once: a store writes so many members in one step. A larger change is made
/// in parts.
pub const MOST_AT_ONCE: usize = 95;
/// Maximum number of users on a group's roster, former members included: a store keeps so many in one piece, however
/// long their names are.
pub const MOST_REMEMBERED: usize = 10_000;

/// The name of a group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GroupName(String);

impl GroupName {
    /// 2 to 32 characters, none of them a control character; spaces around them are dropped.
    pub fn parse(text: &str) -> Result<Self> {
        const RULE: &str = "has 2 to 32 characters and no control characters";
        const NAME: Bounds = Bounds::line("name", 2, 32, RULE);
        NAME.trimmed(text).map(Self)
    }

    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A member's display name in a group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MemberName(String);

impl MemberName {
    /// Up to 32 characters in at most 128 bytes, none of them a control character; spaces around them are dropped. An
    /// empty name removes it. The limit in bytes is stricter than that of other names because the names of all members
    /// are stored in one item.
    pub fn parse(text: &str) -> Result<Self> {
        const RULE: &str = "must have at most 32 characters and no control characters";
        const NAME: Bounds = Bounds { bytes: 128, ..Bounds::line("displayName", 0, 32, RULE) };
        NAME.trimmed(text).map(Self)
    }

    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The bulletin on a group's board.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bulletin {
    /// Its text.
    pub content: String,
    /// When it was posted.
    pub posted: Timestamp,
}

impl Bulletin {
    /// At most 1024 characters. Line breaks and tabs are the only control characters allowed. An empty text is `None`:
    /// it clears the board.
    pub fn parse(text: &str, now: Timestamp) -> Result<Option<Self>> {
        const BULLETIN: Bounds = Bounds {
            controls: &['\n', '\r', '\t'],
            ..Bounds::line("bulletin", 0, 1024, "must have at most 1024 characters")
        };
        let content = BULLETIN.kept(text)?;
        Ok((!content.is_empty()).then_some(Self { content, posted: now }))
    }
}

/// A user's role in a group. The numbers are those of the API's documentation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Role {
    /// The owner. Each group has exactly one.
    Owner = 0,
    /// A plain member.
    Member = 1,
    /// A member who may also remove members, rename the group and post on its board.
    Manager = 2,
}

impl Role {
    /// Every role.
    pub const ALL: [Self; 3] = [Self::Owner, Self::Member, Self::Manager];

    /// The role with this number in the API's documentation.
    #[must_use]
    pub fn from_number(number: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.number() == number)
    }

    /// The role's number in the API's documentation.
    #[must_use]
    pub const fn number(self) -> u8 {
        self as u8
    }

    /// The place of a member with this role on a list of members: the owner first, then the managers.
    #[must_use]
    pub const fn rank(self) -> u8 {
        match self {
            Self::Owner => 0,
            Self::Manager => 1,
            Self::Member => 2,
        }
    }
}

/// A group without its members.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Group {
    /// Its id.
    pub id: GroupId,
    /// Its name.
    pub name: String,
    /// Its picture; empty when none is set.
    pub portrait: String,
    /// Its owner.
    pub owner: UserId,
    /// How many members it has.
    pub members: usize,
    /// How often the group or its roster changed. A change is written only if this count is still the one that was
    /// read.
    pub seq: u64,
    /// Whether its members can see it.
    pub stage: Stage,
    /// When it was created.
    pub created: Timestamp,
    /// When it or its roster last changed.
    pub updated: Timestamp,
    /// The event of the last change, for notifying the members; `None` when they are not notified.
    pub last_event: Option<GroupEvent>,
}

/// Whether its members can see a group.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// It has more members than fit into one transaction, and they are still being added. Nobody sees it yet.
    Forming,
    /// Its members see it.
    Alive,
    /// It was dissolved.
    Dissolved,
}

/// A current or former member of a group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    /// Their role; their former role if they left.
    pub role: Role,
    /// Their display name in the group; empty when they have none.
    pub name: String,
    /// When they joined.
    pub joined: Timestamp,
    /// When their entry last changed.
    pub changed: Timestamp,
    /// The group's `seq` at their last change.
    pub version: u64,
    /// Whether they left or were removed.
    pub gone: bool,
}

/// All current and former members of a group.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Roster {
    /// The `seq` of the group that belongs to this roster.
    pub seq: u64,
    /// The members.
    pub people: BTreeMap<UserId, Member>,
}

impl Roster {
    /// A current member of the group.
    #[must_use]
    pub fn member(&self, user: UserId) -> Option<&Member> {
        self.people.get(&user).filter(|member| !member.gone)
    }

    /// All current members of the group.
    pub fn members(&self) -> impl Iterator<Item = (UserId, &Member)> {
        self.people.iter().filter(|(_, member)| !member.gone).map(|(user, member)| (*user, member))
    }
}

/// A group with its roster. They are read and written together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GroupSnapshot {
    /// The group.
    pub group: Group,
    /// Its roster.
    pub roster: Roster,
}

/// A new group before it is created.
#[derive(Clone, Debug)]
pub struct Draft {
    /// Its name.
    pub name: GroupName,
    /// Its picture; empty when it has none.
    pub portrait: String,
    /// The users to add. The creator is a member in any case.
    pub people: BTreeSet<UserId>,
}
