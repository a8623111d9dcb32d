//! The stores of deleted accounts.

use std::collections::BTreeSet;

use async_trait::async_trait;

use crate::Result;
use crate::account::{Account, Caller, UserId};
use crate::clock::Timestamp;
use crate::identity::Proof;
use crate::notifications::Device;
use crate::rooms::RoomId;
use crate::social::Written;
use crate::social::group::Changed;

/// Makes tombstones of accounts.
#[async_trait]
pub trait DeletionStore: Send + Sync {
    /// Uses up the proof, ends all sessions, frees everything that the user signs in with and leaves a tombstone, all or
    /// nothing. With `purge_at`, the account is only hidden until that time. `account` is the account as it was read.
    /// Returns `false` when it was changed since, or the caller's session has ended. Takes one round trip.
    async fn delete_account(
        &self,
        caller: Caller,
        account: &Account,
        proof: &Proof,
        purge_at: Option<Timestamp>,
        now: Timestamp,
    ) -> Result<bool>;
}

/// What a tombstone still knows about, because nothing else leads to it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Leftover {
    /// The number that the user signed in with, in E.164.
    pub phone: Option<String>,
    /// The user's devices that got push notifications.
    pub devices: BTreeSet<Device>,
    /// The number of the user's own room.
    pub room_number: Option<String>,
    /// The user's own room.
    pub room: Option<RoomId>,
}

/// Something that is stored beside a tombstone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Belonging {
    /// A picture or a voice note, by its name.
    Media(String),
    /// The user's relation to another user, or the note that another user blocks the user.
    Relation(UserId),
    /// The list of the user's groups.
    Groups,
    /// The list of the user's rooms.
    Rooms(Vec<RoomId>),
    /// A report that the user made, by its time and its id.
    Report(Timestamp, String),
    /// The data of the Supabase API, with the number that was to be the user's next one.
    AppData(Option<String>),
    /// Something that nothing else depends on.
    Other,
}

/// Removes what belonged to a deleted user. Every method may be repeated.
#[async_trait]
pub trait PurgeStore: Send + Sync {
    /// What the tombstone still knows about; `None` if the account is not deleted, or is purged already. Takes one round
    /// trip.
    async fn leftover(&self, user: UserId) -> Result<Option<Leftover>>;

    /// Some of the items that are stored beside the tombstone, each with its sort key; none when there are no more. Takes
    /// one round trip.
    async fn belongings(&self, user: UserId) -> Result<Vec<(String, Belonging)>>;

    /// Removes a few items beside the tombstone, by their sort keys. Takes one round trip.
    async fn remove(&self, user: UserId, items: &[String]) -> Result<()>;

    /// Ends the other user's relation to this user, so that the other user's devices learn that this user is gone. Takes
    /// three round trips.
    async fn part(&self, user: UserId, other: UserId, now: Timestamp) -> Result<()>;

    /// Writes a change of a group that a deleted user leaves. Takes one round trip.
    async fn leave_group(&self, changed: &Changed, now: Timestamp) -> Result<Written>;

    /// Frees a room number that has no room. Takes one round trip.
    async fn free_room_number(&self, user: UserId, number: &str) -> Result<()>;

    /// Forgets what waits at this number for a code of this user. The number's sending limits stay. Takes one round trip.
    async fn forget_waiting(&self, user: UserId, phone: &str) -> Result<()>;

    /// Removes a report from the list of all reports. Takes one round trip.
    async fn forget_report(&self, made: Timestamp, report: &str) -> Result<()>;

    /// Ends a grace period, if it is over: frees everything that the user signed in with, and leaves a tombstone. Takes
    /// two round trips.
    async fn end_grace(&self, user: UserId, now: Timestamp) -> Result<()>;

    /// Leaves nothing of the tombstone but its id and the time, for half a year. Takes one round trip.
    async fn conclude_purge(&self, user: UserId, now: Timestamp) -> Result<()>;
}
