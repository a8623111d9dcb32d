//! The stores of friends and groups.

use std::collections::{BTreeSet, HashMap};

use async_trait::async_trait;

use super::friendship::{Pair, Relation};
use super::group::{Bulletin, Changed, Group, GroupId, GroupSnapshot, Role};
use super::{PublicProfile, PublicProfiles};
use crate::Result;
use crate::account::{Caller, UserId};
use crate::clock::Timestamp;
use crate::once::Once;

/// How often a change is checked again because the data it was checked against has changed meanwhile. Each conflict
/// means that another caller's change was written, so a crowd gets through one by one.
pub const MAX_CONFLICT_RETRIES: usize = 64;

/// The groups of one user.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Memberships {
    /// Groups that the user created, joined or was added to. The group's roster has the last word.
    pub live: BTreeSet<GroupId>,
    /// Groups that the user was in.
    pub left: BTreeSet<GroupId>,
}

/// The effect of a change of a group on its bulletin board.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Board<'a> {
    /// The board stays as it is. A dissolved group loses its board all the same.
    Keep,
    /// This bulletin replaces the one that was there.
    Post(&'a Bulletin),
    /// The board is cleared.
    Clear,
}

/// The result of writing a change of a group.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Written {
    /// The change is written.
    Done,
    /// The group has changed since it was read.
    Moved,
    /// A user who was to be added is in too many groups.
    TooManyGroups,
}

/// The result of writing a new group.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Created {
    /// The group is written.
    Done,
    /// An earlier request with the same key created this group.
    Before(GroupId),
    /// Another group has this id.
    Taken,
    /// A user who was to be added is in too many groups.
    TooManyGroups,
}

/// The effect of a change of a relation on the caller's blacklist.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Listed {
    /// The other user is added.
    On,
    /// The other user is removed.
    Off,
    /// Nothing.
    AsBefore,
}

/// Relations between users. Every method that takes a caller checks the session in the same round trip and returns
/// [`crate::Error::Unauthenticated`] when the session has ended.
#[async_trait]
pub trait FriendStore: Send + Sync {
    /// The relation of both users to each other, and the public profile of the other; no profile when that user does
    /// not exist. Takes one round trip.
    async fn pair(&self, caller: Caller, other: UserId, now: Timestamp) -> Result<(Pair, Option<PublicProfile>)>;

    /// Checks that the caller's session is active. Takes one round trip.
    async fn living(&self, caller: Caller, now: Timestamp) -> Result<()>;

    /// All relations of the caller to other users, ordered by the others' ids. Takes one round trip, or one for each
    /// megabyte.
    async fn relations(&self, caller: Caller, now: Timestamp) -> Result<Vec<Relation>>;

    /// The current public profiles of these users; users who do not exist are left out. Takes one round trip.
    async fn profiles(&self, people: &BTreeSet<UserId>) -> Result<PublicProfiles>;

    /// Writes one side or both sides of a relation, all or nothing, on the condition that they have not changed since
    /// they were read; returns `false` when they have. `listed` is the effect on the caller's blacklist;
    /// [`crate::Error::Full`] if the blacklist is full. A friend request counts against the caller's day,
    /// [`crate::Error::Limited`] if the day is full. Takes one round trip.
    async fn write(
        &self,
        caller: Caller,
        mine: &Relation,
        theirs: Option<&Relation>,
        listed: Listed,
        now: Timestamp,
    ) -> Result<bool>;
}

/// How a group is changed in the users' own lists of groups.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Enlist {
    /// The group is added to the list.
    Enter {
        /// The owner, who created the group. All others were added.
        owner: UserId,
    },
    /// The group moves to the groups that the user left.
    Leave,
    /// The group is removed as if it had never been there, because nobody ever saw it.
    Forget,
}

/// Groups.
#[async_trait]
pub trait GroupStore: Send + Sync {
    /// A group with its roster, for a signed-in caller. Takes one round trip.
    async fn held(&self, caller: Caller, group: GroupId, now: Timestamp) -> Result<Option<GroupSnapshot>>;

