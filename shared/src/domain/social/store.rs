//! Where friends, groups and what devices were told lie.

use std::collections::{BTreeSet, HashMap};

use async_trait::async_trait;

use super::friendship::{Pair, Relation};
use super::group::{Bulletin, Changed, Group, GroupId, Held, Role, Roster};
use super::sync::Told;
use super::{Face, Faces};
use crate::domain::Result;
use crate::domain::account::{Account, Caller, UserId};
use crate::domain::clock::Timestamp;

/// A change is judged anew this often when what it was judged by has changed. Each meeting means that somebody else's
/// change was written, so a crowd gets through one by one.
pub(super) const MEETINGS: usize = 64;

/// The groups that somebody is in.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Memberships {
    /// Groups that they are in, unless the group says otherwise.
    pub live: BTreeSet<GroupId>,
    /// Groups that they were in.
    pub left: BTreeSet<GroupId>,
}

/// What a change of a group does to its board.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Board<'a> {
    /// Nothing. A dissolved group loses its board all the same.
    Keep,
    /// Something is posted, in place of what was there.
    Post(&'a Bulletin),
    /// It is cleared.
    Clear,
}

/// How writing a change of a group ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Written {
    /// It is written.
    Done,
    /// The group changed since it was read.
    Moved,
    /// Somebody who was to come in is in too many groups.
    TooManyGroups,
}

/// Relations between people. Every method with a caller checks the session in the same round trip and answers
/// [`crate::domain::Error::Unauthenticated`] when it is over.
#[async_trait]
pub trait FriendStore: Send + Sync {
    /// What two people hold of each other, and what the other looks like; no face when they do not exist. One round
    /// trip.
    async fn pair(&self, caller: Caller, other: UserId, now: Timestamp) -> Result<(Pair, Option<Face>)>;

    /// Whether the caller's session lives. One round trip.
    async fn living(&self, caller: Caller, now: Timestamp) -> Result<()>;

    /// Everything the caller holds of others, by their ids. One round trip, or one for each megabyte.
    async fn relations(&self, caller: Caller, now: Timestamp) -> Result<Vec<Relation>>;

    /// What people look like now; those who do not exist are left out. One round trip.
    async fn faces(&self, people: &BTreeSet<UserId>) -> Result<Faces>;

    /// Writes one side or both of a relation, all or nothing, if they still are what they were changed from; `false`
    /// when they are not. One round trip.
    async fn write(&self, caller: Caller, mine: &Relation, theirs: Option<&Relation>, now: Timestamp) -> Result<bool>;
}

/// How people's own lists of groups change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Enlist {
    /// A group is entered.
    Enter,
    /// It moves to those that they left.
    Leave,
    /// It is taken out as if it had never been there: nobody saw it.
    Forget,
}

/// Groups.
#[async_trait]
pub trait GroupStore: Send + Sync {
    /// A group with its roster, for a signed-in caller. One round trip.
    async fn held(&self, caller: Caller, group: GroupId, now: Timestamp) -> Result<Option<Held>>;

    /// A group with its roster and its board. One round trip.
    async fn shown(&self, caller: Caller, group: GroupId, now: Timestamp) -> Result<Option<(Held, Option<Bulletin>)>>;

    /// The groups that a signed-in caller is in. One round trip.
    async fn memberships(&self, caller: Caller, now: Timestamp) -> Result<Memberships>;

    /// The groups of these ids that exist, and what somebody is in those that they are in. One round trip.
    async fn groups_with_roles(
        &self,
        user: UserId,
        ids: &BTreeSet<GroupId>,
    ) -> Result<(HashMap<GroupId, Group>, HashMap<GroupId, Role>)>;

    /// Who of these people exists, and of those who blocks the caller. One round trip.
    async fn reachable(
        &self,
        caller: Caller,
        people: &BTreeSet<UserId>,
        now: Timestamp,
    ) -> Result<HashMap<UserId, bool>>;

