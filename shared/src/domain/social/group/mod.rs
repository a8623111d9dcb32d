//! What a group is.
//!
//! A group is two items that change together: the [`Group`] itself, small because every sync of every member looks at
//! it, and its [`Roster`], which names everybody who is or ever was a member. `seq` counts the changes of both, and a
//! member's `version` is the count at which they last changed: that is all a delta needs.

mod rules;

use std::collections::{BTreeMap, BTreeSet};

pub use self::rules::Changed;
use crate::domain::Result;
use crate::domain::account::UserId;
use crate::domain::clock::Timestamp;
use crate::domain::id::{Id, Kind};
use crate::domain::notifications::GroupEvent;
use crate::domain::text::Bounds;

/// Marks the ids of groups.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct GroupKind;

impl Kind for GroupKind {
    const NAME: &'static str = "group";
}

/// A group's id.
pub type GroupId = Id<GroupKind>;

/// The most members of a group.
pub const MOST_MEMBERS: usize = 500;
/// The most groups that somebody is in.
pub const MOST_GROUPS: usize = 500;
/// As many people come in or leave in one transaction. `DynamoDB` takes 100 items, of which the session, the group, its
/// roster, its board and a note of what is left to do are five.
pub const MOST_AT_ONCE: usize = 95;
/// The most people that a group's roster remembers, former members among them. `DynamoDB`'s items end at 400 KB, which
/// so many fit into whatever they call themselves.
pub const MOST_REMEMBERED: usize = 10_000;

/// What a group is called.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GroupName(String);

impl GroupName {
    /// 2 to 32 characters, none of them a control character; spaces around them are dropped.
    pub fn parse(text: &str) -> Result<Self> {
        const RULE: &str = "has 2 to 32 characters and no control characters";
        const NAME: Bounds = Bounds::line("name", 2, 32, RULE);
        NAME.trimmed(text).map(Self)
    }

    /// As text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// What a member calls themselves in a group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MemberName(String);

impl MemberName {
    /// Up to 32 characters in at most 128 bytes, none of them a control character; spaces around them are dropped.
    /// Empty takes the name away. The names of all members lie in one item, so their bytes are bounded more closely
    /// than those of other names.
    pub fn parse(text: &str) -> Result<Self> {
        const RULE: &str = "has at most 32 characters and no control characters";
        const NAME: Bounds = Bounds { bytes: 128, ..Bounds::line("displayName", 0, 32, RULE) };
        NAME.trimmed(text).map(Self)
    }

    /// As text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// What is posted on a group's board.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bulletin {
    /// What it says.
    pub content: String,
    /// When it was posted.
    pub posted: Timestamp,
}

impl Bulletin {
    /// At most 1024 characters, of which only line breaks and tabs are control characters. An empty text is none: it
    /// clears the board.
    pub fn parse(text: &str, now: Timestamp) -> Result<Option<Self>> {
        const BULLETIN: Bounds = Bounds {
            controls: &['\n', '\r', '\t'],
            ..Bounds::line("bulletin", 0, 1024, "has at most 1024 characters")
        };
        let content = BULLETIN.kept(text)?;
        Ok((!content.is_empty()).then_some(Self { content, posted: now }))
    }
}

/// What somebody is in a group. The numbers are the document's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Role {
    /// The one owner.
    Owner = 0,
    /// A plain member.
    Member = 1,
    /// A member who may also kick, rename and post.
    Manager = 2,
}

impl Role {
    /// Every role.
    pub const ALL: [Self; 3] = [Self::Owner, Self::Member, Self::Manager];

    /// By the document's number.
    #[must_use]
    pub fn from_number(number: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.number() == number)
    }

    /// The document's number.
    #[must_use]
    pub const fn number(self) -> u8 {
        self as u8
    }
}

/// A group without its members.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Group {
    /// Its id.
    pub id: GroupId,
    /// Its name.
    pub name: String,
    /// Its picture; empty when none was set.
    pub portrait: String,
    /// Who owns it.
    pub owner: UserId,
    /// How many members it has.
    pub members: usize,
    /// How often the group or its roster changed. A change is admitted by the count it was made of.
    pub seq: u64,
    /// Whether it is there for its members.
    pub stage: Stage,
    /// When it was made.
    pub created: Timestamp,
    /// When it or its roster last changed.
    pub updated: Timestamp,
    /// What its members are to hear of the last change; none when it is nothing to tell.
    pub told: Option<GroupEvent>,
}

/// Whether a group is there for its members.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// More people than fit into a transaction are being entered; nobody sees it yet.
    Forming,
    /// It is there.
    Alive,
    /// It was dissolved.
    Dissolved,
}

/// Somebody in a group, or who was.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    /// What they are; what they were, if they left.
    pub role: Role,
    /// What they call themselves in the group; empty when nothing.
    pub name: String,
    /// When they came in.
    pub joined: Timestamp,
    /// When they last changed.
    pub changed: Timestamp,
    /// The group's `seq` of their last change.
    pub version: u64,
    /// Whether they left, or were kicked.
    pub gone: bool,
}

/// Everybody who is or was in a group.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Roster {
    /// The group's `seq` that this is the roster of.
    pub seq: u64,
    /// The people.
    pub people: BTreeMap<UserId, Member>,
}

impl Roster {
    /// Somebody who is in the group now.
    #[must_use]
    pub fn member(&self, user: UserId) -> Option<&Member> {
        self.people.get(&user).filter(|member| !member.gone)
    }

    /// Everybody who is in the group now.
    pub fn members(&self) -> impl Iterator<Item = (UserId, &Member)> {
        self.people.iter().filter(|(_, member)| !member.gone).map(|(user, member)| (*user, member))
    }
}

/// A group with its roster, as they were read together or are to be written together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Held {
    /// The group.
    pub group: Group,
    /// Its people.
    pub roster: Roster,
}

/// A new group about to be made.
#[derive(Clone, Debug)]
pub struct Draft {
    /// Its name.
    pub name: GroupName,
    /// Its picture; empty when none was given.
    pub portrait: String,
    /// Whom to enter; the maker is in it anyway.
    pub people: BTreeSet<UserId>,
}