    /// A group with its roster and its bulletin board. Takes one round trip.
    async fn shown(
        &self,
        caller: Caller,
        group: GroupId,
        now: Timestamp,
    ) -> Result<Option<(GroupSnapshot, Option<Bulletin>)>>;

    /// The groups that a signed-in caller is in. Takes one round trip.
    async fn memberships(&self, caller: Caller, now: Timestamp) -> Result<Memberships>;

    /// Those of these groups that exist, and the user's role in each group that the user is in. Takes one round trip.
    async fn groups_with_roles(
        &self,
        user: UserId,
        ids: &BTreeSet<GroupId>,
    ) -> Result<(HashMap<GroupId, Group>, HashMap<GroupId, Role>)>;

    /// Which of these users exist, and whether each of them blocks the caller. Takes one round trip.
    async fn reachable(
        &self,
        caller: Caller,
        people: &BTreeSet<UserId>,
        now: Timestamp,
    ) -> Result<HashMap<UserId, bool>>;

    /// Whether the caller can add each of these users to this group, as far as their lists of groups are concerned.
    /// Takes one round trip, and another if a list is full for strangers.
    async fn have_room(&self, caller: Caller, group: GroupId, people: &BTreeSet<UserId>) -> Result<bool>;

    /// Writes a new group with its roster and the memberships, all or nothing. With `once`, the same transaction
    /// remembers the group for the caller's key. A new group counts against its creator's day,
    /// [`crate::Error::Limited`] if the day is full. Takes as many round trips as [`Self::write`].
    async fn create(&self, caller: Caller, changed: &Changed, once: Option<&Once>, now: Timestamp) -> Result<Created>;

    /// The group that an earlier request with this key created in the last 24 hours;
    /// [`crate::Error::IdempotencyKeyReused`] if that was another request. Takes one round trip.
    async fn created_before(&self, caller: Caller, once: &Once, now: Timestamp) -> Result<Option<GroupId>>;

    /// Writes a change of a group: the group, its roster, the memberships and the board, all or nothing. Takes one round
    /// trip, and two more if a list of groups is full for strangers, to find out who is a friend of the caller.
    async fn write(&self, caller: Caller, changed: &Changed, board: Board<'_>, now: Timestamp) -> Result<Written>;

    /// Waits before a change is checked again. The wait is random, and longer the more conflicts there were: at most
    /// 0.6 s.
    async fn step_aside(&self, meeting: usize);
}

/// Changes of groups without a caller: the rest of a change that does not fit into one transaction, and the changes
/// that the table's stream triggers.
#[async_trait]
pub trait JobStore: Send + Sync {
    /// A group with its roster. Takes one round trip.
    async fn held_by_nobody(&self, group: GroupId) -> Result<Option<GroupSnapshot>>;

    /// Writes a group and its roster; [`Written::Moved`] when they have changed since they were read. Takes one round
    /// trip.
    async fn write_by_nobody(&self, changed: &Changed) -> Result<Written>;

    /// Whether the nickname and picture of a user are spread now, because of the change `by`. They are not if they were
    /// spread a moment ago or often enough today: then this is noted, and the account's next change or the end of the
    /// note asks again. With `late` they are spread only if that was noted. The same change may ask twice. Takes one to
    /// four round trips.
    async fn begin_spread(&self, user: UserId, by: &str, late: bool, now: Timestamp) -> Result<bool>;

    /// The groups that the user is in. Takes one round trip.
    async fn memberships_of(&self, user: UserId) -> Result<Memberships>;

    /// Changes these users' own lists of groups, one by one. Repeating it changes nothing more. Returns `false` when a
    /// user who was to be added is in too many groups.
    async fn enlist(&self, group: GroupId, people: &BTreeSet<UserId>, how: Enlist) -> Result<bool>;

    /// Ends a job: deletes the note about it and writes the group and its roster, on the condition that they have not
    /// changed since they were read; returns `false` when they have. Takes one round trip.
    async fn conclude(&self, changed: &Changed) -> Result<bool>;

    /// Deletes the note about a job that has nothing left to do. Takes one round trip.
    async fn forget(&self, group: GroupId) -> Result<()>;
}