    /// Whether each of these people is in this group or could be in one group more. One round trip.
    async fn have_room(&self, group: GroupId, people: &BTreeSet<UserId>) -> Result<bool>;

    /// Writes a change of a group: the group, its roster, the memberships and the board, all or nothing. One round
    /// trip.
    async fn write(&self, caller: Caller, changed: &Changed, board: Board<'_>, now: Timestamp) -> Result<Written>;

    /// Waits before a change is judged anew, at random and for longer the more often it met others: at most 0.6 s.
    async fn step_aside(&self, meeting: usize);
}

/// What is done to groups for nobody in particular: the rest of a change that does not fit into a transaction, and
/// what the table's stream sets off.
#[async_trait]
pub trait JobStore: Send + Sync {
    /// A group with its roster. One round trip.
    async fn held_by_nobody(&self, group: GroupId) -> Result<Option<Held>>;

    /// Writes a group and its roster; [`Written::Moved`] when they changed since they were read. One round trip.
    async fn write_by_nobody(&self, changed: &Changed) -> Result<Written>;

    /// The groups that somebody is in. One round trip.
    async fn memberships_of(&self, user: UserId) -> Result<Memberships>;

    /// Changes people's own lists of groups, one by one. Doing it twice does no more. `false` when one who was to be
    /// entered is in too many groups.
    async fn enlist(&self, group: GroupId, people: &BTreeSet<UserId>, how: Enlist) -> Result<bool>;

    /// Ends a job: puts away the note of it and writes the group and its roster, if they still are what they were
    /// changed from; `false` when they are not. One round trip.
    async fn conclude(&self, changed: &Changed) -> Result<bool>;

    /// Puts away the note of a job that has nothing left to do. One round trip.
    async fn forget(&self, group: GroupId) -> Result<()>;
}

/// What a sync reads and writes.
#[async_trait]
pub trait SyncStore: Send + Sync {
    /// Everything of the caller's own, and what the device was told by the answer with this version. The session is
    /// not checked. One round trip, or one for each megabyte of relations.
    async fn own(&self, user: UserId, version: u64, now: Timestamp) -> Result<Own>;

    /// What these people look like, perhaps a moment ago, and these groups as they are. One round trip.
    async fn around(
        &self,
        people: &BTreeSet<UserId>,
        groups: &BTreeSet<GroupId>,
    ) -> Result<(Faces, HashMap<GroupId, Group>)>;

    /// The rosters of these groups. One round trip.
    async fn rosters(&self, groups: &BTreeSet<GroupId>) -> Result<HashMap<GroupId, Roster>>;

    /// What these people look like now. One round trip.
    async fn faces_now(&self, people: &BTreeSet<UserId>) -> Result<Faces>;

    /// Remembers for longer what the device of this version was told. One round trip.
    async fn renew(&self, user: UserId, version: u64, now: Timestamp) -> Result<()>;

    /// Remembers what a device is told; `false` when another answer has that version. What it was told by the answer
    /// before its last is forgotten beside it, since it has shown that it got the last. One round trip, and another for
    /// somebody with more than fifteen thousand rows.
    async fn remember(&self, user: UserId, version: u64, telling: &Telling, now: Timestamp) -> Result<bool>;
}

/// What [`SyncStore::own`] reads.
#[derive(Clone, Debug)]
pub struct Own {
    /// The account; none when it is gone.
    pub account: Option<Account>,
    /// What the device was told; none when that is not known, or no longer.
    pub told: Option<Remembered>,
    /// What is held of others.
    pub relations: Vec<Relation>,
    /// The groups.
    pub memberships: Memberships,
}

/// What a device was told by an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Remembered {
    /// What it was told.
    pub rows: Told,
    /// When that was written, or last renewed.
    pub since: Timestamp,
    /// The version of the answer before.
    pub before: u64,
}

/// What a device is about to be told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Telling {
    /// Everything that it will know.
    pub rows: Told,
    /// The version that it came with.
    pub before: u64,
    /// The version before that one, which it does not need any more.
    pub outlived: Option<u64>,
}
